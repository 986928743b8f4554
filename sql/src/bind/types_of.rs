//! Type names: from the grammar's [`DataType`] to [`SqlType`].

use super::CatalogView;
use sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, IntervalFields, ObjectName,
    TimezoneInfo,
};
use types::{SqlError, SqlType, array_of, oid, sqlstate, type_by_name};

/// The type that a type name stands for.
pub fn data_type(ty: &DataType) -> Result<SqlType, SqlError> {
    Ok(match ty {
        DataType::Character(len) | DataType::Char(len) => {
            bpchar(length(len.as_ref())?.or(Some(1)))?
        }
        DataType::CharacterVarying(len)
        | DataType::CharVarying(len)
        | DataType::Varchar(len)
        | DataType::Nvarchar(len) => varchar(length(len.as_ref())?)?,
        DataType::Uuid => SqlType::UUID,
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => numeric(info)?,
        DataType::Float(ExactNumberInfo::Precision(p)) => float(*p)?,
        DataType::Float(_) | DataType::Float8 | DataType::Double(_) => SqlType::FLOAT8,
        DataType::DoublePrecision | DataType::Float64 => SqlType::FLOAT8,
        DataType::Real | DataType::Float4 | DataType::Float32 => SqlType::FLOAT4,
        DataType::SmallInt(_) | DataType::Int2(_) => SqlType::INT2,
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => SqlType::INT4,
        DataType::BigInt(_) | DataType::Int8(_) => SqlType::INT8,
        DataType::Bool | DataType::Boolean => SqlType::BOOL,
        DataType::Date => SqlType::DATE,
        DataType::Time(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => {
            return Err(SqlError::not_supported("type time with time zone is not supported"));
        }
        DataType::Time(p, zone) => timed(*p, zone, oid::TIME, oid::TIME)?,
        DataType::Timestamp(p, zone) => timed(*p, zone, oid::TIMESTAMP, oid::TIMESTAMPTZ)?,
        DataType::Interval { fields, precision } => interval(fields.as_ref(), *precision)?,
        DataType::JSON => SqlType::JSON,
        DataType::JSONB => SqlType::JSONB,
        DataType::Regclass => SqlType::new(oid::REGCLASS),
        DataType::Text => SqlType::TEXT,
        DataType::Bytea => SqlType::BYTEA,
        DataType::Array(def) => array(def)?,
        DataType::Custom(name, modifiers) => custom(name, modifiers.len())?,
        DataType::Collate(inner, _) => data_type(inner)?,
        other => return Err(missing(&other.to_string().to_lowercase())),
    })
}

/// The same, by somebody who knows which schemas there are.
pub(crate) fn data_type_in(ty: &DataType, catalog: &dyn CatalogView) -> Result<SqlType, SqlError> {
    data_type(ty).map_err(|error| match ty {
        DataType::Custom(name, _) if name.0.len() == 2 => {
            let schema = name.0.first().and_then(|part| part.as_ident()).map(super::scope::fold);
            match schema.filter(|schema| !catalog.schema_exists(schema)) {
                Some(schema) => SqlError::new(
                    sqlstate::UNDEFINED_SCHEMA,
                    format!("schema \"{schema}\" does not exist"),
                ),
                None => error,
            }
        }
        _ => error,
    })
}

fn missing(name: &str) -> SqlError {
    SqlError::new(sqlstate::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"))
}

fn length(len: Option<&CharacterLength>) -> Result<Option<i32>, SqlError> {
    match len {
        None | Some(CharacterLength::Max) => Ok(None),
        Some(CharacterLength::IntegerLength { length, .. }) => {
            Ok(Some(i32::try_from(*length).unwrap_or(i32::MAX)))
        }
    }
}

/// Longest declared length of varchar and char, as in PostgreSQL.
const LENGTH_MAX: i32 = 10_485_760;

fn checked_length(name: &str, len: i32) -> Result<i32, SqlError> {
    let bad = |text: String| SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, text);
    if len < 1 {
        return Err(bad(format!("length for type {name} must be at least 1")));
    }
    if len > LENGTH_MAX {
        return Err(bad(format!("length for type {name} cannot exceed {LENGTH_MAX}")));
    }
    Ok(len)
}

fn varchar(len: Option<i32>) -> Result<SqlType, SqlError> {
    match len {
        None => Ok(SqlType::VARCHAR),
        Some(len) => Ok(SqlType::varchar(checked_length("varchar", len)?)),
    }
}

fn bpchar(len: Option<i32>) -> Result<SqlType, SqlError> {
    match len {
        None => Ok(SqlType::BPCHAR),
        Some(len) => Ok(SqlType::bpchar(checked_length("char", len)?)),
    }
}

fn numeric(info: &ExactNumberInfo) -> Result<SqlType, SqlError> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => return Ok(SqlType::NUMERIC),
        ExactNumberInfo::Precision(p) => (*p as i64, 0),
        ExactNumberInfo::PrecisionAndScale(p, s) => (*p as i64, *s),
    };
    let bad = |text: String| SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, text);
    if !(1..=1000).contains(&precision) {
        return Err(bad(format!("NUMERIC precision {precision} must be between 1 and 1000")));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(bad(format!("NUMERIC scale {scale} must be between -1000 and 1000")));
    }
    Ok(SqlType::numeric(precision as i32, scale as i32))
}

