//! One connection that shook hands: requests go out under an id, answers come back in any order.

use crate::config::RpcConfig;
use crate::error::RpcError;
use crate::frame::Kind;
use crate::handshake::{self, Hello, Welcome};
use crate::link::{Link, ReadError, SendError};
use base::codec::{from_message, to_message};
use base::{ClusterId, NodeId};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

/// Answers that are waited for; `None` once the connection is gone.
type Pending = Mutex<Option<HashMap<u64, oneshot::Sender<Bytes>>>>;

#[derive(Debug)]
pub(crate) struct Session {
    address: String,
    /// As whose member it shook hands.
    cluster: Option<ClusterId>,
    link: Link,
    pending: Pending,
    next_id: AtomicU64,
    slots: Semaphore,
    payload_bytes_max: usize,
}

impl Session {
    /// Connects and shakes hands. Its tasks end when it is closed or dropped by all users.
    pub(crate) async fn open(
        address: &str,
        hello: Hello,
        config: &RpcConfig,
    ) -> Result<Arc<Session>, RpcError> {
        let unreachable =
            |reason: String| RpcError::Unreachable { address: address.into(), reason };
        let opening = async {
            let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
                io::ErrorKind::ConnectionRefused => {
                    RpcError::NobodyListens { address: address.into() }
                }
                _ => unreachable(error.to_string()),
            })?;
            let link = Link::new(stream, config.queue_bytes_max);
            let mut input = BytesMut::new();
            shake_hands(address, &link, &mut input, &hello).await?;
            Ok((link, input))
        };
        let (link, input) = match timeout(config.connect_timeout, opening).await {
            Ok(result) => result?,
            Err(_) => return Err(unreachable("no connection in time".into())),
        };
        let session = Arc::new(Session {
            address: address.into(),
            cluster: hello.cluster(),
            link,
            pending: Mutex::new(Some(HashMap::new())),
            next_id: AtomicU64::new(1),
            slots: Semaphore::new(config.in_flight_max),
            payload_bytes_max: config.payload_bytes_max,
        });
        session.clone().start(input, config);
        Ok(session)
    }

    pub(crate) fn cluster(&self) -> Option<ClusterId> {
        self.cluster
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.link.is_closed()
    }

    /// Waits for the end of the connection.
    pub(crate) async fn ended(&self) {
        self.link.closed().await;
    }

    pub(crate) fn close(&self) {
        self.link.close();
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn call(
        &self,
        kind: Kind,
        payload: &[u8],
        deadline: Instant,
    ) -> Result<Bytes, RpcError> {
        self.check_size(payload)?;
        let _slot = self.slot(deadline).await?;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        match &mut *self.pending.lock() {
            Some(pending) => pending.insert(id, sender),
            None => return Err(self.unreachable()),
        };
        let _forget = Forget { session: self, id };
        let timeout_ms = milliseconds(deadline.saturating_duration_since(Instant::now()));
        self.link.request(kind, id, timeout_ms, payload).map_err(|error| self.not_sent(error))?;
        match timeout_at(deadline, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(RpcError::Lost { address: self.address.clone() }),
            Err(_) => Err(RpcError::Timeout { address: self.address.clone() }),
        }
    }

    /// Sends what has no answer. False when it was dropped.
    pub(crate) fn post(&self, kind: Kind, payload: &[u8]) -> bool {
        payload.len() <= self.payload_bytes_max && self.link.send(kind, 0, payload).is_ok()
    }

    fn check_size(&self, payload: &[u8]) -> Result<(), RpcError> {
        let (bytes, limit) = (payload.len(), self.payload_bytes_max);
        if bytes > limit { Err(RpcError::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    /// A place among the requests in flight; waits for one when all are taken.
    async fn slot(&self, deadline: Instant) -> Result<tokio::sync::SemaphorePermit<'_>, RpcError> {
        if let Ok(slot) = self.slots.try_acquire() {
            return Ok(slot);
        }
        match timeout_at(deadline, self.slots.acquire()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(self.unreachable()),
            Err(_) => Err(RpcError::Full { address: self.address.clone() }),
        }
    }

    fn not_sent(&self, error: SendError) -> RpcError {
        match error {
            SendError::Closed => self.unreachable(),
            SendError::Full => RpcError::Full { address: self.address.clone() },
        }
    }

    fn unreachable(&self) -> RpcError {
        let reason = "the connection was lost".into();
        RpcError::Unreachable { address: self.address.clone(), reason }
    }

    fn start(self: Arc<Self>, input: BytesMut, config: &RpcConfig) {
        let writer = self.clone();
        tokio::spawn(async move { writer.link.write_rest().await });
        let (ping, silence) = (config.ping_interval, config.silence_max);
        tokio::spawn(async move {
            let ended = tokio::select! {
                error = self.read_answers(input) => error.to_string(),
                reason = self.listen(ping, silence) => reason,
            };
            self.link.close();
            self.slots.close();
            // Dropping the senders tells every caller that its answer will not come.
            *self.pending.lock() = None;
            tracing::debug!(address = %self.address, reason = %ended, "connection ended");
        });
    }

    async fn read_answers(&self, mut input: BytesMut) -> ReadError {
        loop {
            match self.link.read_frame(&mut input, self.payload_bytes_max).await {
                Ok(frame) if frame.kind == Kind::Answer => {
                    let waiting =
                        self.pending.lock().as_mut().and_then(|pending| pending.remove(&frame.id));
                    if let Some(waiting) = waiting {
                        // Nobody waits any more: the caller's deadline has just passed.
                        let _ = waiting.send(frame.payload);
                    }
                }
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Asks a silent peer for a sign of life; ends when there is none.
    async fn listen(&self, ping_interval: Duration, silence_max: Duration) -> String {
        let mut ticks = tokio::time::interval(ping_interval);
        loop {
            ticks.tick().await;
            let silence = self.link.silence();
            if silence > silence_max {
                return format!("nothing heard for {silence:?}");
            }
            if silence >= ping_interval / 2 {
                // A full queue is no reason to end: what it holds is being written.
                let _ = self.link.send(Kind::Ping, 0, &[]);
            }
        }
    }
}

/// Rounded up, and never 0: that would mean no deadline.
fn milliseconds(left: Duration) -> u32 {
    u32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}

async fn shake_hands(
    address: &str,
    link: &Link,
    input: &mut BytesMut,
    hello: &Hello,
) -> Result<(), RpcError> {
    let unreachable = |reason: &dyn ToString| RpcError::Unreachable {
        address: address.into(),
        reason: reason.to_string(),
    };
    link.send(Kind::Hello, 0, &to_message(hello)).map_err(|_| unreachable(&"closed"))?;
    // The usual writer task does not run yet; one small frame fits into any socket that is ready.
    let frame = tokio::select! {
        frame = link.read_frame(input, handshake::PAYLOAD_BYTES_MAX) => frame,
        () = link.write_rest() => Err(ReadError::Closed),
    };
    let frame = frame.map_err(|error| unreachable(&error))?;
    let refused = |reason: String| RpcError::Refused { address: address.into(), reason };
    let reason = || String::from_utf8_lossy(&frame.payload).into_owned();
    match frame.kind {
        Kind::Welcome => from_message::<Welcome>(&frame.payload)
            .map(|_| ())
            .map_err(|error| refused(error.to_string())),
        Kind::Refused => Err(refused(reason())),
        Kind::Stranger => Err(RpcError::Stranger { address: address.into(), reason: reason() }),
        other => Err(refused(format!("answered the handshake with {other:?}"))),
    }
}

/// Takes a request off the pending ones when its caller stops waiting.
struct Forget<'a> {
    session: &'a Session,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(pending) = &mut *self.session.pending.lock() {
            pending.remove(&self.id);
        }
    }
}

/// What a peer is expected to be; 0 for anybody.
pub(crate) const ANY_NODE: NodeId = NodeId(0);
