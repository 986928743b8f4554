//! The accept loop.

use super::cancel::CancelRegistry;
use super::connection;
use crate::metrics::Metrics;
use sql::Engine;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Pause after a failed accept (no file descriptors left): others get a chance to end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
pub(crate) struct PgServer {
    pub(super) engine: Arc<Engine>,
    pub(super) cancels: Arc<CancelRegistry>,
    pub(super) metrics: Arc<Metrics>,
    slots: Arc<Semaphore>,
}

impl PgServer {
    /// At most this many sessions at a time.
    pub(crate) fn new(
        engine: Arc<Engine>,
        max_connections: u32,
        metrics: Arc<Metrics>,
    ) -> PgServer {
        PgServer {
            engine,
            cancels: Arc::default(),
            metrics,
            slots: Arc::new(Semaphore::new(max_connections as usize)),
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

/// Accepts connections until told to stop. A panic in one connection ends that one alone: each is
/// a task of its own.
pub(crate) async fn serve(
    listener: TcpListener,
    server: Arc<PgServer>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // Without it small answers wait for the peer's acknowledgement; a failure only
                // costs speed.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection::run(stream, server.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
