//! A server whose handler obeys commands, and clients for it.

// Each test file uses a part.
#![allow(dead_code, reason = "shared by several test binaries")]

use base::api::stats::StatsRequest;
use base::api::{RangeOp, RangeRequest, RangeResponse};
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::PeerMessage;
use base::{BoxFuture, ClusterId, KvError, KvResult, NodeId, RangeId};
use bytes::BytesMut;
use parking_lot::Mutex;
use rpc::frame::{self, Kind};
use rpc::{Caller, Handler, LocalIdentity, Peer, RpcConfig, serve};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub(crate) const CLUSTER: ClusterId = ClusterId(7);
pub(crate) const SERVER: NodeId = NodeId(3);

/// A control payload: what to do, and a number.
pub(crate) fn command(what: u8, number: u64) -> Vec<u8> {
    [&[what][..], &number.to_be_bytes()].concat()
}

/// A request to a range.
pub(crate) fn stats(range: u64, timeout_ms: u64) -> RangeRequest {
    let body = RangeOp::Stats(StatsRequest::default());
    RangeRequest { range: RangeId(range), epoch: 1, txn: None, timeout_ms, body }
}

/// Echoes (`e`), waits for a go (`w`, `g`), hangs (`h`), answers a megabyte (`m`).
#[derive(Default)]
pub(crate) struct Commands {
    go: Notify,
    waiting: AtomicU64,
    handled: AtomicU64,
    dropped: AtomicU64,
    peers: Mutex<Vec<PeerMessage>>,
}

impl Commands {
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(crate) fn handled(&self) -> u64 {
        self.handled.load(Ordering::SeqCst)
    }

    /// Requests that hung and were given up.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::SeqCst)
    }

    pub(crate) fn peers(&self) -> Vec<PeerMessage> {
        self.peers.lock().clone()
    }
}

impl Commands {
    async fn hang(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _dropped = Dropped(self);
        std::future::pending::<()>().await;
    }
}

/// Counts when it goes.
struct Dropped<'a>(&'a Commands);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

struct Obey(Arc<Commands>);

impl Handler for Obey {
    fn range(&self, request: RangeRequest) -> BoxFuture<'static, KvResult<RangeResponse>> {
        Box::pin(async move {
            match request.range.0 {
                404 => Err(KvError::RangeNotFound(request.range)),
                666 => panic!("as the test wants it"),
                _ => Ok(RangeResponse::Done),
            }
        })
    }

    fn meta(&self, request: MetaRequest) -> BoxFuture<'static, KvResult<MetaResponse>> {
        let commands = self.0.clone();
        Box::pin(async move {
            if matches!(request, MetaRequest::Nodes) {
                commands.hang().await;
            }
            Ok(MetaResponse::Leader { leader: Some(SERVER) })
        })
    }

    fn peer(&self, _: NodeId, messages: Vec<PeerMessage>) {
        self.0.peers.lock().extend(messages);
    }

    fn control(&self, _: Caller, payload: Vec<u8>) -> BoxFuture<'static, Vec<u8>> {
        let commands = self.0.clone();
        Box::pin(async move {
            commands.handled.fetch_add(1, Ordering::SeqCst);
            match payload[0] {
                b'w' => {
                    let go = commands.go.notified();
                    commands.waiting.fetch_add(1, Ordering::SeqCst);
                    go.await;
                }
                b'g' => commands.go.notify_waiters(),
                b'h' => commands.hang().await,
                b'm' => return vec![0; 1 << 20],
                _ => {}
            }
            payload
        })
    }
}

/// A server on a port of its own.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) commands: Arc<Commands>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::start_with(RpcConfig::default()).await
    }

    pub(crate) async fn start_with(config: RpcConfig) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let commands = Arc::new(Commands::default());
        let task = spawn(listener, &commands, config);
        Server { address, commands, task }
    }

    /// Ends the server and its connections.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        let listener = TcpListener::bind(&self.address).await.unwrap();
        self.task = spawn(listener, &self.commands, RpcConfig::default());
    }
}

fn spawn(listener: TcpListener, commands: &Arc<Commands>, config: RpcConfig) -> JoinHandle<()> {
    let local = Arc::new(LocalIdentity::member(CLUSTER, SERVER));
    tokio::spawn(serve(listener, local, Arc::new(Obey(commands.clone())), config))
}

pub(crate) fn client(server: &Server, config: RpcConfig) -> Peer {
    let local = Arc::new(LocalIdentity::member(CLUSTER, NodeId(9)));
    Peer::node(SERVER, &server.address, local, Arc::new(config))
}

/// Waits for something that will certainly happen; fails after a minute.
pub(crate) async fn eventually(mut condition: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen");
}

/// The first frame of a client, caught on its way to a listener.
async fn caught_hello() -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let local = Arc::new(LocalIdentity::member(CLUSTER, NodeId(8)));
    let peer = Peer::anybody(&address, local, Arc::default());
    let call = tokio::spawn(async move { peer.call_control(&[], Duration::from_secs(60)).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = BytesMut::new();
    while frame::take(&mut bytes.clone(), 1 << 10).unwrap().is_none() {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    drop(stream);
    let _ = call.await;
    bytes.to_vec()
}

/// A connection that has shaken hands, as a bare socket.
pub(crate) async fn raw_client(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    stream.write_all(&caught_hello().await).await.unwrap();
    let mut input = BytesMut::new();
    loop {
        if let Some(frame) = frame::take(&mut input, 1 << 10).unwrap() {
            assert_eq!(frame.kind, Kind::Welcome);
            return stream;
        }
        assert_ne!(stream.read_buf(&mut input).await.unwrap(), 0);
    }
}

/// Answers one handshake as a server would (with a real server's Welcome) and reads nothing more.
pub(crate) async fn welcome_and_stop_reading(listener: TcpListener) {
    let server = Server::start().await;
    let mut real = TcpStream::connect(&server.address).await.unwrap();
    real.write_all(&caught_hello().await).await.unwrap();
    let mut welcome = BytesMut::new();
    while frame::take(&mut welcome.clone(), 1 << 10).unwrap().is_none() {
        assert_ne!(real.read_buf(&mut welcome).await.unwrap(), 0);
    }
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(&welcome).await.unwrap();
    std::future::pending::<()>().await;
}
