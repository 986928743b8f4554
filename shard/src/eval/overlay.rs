//! Intents that a read has to look at: the transaction's own, and those of others that are known to
//! be committed but not resolved yet.

use super::read::Sight;
use crate::conflict::Meaning;
use base::api::WriteOp;
use base::codec::Blob;
use base::{Key, KvResult, Span};
use std::collections::BTreeMap;
use storage::mvcc::{self, Intent};

/// Most intents that one page of a forward scan looks at.
const INTENTS_MAX: usize = 4_096;

/// What the intents in a span come to.
#[derive(Default)]
pub(super) struct Overlay {
    /// Rows as the visible intents make them; `None` is a deleted one.
    pub(super) rows: BTreeMap<Key, Option<Blob>>,
    /// Intents of unknown fate.
    pub(super) blocked: Vec<(Key, Intent)>,
    /// Not all could be looked at: this one and everything behind it is for the next page.
    pub(super) end: Option<Key>,
}

impl Overlay {
    /// Looks at the intents in a span.
    pub(super) fn of_span(sight: &Sight<'_>, span: &Span, reverse: bool) -> KvResult<Overlay> {
        let mut overlay = Overlay::default();
        if sight.view.is_free_of_intents {
            return Ok(overlay);
        }
        // Backward the far end comes first, so there is no place to stop at.
        let limit = if reverse { 0 } else { INTENTS_MAX };
        let mut intents = mvcc::intents(&sight.view.snapshot, span, limit)?;
        if limit > 0
            && intents.len() == limit
            && let Some((key, _)) = intents.pop()
        {
            overlay.end = Some(key);
        }
        for (key, intent) in intents {
            overlay.add(sight, key, intent);
        }
        Ok(overlay)
    }

    /// Looks at the intent under one key.
    pub(super) fn of_key(sight: &Sight<'_>, key: &Key) -> KvResult<Overlay> {
        let mut overlay = Overlay::default();
        if !sight.view.is_free_of_intents
            && let Some(intent) = mvcc::intent(&sight.view.snapshot, key)?
        {
            overlay.add(sight, key.clone(), intent);
        }
        Ok(overlay)
    }

    fn add(&mut self, sight: &Sight<'_>, key: Key, intent: Intent) {
        match sight.conflicts.meaning(&intent, sight.at, sight.own) {
            Meaning::Ignore => {}
            Meaning::Unknown => self.blocked.push((key, intent)),
            Meaning::Visible => match intent.op {
                WriteOp::Put(value) => {
                    self.rows.insert(key, Some(value));
                }
                WriteOp::Delete => {
                    self.rows.insert(key, None);
                }
                WriteOp::Check => {}
            },
        }
    }
}
