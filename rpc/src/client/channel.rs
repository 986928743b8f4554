//! A session that is made anew when it is lost, with a growing pause between failures.

use super::session::Session;
use super::watch::Watch;
use crate::config::RpcConfig;
use crate::error::RpcError;
use crate::handshake::Hello;
use crate::identity::LocalIdentity;
use base::NodeId;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// What a caller waiting for a connection gets.
type Opened = Result<Arc<Session>, RpcError>;

#[derive(Debug)]
pub(crate) struct Channel {
    address: String,
    /// Who must answer there, 0 for anybody.
    node: NodeId,
    local: Arc<LocalIdentity>,
    config: Arc<RpcConfig>,
    /// Told when nobody listens at the address any more; then a lost session is missed at once, not
    /// when it is next used.
    watch: Option<Arc<Watch>>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Nothing there. Until `retry_at` callers are refused with the last error.
    Down {
        retry_at: Instant,
        failures: u32,
        last: Option<RpcError>,
    },
    /// Somebody connects; these wait.
    Opening {
        waiting: Vec<oneshot::Sender<Opened>>,
        failures: u32,
    },
    Up(Arc<Session>),
    /// For good.
    Closed,
}

impl Channel {
    pub(crate) fn new(
        address: &str,
        node: NodeId,
        local: Arc<LocalIdentity>,
        config: Arc<RpcConfig>,
        watch: Option<Arc<Watch>>,
    ) -> Channel {
        let state = State::Down { retry_at: Instant::now(), failures: 0, last: None };
        Channel { address: address.into(), node, local, config, watch, state: Mutex::new(state) }
    }

    /// The session, made if need be. Fails at once during the pause after a failure.
    pub(crate) async fn session(self: &Arc<Self>, deadline: Instant) -> Opened {
        let opening = match self.session_or_open()? {
            Ok(session) => return Ok(session),
            Err(opening) => opening,
        };
        match timeout_at(deadline, opening).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(_)) | Err(_) => Err(self.unreachable("not connected yet")),
        }
    }

    /// The session if there is one; otherwise one is being made when this returns.
    pub(crate) fn session_now(self: &Arc<Self>) -> Option<Arc<Session>> {
        self.session_or_open().ok()?.ok()
    }

    pub(crate) fn close(&self) {
        if let State::Up(session) = std::mem::replace(&mut *self.state.lock(), State::Closed) {
            session.close();
        }
    }

    fn session_or_open(
        self: &Arc<Self>,
    ) -> Result<Result<Arc<Session>, oneshot::Receiver<Opened>>, RpcError> {
        let mut state = self.state.lock();
        let failures = match &mut *state {
            State::Up(session) if self.is_usable(session) => return Ok(Ok(session.clone())),
            State::Up(session) => {
                session.close();
                0
            }
            State::Opening { waiting, .. } => {
                let (sender, receiver) = oneshot::channel();
                waiting.push(sender);
                return Ok(Err(receiver));
            }
            State::Down { retry_at, last: Some(last), .. } if Instant::now() < *retry_at => {
                return Err(last.clone());
            }
            State::Down { failures, .. } => *failures,
            State::Closed => return Err(self.unreachable("the connection was given up")),
        };
        let (sender, receiver) = oneshot::channel();
        *state = State::Opening { waiting: vec![sender], failures };
        drop(state);
        tokio::spawn(self.clone().open());
        Ok(Err(receiver))
    }

    /// Alive, and made by the process that we are now.
    fn is_usable(&self, session: &Session) -> bool {
        !session.is_closed() && session.cluster() == self.local.cluster()
    }

    async fn open(self: Arc<Self>) {
        let hello = Hello::new(&self.local, self.node);
        let opened = Session::open(&self.address, hello, &self.config).await;
        let waiting = {
            let mut state = self.state.lock();
            let State::Opening { waiting, failures } = &mut *state else {
                // Closed meanwhile.
                opened.iter().for_each(|session| session.close());
                return;
            };
            let (waiting, failures) = (std::mem::take(waiting), *failures);
            *state = match &opened {
                Ok(session) => State::Up(session.clone()),
                Err(error) => self.down(failures, error.clone()),
            };
            waiting
        };
        self.report(&opened);
        for waiter in waiting {
            // A caller that waits no more does not mind.
            let _ = waiter.send(opened.clone());
        }
    }

    /// A lost session is made anew at once where somebody watches, to learn whether the process is
    /// still there.
    fn report(self: &Arc<Self>, opened: &Opened) {
        let Some(watch) = &self.watch else { return };
        match opened {
            Ok(session) => {
                let (channel, session) = (Arc::downgrade(self), session.clone());
                tokio::spawn(async move {
                    session.ended().await;
                    if let Some(channel) = channel.upgrade() {
                        channel.session_now();
                    }
                });
            }
            Err(RpcError::NobodyListens { .. }) => watch.gone(self.node),
            Err(_) => {}
        }
    }

    fn down(&self, failures: u32, error: RpcError) -> State {
        if failures == 0 {
            tracing::info!(%error, "no connection");
        }
        let retry_at = Instant::now() + self.pause(failures);
        State::Down { retry_at, failures: failures.saturating_add(1), last: Some(error) }
    }

    fn pause(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX);
        self.config.backoff_min.saturating_mul(factor).min(self.config.backoff_max)
    }

    fn unreachable(&self, reason: &str) -> RpcError {
        RpcError::Unreachable { address: self.address.clone(), reason: reason.into() }
    }
}
