//! CREATE SEQUENCE, and the options that SERIAL, IDENTITY and ALTER SEQUENCE share with it.

use super::Ddl;
use super::place::placed;
use crate::bind;
use crate::session::names::parts;
use catalog::{Descriptor, Oid, OwnedBy, POSTGRES_ROLE, Sequence};
use sqlparser::ast::{Expr, ObjectName, SequenceOptions, Spanned, UnaryOperator};
use std::sync::Arc;
use types::{SqlError, SqlType, oid, sqlstate};

impl Ddl<'_> {
    pub(super) async fn create_sequence(
        &mut self,
        name: &ObjectName,
        is_temporary: bool,
        if_not_exists: bool,
        options: &[SequenceOptions],
    ) -> Result<(), SqlError> {
        let span = name.span();
        let (schema, name) = self.schema_for(name, is_temporary).await?;
        if self.exists_already(schema.oid, &name, if_not_exists)? {
            return Ok(());
        }
        let oid = self.new_oid().await?;
        let view = self.view();
        let ty = options.iter().find_map(|option| match option {
            SequenceOptions::DataType(ty) => Some(bind::data_type_in(ty, &*view)),
            _ => None,
        });
        let ty = ty.transpose().map_err(|e| placed(e, self.sql, |p| p.after_word(span, "AS")))?;
        let ty = ty.unwrap_or(SqlType::INT8);
        let mut sequence = new_sequence(oid, schema.oid, &name, ty);
        apply_options(&mut sequence, options, true)?;
        sequence.owned_by = self.owner_option(options)?.flatten();
        self.create(Descriptor::Sequence(Arc::new(sequence))).await
    }

    /// ALTER SEQUENCE … options.
    pub(crate) async fn alter_sequence(
        &mut self,
        name: &ObjectName,
        if_exists: bool,
        options: &[SequenceOptions],
        restart: Option<Option<i64>>,
    ) -> Result<(), SqlError> {
        let oid = match self.find(name) {
            Ok(catalog::Relation::Sequence(sequence)) => sequence.oid,
            Ok(other) => {
                return Err(SqlError::new(
                    sqlstate::WRONG_OBJECT_TYPE,
                    format!("\"{}\" is not a sequence", other.name()),
                ));
            }
            Err(error) if if_exists && error.code == sqlstate::UNDEFINED_TABLE => {
                self.skip(&error.message);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let old = self.lock(oid).await?;
        let Descriptor::Sequence(sequence) = &old else {
            return Err(SqlError::internal("a sequence turned into something else"));
        };
        let mut new = (**sequence).clone();
        apply_options(&mut new, options, false)?;
        if let Some(owner) = self.owner_option(options)? {
            new.owned_by = owner;
        }
        if let Some(start) = restart {
            self.restart(&mut new, start).await?;
        }
        self.replace(&old, Descriptor::Sequence(Arc::new(new))).await
    }

    /// A fresh counter; it begins at `start` when given.
    pub(super) async fn restart(
        &mut self,
        sequence: &mut Sequence,
        start: Option<i64>,
    ) -> Result<(), SqlError> {
        sequence.storage_id = self.new_oid().await?;
        let at = start.unwrap_or(sequence.start);
        if at < sequence.min || at > sequence.max {
            let (word, bound) =
                if at < sequence.min { ("less", sequence.min) } else { ("greater", sequence.max) };
            let edge = if at < sequence.min { "MINVALUE" } else { "MAXVALUE" };
            return Err(invalid(format!(
                "RESTART value ({at}) cannot be {word} than {edge} ({bound})"
            )));
        }
        if at != sequence.start {
            let op = base::api::increment::IncrementOp::Set { value: at, is_called: false };
            let key = catalog::layout::sequence_key(sequence);
            let set = self.shared.engine.client().increment(key, op).await;
            set.map_err(|e| crate::session::errors::from_kv(e, &self.view.catalog))?;
        }
        Ok(())
    }

    fn owner_option(
        &mut self,
        options: &[SequenceOptions],
    ) -> Result<Option<Option<OwnedBy>>, SqlError> {
        for option in options {
            match option {
                SequenceOptions::OwnedBy(None) => return Ok(Some(None)),
                SequenceOptions::OwnedBy(Some(name)) => {
                    let mut names = parts(name);
                    let column = names.pop().unwrap_or_default();
                    if names.is_empty() {
                        if column == "none" {
                            return Ok(Some(None));
                        }
                        return Err(SqlError::new(
                            sqlstate::SYNTAX_ERROR,
                            "invalid OWNED BY option",
                        )
                        .with_hint("Specify OWNED BY table.column or OWNED BY NONE."));
                    }
                    let idents = names.iter().map(|n| sqlparser::ast::Ident::with_quote('"', n));
                    let table = self.find_table(&ObjectName::from(idents.collect::<Vec<_>>()))?;
                    let found = table
                        .column_named(&column)
                        .ok_or_else(|| super::alter::missing_column(&column, &table.name))?;
                    return Ok(Some(Some(OwnedBy {
                        table: table.oid,
                        column: found.id,
                        is_identity: false,
                    })));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

/// A sequence with the defaults of its type.
pub(super) fn new_sequence(oid: Oid, schema: Oid, name: &str, ty: SqlType) -> Sequence {
    let (_, max) = bounds(ty);
    Sequence {
        oid,
        schema,
        name: name.to_owned(),
        owner: POSTGRES_ROLE,
        ty: SqlType::new(ty.oid),
        start: 1,
        increment: 1,
        min: 1,
        max,
        cache: 1,
        cycle: false,
        storage_id: oid,
        owned_by: None,
        comment: None,
    }
}

fn bounds(ty: SqlType) -> (i64, i64) {
    match ty.oid {
        oid::INT2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        oid::INT4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Applies options and checks that they fit together. `is_new`: unset ones take their defaults.
pub(super) fn apply_options(
    sequence: &mut Sequence,
    options: &[SequenceOptions],
    is_new: bool,
) -> Result<(), SqlError> {
    if ![oid::INT2, oid::INT4, oid::INT8].contains(&sequence.ty.oid) {
        return Err(invalid("sequence type must be smallint, integer, or bigint".to_owned()));
    }
    let (mut min, mut max, mut start) = (None, None, None);
    for option in options {
        match option {
            SequenceOptions::IncrementBy(expr, _) => sequence.increment = integer(expr)?,
            SequenceOptions::MinValue(value) => {
                min = Some(value.as_ref().map(integer).transpose()?)
            }
            SequenceOptions::MaxValue(value) => {
                max = Some(value.as_ref().map(integer).transpose()?)
            }
            SequenceOptions::StartWith(expr, _) => start = Some(integer(expr)?),
            SequenceOptions::Cache(expr) => sequence.cache = integer(expr)?,
            SequenceOptions::Cycle(no) => sequence.cycle = !*no,
            SequenceOptions::DataType(_) | SequenceOptions::OwnedBy(_) => {}
        }
    }
    if sequence.increment == 0 {
        return Err(invalid("INCREMENT must not be zero".to_owned()));
    }
    let (type_min, type_max) = bounds(sequence.ty);
    let ascending = sequence.increment > 0;
    if min.is_some() || is_new {
        let default = if ascending { 1 } else { type_min };
        sequence.min = min.flatten().unwrap_or(default);
    }
    if max.is_some() || is_new {
        let default = if ascending { type_max } else { -1 };
        sequence.max = max.flatten().unwrap_or(default);
    }
    check_bound("MAXVALUE", sequence.max, sequence.ty, (type_min, type_max))?;
    check_bound("MINVALUE", sequence.min, sequence.ty, (type_min, type_max))?;
    if sequence.min >= sequence.max {
        return Err(invalid(format!(
            "MINVALUE ({}) must be less than MAXVALUE ({})",
            sequence.min, sequence.max
        )));
    }
    match start {
        Some(start) => sequence.start = start,
        None if is_new => sequence.start = if ascending { sequence.min } else { sequence.max },
        None => {}
    }
    if sequence.start < sequence.min {
        return Err(invalid(format!(
            "START value ({}) cannot be less than MINVALUE ({})",
            sequence.start, sequence.min
        )));
    }
    if sequence.start > sequence.max {
        return Err(invalid(format!(
            "START value ({}) cannot be greater than MAXVALUE ({})",
            sequence.start, sequence.max
        )));
    }
    if sequence.cache <= 0 {
        return Err(invalid(format!("CACHE ({}) must be greater than zero", sequence.cache)));
    }
    Ok(())
}

fn check_bound(
    what: &str,
    value: i64,
    ty: SqlType,
    (min, max): (i64, i64),
) -> Result<(), SqlError> {
    if value < min || value > max {
        return Err(invalid(format!(
            "{what} ({value}) is out of range for sequence data type {ty}"
        )));
    }
    Ok(())
}

fn integer(expr: &Expr) -> Result<i64, SqlError> {
    let (negative, expr) = match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => (true, &**expr),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => (false, &**expr),
        other => (false, other),
    };
    let text = if negative { format!("-{expr}") } else { expr.to_string() };
    text.parse().map_err(|_| {
        SqlError::new(sqlstate::SYNTAX_ERROR, format!("syntax error at or near \"{text}\""))
    })
}

fn invalid(message: String) -> SqlError {
    SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}
