//! Names that PostgreSQL chooses when the user does not.

use catalog::{CatalogSnapshot, Oid};
use std::collections::BTreeSet;

/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 63;

/// `table_column_label`, shortened to fit: the longer of the first two parts gives way.
pub(super) fn object_name(table: &str, column: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!column.is_empty());
    let available = NAME_BYTES_MAX.saturating_sub(overhead);
    let (mut table_len, mut column_len) = (table.len(), column.len());
    while table_len + column_len > available {
        if table_len > column_len {
            table_len -= 1;
        } else {
            column_len -= 1;
        }
    }
    let (table, column) = (clip(table, table_len), clip(column, column_len));
    if column.is_empty() { format!("{table}_{label}") } else { format!("{table}_{column}_{label}") }
}

/// The first of `name`, `name1`, `name2`, … that no relation of the schema has and `also_taken`
/// does not hold.
pub(super) fn free_relation_name(
    catalog: &CatalogSnapshot,
    schema: Oid,
    also_taken: &BTreeSet<String>,
    (table, column, label): (&str, &str, &str),
) -> String {
    free_name((table, column, label), |name| {
        catalog.relation(schema, name).is_some() || also_taken.contains(name)
    })
}

/// The first of `name`, `name1`, … that is not taken.
pub(super) fn free_name(
    (table, column, label): (&str, &str, &str),
    is_taken: impl Fn(&str) -> bool,
) -> String {
    let mut name = object_name(table, column, label);
    let mut number = 0;
    while is_taken(&name) {
        number += 1;
        name = object_name(table, column, &format!("{label}{number}"));
    }
    name
}

fn clip(text: &str, len: usize) -> &str {
    &text[..text.floor_char_boundary(len)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_part_gives_way() {
        let long = "a".repeat(80);
        let name = object_name(&long, "b", "key");
        assert_eq!(name.len(), 63);
        assert!(name.ends_with("_b_key"));
        assert_eq!(object_name("t", "", "pkey"), "t_pkey");
    }
}
