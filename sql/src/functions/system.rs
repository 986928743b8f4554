//! Functions about the session and the server, and about other values.

use super::native::{Native, int4_of, mismatch, text as text_result, text_of};
use super::{EvalContext, Function};
use std::sync::Arc;
use types::oid::*;
use types::{Array, Datum, SqlError, SqlResult, compare, sqlstate};

type Args<'a> = &'a [Datum];
type Context<'a, 'b> = &'a EvalContext<'b>;

/// The version of PostgreSQL whose behaviour is spoken, for clients that look at the number.
pub const POSTGRES_VERSION: &str = "15.0";

fn version(_: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(format!(
        "PostgreSQL {POSTGRES_VERSION} (ShardDB {}) on {}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS
    ))
}

fn current_user(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(context.env.current_user())
}

fn session_user(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(context.env.session_user())
}

fn current_database(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    text_result(context.env.current_database())
}

fn current_schema(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    match context.env.search_path(false).into_iter().next() {
        Some(schema) => text_result(schema),
        None => Ok(Datum::Null),
    }
}

fn current_schemas(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let schemas = context.env.search_path(bool::get(&args[0])?);
    let names = schemas.into_iter().map(|name| Datum::Text(name.into())).collect();
    Ok(Datum::Array(Arc::new(Array::one_dimensional(NAME, names))))
}

fn backend_pid(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(context.env.backend_pid()))
}

fn transaction_id(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Int8(context.env.transaction_id()))
}

fn current_setting(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let name = text_of(&args[0])?;
    let missing_is_fine = args.get(1).map_or(Ok(false), bool::get)?;
    match context.env.setting(name) {
        Some(value) => text_result(value),
        None if missing_is_fine => Ok(Datum::Null),
        None => Err(SqlError::new(
            sqlstate::UNDEFINED_OBJECT,
            format!("unrecognized configuration parameter \"{name}\""),
        )),
    }
}

fn set_config(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    if matches!(args[0], Datum::Null) {
        return Err(SqlError::new(sqlstate::NULL_VALUE_NOT_ALLOWED, "SET requires parameter name"));
    }
    let value = if matches!(args[1], Datum::Null) { "" } else { text_of(&args[1])? };
    let local = matches!(args[2], Datum::Bool(true));
    text_result(context.env.set_setting(text_of(&args[0])?, value, local)?)
}

/// `pg_typeof(any)`: a regtype.
fn type_of(args: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Oid(context.arg_type(0, &args[0]).oid))
}

/// `format_type(oid, typmod)`.
fn format_type(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let Datum::Oid(type_oid) = args[0] else { return Ok(Datum::Null) };
    if matches!(args[1], Datum::Null) {
        let name = if type_oid == BPCHAR {
            "character".to_owned()
        } else {
            types::format_type(type_oid, -1)
        };
        return text_result(name);
    }
    text_result(types::format_type(type_oid, int4_of(&args[1])?))
}

/// `pg_column_size(any)`: bytes of the stored form.
fn column_size(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let mut encoded = Vec::new();
    types::tuple::put_value(&mut encoded, &args[0]);
    Ok(Datum::Int4(encoded.len() as i32))
}

/// Bytes in the largest unit that leaves at least ten of it.
fn pretty_size(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let bytes = match &args[0] {
        Datum::Int8(bytes) => *bytes,
        Datum::Numeric(value) => types::numeric::to_i64(value)?,
        other => return Err(mismatch("bigint", other)),
    };
    let limit = 10 * 1024;
    if bytes.unsigned_abs() < limit as u64 {
        return text_result(format!("{bytes} bytes"));
    }
    // Half steps are kept by one bit more, and rounded away in the end.
    let half_rounded = |size: i64| if size < 0 { (size - 1) / 2 } else { (size + 1) / 2 };
    let mut size = bytes >> 9;
    for unit in ["kB", "MB", "GB", "TB"] {
        if size.abs() < 2 * limit - 1 {
            return text_result(format!("{} {unit}", half_rounded(size)));
        }
        size >>= 10;
    }
    text_result(format!("{} PB", half_rounded(size)))
}

