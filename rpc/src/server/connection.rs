//! One accepted connection.

use crate::config::RpcConfig;
use crate::frame::{Frame, Kind};
use crate::handler::{Caller, Handler};
use crate::handshake::{self, Hello, Refusal, Welcome};
use crate::identity::LocalIdentity;
use crate::link::{Link, ReadError};
use base::codec::{from_message, to_message};
use base::peer_api::PeerMessage;
use base::{BoxFuture, KvError, KvResult};
use bincode::{Decode, Encode};
use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a refusal may take to reach the refused.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Clients ask after a fraction of `silence_max`, so this much more means that they are gone.
const SILENCE_FACTOR: u32 = 4;

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    local: Arc<LocalIdentity>,
    handler: Arc<dyn Handler>,
    config: Arc<RpcConfig>,
) {
    let link = Arc::new(Link::new(stream, usize::MAX));
    // The link closes with this task, however it ends, and its writer with the link.
    let _close = CloseOnDrop(link.clone());
    let writer = link.clone();
    tokio::spawn(async move { writer.write_rest().await });
    let mut input = BytesMut::new();
    let shaken = shake_hands(&link, &mut input, &local);
    let caller = match timeout(config.connect_timeout, shaken).await {
        Ok(Ok(caller)) => caller,
        Ok(Err(refusal)) => return refuse(&link, address, &refusal).await,
        Err(_) => return tracing::debug!(%address, "no handshake in time"),
    };
    let connection = Connection { link, handler, config, caller, in_flight: Arc::default() };
    let error = connection.run(input).await;
    if !matches!(error, ReadError::Closed) {
        tracing::info!(%address, node = %caller.node, %error, "connection ended");
    }
}

async fn shake_hands(
    link: &Link,
    input: &mut BytesMut,
    local: &LocalIdentity,
) -> Result<Caller, Refusal> {
    let frame = link.read_frame(input, handshake::PAYLOAD_BYTES_MAX).await;
    let frame = frame.map_err(|error| error.to_string())?;
    if frame.kind != Kind::Hello {
        return Err("the first frame is not a handshake".to_owned().into());
    }
    let hello: Hello = from_message(&frame.payload).map_err(|error| error.to_string())?;
    let caller = hello.check(local)?;
    link.send(Kind::Welcome, 0, &to_message(&Welcome::new(local)))
        .map_err(|_| "the connection was lost".to_owned())?;
    Ok(caller)
}

/// Says why and waits until it is said.
async fn refuse(link: &Link, address: SocketAddr, refusal: &Refusal) {
    tracing::info!(%address, %refusal, "connection refused");
    let kind = match refusal {
        Refusal::Stranger(_) => Kind::Stranger,
        Refusal::Other(_) => Kind::Refused,
    };
    if link.send(kind, 0, refusal.to_string().as_bytes()).is_ok() {
        let _ = timeout(REFUSAL_TIMEOUT, link.wait_queue_below(0)).await;
    }
}

