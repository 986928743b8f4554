//! Definitions written back as SQL, and the functions of `pg_catalog` that ask for them.

use super::pg_catalog::builtin;
use crate::functions::{Body, Function};
use crate::session::quote;
use crate::session::view::SessionView;
use base::codec::Direction;
use catalog::{Check, ColumnId, ForeignKey, ForeignKeyAction, Index, Oid, Table};
use types::{Datum, SqlResult, oid};

/// A default as SQL text, with sequences by name instead of OID.
pub(crate) fn default_text(view: &SessionView, stored: &str) -> String {
    const START: &str = "nextval('";
    const END: &str = "'::regclass)";
    let Some(number) = stored.strip_prefix(START).and_then(|rest| rest.strip_suffix(END)) else {
        return stored.to_owned();
    };
    match number.parse::<Oid>() {
        Ok(oid) => format!("{START}{}{END}", view.display_name(oid).replace('\'', "''")),
        Err(_) => stored.to_owned(),
    }
}

fn argument_list(function: &Function) -> String {
    let mut types: Vec<String> =
        function.args.iter().map(|ty| types::format_type(*ty, -1)).collect();
    if let Some(last) = types.last_mut().filter(|_| function.variadic) {
        last.insert_str(0, "VARIADIC ");
    }
    types.join(", ")
}

fn result_type(function: &Function) -> String {
    let ty = types::format_type(function.returns, -1);
    match function.body {
        Body::Set(_) => format!("SETOF {ty}"),
        _ => ty,
    }
}

/// CREATE INDEX as `pg_get_indexdef` prints it; `pretty` for people: no schema and no parentheses
/// where none are needed.
pub(crate) fn index_definition(
    view: &SessionView,
    table: &Table,
    index: &Index,
    pretty: bool,
) -> String {
    let schema = view.catalog.schema(table.schema).map_or("", |schema| &schema.name);
    let relation = match pretty {
        true => view.display_name(table.oid),
        false => format!("{}.{}", quote::identifier(schema), quote::identifier(&table.name)),
    };
    let mut out = format!(
        "CREATE {}INDEX {} ON {relation} USING btree ({})",
        if index.is_unique { "UNIQUE " } else { "" },
        quote::identifier(&index.name),
        key_text(table, index)
    );
    if !index.include.is_empty() {
        out.push_str(&format!(" INCLUDE ({})", column_list(table, &index.include)));
    }
    if index.nulls_not_distinct {
        out.push_str(" NULLS NOT DISTINCT");
    }
    if let Some(predicate) = &index.predicate {
        let (open, close) = if pretty { ("", "") } else { ("(", ")") };
        out.push_str(&format!(" WHERE {open}{predicate}{close}"));
    }
    out
}

fn key_text(table: &Table, index: &Index) -> String {
    let columns: Vec<String> = index
        .columns
        .iter()
        .filter_map(|key| {
            let name = quote::identifier(&table.column(key.column)?.name);
            Some(if key.direction == Direction::Desc { format!("{name} DESC") } else { name })
        })
        .collect();
    columns.join(", ")
}

fn column_list(table: &Table, columns: &[ColumnId]) -> String {
    let names: Vec<String> =
        columns.iter().filter_map(|id| Some(quote::identifier(&table.column(*id)?.name))).collect();
    names.join(", ")
}

/// A constraint as `pg_get_constraintdef` prints it; `pretty` spares parentheses.
fn constraint_definition(view: &SessionView, oid: Oid, pretty: bool) -> Option<String> {
    for table in view.catalog.tables() {
        if let Some(index) =
            table.indexes.iter().find(|i| i.is_constraint && i.constraint_oid == oid)
        {
            return Some(key_constraint(table, index));
        }
        if let Some(check) = table.checks.iter().find(|check| check.oid == oid) {
            return Some(check_constraint(check, pretty));
        }
        if let Some(key) = table.foreign_keys.iter().find(|key| key.oid == oid) {
            return Some(foreign_key(view, table, key));
        }
    }
    None
}

