//! What a process remembers about itself and its neighbours, in its own store: who it is, which
//! directory this is, whom it gave a place, where the others live.

use super::control::{Identity, Member};
use crate::exit::Failure;
use base::NodeId;
use base::codec::{from_message, to_message};
use bincode::{Decode, Encode};
use std::collections::BTreeMap;
use storage::{Durability, Engine, Keyspace, StorageError, WriteBatch};

const INSTANCE: &[u8] = b"\x00instance";
const MEMBERS: &[u8] = b"\x00members";
const CLAIMS: &[u8] = b"\x00claims";
const ADDRESSES: &[u8] = b"\x00addresses";

/// The process's own pairs in `Keyspace::Local`.
#[derive(Clone)]
pub(crate) struct LocalState {
    engine: Engine,
}

impl LocalState {
    pub(crate) fn new(engine: Engine) -> LocalState {
        LocalState { engine }
    }

    /// Who this process is, `None` before it has joined.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, Failure> {
        let Some(own) = storage::Identity::load(&self.engine).map_err(failure)? else {
            return Ok(None);
        };
        let members: Vec<Member> = self.read(MEMBERS)?.unwrap_or_default();
        Ok(Some(Identity { cluster: own.cluster, node: own.node, members }))
    }

    /// Remembers who this process is, for ever.
    pub(crate) fn set_identity(&self, identity: &Identity) -> Result<(), Failure> {
        let mut batch = WriteBatch::new();
        storage::Identity { cluster: identity.cluster, node: identity.node }.save(&mut batch);
        batch.put(Keyspace::Local, MEMBERS, &to_message(&identity.members));
        self.engine.write(batch, Durability::Synced).map_err(failure)
    }

    /// The number of this directory; `draw` gives one the first time.
    pub(crate) fn instance(&self, draw: impl FnOnce() -> u128) -> Result<u128, Failure> {
        if let Some(instance) = self.read(INSTANCE)? {
            return Ok(instance);
        }
        let instance = draw();
        self.save(INSTANCE, &instance)?;
        Ok(instance)
    }

    /// Gives the place of `address` to the directory `instance`; false when another one has it.
    pub(crate) fn claim(&self, address: &str, instance: u128) -> Result<bool, Failure> {
        let mut claims: BTreeMap<String, u128> = self.read(CLAIMS)?.unwrap_or_default();
        if let Some(holder) = claims.get(address) {
            return Ok(*holder == instance);
        }
        claims.insert(address.to_owned(), instance);
        self.save(CLAIMS, &claims)?;
        Ok(true)
    }

    /// Where the other nodes were last seen.
    pub(crate) fn addresses(&self) -> Result<BTreeMap<NodeId, String>, Failure> {
        Ok(self.read(ADDRESSES)?.unwrap_or_default())
    }

    /// Remembers where the other nodes are.
    pub(crate) fn set_addresses(&self, book: &BTreeMap<NodeId, String>) -> Result<(), Failure> {
        self.save(ADDRESSES, book)
    }

    fn read<T: Decode<()>>(&self, key: &[u8]) -> Result<Option<T>, Failure> {
        let bytes = self.engine.get(Keyspace::Local, key).map_err(failure)?;
        bytes
            .map(|bytes| from_message(&bytes))
            .transpose()
            .map_err(|e| Failure::new(format!("data directory is damaged: {e}")))
    }

    fn save<T: Encode>(&self, key: &[u8], value: &T) -> Result<(), Failure> {
        let mut batch = WriteBatch::new();
        batch.put(Keyspace::Local, key, &to_message(value));
        self.engine.write(batch, Durability::Synced).map_err(failure)
    }
}

/// A storage error as the line with which the process ends.
pub(crate) fn failure(error: StorageError) -> Failure {
    Failure::new(error.to_string())
}
