//! The column that a misspelt name may have meant (`parse_relation.c`).

use super::scope::{Item, Scope};
use types::SqlError;

/// Names further away than this are not suggested.
const DISTANCE_MAX: usize = 3;

/// The best matches so far: none, one, or two that are equally good.
struct Best<'s> {
    distance: usize,
    found: Vec<(&'s str, &'s str)>,
}

/// Adds a hint with one or two columns whose names are like the one that was not found.
pub(super) fn with_suggestion(
    error: SqlError,
    table: Option<&str>,
    name: &str,
    scope: &Scope<'_>,
) -> SqlError {
    let mut best = Best { distance: DISTANCE_MAX + 1, found: Vec::new() };
    let mut level = Some(scope);
    while let Some(current) = level {
        for item in current.items.iter().filter(|item| !item.name.is_empty()) {
            best.search(item, table, name);
        }
        level = current.outer;
    }
    let shown = |(table, column): &(&str, &str)| format!("\"{table}.{column}\"");
    match best.found.as_slice() {
        [] => error,
        [one] => {
            error.with_hint(format!("Perhaps you meant to reference the column {}.", shown(one)))
        }
        [first, second, ..] => error.with_hint(format!(
            "Perhaps you meant to reference the column {} or the column {}.",
            shown(first),
            shown(second)
        )),
    }
}

impl<'s> Best<'s> {
    fn search(&mut self, item: &'s Item, table: Option<&str>, name: &str) {
        let penalty = table.map_or(0, |table| distance(table, &item.name));
        if penalty > self.distance {
            return;
        }
        for column in item.columns.iter().filter(|column| !column.system) {
            let apart = distance(&column.name, name);
            // More than half of it differs: that would be ridiculous.
            if apart <= name.len() / 2 {
                self.add(apart + penalty, (&item.name, &column.name));
            }
        }
    }

    fn add(&mut self, distance: usize, column: (&'s str, &'s str)) {
        if distance < self.distance {
            self.distance = distance;
            self.found = vec![column];
        } else if distance == self.distance {
            match self.found.len() {
                // A third one as good: none of them is worth naming, nor any that is not better.
                2.. => {
                    self.found.clear();
                    self.distance = distance.saturating_sub(1);
                }
                0 if distance > DISTANCE_MAX => {}
                _ => self.found.push(column),
            }
        }
    }
}

/// Levenshtein's distance: insertions, deletions and changes of characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances() {
        for (a, b, apart) in
            [("", "", 0), ("name", "nme", 1), ("kitten", "sitting", 3), ("a", "", 1), ("ä", "a", 1)]
        {
            assert_eq!(distance(a, b), apart, "{a} {b}");
            assert_eq!(distance(b, a), apart, "{b} {a}");
        }
    }
}
