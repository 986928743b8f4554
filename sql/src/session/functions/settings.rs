//! Cluster settings: what may be set, and to what.

use super::super::errors;
use super::super::view::SessionView;
use super::{text_arg, void};
use base::codec::Blob;
use base::meta_api::{GC_RETENTION_MS, MetaRequest};
use types::{Datum, SqlError, sqlstate};

/// The longest time that versions may be kept, in milliseconds: a year.
const RETENTION_MS_MAX: u64 = 366 * 24 * 3600 * 1000;

/// A setting that operators may change.
struct Setting {
    name: &'static str,
    /// Answers what is wrong with a value.
    check: fn(&str) -> Result<(), String>,
}

const SETTINGS: &[Setting] = &[Setting { name: GC_RETENTION_MS, check: retention }];

/// `sharddb.set_setting(name, value)`, for superusers; the value `default` removes the setting.
pub(super) async fn set(view: &SessionView, args: &[Datum]) -> Result<Datum, SqlError> {
    let (name, value) = (text_arg(args, 0)?, text_arg(args, 1)?);
    let role = view.catalog.role_named(&view.shared.user);
    if !role.is_some_and(|role| role.is_superuser) {
        let message = "must be superuser to change cluster settings";
        return Err(SqlError::new(sqlstate::INSUFFICIENT_PRIVILEGE, message));
    }
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        let message = format!("unrecognized cluster setting \"{name}\"");
        return Err(SqlError::new(sqlstate::UNDEFINED_OBJECT, message));
    };
    let stored = match value {
        "default" => None,
        value => {
            (setting.check)(value).map_err(|hint| {
                let message = format!("invalid value for cluster setting \"{name}\": \"{value}\"");
                SqlError::new(sqlstate::INVALID_PARAMETER_VALUE, message).with_hint(hint)
            })?;
            Some(Blob::from(value.as_bytes().to_vec()))
        }
    };
    let request = MetaRequest::SetSetting { name: name.to_owned(), value: stored };
    let done = view.shared.engine.client().meta(request).await;
    done.map_err(|error| errors::from_kv(error, &view.catalog))?;
    Ok(void())
}

fn retention(value: &str) -> Result<(), String> {
    match value.parse::<u64>() {
        Ok(ms) if ms <= RETENTION_MS_MAX => Ok(()),
        _ => Err(format!("Milliseconds from 0 to {RETENTION_MS_MAX}.")),
    }
}
