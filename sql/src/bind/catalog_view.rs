//! What the binder and the executor need to know of the catalog. The session hands in a view of one
//! catalog snapshot; everything found through it stays valid for the life of a plan.

use catalog::descriptor::{Sequence, Table, View};
use std::sync::Arc;
use types::{Oid, SqlType};

/// One snapshot of the catalog, seen through a session's search path.
pub trait CatalogView: Send + Sync {
    /// Finds a relation by name; without a schema the search path decides.
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Relation>;
    /// Finds a table by oid (foreign keys).
    fn table_by_oid(&self, oid: Oid) -> Option<Arc<Table>>;
    /// The name of a schema.
    fn schema_name(&self, oid: Oid) -> Option<String>;
    /// True when a schema of this name exists: the error for a missing table depends on it.
    fn schema_exists(&self, name: &str) -> bool;
    /// Tables whose foreign keys point to this one.
    fn referencing(&self, table: Oid) -> Vec<Arc<Table>>;
    /// Resolves the text of a `regclass`, `regtype`, `regproc`, `regrole` or `regnamespace`
    /// constant to an oid.
    fn reg_oid(&self, reg_type: Oid, text: &str) -> Option<Oid>;
    /// Functions that the session itself answers (`nextval`, `set_config`, `sharddb.split_table`).
    fn host_functions(&self, schema: Option<&str>, name: &str) -> Vec<Arc<HostFunction>>;
    /// The types under which a view's query is bound: the view as seen by its own search path.
    fn with_search_path(&self, search_path: &[String]) -> Arc<dyn CatalogView>;
}

/// What a name stands for. Virtual tables are tables of [`catalog::descriptor::TableKind::Virtual`].
#[derive(Clone, Debug)]
pub enum Relation {
    /// A table, ordinary, temporary or virtual.
    Table(Arc<Table>),
    /// A view: its query is bound in place of the name.
    View(Arc<View>),
    /// A sequence: a table of one row (`last_value`, `log_cnt`, `is_called`).
    Sequence(Arc<Sequence>),
}

/// A function that the session answers, asynchronously and possibly with side effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFunction {
    /// Its schema (`pg_catalog`, `sharddb`).
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Types of its arguments.
    pub args: Vec<Oid>,
    /// The last argument may be repeated.
    pub variadic: bool,
    /// NULL in, NULL out.
    pub strict: bool,
    /// Its result; for functions that return rows the type of a row.
    pub returns: SqlType,
    /// For functions that return rows: the columns of a row. Empty for scalar functions.
    pub columns: Vec<(String, SqlType)>,
}