fn key_constraint(table: &Table, index: &Index) -> String {
    let word = if index.is_primary { "PRIMARY KEY" } else { "UNIQUE" };
    let nulls = if index.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
    let ids: Vec<ColumnId> = index.columns.iter().map(|column| column.column).collect();
    let mut out = format!("{word}{nulls} ({})", column_list(table, &ids));
    if !index.include.is_empty() {
        out.push_str(&format!(" INCLUDE ({})", column_list(table, &index.include)));
    }
    out
}

fn check_constraint(check: &Check, pretty: bool) -> String {
    match pretty {
        true => format!("CHECK ({})", check.expr),
        false => format!("CHECK (({}))", check.expr),
    }
}

fn foreign_key(view: &SessionView, table: &Table, key: &ForeignKey) -> String {
    let parent = view.catalog.table(key.references);
    let referenced = parent.map_or_else(String::new, |t| column_list(t, &key.referenced_columns));
    let mut out = format!(
        "FOREIGN KEY ({}) REFERENCES {}({referenced})",
        column_list(table, &key.columns),
        view.display_name(key.references)
    );
    if key.match_full {
        out.push_str(" MATCH FULL");
    }
    for (event, action) in [("UPDATE", key.on_update), ("DELETE", key.on_delete)] {
        let words = match action {
            ForeignKeyAction::NoAction => continue,
            ForeignKeyAction::Restrict => "RESTRICT",
            ForeignKeyAction::Cascade => "CASCADE",
            ForeignKeyAction::SetNull => "SET NULL",
            ForeignKeyAction::SetDefault => "SET DEFAULT",
        };
        out.push_str(&format!(" ON {event} {words}"));
    }
    if key.is_deferrable {
        out.push_str(" DEFERRABLE");
    }
    if key.initially_deferred {
        out.push_str(" INITIALLY DEFERRED");
    }
    out
}

/// A function about the catalog by name; `None` when there is no such function here.
pub(crate) fn call(view: &SessionView, name: &str, args: &[Datum]) -> Option<SqlResult<Datum>> {
    if args.iter().any(|arg| matches!(arg, Datum::Null)) {
        return Some(Ok(Datum::Null));
    }
    answer(view, name, args).map(Ok)
}

fn answer(view: &SessionView, name: &str, args: &[Datum]) -> Option<Datum> {
    let catalog = &view.catalog;
    let first = oid_of(args.first());
    Some(match name {
        "pg_table_is_visible" => Datum::Bool(view.is_visible(first)),
        "pg_type_is_visible"
        | "pg_function_is_visible"
        | "pg_operator_is_visible"
        | "pg_opclass_is_visible"
        | "pg_collation_is_visible"
        | "pg_conversion_is_visible"
        | "pg_ts_config_is_visible"
        | "pg_statistics_obj_is_visible" => Datum::Bool(true),
        "pg_get_indexdef" => match (catalog.index(first), int_of(args.get(1))) {
            (Some((table, index)), None | Some(0)) => {
                let pretty = matches!(args.get(2), Some(Datum::Bool(true)));
                text(index_definition(view, table, index, pretty))
            }
            (Some((table, index)), Some(column)) => {
                let key = usize::try_from(column - 1).ok().and_then(|at| index.columns.get(at));
                let column = key.and_then(|key| table.column(key.column));
                column.map_or(Datum::Null, |c| text(quote::identifier(&c.name)))
            }
            (None, _) => Datum::Null,
        },
        "pg_get_constraintdef" => {
            let pretty = matches!(args.get(1), Some(Datum::Bool(true)));
            opt(constraint_definition(view, first, pretty))
        }
        "pg_get_expr" => args.first().cloned()?,
        "pg_get_viewdef" => opt(view_of(view, args.first()).map(|query| format!(" {query};"))),
        "pg_get_userbyid" => {
            let role = catalog.role(first).map(|role| role.name.clone());
            text(role.unwrap_or_else(|| format!("unknown (OID={first})")))
        }
        "pg_get_serial_sequence" => serial_sequence(view, args),
        "pg_get_statisticsobjdef_columns"
        | "pg_get_partkeydef"
        | "pg_get_partition_constraintdef"
        | "pg_get_ruledef"
        | "pg_get_triggerdef"
        | "pg_get_functiondef"
        | "shobj_description" => Datum::Null,
        "pg_get_function_arguments" | "pg_get_function_identity_arguments" => {
            opt(builtin::function(first).map(argument_list))
        }
        "pg_get_function_result" => opt(builtin::function(first).map(result_type)),
        "obj_description" => opt(comment(view, first, 0)),
        "col_description" => opt(comment(view, first, int_of(args.get(1)).unwrap_or(0))),
        "pg_relation_size"
        | "pg_table_size"
        | "pg_total_relation_size"
        | "pg_indexes_size"
        | "pg_database_size" => Datum::Int8(0),
        "pg_relation_is_publishable" => Datum::Bool(catalog.table(first).is_some()),
        "has_table_privilege"
        | "has_schema_privilege"
        | "has_database_privilege"
        | "has_column_privilege"
        | "has_any_column_privilege"
        | "has_sequence_privilege"
        | "has_function_privilege"
        | "has_type_privilege"
        | "pg_has_role" => Datum::Bool(true),
        "pg_is_in_recovery" => Datum::Bool(false),
        "pg_postmaster_start_time" => super::row::moment(view.shared.engine.started_millis()),
        "pg_encoding_to_char" => text("UTF8"),
        "pg_char_to_encoding" => Datum::Int4(6),
        "pg_is_other_temp_schema" => Datum::Bool(false),
        "pg_my_temp_schema" => {
            Datum::Oid(view.schema_named("pg_temp").map_or(0, |schema| schema.oid))
        }
        "pg_sequence_last_value" => Datum::Null,
        "pg_tablespace_location" => text(""),
        _ => return None,
    })
}

