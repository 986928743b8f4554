//! The answering side: accepts connections and serves each in a task.

mod connection;

use crate::config::RpcConfig;
use crate::handler::Handler;
use crate::identity::LocalIdentity;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Pause after a failed accept: running out of descriptors is not cured by asking again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until dropped; dropping it ends every connection. Requests that run then run on, without
/// anybody to answer.
pub async fn serve(
    listener: TcpListener,
    local: Arc<LocalIdentity>,
    handler: Arc<dyn Handler>,
    config: RpcConfig,
) {
    let config = Arc::new(config);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) if connections.len() < config.connections_max => {
                    let (local, handler) = (local.clone(), handler.clone());
                    let config = config.clone();
                    connections.spawn(connection::serve(stream, address, local, handler, config));
                }
                Ok((_, address)) => tracing::warn!(%address, "too many connections"),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