fn float(precision: u64) -> Result<SqlType, SqlError> {
    let bad = |text: &str| Err(SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, text));
    match precision {
        0 => bad("precision for type float must be at least 1 bit"),
        1..=24 => Ok(SqlType::FLOAT4),
        25..=53 => Ok(SqlType::FLOAT8),
        _ => bad("precision for type float must be less than 54 bits"),
    }
}

fn timed(
    precision: Option<u64>,
    zone: &TimezoneInfo,
    plain: u32,
    zoned: u32,
) -> Result<SqlType, SqlError> {
    let base = match zone {
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => plain,
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => zoned,
    };
    Ok(match precision {
        None => SqlType::new(base),
        // More digits than 6 are cut to 6, as PostgreSQL does with a warning.
        Some(p) => SqlType::with_typmod(base, p.min(6) as i32),
    })
}

/// PostgreSQL's bit for a field in an interval's modifier.
fn interval(fields: Option<&IntervalFields>, precision: Option<u64>) -> Result<SqlType, SqlError> {
    const YEAR: i32 = 1 << 2;
    const MONTH: i32 = 1 << 1;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    const ALL: i32 = 0x7fff;
    if fields.is_none() && precision.is_none() {
        return Ok(SqlType::INTERVAL);
    }
    let range = match fields {
        None => ALL,
        Some(IntervalFields::Year) => YEAR,
        Some(IntervalFields::Month) => MONTH,
        Some(IntervalFields::Day) => DAY,
        Some(IntervalFields::Hour) => HOUR,
        Some(IntervalFields::Minute) => MINUTE,
        Some(IntervalFields::Second) => SECOND,
        Some(IntervalFields::YearToMonth) => YEAR | MONTH,
        Some(IntervalFields::DayToHour) => DAY | HOUR,
        Some(IntervalFields::DayToMinute) => DAY | HOUR | MINUTE,
        Some(IntervalFields::DayToSecond) => DAY | HOUR | MINUTE | SECOND,
        Some(IntervalFields::HourToMinute) => HOUR | MINUTE,
        Some(IntervalFields::HourToSecond) => HOUR | MINUTE | SECOND,
        Some(IntervalFields::MinuteToSecond) => MINUTE | SECOND,
    };
    let precision = precision.map_or(0xffff, |p| p.min(6) as i32);
    Ok(SqlType::with_typmod(oid::INTERVAL, (range << 16) | precision))
}

fn array(def: &ArrayElemTypeDef) -> Result<SqlType, SqlError> {
    let element = match def {
        ArrayElemTypeDef::SquareBracket(inner, _)
        | ArrayElemTypeDef::AngleBracket(inner)
        | ArrayElemTypeDef::Parenthesis(inner)
        | ArrayElemTypeDef::ParenthesisNotNull(inner)
        | ArrayElemTypeDef::Qualified(inner, _) => data_type(inner)?,
        ArrayElemTypeDef::None => return Err(missing("array")),
    };
    // int[][] is int[]: dimensions are not part of the type.
    if types::element_of(element.oid).is_some() {
        return Ok(element);
    }
    match array_of(element.oid) {
        Some(array) => Ok(SqlType::with_typmod(array, element.typmod)),
        None => Err(missing(&format!("{element}[]"))),
    }
}

fn custom(name: &ObjectName, modifiers: usize) -> Result<SqlType, SqlError> {
    let parts: Vec<String> =
        name.0.iter().filter_map(|p| p.as_ident()).map(super::scope::fold).collect();
    let (schema, base) = match parts.as_slice() {
        [base] => (None, base.as_str()),
        [schema, base] => (Some(schema.as_str()), base.as_str()),
        _ => return Err(missing(&name.to_string())),
    };
    if schema.is_some_and(|s| s != "pg_catalog") || modifiers > 1 {
        return Err(missing(&name.to_string()));
    }
    // Serial types make sense only as columns, where CREATE TABLE takes them apart.
    match type_by_name(base) {
        Some(info) => Ok(SqlType::new(info.oid)),
        None => Err(missing(&name.to_string())),
    }
}
