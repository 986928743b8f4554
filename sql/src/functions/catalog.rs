//! Functions about the catalog: declared here, answered by the session, which has the catalog.

use super::{EvalContext, Function, SetRows};
use types::oid::*;
use types::{Datum, SqlError, SqlResult};

fn ask(name: &str, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<Datum> {
    match context.env.catalog_function(name, args) {
        Some(answer) => answer,
        None => Err(SqlError::not_supported(format!("{name} cannot be answered here"))),
    }
}

/// `pg_partition_ancestors(regclass)`: no table is partitioned.
fn no_rows(_: &[Datum], _: &EvalContext<'_>) -> SqlResult<SetRows> {
    Ok(Box::new(std::iter::empty()))
}

pub(super) const SETS: &[Function] =
    &[Function::set("pg_partition_ancestors", &[REGCLASS], REGCLASS, no_rows).stable()];

/// Declares functions of these names, arguments and results.
macro_rules! asks {
    ($( $name:literal ($($arg:ident),*) -> $returns:ident; )*) => {
        pub(super) const FUNCTIONS: &[Function] = &[ $(
            Function::new($name, &[$($arg),*], $returns, |args, context| ask($name, args, context))
                .stable(),
        )* ];
    };
}

asks! {
    "pg_table_is_visible"(OID) -> BOOL;
    "pg_type_is_visible"(OID) -> BOOL;
    "pg_function_is_visible"(OID) -> BOOL;
    "pg_operator_is_visible"(OID) -> BOOL;
    "pg_opclass_is_visible"(OID) -> BOOL;
    "pg_collation_is_visible"(OID) -> BOOL;
    "pg_conversion_is_visible"(OID) -> BOOL;
    "pg_ts_config_is_visible"(OID) -> BOOL;
    "pg_statistics_obj_is_visible"(OID) -> BOOL;
    "pg_get_indexdef"(OID) -> TEXT;
    "pg_get_indexdef"(OID, INT4, BOOL) -> TEXT;
    "pg_get_constraintdef"(OID) -> TEXT;
    "pg_get_constraintdef"(OID, BOOL) -> TEXT;
    "pg_get_expr"(TEXT, OID) -> TEXT;
    "pg_get_expr"(TEXT, OID, BOOL) -> TEXT;
    "pg_get_viewdef"(OID) -> TEXT;
    "pg_get_viewdef"(OID, BOOL) -> TEXT;
    "pg_get_viewdef"(TEXT) -> TEXT;
    "pg_get_userbyid"(OID) -> NAME;
    "pg_get_serial_sequence"(TEXT, TEXT) -> TEXT;
    "pg_get_statisticsobjdef_columns"(OID) -> TEXT;
    "pg_get_partkeydef"(OID) -> TEXT;
    "pg_get_partition_constraintdef"(OID) -> TEXT;
    "pg_get_ruledef"(OID) -> TEXT;
    "pg_get_ruledef"(OID, BOOL) -> TEXT;
    "pg_get_triggerdef"(OID) -> TEXT;
    "pg_get_triggerdef"(OID, BOOL) -> TEXT;
    "pg_get_functiondef"(OID) -> TEXT;
    "pg_get_function_arguments"(OID) -> TEXT;
    "pg_get_function_identity_arguments"(OID) -> TEXT;
    "pg_get_function_result"(OID) -> TEXT;
    "obj_description"(OID, NAME) -> TEXT;
    "obj_description"(OID) -> TEXT;
    "shobj_description"(OID, NAME) -> TEXT;
    "col_description"(OID, INT4) -> TEXT;
    "pg_relation_size"(REGCLASS) -> INT8;
    "pg_table_size"(REGCLASS) -> INT8;
    "pg_total_relation_size"(REGCLASS) -> INT8;
    "pg_indexes_size"(REGCLASS) -> INT8;
    "pg_database_size"(NAME) -> INT8;
    "pg_database_size"(OID) -> INT8;
    "pg_relation_is_publishable"(REGCLASS) -> BOOL;
    "has_table_privilege"(TEXT, TEXT) -> BOOL;
    "has_table_privilege"(OID, TEXT) -> BOOL;
    "has_table_privilege"(NAME, TEXT, TEXT) -> BOOL;
    "has_table_privilege"(NAME, OID, TEXT) -> BOOL;
    "has_schema_privilege"(TEXT, TEXT) -> BOOL;
    "has_schema_privilege"(OID, TEXT) -> BOOL;
    "has_schema_privilege"(NAME, TEXT, TEXT) -> BOOL;
    "has_schema_privilege"(NAME, OID, TEXT) -> BOOL;
    "has_database_privilege"(TEXT, TEXT) -> BOOL;
    "has_database_privilege"(OID, TEXT) -> BOOL;
    "has_database_privilege"(NAME, TEXT, TEXT) -> BOOL;
    "has_column_privilege"(TEXT, TEXT, TEXT) -> BOOL;
    "has_any_column_privilege"(TEXT, TEXT) -> BOOL;
    "has_any_column_privilege"(OID, TEXT) -> BOOL;
    "has_sequence_privilege"(TEXT, TEXT) -> BOOL;
    "has_sequence_privilege"(OID, TEXT) -> BOOL;
    "has_function_privilege"(OID, TEXT) -> BOOL;
    "has_type_privilege"(OID, TEXT) -> BOOL;
    "pg_has_role"(NAME, TEXT) -> BOOL;
    "pg_has_role"(OID, TEXT) -> BOOL;
    "pg_has_role"(NAME, NAME, TEXT) -> BOOL;
    "pg_has_role"(NAME, OID, TEXT) -> BOOL;
    "pg_postmaster_start_time"() -> TIMESTAMPTZ;
    "pg_encoding_to_char"(INT4) -> NAME;
    "pg_char_to_encoding"(NAME) -> INT4;
    "pg_is_other_temp_schema"(OID) -> BOOL;
    "pg_my_temp_schema"() -> OID;
    "pg_sequence_last_value"(REGCLASS) -> INT8;
    "pg_tablespace_location"(OID) -> TEXT;
}
