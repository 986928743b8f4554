//! Which range holds which key, as leaders have reported it.
//!
//! The map is a list of pieces that never overlap and, from the first report of a whole key space
//! on, cover all of it. Every key belongs to the report with the highest epoch that claims it:
//! splits and merges give their results a higher epoch than their origins had, so along one key
//! epochs only grow. A range that was reported smaller keeps the rest of its old piece until
//! somebody else claims it: asking an old owner is better than asking nobody.

use base::meta_api::{RangeReport, RangeStatus};
use base::{Key, NodeId, RangeDescriptor, RangeId, Span};
use bincode::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// One piece of the map.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RangeEntry {
    /// The range's descriptor; its span is cut to the piece.
    pub descriptor: RangeDescriptor,
    /// Last known leader.
    pub leader: Option<NodeId>,
    /// The leader's Raft term.
    pub term: u64,
    /// Estimated size when it was reported.
    pub bytes: u64,
}

impl RangeEntry {
    fn span(&self) -> &Span {
        &self.descriptor.span
    }

    fn cut(&self, start: Key, end: Key) -> RangeEntry {
        let mut piece = self.clone();
        piece.descriptor.span = Span::new(start, end);
        piece
    }

    /// What clients are told.
    pub fn status(&self) -> RangeStatus {
        RangeStatus { descriptor: self.descriptor.clone(), leader: self.leader, bytes: self.bytes }
    }
}

/// The map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeMap {
    pieces: BTreeMap<Key, RangeEntry>,
    /// The newest epoch of every range among the pieces, and where its first piece begins. Nothing
    /// else is remembered, so that a map read back from its pieces goes on as this one does.
    newest: BTreeMap<RangeId, (u64, Key)>,
}

/// Starts of pieces that an update removed or wrote: what has to be persisted.
pub type Changes = BTreeSet<Key>;

impl RangeMap {
    /// Builds a map from its pieces, as they were persisted.
    pub fn from_pieces(pieces: impl IntoIterator<Item = RangeEntry>) -> RangeMap {
        let pieces = pieces.into_iter().map(|piece| (piece.span().start.clone(), piece));
        let mut map = RangeMap { pieces: pieces.collect(), ..RangeMap::default() };
        map.forget_lost_epochs();
        map
    }

    /// The piece that holds a key.
    pub fn get(&self, key: &Key) -> Option<&RangeEntry> {
        let (_, piece) = self.pieces.range(..=key).next_back()?;
        piece.span().contains(key).then_some(piece)
    }

    /// The piece that starts at a key.
    pub fn piece_at(&self, start: &Key) -> Option<&RangeEntry> {
        self.pieces.get(start)
    }

    /// All pieces in key order.
    pub fn pieces(&self) -> impl Iterator<Item = &RangeEntry> {
        self.pieces.values()
    }

    /// The pieces that are ranges as their leaders see them now, in key order, from a key on.
    pub fn current<'a>(&'a self, from: &'a Key) -> impl Iterator<Item = &'a RangeEntry> {
        self.pieces.values().filter(|piece| piece.span().end > *from && !self.is_outdated(piece))
    }

    /// The current piece of a range.
    pub fn find(&self, range: RangeId) -> Option<&RangeEntry> {
        let (_, start) = self.newest.get(&range)?;
        let is_it =
            |piece: &&RangeEntry| piece.descriptor.range == range && !self.is_outdated(piece);
        // Its beginning may have gone to another range.
        self.get(start).filter(is_it).or_else(|| self.pieces.values().find(is_it))
    }

    /// True when taking in the report would change anything but the size.
    pub fn is_news(&self, report: &RangeReport) -> bool {
        let known = self.epoch(report.descriptor.range);
        match known {
            Some(known) if known > report.descriptor.epoch => false,
            Some(known) if known == report.descriptor.epoch => {
                self.find(report.descriptor.range).is_some_and(|piece| {
                    report.term > piece.term
                        || report.term == piece.term && piece.leader != Some(report.leader)
                })
            }
            _ => !report.descriptor.span.is_empty(),
        }
    }

