//! The accept loop.

use super::cancel::CancelRegistry;
use super::connection;
use super::trust::Trust;
use crate::metrics::Metrics;
use crate::settings::Settings;
use sql::Engine;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Pause after a failed accept (no file descriptors left): others get a chance to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
pub(crate) struct PgServer {
    pub(super) engine: Arc<Engine>,
    pub(super) cancels: Arc<CancelRegistry>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) trust: Trust,
    slots: Arc<Semaphore>,
}

impl PgServer {
    /// No sessions yet.
    pub(crate) fn new(engine: Arc<Engine>, settings: &Settings, metrics: Arc<Metrics>) -> PgServer {
        PgServer {
            engine,
            cancels: Arc::default(),
            metrics,
            trust: settings.sql_trust,
            slots: Arc::new(Semaphore::new(settings.max_connections as usize)),
        }
    }

    /// A slot for one session.
    pub(super) fn admit(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// Connected sessions.
    pub(crate) fn sessions(&self) -> usize {
        self.cancels.len()
    }
}

/// Accepts connections until told to stop; ends when all of them have. A panic in one connection
/// ends that one alone: each is a task of its own.
pub(crate) async fn serve(
    listener: TcpListener,
    server: Arc<PgServer>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Without it small answers wait for the peer's acknowledgement; a failure only
                    // costs speed.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection::run(stream, peer.ip(), server.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    // Nobody new from here on.
    drop(listener);
    while connections.join_next().await.is_some() {}
}
