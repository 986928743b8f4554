//! Words of a script's command into requests.

use base::api::{Write, WriteCondition, WriteOp};
use base::codec::Blob;
use base::{Key, NodeId, Span, Timestamp, TxnId};
use std::collections::BTreeMap;

/// Timestamps by name.
#[derive(Default)]
pub(crate) struct Names(BTreeMap<String, Timestamp>);

impl Names {
    pub(crate) fn bind(&mut self, name: &str, ts: Timestamp) {
        self.0.insert(name.to_string(), ts);
    }

    pub(crate) fn get(&self, name: &str) -> Timestamp {
        match name {
            "zero" => Timestamp::ZERO,
            "max" => Timestamp::MAX,
            _ => *self.0.get(name).unwrap_or_else(|| panic!("no timestamp named {name}")),
        }
    }

    /// The name if it has one.
    pub(crate) fn show(&self, ts: Timestamp) -> String {
        if ts == Timestamp::ZERO {
            return "zero".into();
        }
        let named = self.0.iter().find(|(_, known)| **known == ts);
        named.map_or_else(|| ts.to_string(), |(name, _)| name.clone())
    }
}

/// A command's words: `name=value` and bare ones.
pub(crate) struct Words<'a> {
    pub(crate) names: &'a Names,
    pub(crate) bare: Vec<&'a str>,
    args: BTreeMap<&'a str, &'a str>,
}

/// Arguments that are written `name=value`; anything else with `=` is a write.
const ARGUMENTS: &[&str] = &[
    "at",
    "txn",
    "ts",
    "anchor",
    "keys",
    "spans",
    "timeout",
    "limit",
    "bytes",
    "node",
    "from",
    "to",
    "above",
    "now",
    "met",
    "status",
    "fragment",
    "epoch",
    "staged",
    "start",
    "by",
    "count",
    "min",
    "max",
    "value",
    "range",
    "coordinator",
];

impl<'a> Words<'a> {
    pub(crate) fn new(words: &[&'a str], names: &'a Names) -> Words<'a> {
        let mut args = BTreeMap::new();
        let mut bare = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some((name, value)) if ARGUMENTS.contains(&name) => {
                    args.insert(name, value);
                }
                _ => bare.push(*word),
            }
        }
        Words { names, bare, args }
    }

    pub(crate) fn arg(&self, name: &str) -> Option<&'a str> {
        self.args.get(name).copied()
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let text = self.arg(name)?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
    }

    pub(crate) fn ts(&self, name: &str) -> Timestamp {
        let text = self.arg(name).unwrap_or_else(|| panic!("{name}= is missing"));
        self.names.get(text)
    }

    pub(crate) fn txn(&self) -> Option<TxnId> {
        let node = NodeId(self.number("coordinator").unwrap_or(1));
        self.number("txn").map(|unique| TxnId::new(node, unique))
    }

    /// Takes a bare word out.
    pub(crate) fn flag(&mut self, flag: &str) -> bool {
        let before = self.bare.len();
        self.bare.retain(|word| *word != flag);
        self.bare.len() < before
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.bare.iter().map(|word| key(word)).collect()
    }

    /// `keys=a,b,c`.
    pub(crate) fn key_list(&self) -> Vec<Key> {
        self.arg("keys").into_iter().flat_map(|list| list.split(',')).map(key).collect()
    }

    /// `spans=a..c,m..p`.
    pub(crate) fn span_list(&self) -> Vec<Span> {
        let parts = self.arg("spans").into_iter().flat_map(|list| list.split(','));
        let bounds = parts.filter_map(|part| part.split_once(".."));
        bounds.map(|(start, end)| Span::new(key(start), key(end))).collect()
    }

    /// `k=v` puts, `k-` deletes, `k?` checks; behind it `!` for absent, `@ts` for nothing newer,
    /// `@=ts` for unchanged, `@!ts` for unchanged and still locked.
    pub(crate) fn writes(&self) -> Vec<Write> {
        let mut writes: Vec<Write> = self.bare.iter().map(|word| self.write(word)).collect();
        writes.sort_by(|a, b| a.key.cmp(&b.key));
        writes
    }

    fn write(&self, word: &str) -> Write {
        let (word, condition) = match (word.strip_suffix('!'), word.split_once('@')) {
            (Some(word), _) => (word, WriteCondition::Absent),
            (None, Some((word, ts))) => (word, self.seen(ts)),
            (None, None) => (word, WriteCondition::NotNewerThan(Timestamp::MAX)),
        };
        let (name, op) = match (word.split_once('='), word.strip_suffix('-')) {
            (Some((name, value)), _) => (name, WriteOp::Put(blob(value))),
            (None, Some(name)) => (name, WriteOp::Delete),
            (None, None) => (word.trim_end_matches('?'), WriteOp::Check),
        };
        Write { key: key(name), op, condition }
    }

    fn seen(&self, word: &str) -> WriteCondition {
        match (word.strip_prefix('='), word.strip_prefix('!')) {
            (Some(ts), _) => WriteCondition::Unchanged(self.names.get(ts)),
            (None, Some(ts)) => WriteCondition::Held(self.names.get(ts)),
            (None, None) => WriteCondition::NotNewerThan(self.names.get(word)),
        }
    }
}

pub(crate) fn key(word: &str) -> Key {
    match word {
        "min" => Key::MIN,
        "max" => Key::max(),
        _ => Key::copy_from(word.as_bytes()),
    }
}

pub(crate) fn blob(word: &str) -> Blob {
    word.as_bytes().to_vec().into()
}
