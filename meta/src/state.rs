//! The replicated state and how commands change it. Deterministic: no clock, no randomness.

use crate::command::{Applied, Command};
use crate::range_map::{RangeEntry, RangeMap};
use base::codec::{Blob, CodecError, from_message, to_message};
use base::meta_api::IdKind;
use base::{ClusterId, Key, NodeDescriptor, NodeId, Timestamp, layout};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Longest name and value of a setting.
const SETTING_BYTES_MAX: usize = 64 << 10;

/// The setting that the catalog counts its versions in (u64 LE). It never goes back: two changes
/// may announce themselves in either order, and nobody may miss the later one.
pub(crate) const CATALOG_VERSION_SETTING: &str = "catalog.version";

/// First bytes of the persisted keys.
mod tag {
    pub(super) const CLUSTER: u8 = b'c';
    pub(super) const TIMESTAMP_END: u8 = b't';
    pub(super) const ID: u8 = b'i';
    pub(super) const NODE: u8 = b'n';
    pub(super) const RANGE: u8 = b'r';
    pub(super) const SETTING: u8 = b's';
}

/// A change of the persisted pairs; `None` removes.
pub(crate) type Change = (Bytes, Option<Bytes>);

/// Everything the meta group has agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaState {
    /// The cluster's id, once it has one.
    pub cluster: Option<ClusterId>,
    /// No timestamp at or above this has been given out.
    pub timestamp_end: Timestamp,
    /// All nodes that have ever joined.
    pub nodes: BTreeMap<NodeId, NodeDescriptor>,
    /// Which range holds which key.
    pub ranges: RangeMap,
    /// Cluster settings.
    pub settings: BTreeMap<String, Blob>,
    /// The next id of every kind that has given one out.
    next_ids: BTreeMap<IdKind, u64>,
}

impl MetaState {
    /// Applies a command. Returns its answer and the pairs to persist.
    pub(crate) fn apply(&mut self, command: Command) -> (Applied, Vec<Change>) {
        match command {
            Command::Found { cluster, nodes } => self.found(cluster, nodes),
            Command::ReserveTimestamps { end } => {
                self.timestamp_end = self.timestamp_end.max(end);
                let change = put(vec![tag::TIMESTAMP_END], &self.timestamp_end);
                (Applied::Reserved(self.timestamp_end), vec![change])
            }
            Command::AllocateIds { kind, count } => self.allocate(kind, count),
            Command::Join { node } => self.join(node),
            Command::ReportRanges { reports } => {
                let mut changes = Vec::new();
                for report in &reports {
                    for start in self.ranges.update(report) {
                        changes.push(self.range_change(&start));
                    }
                }
                (Applied::Done, changes)
            }
            Command::ReportSplit { left, right } => {
                let starts = self.ranges.split(&left, &right);
                let changes = starts.iter().map(|start| self.range_change(start)).collect();
                (Applied::Done, changes)
            }
            Command::SetSetting { name, value } => self.set(name, value),
        }
    }

    fn found(&mut self, cluster: ClusterId, nodes: u64) -> (Applied, Vec<Change>) {
        if let Some(id) = self.cluster {
            return (Applied::Founded(id), Vec::new());
        }
        self.cluster = Some(cluster);
        let next = self.next_id(IdKind::Node).max(nodes.saturating_add(1));
        self.next_ids.insert(IdKind::Node, next);
        let changes = vec![put(vec![tag::CLUSTER], &cluster), put(id_key(IdKind::Node), &next)];
        (Applied::Founded(cluster), changes)
    }

    fn allocate(&mut self, kind: IdKind, count: u64) -> (Applied, Vec<Change>) {
        let first = self.next_id(kind);
        match first.checked_add(count) {
            Some(next) => {
                self.next_ids.insert(kind, next);
                (Applied::Ids(first), vec![put(id_key(kind), &next)])
            }
            None => (Applied::Refused(format!("no {count} ids are left")), Vec::new()),
        }
    }

    fn next_id(&self, kind: IdKind) -> u64 {
        let first = match kind {
            IdKind::Node | IdKind::Txn => 1,
            // Range 1 holds a new cluster's whole key space.
            IdKind::Range => 2,
            IdKind::Oid => u64::from(layout::FIRST_USER_OID),
        };
        self.next_ids.get(&kind).copied().unwrap_or(first)
    }

    fn join(&mut self, mut node: NodeDescriptor) -> (Applied, Vec<Change>) {
        let next = self.next_id(IdKind::Node);
        if node.node == NodeId(0) {
            // A directory whose first answer got lost asks again: it has its id already.
            let known = self.nodes.values().find(|known| known.instance == node.instance);
            node.node = known.map_or(NodeId(next), |known| known.node);
        }
        let mut changes = vec![put(node_key(node.node), &node)];
        // The first nodes of a cluster bring their ids along; here in case nobody kept them.
        if node.node.0 >= next {
            let next = node.node.0.saturating_add(1);
            self.next_ids.insert(IdKind::Node, next);
            changes.push(put(id_key(IdKind::Node), &next));
        }
        let id = node.node;
        self.nodes.insert(id, node);
        (Applied::Joined(id), changes)
    }

