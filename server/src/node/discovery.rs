//! How a process with an empty directory finds its cluster, or founds one.
//!
//! All processes of a new cluster get the same `--join` list. The one with the lowest address is
//! the founder. It waits until every other address of the list answers and belongs to no cluster,
//! draws the cluster id, writes it to its directory, and only then gives each other member its
//! place, once. If any process of the list already belongs to a cluster, the newcomer joins that
//! one as a new node instead.
//!
//! **No directory ever gets the node id of another.** A founder that lost its disk finds the others
//! initialised and becomes a new node; a member that lost its disk has another instance number and
//! is told that its place is taken.

use super::control::{ControlRequest, ControlResponse, Identity, Member};
use base::{ClusterId, NodeDescriptor, NodeId};
use std::time::Duration;

/// Asks another process, by address.
pub(super) trait Ask {
    /// Sends a control request; an error is one line.
    fn ask(
        &self,
        address: &str,
        request: ControlRequest,
    ) -> impl Future<Output = Result<ControlResponse, String>> + Send;
}

/// What a newcomer knows.
pub(super) struct Newcomer<'a> {
    /// What it will be, `node` still 0; `instance` was drawn when its directory was made.
    pub descriptor: NodeDescriptor,
    /// The `--join` list.
    pub join: &'a [String],
    /// A random number for the cluster's id, used if this process founds it.
    pub seed: u128,
}

/// What one look at the others showed.
enum Next {
    Found(Identity),
    Wait(String),
}

/// Pause between two looks.
const RETRY: Duration = Duration::from_millis(100);

/// Asks around until this process has an identity. `report` is told, once per change, what it is
/// waiting for.
pub(super) async fn find_identity(
    newcomer: &Newcomer<'_>,
    ask: &impl Ask,
    mut report: impl FnMut(&str),
) -> Result<Identity, String> {
    let me = &newcomer.descriptor.rpc_addr;
    let is_member = newcomer.join.iter().any(|address| address == me);
    if is_member && !(newcomer.descriptor.is_meta && newcomer.descriptor.is_shard) {
        return Err("a node of the --join list needs the roles meta and shard".into());
    }
    let mut last = String::new();
    loop {
        match look_around(newcomer, ask, is_member).await? {
            Next::Found(identity) => return Ok(identity),
            Next::Wait(reason) => {
                if reason != last {
                    report(&reason);
                    last = reason;
                }
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn look_around(
    newcomer: &Newcomer<'_>,
    ask: &impl Ask,
    is_member: bool,
) -> Result<Next, String> {
    let me = &newcomer.descriptor.rpc_addr;
    let mut missing = Vec::new();
    for address in newcomer.join.iter().filter(|a| *a != me) {
        match ask.ask(address, ControlRequest::Hello).await {
            Ok(ControlResponse::Hello { cluster: Some(_), members, .. }) => {
                let place = members.iter().any(|m| m.address == *me);
                let founder = members.first().map(|m| m.address.clone());
                if place && founder.as_ref() != Some(me) {
                    return claim(newcomer, ask, &founder.unwrap_or_default()).await;
                }
                return join(newcomer, ask, address).await;
            }
            Ok(_) => {}
            Err(error) => missing.push(format!("{address} ({error})")),
        }
    }
    if !missing.is_empty() {
        return Ok(Next::Wait(format!("waiting for {}", missing.join(", "))));
    }
    if is_member && newcomer.join.iter().min() == Some(me) {
        return Ok(Next::Found(found(newcomer)));
    }
    Ok(Next::Wait("waiting for the cluster to be founded".into()))
}

/// A new cluster of the processes of the list; the founder is node 1.
fn found(newcomer: &Newcomer<'_>) -> Identity {
    let mut addresses = newcomer.join.to_vec();
    addresses.sort();
    let members = addresses
        .into_iter()
        .enumerate()
        .map(|(i, address)| Member { node: NodeId(i as u64 + 1), address })
        .collect();
    Identity { cluster: ClusterId(newcomer.seed), node: NodeId(1), members }
}

async fn claim(newcomer: &Newcomer<'_>, ask: &impl Ask, founder: &str) -> Result<Next, String> {
    let address = newcomer.descriptor.rpc_addr.clone();
    let request = ControlRequest::Claim { address, instance: newcomer.descriptor.instance };
    match ask.ask(founder, request).await {
        Ok(ControlResponse::Claimed(identity)) => Ok(Next::Found(identity)),
        Ok(ControlResponse::Taken) => join(newcomer, ask, founder).await,
        Ok(other) => Err(format!("{founder} answered a claim with {other:?}")),
        Err(error) => Ok(Next::Wait(format!("waiting for {founder} ({error})"))),
    }
}

async fn join(newcomer: &Newcomer<'_>, ask: &impl Ask, address: &str) -> Result<Next, String> {
    // The meta group's voters are those with which the cluster began.
    let node = NodeDescriptor { is_meta: false, ..newcomer.descriptor.clone() };
    let request = ControlRequest::Join { node };
    match ask.ask(address, request).await {
        Ok(ControlResponse::Joined { node, cluster, .. }) => {
            Ok(Next::Found(Identity { cluster, node, members: Vec::new() }))
        }
        Ok(ControlResponse::Failed(reason)) | Err(reason) => {
            Ok(Next::Wait(format!("waiting to join through {address} ({reason})")))
        }
        Ok(other) => Err(format!("{address} answered a join with {other:?}")),
    }
}
