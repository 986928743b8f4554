//! An error of SQL as the fields of an ErrorResponse or NoticeResponse.

use types::SqlError;
use wire::{ErrorFields, Severity};

/// Copies the fields; texts and codes were made by the session.
pub(crate) fn fields(error: &SqlError) -> ErrorFields {
    let mut fields =
        ErrorFields::new(severity(error.severity), error.code.0, error.message.clone());
    fields.detail.clone_from(&error.detail);
    fields.hint.clone_from(&error.hint);
    fields.position = error.position;
    fields.context.clone_from(&error.context);
    fields.schema.clone_from(&error.schema);
    fields.table.clone_from(&error.table);
    fields.column.clone_from(&error.column);
    fields.data_type.clone_from(&error.data_type);
    fields.constraint.clone_from(&error.constraint);
    fields
}

/// The same, as something that ends the connection.
pub(crate) fn fatal(error: &SqlError) -> ErrorFields {
    ErrorFields { severity: Severity::Fatal, ..fields(error) }
}

fn severity(severity: types::Severity) -> Severity {
    match severity {
        types::Severity::Error => Severity::Error,
        types::Severity::Fatal => Severity::Fatal,
        types::Severity::Panic => Severity::Panic,
        types::Severity::Warning => Severity::Warning,
        types::Severity::Notice => Severity::Notice,
        types::Severity::Debug => Severity::Debug,
        types::Severity::Info => Severity::Info,
        types::Severity::Log => Severity::Log,
    }
}
