//! What a SERIALIZABLE transaction has read, for the refresh at COMMIT.

use base::{Key, Span};
use std::collections::BTreeMap;

/// More spans than this are merged into one: a coarser set can cost a retry, never an anomaly.
const SPANS_MAX: usize = 4096;

/// Spans that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadSet {
    /// End by start.
    spans: BTreeMap<Key, Key>,
}

impl ReadSet {
    /// Adds a span.
    pub(crate) fn add(&mut self, span: &Span) {
        if span.is_empty() {
            return;
        }
        let mut merged = span.clone();
        while let Some((start, end)) = self.spans.range(..=merged.end.clone()).next_back() {
            if *end < merged.start {
                break;
            }
            merged.start = merged.start.min(start.clone());
            merged.end = merged.end.max(end.clone());
            let start = start.clone();
            self.spans.remove(&start);
        }
        self.spans.insert(merged.start, merged.end);
        if self.spans.len() > SPANS_MAX {
            self.collapse();
        }
    }

    /// Adds all spans of another set, which is empty afterwards.
    pub(crate) fn append(&mut self, other: &mut ReadSet) {
        for (start, end) in std::mem::take(&mut other.spans) {
            self.add(&Span::new(start, end));
        }
    }

    /// True when nothing was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The spans in key order.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.iter().map(|(start, end)| Span::new(start.clone(), end.clone())).collect()
    }

    fn collapse(&mut self) {
        let first = self.spans.first_key_value().map(|(start, _)| start.clone());
        let last = self.spans.last_key_value().map(|(_, end)| end.clone());
        if let (Some(start), Some(end)) = (first, last) {
            self.spans.clear();
            self.spans.insert(start, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: &str, end: &str) -> Span {
        Span::new(Key::copy_from(start.as_bytes()), Key::copy_from(end.as_bytes()))
    }

    #[test]
    fn overlapping_and_touching_spans_merge() {
        let mut set = ReadSet::default();
        for (start, end) in [("a", "b"), ("d", "e"), ("b", "c"), ("m", "z"), ("n", "o")] {
            set.add(&span(start, end));
        }
        assert_eq!(set.spans(), vec![span("a", "c"), span("d", "e"), span("m", "z")]);
        set.add(&span("a", "n"));
        assert_eq!(set.spans(), vec![span("a", "z")]);
    }
}