struct CloseOnDrop(Arc<Link>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Connection {
    link: Arc<Link>,
    handler: Arc<dyn Handler>,
    config: Arc<RpcConfig>,
    caller: Caller,
    in_flight: Arc<AtomicUsize>,
}

impl Connection {
    async fn run(&self, mut input: BytesMut) -> ReadError {
        loop {
            // Answers that nobody takes: whoever does not read is not read from.
            self.link.wait_queue_below(self.config.queue_bytes_max).await;
            let read = self.link.read_frame(&mut input, self.config.payload_bytes_max);
            match timeout(self.config.silence_max * SILENCE_FACTOR, read).await {
                Ok(Ok(frame)) => self.frame(frame),
                Ok(Err(error)) => return error,
                // A client that is alive would have asked for a sign of life.
                Err(_) => return ReadError::Closed,
            }
        }
    }

    fn frame(&self, frame: Frame) {
        let handler = self.handler.clone();
        match frame.kind {
            Kind::Range => self.request(frame, move |request| handler.range(request)),
            Kind::Meta => self.request(frame, move |request| handler.meta(request)),
            // As after a panic: an empty answer is none.
            Kind::Control if self.is_full() => self.send_answer(frame.id, &[]),
            Kind::Control => {
                let work = handler.control(self.caller, frame.payload.to_vec());
                self.answer(frame.id, self.timeout(&frame), work, Vec::new);
            }
            Kind::Peer => self.peer(&frame.payload),
            Kind::Ping => {
                // The answer to a ping may get lost: the next one asks again.
                let _ = self.link.send(Kind::Pong, 0, &[]);
            }
            Kind::Hello
            | Kind::Welcome
            | Kind::Refused
            | Kind::Stranger
            | Kind::Answer
            | Kind::Pong => {}
        }
    }

    fn peer(&self, payload: &Bytes) {
        if self.caller.cluster.is_none() {
            return tracing::warn!("Raft traffic of a process without a cluster");
        }
        match from_message::<Vec<PeerMessage>>(payload) {
            Ok(messages) => self.handler.peer(self.caller.node, messages),
            Err(error) => tracing::warn!(%error, node = %self.caller.node, "Raft traffic"),
        }
    }

    fn request<Q, A>(&self, frame: Frame, handle: impl FnOnce(Q) -> BoxFuture<'static, KvResult<A>>)
    where
        Q: Decode<()>,
        A: Encode + Send + 'static,
    {
        let refusal = if self.caller.cluster.is_none() {
            KvError::Unavailable("the caller belongs to no cluster yet".into())
        } else if self.is_full() {
            KvError::Unavailable("too many requests are running".into())
        } else {
            match from_message(&frame.payload) {
                Ok(request) => {
                    let work = handle(request).map(|answer| to_message(&answer));
                    return self.answer(frame.id, self.timeout(&frame), work, panicked::<A>);
                }
                Err(error) => KvError::Fatal(error.to_string()),
            }
        };
        self.send_answer(frame.id, &to_message::<KvResult<A>>(&Err(refusal)));
    }

    /// As many requests are running as one connection may have.
    fn is_full(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) >= self.config.in_flight_max
    }

    /// How long anybody waits for the answer, from now.
    fn timeout(&self, frame: &Frame) -> Duration {
        match frame.timeout_ms {
            0 => self.config.default_timeout,
            ms => Duration::from_millis(u64::from(ms)),
        }
    }

    /// Runs a request in a task of its own and sends its answer. A panic ends this request alone. At
    /// its deadline it ends unanswered: by then its caller has given up.
    fn answer(
        &self,
        id: u64,
        deadline: Duration,
        work: impl Future<Output = Vec<u8>> + Send + 'static,
        panicked: fn() -> Vec<u8>,
    ) {
        // A request that outlives its connection must not keep the socket open.
        let (link, in_flight) = (Arc::downgrade(&self.link), self.in_flight.clone());
        let payload_bytes_max = self.config.payload_bytes_max;
        in_flight.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let answer = timeout(deadline, AssertUnwindSafe(work).catch_unwind()).await;
            in_flight.fetch_sub(1, Ordering::Relaxed);
            let Ok(answer) = answer else { return };
            let answer = answer.unwrap_or_else(|_| panicked());
            if let Some(link) = link.upgrade() {
                send_answer(&link, id, &answer, payload_bytes_max);
            }
        });
    }

    fn send_answer(&self, id: u64, answer: &[u8]) {
        send_answer(&self.link, id, answer, self.config.payload_bytes_max);
    }
}

/// What the request had done before it panicked nobody knows.
fn panicked<A: Encode>() -> Vec<u8> {
    to_message::<KvResult<A>>(&Err(KvError::Ambiguous("the request failed badly".into())))
}

fn send_answer(link: &Link, id: u64, answer: &[u8], payload_bytes_max: usize) {
    if answer.len() <= payload_bytes_max {
        // A lost connection has told the caller already.
        let _ = link.send(Kind::Answer, id, answer);
        return;
    }
    let reason = format!("answer of {} bytes is longer than {payload_bytes_max}", answer.len());
    tracing::warn!(%reason);
    let error: KvResult<()> = Err(KvError::Fatal(reason));
    let _ = link.send(Kind::Answer, id, &to_message(&error));
}
