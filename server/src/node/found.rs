//! Asks other processes by address while this one has no identity yet.

use super::control::{ControlRequest, ControlResponse};
use super::discovery::Ask;
use base::codec::{from_message, to_message};
use rpc::{LocalIdentity, Peer, RpcConfig};
use std::sync::Arc;
use std::time::Duration;

/// A process that is up answers at once.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Asks over the internal protocol, as nobody in particular.
pub(crate) struct AskByAddress;

impl Ask for AskByAddress {
    async fn ask(&self, address: &str, request: ControlRequest) -> Result<ControlResponse, String> {
        let local = Arc::new(LocalIdentity::unknown());
        let peer = Peer::anybody(address, local, Arc::new(RpcConfig::default()));
        let answer = peer.call_control(&to_message(&request), TIMEOUT).await;
        let answer = answer.map_err(|e| e.to_string())?;
        from_message(&answer).map_err(|_| "it speaks another version".to_owned())
    }
}
