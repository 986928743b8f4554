//! What functions see of the world besides their arguments.

use types::{Datum, Oid, Settings, SqlError, SqlResult, SqlType};

/// The surroundings of an evaluation.
#[derive(Clone, Copy)]
pub struct EvalContext<'a> {
    /// Time zone, styles, transaction and statement time.
    pub settings: &'a Settings,
    /// The session, for the functions that ask about it.
    pub env: &'a dyn FunctionEnv,
    /// Actual types of the arguments: polymorphic functions need them.
    pub arg_types: &'a [SqlType],
    /// The type that the binder gave the result.
    pub return_type: SqlType,
}

impl<'a> EvalContext<'a> {
    /// A context in which no types are known; enough for functions that are not polymorphic.
    pub fn new(settings: &'a Settings, env: &'a dyn FunctionEnv) -> Self {
        EvalContext { settings, env, arg_types: &[], return_type: SqlType::UNKNOWN }
    }

    /// The same surroundings with the types of one call.
    pub fn typed(self, arg_types: &'a [SqlType], return_type: SqlType) -> Self {
        EvalContext { arg_types, return_type, ..self }
    }

    /// The type of an argument: the declared one, or what the value shows.
    pub(super) fn arg_type(&self, at: usize, value: &Datum) -> SqlType {
        match self.arg_types.get(at) {
            Some(ty) => *ty,
            None => SqlType::new(types::compare::natural_oid(value)),
        }
    }
}

/// What a session offers to functions. Everything has an answer for places without a session
/// (shards, plan-time folding), where only immutable functions run.
pub trait FunctionEnv: Send + Sync {
    /// Microseconds since 2000-01-01 UTC, now.
    fn clock_timestamp(&self) -> i64 {
        0
    }
    /// 64 random bits.
    fn random_u64(&self) -> u64 {
        0
    }
    /// `setseed`: a seed in -1..=1 for what [`FunctionEnv::random_u64`] gives from now on.
    fn set_seed(&self, _seed: f64) {}
    fn current_user(&self) -> String {
        "postgres".to_owned()
    }
    fn session_user(&self) -> String {
        self.current_user()
    }
    fn current_database(&self) -> String {
        "postgres".to_owned()
    }
    /// Existing schemas of the search path, the implicit ones too if asked.
    fn search_path(&self, _implicit: bool) -> Vec<String> {
        vec!["public".to_owned()]
    }
    fn backend_pid(&self) -> i32 {
        0
    }
    /// The value of a parameter as SHOW prints it.
    fn setting(&self, _name: &str) -> Option<String> {
        None
    }
    /// `set_config`: returns the new value.
    fn set_setting(&self, name: &str, _value: &str, _local: bool) -> SqlResult<String> {
        Err(SqlError::not_supported(format!("parameter \"{name}\" cannot be set here")))
    }
    /// A number for the transaction (`txid_current`).
    fn transaction_id(&self) -> i64 {
        0
    }
    fn client_address(&self) -> Option<String> {
        None
    }
    /// Name of an object for the output of a reg* type, quoted and qualified as the search path
    /// demands; None when there is no such object.
    fn reg_name(&self, _reg_type: Oid, _object: Oid) -> Option<String> {
        None
    }
    /// The object that a name denotes for a reg* type.
    fn reg_lookup(&self, _reg_type: Oid, name: &str) -> SqlResult<Option<Oid>> {
        Err(SqlError::not_supported(format!("name \"{name}\" cannot be looked up here")))
    }
    /// A function about the catalog (`pg_get_indexdef`, `pg_table_is_visible`, `obj_description`,
    /// `has_table_privilege`, ...), by name: the session's catalog answers; None when it does not
    /// know the function.
    fn catalog_function(&self, _name: &str, _args: &[Datum]) -> Option<SqlResult<Datum>> {
        None
    }
}

/// No session: shards and plan-time folding.
pub struct NoEnv;

impl FunctionEnv for NoEnv {}
