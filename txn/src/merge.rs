//! Merges rows of a range with the transaction's own buffered changes.

use crate::buffer::Change;
use base::{Key, KvResult, Pushdown, RowFlow};
use bytes::Bytes;
use std::cmp::Ordering;

/// Merges two sequences in the same direction; own changes replace or hide rows. `own` must lie
/// within the stretch that the rows cover.
pub(crate) fn merge<'a>(
    rows: Vec<(Key, Bytes)>,
    own: impl Iterator<Item = (&'a Key, &'a Change)>,
    reverse: bool,
) -> Vec<(Key, Bytes)> {
    let mut merged = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter().peekable();
    for (key, change) in own {
        let order = |row: &Key| if reverse { key.cmp(row) } else { row.cmp(key) };
        while let Some(row) = rows.next_if(|(row, _)| order(row) == Ordering::Less) {
            merged.push(row);
        }
        rows.next_if(|(row, _)| row == key);
        if let Some(value) = change.value() {
            merged.push((key.clone(), value.clone()));
        }
    }
    merged.extend(rows);
    merged
}

/// Runs a fragment over rows here. `true` with the output when it needs no more rows.
pub(crate) fn run_fragment(
    pushdown: &dyn Pushdown,
    fragment: &[u8],
    rows: &[(Key, Bytes)],
) -> KvResult<(Bytes, bool)> {
    let mut run = pushdown.start(fragment)?;
    let mut is_done = false;
    for (key, value) in rows {
        if run.push(key, value)? == RowFlow::Done {
            is_done = true;
            break;
        }
    }
    Ok((run.finish()?, is_done))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::copy_from(name.as_bytes())
    }

    fn show(rows: Vec<(Key, Bytes)>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let rows = rows.iter().map(|(key, value)| format!("{}={}", text(key), text(value)));
        rows.collect::<Vec<_>>().join(" ")
    }

    fn check(rows: &[&str], own: &[(&str, Option<&str>)], forward: &str) {
        let row = |name: &&str| (key(name), Bytes::from_static(b"old"));
        let own: Vec<(Key, Change)> = own
            .iter()
            .map(|(name, value)| {
                let put = |value: &str| Change::Put(Bytes::copy_from_slice(value.as_bytes()));
                (key(name), value.map_or(Change::Delete, put))
            })
            .collect();
        let pairs = || own.iter().map(|(key, change)| (key, change));
        let ahead: Vec<(Key, Bytes)> = rows.iter().map(row).collect();
        let back: Vec<(Key, Bytes)> = rows.iter().rev().map(row).collect();
        assert_eq!(show(merge(ahead, pairs(), false)), forward);
        let mut reversed = merge(back, pairs().rev(), true);
        reversed.reverse();
        assert_eq!(show(reversed), forward);
    }

    #[test]
    fn own_changes_add_replace_and_hide() {
        check(&[], &[("a", Some("new"))], "a=new");
        check(
            &["b", "d"],
            &[("a", Some("1")), ("c", Some("2")), ("e", Some("3"))],
            "a=1 b=old c=2 d=old e=3",
        );
        check(&["a", "b", "c"], &[("a", None), ("b", Some("new")), ("z", None)], "b=new c=old");
        check(&["a"], &[], "a=old");
    }
}