fn view_of(view: &SessionView, arg: Option<&Datum>) -> Option<String> {
    let oid = match arg? {
        Datum::Text(name) => {
            use crate::bind::CatalogView;
            view.reg_oid(oid::REGCLASS, name)?
        }
        other => oid_of(Some(other)),
    };
    view.catalog.view(oid).map(|found| found.query.clone())
}

fn serial_sequence(view: &SessionView, args: &[Datum]) -> Datum {
    use crate::bind::CatalogView;
    let (Some(Datum::Text(table)), Some(Datum::Text(column))) = (args.first(), args.get(1)) else {
        return Datum::Null;
    };
    let table = view.reg_oid(oid::REGCLASS, table).and_then(|oid| view.catalog.table(oid));
    let sequence = table.and_then(|table| table.column_named(column)?.sequence);
    let Some(sequence) = sequence.and_then(|oid| view.catalog.sequence(oid)) else {
        return Datum::Null;
    };
    let schema = view.catalog.schema(sequence.schema).map_or("", |schema| &schema.name);
    text(format!("{}.{}", quote::identifier(schema), quote::identifier(&sequence.name)))
}

fn comment(view: &SessionView, object: Oid, column: i64) -> Option<String> {
    let catalog = &view.catalog;
    if column > 0 {
        let table = catalog.table(object)?;
        return table.visible_columns().find(|c| i64::from(c.attnum) == column)?.comment.clone();
    }
    if let Some((_, index)) = catalog.index(object) {
        return index.comment.clone();
    }
    match catalog.object(object)? {
        catalog::Descriptor::Table(table) => table.comment.clone(),
        catalog::Descriptor::View(view) => view.comment.clone(),
        catalog::Descriptor::Sequence(sequence) => sequence.comment.clone(),
        catalog::Descriptor::Schema(schema) => schema.comment.clone(),
        catalog::Descriptor::Database(database) => database.comment.clone(),
        catalog::Descriptor::Role(_) => None,
    }
}

fn oid_of(value: Option<&Datum>) -> Oid {
    match value {
        Some(Datum::Oid(oid)) => *oid,
        Some(Datum::Int4(n)) => *n as Oid,
        Some(Datum::Int8(n)) => *n as Oid,
        _ => 0,
    }
}

fn int_of(value: Option<&Datum>) -> Option<i64> {
    match value? {
        Datum::Int2(n) => Some(i64::from(*n)),
        Datum::Int4(n) => Some(i64::from(*n)),
        Datum::Int8(n) => Some(*n),
        _ => None,
    }
}

fn text(value: impl AsRef<str>) -> Datum {
    Datum::Text(value.as_ref().into())
}

fn opt(value: Option<String>) -> Datum {
    value.map_or(Datum::Null, text)
}