    fn set(&mut self, name: String, value: Option<Blob>) -> (Applied, Vec<Change>) {
        let bytes = name.len() + value.as_ref().map_or(0, |value| value.len());
        if bytes > SETTING_BYTES_MAX {
            return (Applied::Refused(format!("setting of {bytes} bytes is too long")), Vec::new());
        }
        if name == CATALOG_VERSION_SETTING && version(value.as_ref()) < self.catalog_version() {
            return (Applied::Done, Vec::new());
        }
        let key = tagged(tag::SETTING, name.as_bytes());
        let change = match value {
            Some(value) => {
                let change = (key.into(), Some(value.0.clone()));
                self.settings.insert(name, value);
                change
            }
            None => {
                self.settings.remove(&name);
                (key.into(), None)
            }
        };
        (Applied::Done, vec![change])
    }

    /// The newest catalog version that was announced, 0 for none.
    pub(crate) fn catalog_version(&self) -> u64 {
        version(self.settings.get(CATALOG_VERSION_SETTING))
    }

    fn range_change(&self, start: &Key) -> Change {
        let key = tagged(tag::RANGE, start);
        match self.ranges.piece_at(start) {
            Some(piece) => put(key, piece),
            None => (key.into(), None),
        }
    }

    /// All pairs.
    pub(crate) fn pairs(&self) -> Vec<(Bytes, Bytes)> {
        let mut changes = Vec::new();
        changes.extend(self.cluster.map(|cluster| put(vec![tag::CLUSTER], &cluster)));
        changes.push(put(vec![tag::TIMESTAMP_END], &self.timestamp_end));
        changes.extend(self.next_ids.iter().map(|(kind, next)| put(id_key(*kind), next)));
        changes.extend(self.nodes.iter().map(|(id, node)| put(node_key(*id), node)));
        changes.extend(
            self.ranges.pieces().map(|piece| self.range_change(&piece.descriptor.span.start)),
        );
        changes.extend(self.settings.iter().map(|(name, value)| {
            (tagged(tag::SETTING, name.as_bytes()).into(), Some(value.0.clone()))
        }));
        changes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// Reads the pairs back.
    pub(crate) fn from_pairs(pairs: Vec<(Bytes, Bytes)>) -> Result<MetaState, CodecError> {
        let mut state = MetaState::default();
        let mut pieces = Vec::new();
        for (key, value) in pairs {
            let (tag, rest) = key.split_first().ok_or(CodecError("meta key"))?;
            match *tag {
                tag::CLUSTER => state.cluster = Some(from_message(&value)?),
                tag::TIMESTAMP_END => state.timestamp_end = from_message(&value)?,
                tag::ID => {
                    let kind = kind_of(rest).ok_or(CodecError("kind of ids"))?;
                    state.next_ids.insert(kind, from_message(&value)?);
                }
                tag::NODE => {
                    let node: NodeDescriptor = from_message(&value)?;
                    state.nodes.insert(node.node, node);
                }
                tag::RANGE => pieces.push(from_message::<RangeEntry>(&value)?),
                tag::SETTING => {
                    let name = String::from_utf8(rest.to_vec());
                    let name = name.map_err(|_| CodecError("name of a setting"))?;
                    state.settings.insert(name, Blob(value));
                }
                _ => return Err(CodecError("meta key")),
            }
        }
        state.ranges = RangeMap::from_pieces(pieces);
        Ok(state)
    }
}

fn version(value: Option<&Blob>) -> u64 {
    value.and_then(|bytes| bytes[..].try_into().ok()).map_or(0, u64::from_le_bytes)
}

fn put<T: bincode::Encode>(key: Vec<u8>, value: &T) -> Change {
    (key.into(), Some(to_message(value).into()))
}

fn tagged(tag: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = vec![tag];
    key.extend_from_slice(rest);
    key
}

fn node_key(node: NodeId) -> Vec<u8> {
    tagged(tag::NODE, &node.0.to_be_bytes())
}

fn id_key(kind: IdKind) -> Vec<u8> {
    let byte = match kind {
        IdKind::Node => b'n',
        IdKind::Range => b'r',
        IdKind::Oid => b'o',
        IdKind::Txn => b't',
    };
    vec![tag::ID, byte]
}

fn kind_of(rest: &[u8]) -> Option<IdKind> {
    match rest {
        b"n" => Some(IdKind::Node),
        b"r" => Some(IdKind::Range),
        b"o" => Some(IdKind::Oid),
        b"t" => Some(IdKind::Txn),
        _ => None,
    }
}
