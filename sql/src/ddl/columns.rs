//! Column definitions: types, SERIAL, defaults, identity, and the constraints written beside them.

use super::Ddl;
use super::names::{free_name, free_relation_name};
use super::place::placed;
use crate::bind;
use crate::session::names::fold;
use catalog::{Column, Identity, Oid, OwnedBy, Sequence, Table};
use sqlparser::ast::{
    CheckConstraint, ColumnDef, ColumnOption, DataType, ForeignKeyConstraint, GeneratedAs, Ident,
    PrimaryKeyConstraint, SequenceOptions, TableConstraint, UniqueConstraint,
};
use sqlparser::tokenizer::Span;
use std::collections::BTreeSet;
use types::{SqlError, SqlType, sqlstate};

/// A column as its definition says, before it has a place in a table.
pub(super) struct ColumnPlan {
    pub(super) column: Column,
    /// A sequence to make and own: its options.
    pub(super) sequence: Option<Vec<SequenceOptions>>,
    /// Constraints beside the column, as constraints of the table.
    pub(super) constraints: Vec<TableConstraint>,
    /// Expressions to be checked once all columns are known.
    pub(super) default: Option<sqlparser::ast::Expr>,
    pub(super) generated: Option<sqlparser::ast::Expr>,
    /// Where the definition begins: its name.
    span: Span,
}

/// Widest table.
const COLUMNS_MAX: usize = 1600;
/// Names that every PostgreSQL table has already.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