fn client_address(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    context.env.client_address().map_or(Ok(Datum::Null), text_result)
}

/// `num_nulls(...)` and `num_nonnulls(...)`.
fn count_nulls(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(args.iter().filter(|arg| matches!(arg, Datum::Null)).count() as i32))
}

fn count_present(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Int4(args.iter().filter(|arg| !matches!(arg, Datum::Null)).count() as i32))
}

/// A random UUID, version 4.
fn random_uuid(_: Args<'_>, context: Context<'_, '_>) -> SqlResult<Datum> {
    let bits = u128::from(context.env.random_u64()) << 64 | u128::from(context.env.random_u64());
    let mut bytes = bits.to_be_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Datum::Uuid(bytes))
}

fn encoding_name(_: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result("UTF8")
}

fn client_encoding(_: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    text_result("UTF8")
}

fn always_false(_: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    Ok(Datum::Bool(false))
}

/// `hashtext`: a number that depends on the text alone (not the one PostgreSQL gives).
fn hash_text(args: Args<'_>, _: Context<'_, '_>) -> SqlResult<Datum> {
    let mut state = Fnv(0xcbf2_9ce4_8422_2325);
    compare::hash(&args[0], &mut state);
    Ok(Datum::Int4(state.0 as i32))
}

/// FNV-1a: the same on every node and in every release.
struct Fnv(u64);

impl std::hash::Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("version", &[], TEXT, version).stable(),
    Function::new("current_user", &[], NAME, current_user).stable(),
    Function::new("current_role", &[], NAME, current_user).stable(),
    Function::new("user", &[], NAME, current_user).stable(),
    Function::new("session_user", &[], NAME, session_user).stable(),
    Function::new("current_database", &[], NAME, current_database).stable(),
    Function::new("current_catalog", &[], NAME, current_database).stable(),
    Function::new("current_schema", &[], NAME, current_schema).stable(),
    Function::new("current_schemas", &[BOOL], NAME_ARRAY, current_schemas).stable(),
    Function::new("pg_backend_pid", &[], INT4, backend_pid).stable(),
    Function::new("txid_current", &[], INT8, transaction_id).stable(),
    Function::new("pg_current_xact_id", &[], XID8, transaction_id).stable(),
    Function::new("current_setting", &[TEXT], TEXT, current_setting).stable(),
    Function::new("current_setting", &[TEXT, BOOL], TEXT, current_setting).stable(),
    Function::new("set_config", &[TEXT, TEXT, BOOL], TEXT, set_config).null_aware().volatile(),
    Function::new("pg_typeof", &[ANY], REGTYPE, type_of).null_aware().stable(),
    Function::new("format_type", &[OID, INT4], TEXT, format_type).null_aware().stable(),
    Function::new("pg_column_size", &[ANY], INT4, column_size).stable(),
    Function::new("pg_size_pretty", &[INT8], TEXT, pretty_size),
    Function::new("pg_size_pretty", &[NUMERIC], TEXT, pretty_size),
    Function::new("inet_client_addr", &[], TEXT, client_address).stable(),
    Function::new("num_nulls", &[ANY], INT4, count_nulls).variadic().null_aware(),
    Function::new("num_nonnulls", &[ANY], INT4, count_present).variadic().null_aware(),
    Function::new("gen_random_uuid", &[], UUID, random_uuid).volatile(),
    Function::new("getdatabaseencoding", &[], NAME, encoding_name).stable(),
    Function::new("pg_client_encoding", &[], NAME, client_encoding).stable(),
    Function::new("pg_is_in_recovery", &[], BOOL, always_false).stable(),
    Function::new("hashtext", &[TEXT], INT4, hash_text),
    Function::session("nextval", &[REGCLASS], INT8),
    Function::session("currval", &[REGCLASS], INT8),
    Function::session("setval", &[REGCLASS, INT8], INT8),
    Function::session("setval", &[REGCLASS, INT8, BOOL], INT8),
    Function::session("lastval", &[], INT8),
];