    /// Takes in a leader's report; newer epochs win, then later terms. Returns what changed.
    pub fn update(&mut self, report: &RangeReport) -> Changes {
        if !self.is_news(report) {
            return Changes::new();
        }
        let range = report.descriptor.range;
        let entry = RangeEntry {
            descriptor: report.descriptor.clone(),
            leader: Some(report.leader),
            term: report.term,
            bytes: report.bytes,
        };
        if self.epoch(range) == Some(report.descriptor.epoch) {
            return self.replace_leader(&entry);
        }
        let start = report.descriptor.span.start.clone();
        self.newest.insert(range, (report.descriptor.epoch, start));
        self.claim(&entry)
    }

    /// A range has split: both halves at once, so that no key is without its range in between.
    pub fn split(&mut self, left: &RangeReport, right: &RangeReport) -> Changes {
        let mut changes = self.update(left);
        changes.extend(self.update(right));
        changes
    }

    /// Two ranges have become one: `merged` takes over every key of `absorbed`, whatever epoch that
    /// had reached.
    pub fn merge(&mut self, merged: &RangeReport, absorbed: RangeId) -> Changes {
        if !self.is_news(merged) {
            return Changes::new();
        }
        let span = &merged.descriptor.span;
        for piece in self.pieces.values_mut() {
            if piece.descriptor.range == absorbed && piece.span().overlaps(span) {
                // Gives way to every claim; what lies beyond the span is written with it.
                piece.descriptor.epoch = 0;
            }
        }
        self.forget_lost_epochs();
        self.update(merged)
    }

    /// A piece of a range that was reported with a newer epoch since, kept for want of another
    /// owner.
    fn is_outdated(&self, piece: &RangeEntry) -> bool {
        self.epoch(piece.descriptor.range).is_some_and(|newest| newest > piece.descriptor.epoch)
    }

    fn epoch(&self, range: RangeId) -> Option<u64> {
        self.newest.get(&range).map(|(epoch, _)| *epoch)
    }

    fn replace_leader(&mut self, entry: &RangeEntry) -> Changes {
        let mut changes = Changes::new();
        for (start, piece) in &mut self.pieces {
            let of = &piece.descriptor;
            if of.range == entry.descriptor.range && of.epoch == entry.descriptor.epoch {
                piece.leader = entry.leader;
                piece.term = entry.term;
                piece.bytes = entry.bytes;
                changes.insert(start.clone());
            }
        }
        changes
    }

    /// Gives the entry every key of its span that nobody holds with a better right.
    fn claim(&mut self, entry: &RangeEntry) -> Changes {
        let mut changes = Changes::new();
        let span = entry.span().clone();
        let touched: Vec<Key> = self
            .pieces
            .values()
            .filter(|piece| piece.span().overlaps(&span))
            .map(|piece| piece.span().start.clone())
            .collect();
        let mut free_from = span.start.clone();
        let mut claimed = Vec::new();
        for start in touched {
            let Some(piece) = self.pieces.get(&start).cloned() else { continue };
            if !self.yields(&piece, entry) {
                claimed.push((free_from, piece.span().start.clone()));
                free_from = piece.span().end.clone();
                continue;
            }
            self.pieces.remove(&start);
            changes.insert(start);
            let (head, tail) = (piece.span().start.clone(), piece.span().end.clone());
            for (from, to) in [(head, span.start.clone()), (span.end.clone(), tail)] {
                if from < to {
                    changes.insert(from.clone());
                    self.pieces.insert(from.clone(), piece.cut(from, to));
                }
            }
        }
        claimed.push((free_from, span.end));
        for (from, to) in claimed.into_iter().filter(|(from, to)| from < to) {
            changes.insert(from.clone());
            self.pieces.insert(from.clone(), entry.cut(from, to));
        }
        self.forget_lost_epochs();
        changes
    }

    /// Does a piece give way to a new report?
    fn yields(&self, piece: &RangeEntry, to: &RangeEntry) -> bool {
        piece.descriptor.range == to.descriptor.range
            || self.is_outdated(piece)
            || piece.descriptor.epoch <= to.descriptor.epoch
    }

    /// An epoch of which others hold every key by now is forgotten: the range may come back with any.
    fn forget_lost_epochs(&mut self) {
        self.newest.clear();
        for (start, piece) in &self.pieces {
            let newest = self.newest.entry(piece.descriptor.range).or_default();
            if piece.descriptor.epoch > newest.0 {
                *newest = (piece.descriptor.epoch, start.clone());
            }
        }
    }
}