impl Ddl<'_> {
    /// Reads one column definition of this table.
    pub(super) fn plan_column(
        &mut self,
        table: &str,
        def: &ColumnDef,
    ) -> Result<ColumnPlan, SqlError> {
        let name = fold(&def.name);
        if SYSTEM_COLUMNS.contains(&name.as_str()) {
            return Err(SqlError::new(
                sqlstate::DUPLICATE_COLUMN,
                format!("column name \"{name}\" conflicts with a system column name"),
            ));
        }
        let serial = serial_type(&def.data_type);
        let ty = match serial {
            Some(ty) => ty,
            None => bind::data_type_in(&def.data_type, &*self.view())
                .map_err(|e| placed(e, self.sql, |places| places.after(def.name.span)))?,
        };
        check_column_type(&name, ty)?;
        let mut plan = ColumnPlan {
            column: Column::new(0, 0, &name, ty),
            sequence: serial.map(|_| Vec::new()),
            constraints: Vec::new(),
            default: None,
            generated: None,
            span: def.name.span,
        };
        plan.column.is_not_null = serial.is_some();
        let mut nullable = false;
        for option in &def.options {
            if matches!(option.option, ColumnOption::Null) {
                nullable = true;
            }
            self.column_option(table, &mut plan, option.name.as_ref(), &option.option)?;
        }
        if nullable && plan.column.is_not_null {
            let error = SqlError::new(
                sqlstate::SYNTAX_ERROR,
                format!(
                    "conflicting NULL/NOT NULL declarations for column \"{name}\" of table \"{table}\""
                ),
            );
            return Err(placed(error, self.sql, |places| places.word(def.name.span, "NULL", 1)));
        }
        Ok(plan)
    }

    fn column_option(
        &mut self,
        table: &str,
        plan: &mut ColumnPlan,
        constraint_name: Option<&sqlparser::ast::Ident>,
        option: &ColumnOption,
    ) -> Result<(), SqlError> {
        let own_name = || Ident { span: plan.span, ..Ident::with_quote('"', &plan.column.name) };
        let own = || vec![index_column(own_name())];
        match option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => plan.column.is_not_null = true,
            ColumnOption::Default(expr) => {
                let name = &plan.column.name;
                if plan.column.identity.is_some() {
                    let error = SqlError::new(
                        sqlstate::SYNTAX_ERROR,
                        format!(
                            "both default and identity specified for column \"{name}\" of table \"{table}\""
                        ),
                    );
                    return Err(placed(error, self.sql, |p| p.word(plan.span, "DEFAULT", 0)));
                }
                if plan.sequence.is_some() || plan.default.is_some() {
                    let error = SqlError::new(
                        sqlstate::SYNTAX_ERROR,
                        format!(
                            "multiple default values specified for column \"{name}\" of table \"{table}\""
                        ),
                    );
                    // SERIAL's own default stands nowhere.
                    return Err(placed(error, self.sql, |p| p.word(plan.span, "DEFAULT", 1)));
                }
                plan.default = Some(expr.clone());
            }
            ColumnOption::PrimaryKey(key) => {
                let columns = own();
                plan.constraints.push(TableConstraint::PrimaryKey(PrimaryKeyConstraint {
                    name: constraint_name.cloned(),
                    columns,
                    ..key.clone()
                }));
            }
            ColumnOption::Unique(unique) => {
                let columns = own();
                plan.constraints.push(TableConstraint::Unique(UniqueConstraint {
                    name: constraint_name.cloned(),
                    columns,
                    ..unique.clone()
                }));
            }
            ColumnOption::ForeignKey(key) => {
                plan.constraints.push(TableConstraint::ForeignKey(ForeignKeyConstraint {
                    name: constraint_name.cloned(),
                    columns: vec![own_name()],
                    ..key.clone()
                }));
            }
            ColumnOption::Check(check) => {
                plan.constraints.push(TableConstraint::Check(CheckConstraint {
                    name: constraint_name.cloned(),
                    ..check.clone()
                }));
            }
            ColumnOption::Generated { generated_as, sequence_options, generation_expr, .. } => {
                self.generated(plan, generated_as, sequence_options, generation_expr.as_ref())?;
            }
            ColumnOption::Collation(_) | ColumnOption::CharacterSet(_) => {}
            ColumnOption::Comment(text) => plan.column.comment = Some(text.clone()),
            other => {
                return Err(SqlError::not_supported(format!(
                    "column option {other} is not supported"
                )));
            }
        }
        Ok(())
    }

    fn generated(
        &self,
        plan: &mut ColumnPlan,
        generated_as: &GeneratedAs,
        options: &Option<Vec<SequenceOptions>>,
        expr: Option<&sqlparser::ast::Expr>,
    ) -> Result<(), SqlError> {
        if let Some(expr) = expr {
            plan.generated = Some(expr.clone());
            return Ok(());
        }
        let is_integer =
            [SqlType::INT2.oid, SqlType::INT4.oid, SqlType::INT8.oid].contains(&plan.column.ty.oid);
        if !is_integer {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                "identity column type must be smallint, integer, or bigint",
            ));
        }
        plan.column.identity = Some(match generated_as {
            GeneratedAs::Always => Identity::Always,
            GeneratedAs::ByDefault | GeneratedAs::ExpStored => Identity::ByDefault,
        });
        plan.column.is_not_null = true;
        plan.sequence = Some(options.clone().unwrap_or_default());
        Ok(())
    }

    /// Puts a planned column into the table; checks nothing but its name.
    pub(super) fn place_column(
        &self,
        table: &mut Table,
        mut column: Column,
    ) -> Result<usize, SqlError> {
        if table.column_named(&column.name).is_some() {
            return Err(SqlError::new(
                sqlstate::DUPLICATE_COLUMN,
                format!("column \"{}\" specified more than once", column.name),
            ));
        }
        let placed = table.columns.iter().filter(|c| !c.is_hidden).count();
        if placed >= COLUMNS_MAX {
            return Err(SqlError::new(
                sqlstate::TOO_MANY_COLUMNS,
                format!("tables can have at most {COLUMNS_MAX} columns"),
            ));
        }
        column.id = table.next_column;
        column.attnum = placed as i16 + 1;
        table.next_column += 1;
        table.columns.push(column);
        Ok(table.columns.len() - 1)
    }

    /// Makes the sequence behind a SERIAL or IDENTITY column and points the column at it. The
    /// sequence is written by the caller, after the table.
    pub(super) async fn plan_sequence(
        &mut self,
        table: &mut Table,
        position: usize,
        options: &[SequenceOptions],
        taken: &mut BTreeSet<String>,
    ) -> Result<Sequence, SqlError> {
        let view = self.view();
        let column = &table.columns[position];
        let parts = (table.name.as_str(), column.name.as_str(), "seq");
        let name = free_relation_name(&view.catalog, table.schema, taken, parts);
        taken.insert(name.clone());
        let oid = self.new_oid().await?;
        let mut sequence = super::sequence::new_sequence(oid, table.schema, &name, column.ty);
        super::sequence::apply_options(&mut sequence, options, true)?;
        sequence.owned_by = Some(OwnedBy {
            table: table.oid,
            column: column.id,
            is_identity: column.identity.is_some(),
        });
        let column = &mut table.columns[position];
        column.sequence = Some(oid);
        if column.identity.is_none() {
            column.default = Some(next_value_of(oid));
        }
        Ok(sequence)
    }

    /// Checks defaults and generation expressions now that the table has all its columns, and
    /// stores their text.
    pub(super) fn check_defaults(
        &mut self,
        table: &mut Table,
        position: usize,
        default: Option<&sqlparser::ast::Expr>,
        generated: Option<&sqlparser::ast::Expr>,
    ) -> Result<(), SqlError> {
        let (name, ty) = (table.columns[position].name.clone(), table.columns[position].ty);
        if let Some(expr) = default {
            self.check_expression(expr, None, bind::Stored::Default, ty)
                .map_err(|e| default_error(e, &name, "default"))?;
            table.columns[position].default = Some(expr.to_string());
        }
        if let Some(expr) = generated {
            self.check_expression(expr, Some(table), bind::Stored::Generated, ty)
                .map_err(|e| default_error(e, &name, "generation"))?;
            table.columns[position].generated = Some(expr.to_string());
        }
        Ok(())
    }
}

