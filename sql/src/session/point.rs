//! A SELECT of one row by its primary key that is a transaction of its own, on the node that leads
//! the row's range: answered where it stands, without a transaction and without waiting.

use super::RowSink;
use super::job::Output;
use super::planning::{Planned, name_objects};
use super::query::exec_error;
use super::session::Session;
use crate::exec::PointRead;
use crate::exec::eval::Env;
use std::sync::Arc;
use types::{Datum, SqlError};

impl Session {
    /// True when the statement has been answered; false: it has to go the long way.
    pub(super) fn read_point<S: RowSink>(
        &mut self,
        planned: &Arc<Planned>,
        params: &Arc<[Datum]>,
        output: Output<'_>,
        sink: &mut S,
    ) -> Result<bool, SqlError> {
        let (Some(point), Some(fields)) = (PointRead::of(&planned.plan), &planned.fields) else {
            return Ok(false);
        };
        if !self.has_lease() || self.shared.guc.lock().derived().follower_reads {
            return Ok(false);
        }
        let mut settings = self.settings();
        name_objects(&mut settings, Some(fields), &planned.view);
        let functions = &*planned.view;
        let env = Env { params, outer: &[], settings: &settings, functions };
        let mut row = None;
        if let Some(key) = point.key(&env)? {
            let Some(found) = self.engine().client().read_now(&key) else { return Ok(false) };
            if let Some(value) = found {
                let made = point.row(&key, &value, &env);
                row = made.map_err(|error| exec_error(error, planned))?;
            }
        }
        sink.begin_rows(fields, output.formats, &settings, output.announce);
        if let Some(row) = &row {
            sink.row(row)?;
        }
        self.send_reports(sink);
        sink.complete(if row.is_some() { "SELECT 1" } else { "SELECT 0" });
        Ok(true)
    }
}
