//! `json_agg`, `json_object_agg` and their jsonb siblings.

use super::collect::not_split;
use super::{gathering, start};
use crate::functions::json::{key_text, to_jsonb_value, write_json};
use crate::functions::{AggState, Aggregate, EvalContext};
use std::sync::Arc;
use types::oid::*;
use types::{Datum, Jsonb, SqlError, SqlResult, jsonb, sqlstate};

/// The type of an argument and its settings are known at every row: the value is converted at once.
#[derive(Default)]
struct JsonArray(String);

impl AggState for JsonArray {
    fn update(&mut self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<()> {
        self.0.push_str(if self.0.is_empty() { "[" } else { ", " });
        write_json(&args[0], context.arg_type(0, &args[0]), context.settings, &mut self.0)
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.0.is_empty() {
            return Ok(Datum::Null);
        }
        Ok(Datum::Text(format!("{}]", self.0).into()))
    }

    fn memory(&self) -> usize {
        self.0.capacity()
    }
}

#[derive(Default)]
struct JsonbArray(Vec<Jsonb>);

impl AggState for JsonbArray {
    fn update(&mut self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<()> {
        let ty = context.arg_type(0, &args[0]);
        self.0.push(to_jsonb_value(&args[0], ty, context.settings)?);
        Ok(())
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.0.is_empty() {
            return Ok(Datum::Null);
        }
        Ok(Datum::Jsonb(Arc::new(Jsonb::Array(self.0.clone()))))
    }

    fn memory(&self) -> usize {
        self.0.len() * size_of::<Jsonb>() * 2
    }
}

#[derive(Default)]
struct JsonObject(String);

impl AggState for JsonObject {
    fn update(&mut self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<()> {
        if matches!(args[0], Datum::Null) {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                "field name must not be null",
            ));
        }
        self.0.push_str(if self.0.is_empty() { "{ " } else { ", " });
        let key = key_text(&args[0], context.arg_type(0, &args[0]), context.settings, 0)?;
        jsonb::escape(&key, &mut self.0);
        self.0.push_str(" : ");
        write_json(&args[1], context.arg_type(1, &args[1]), context.settings, &mut self.0)
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.0.is_empty() {
            return Ok(Datum::Null);
        }
        Ok(Datum::Text(format!("{} }}", self.0).into()))
    }

    fn memory(&self) -> usize {
        self.0.capacity()
    }
}

#[derive(Default)]
struct JsonbObject(Vec<(Arc<str>, Jsonb)>);

impl AggState for JsonbObject {
    fn update(&mut self, args: &[Datum], context: &EvalContext<'_>) -> SqlResult<()> {
        if matches!(args[0], Datum::Null) {
            return Err(SqlError::new(
                sqlstate::INVALID_PARAMETER_VALUE,
                "field name must not be null",
            ));
        }
        let key = key_text(&args[0], context.arg_type(0, &args[0]), context.settings, 0)?;
        let value = to_jsonb_value(&args[1], context.arg_type(1, &args[1]), context.settings)?;
        self.0.push((key, value));
        Ok(())
    }

    fn merge(&mut self, _: &[u8]) -> SqlResult<()> {
        Err(not_split())
    }

    fn encode(&self, _: &mut Vec<u8>) {}

    fn finish(&self, _: &EvalContext<'_>) -> SqlResult<Datum> {
        if self.0.is_empty() {
            return Ok(Datum::Null);
        }
        Ok(Datum::Jsonb(Arc::new(Jsonb::object(self.0.clone()))))
    }

    fn memory(&self) -> usize {
        self.0.iter().map(|(key, _)| key.len() + 2 * size_of::<Jsonb>()).sum()
    }
}

pub(super) const AGGREGATES: &[Aggregate] = &[
    gathering("json_agg", &[ANYELEMENT], JSON, start::<JsonArray>),
    gathering("jsonb_agg", &[ANYELEMENT], JSONB, start::<JsonbArray>),
    gathering("json_object_agg", &[ANY, ANY], JSON, start::<JsonObject>),
    gathering("jsonb_object_agg", &[ANY, ANY], JSONB, start::<JsonbObject>),
];