/// The default of a SERIAL column. It names the sequence by OID, so that renaming it changes
/// nothing.
pub(crate) fn next_value_of(sequence: Oid) -> String {
    format!("nextval('{sequence}'::regclass)")
}

/// A constraint's name: the given one, or one that PostgreSQL would choose.
pub(super) fn constraint_name(
    table: &Table,
    given: Option<&sqlparser::ast::Ident>,
    (column, label): (&str, &str),
) -> Result<String, SqlError> {
    let is_taken = |name: &str| has_constraint(table, name);
    match given {
        Some(ident) => {
            let name = fold(ident);
            if is_taken(&name) {
                return Err(SqlError::new(
                    sqlstate::DUPLICATE_OBJECT,
                    format!("constraint \"{name}\" for relation \"{}\" already exists", table.name),
                ));
            }
            Ok(name)
        }
        None => Ok(free_name((&table.name, column, label), is_taken)),
    }
}

/// True when the table has a constraint with this name.
pub(super) fn has_constraint(table: &Table, name: &str) -> bool {
    table.checks.iter().any(|c| c.name == name)
        || table.foreign_keys.iter().any(|f| f.name == name)
        || table.indexes.iter().any(|i| i.is_constraint && i.name == name)
}

fn default_error(error: SqlError, column: &str, what: &str) -> SqlError {
    if error.code != sqlstate::DATATYPE_MISMATCH {
        return error;
    }
    let message = error.message.replace("column \"\"", &format!("column \"{column}\""));
    let mut error = error;
    error.message = match what {
        "default" => message.replace("but expression is", "but default expression is"),
        _ => message.replace("but expression is", "but generation expression is"),
    };
    error
}

fn serial_type(ty: &DataType) -> Option<SqlType> {
    let DataType::Custom(name, _) = ty else { return None };
    match name.to_string().to_lowercase().as_str() {
        "serial" | "serial4" => Some(SqlType::INT4),
        "bigserial" | "serial8" => Some(SqlType::INT8),
        "smallserial" | "serial2" => Some(SqlType::INT2),
        _ => None,
    }
}

fn check_column_type(name: &str, ty: SqlType) -> Result<(), SqlError> {
    let is_pseudo = types::type_by_oid(ty.oid).is_none_or(|info| info.category == 'P');
    if is_pseudo {
        return Err(SqlError::new(
            sqlstate::INVALID_TABLE_DEFINITION,
            format!("column \"{name}\" has pseudo-type {ty}"),
        ));
    }
    Ok(())
}

fn index_column(name: Ident) -> sqlparser::ast::IndexColumn {
    sqlparser::ast::IndexColumn {
        column: sqlparser::ast::OrderByExpr {
            expr: sqlparser::ast::Expr::Identifier(name),
            options: sqlparser::ast::OrderByOptions { sort: None, nulls_first: None },
            with_fill: None,
        },
        operator_class: None,
    }
}
