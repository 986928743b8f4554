//! What operators exchange: some rows, column by column.

use super::vector::Vector;
use std::sync::Arc;
use types::{Datum, SqlType};

/// Rows of a full batch: small enough to stay in a cache, large enough to pay for a call.
pub const BATCH_ROWS: usize = 1024;

/// Some rows.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The columns, all of one length.
    pub columns: Vec<Arc<Vector>>,
    /// How many rows (there may be no columns).
    pub rows: usize,
}

impl Batch {
    /// One row without columns.
    pub fn unit() -> Batch {
        Batch { columns: Vec::new(), rows: 1 }
    }

    /// From columns.
    pub fn new(columns: Vec<Arc<Vector>>, rows: usize) -> Batch {
        Batch { columns, rows }
    }

    /// The values of one row.
    pub fn row(&self, at: usize) -> Vec<Datum> {
        self.columns.iter().map(|c| c.get(at)).collect()
    }

    /// Writes the values of one row into a buffer.
    pub fn row_into(&self, at: usize, out: &mut Vec<Datum>) {
        out.clear();
        out.extend(self.columns.iter().map(|c| c.get(at)));
    }

    /// One value.
    pub fn get(&self, column: usize, row: usize) -> Datum {
        self.columns[column].get(row)
    }

    /// These rows.
    pub fn gather(&self, rows: &[u32]) -> Batch {
        if rows.len() == self.rows && rows.iter().enumerate().all(|(i, &r)| i == r as usize) {
            return self.clone();
        }
        let columns = self.columns.iter().map(|c| Arc::new(c.gather(rows))).collect();
        Batch { columns, rows: rows.len() }
    }

    /// A stretch of rows.
    pub fn slice(&self, from: usize, len: usize) -> Batch {
        let rows: Vec<u32> = (from as u32..(from + len) as u32).collect();
        self.gather(&rows)
    }

    /// These columns in this order.
    pub fn project(&self, columns: &[usize]) -> Batch {
        Batch {
            columns: columns.iter().map(|&c| self.columns[c].clone()).collect(),
            rows: self.rows,
        }
    }

    /// Bytes held, roughly.
    pub fn memory(&self) -> usize {
        self.columns.iter().map(|c| c.memory()).sum::<usize>() + 64
    }
}

/// Builds batches row by row.
pub struct BatchBuilder {
    columns: Vec<Vector>,
    types: Vec<SqlType>,
    rows: usize,
}

impl BatchBuilder {
    /// For rows of these types.
    pub fn new(types: &[SqlType]) -> BatchBuilder {
        BatchBuilder { columns: fresh(types), types: types.to_vec(), rows: 0 }
    }

    /// Rows gathered.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = Datum>) {
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(value);
        }
        self.rows += 1;
    }

    /// Takes what was gathered.
    pub fn finish(&mut self) -> Batch {
        let columns = std::mem::replace(&mut self.columns, fresh(&self.types));
        let rows = std::mem::take(&mut self.rows);
        Batch { columns: columns.into_iter().map(Arc::new).collect(), rows }
    }
}

fn fresh(types: &[SqlType]) -> Vec<Vector> {
    types.iter().map(|t| Vector::for_type(t.oid, 0)).collect()
}
