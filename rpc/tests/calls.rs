//! Calls between two ends in one process: order, numbers, deadlines, limits, lost connections.

mod support;

use base::api::RangeResponse;
use base::meta_api::{MetaRequest, MetaResponse};
use base::peer_api::{NodeAlive, PeerMessage};
use base::{ClusterId, KvError, NodeId};
use rpc::{LocalIdentity, Peer, Pool, RpcConfig, RpcError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{CLUSTER, SERVER, Server, client, command, eventually};
use tokio::net::TcpListener;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn ten_thousand_calls_at_once_each_get_their_answer() {
    let server = Server::start().await;
    let config = RpcConfig { in_flight_max: 500, ..RpcConfig::default() };
    let peer = Arc::new(client(&server, config));
    let calls = (0..10_000_u64).map(|i| {
        let peer = peer.clone();
        tokio::spawn(async move {
            let answer = peer.call_control(&command(b'e', i), LONG).await.expect("answered");
            assert_eq!(answer, command(b'e', i), "every caller gets its own answer");
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic");
    }
    assert_eq!(server.commands.handled(), 10_000);
}

/// Small and large payloads from two threads at once: whatever the socket takes at a time, every
/// answer is whole and its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_of_all_sizes_share_a_connection() {
    let server = Server::start().await;
    let config = RpcConfig { in_flight_max: 64, ..RpcConfig::default() };
    let peer = Arc::new(client(&server, config));
    let calls = (0..1_000_u64).map(|i| {
        let peer = peer.clone();
        tokio::spawn(async move {
            let mut payload = command(b'e', i);
            let length = if i % 10 == 0 { 700_000 + i as usize } else { 9 + i as usize };
            payload.resize(length, i as u8);
            let answer = peer.call_control(&payload, LONG).await.expect("answered");
            assert!(answer == payload, "call {i}");
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic");
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_earlier_requests() {
    let server = Server::start().await;
    let peer = Arc::new(client(&server, RpcConfig::default()));
    let first = {
        let peer = peer.clone();
        tokio::spawn(async move { peer.call_control(&command(b'w', 0), LONG).await })
    };
    eventually(|| server.commands.waiting() == 1).await;
    peer.call_control(&command(b'e', 1), LONG).await.expect("overtakes");
    peer.call_control(&command(b'g', 0), LONG).await.expect("lets the first go");
    first.await.expect("no panic").expect("answered at last");
}

#[tokio::test]
async fn requests_reach_ranges_and_meta() {
    let server = Server::start().await;
    let peer = client(&server, RpcConfig::default());
    let answer = peer.call_range(&support::stats(7, 1_000)).await;
    assert!(matches!(answer, Ok(RangeResponse::Done)));
    let error = peer.call_range(&support::stats(404, 1_000)).await;
    assert!(matches!(error, Err(KvError::RangeNotFound(range)) if range.0 == 404));
    let answer = peer.call_meta(&MetaRequest::Leader, LONG).await;
    assert_eq!(answer, Ok(MetaResponse::Leader { leader: Some(SERVER) }));
}

#[tokio::test]
async fn raft_traffic_arrives_in_order() {
    let server = Server::start().await;
    let peer = client(&server, RpcConfig::default());
    let message = |sequence| {
        vec![PeerMessage::Alive(NodeAlive { node: NodeId(9), sequence, is_reply: false })]
    };
    eventually(|| peer.send_peer(&message(0))).await;
    for sequence in 1..1_000 {
        assert!(peer.send_peer(&message(sequence)), "connected and not full");
    }
    eventually(|| server.commands.peers().len() == 1_000).await;
    let expected: Vec<_> = (0..1_000).flat_map(message).collect();
    assert_eq!(server.commands.peers(), expected);
}

#[tokio::test]
async fn a_deadline_ends_the_wait_and_nothing_else() {
    let server = Server::start().await;
    let peer = client(&server, RpcConfig::default());
    peer.call_control(&command(b'e', 0), LONG).await.expect("connected");
    let error = peer.call_control(&command(b'h', 0), SHORT).await.expect_err("never answered");
    assert!(matches!(error, RpcError::Timeout { .. }));
    let unknown = KvError::Unreachable { node: SERVER, maybe_sent: true };
    assert_eq!(error.into_kv(SERVER), unknown);
    peer.call_control(&command(b'e', 0), LONG).await.expect("the connection lives");
}

/// Control and meta alike: the deadline travels with the request, and the server ends at it too.
#[tokio::test]
async fn a_deadline_ends_the_work_as_well() {
    let server = Server::start().await;
    let peer = client(&server, RpcConfig::default());
    peer.call_control(&command(b'e', 0), LONG).await.expect("connected");
    peer.call_control(&command(b'h', 0), SHORT).await.expect_err("never answered");
    eventually(|| server.commands.dropped() == 1).await;
    peer.call_meta(&MetaRequest::Nodes, SHORT).await.expect_err("never answered");
    eventually(|| server.commands.dropped() == 2).await;
}

/// Requests that were given up make room on the server for others.
#[tokio::test]
async fn a_deadline_frees_the_place_of_the_request() {
    let config = RpcConfig { in_flight_max: 2, ..RpcConfig::default() };
    let server = Server::start_with(config).await;
    let peer = client(&server, RpcConfig::default());
    peer.call_control(&command(b'e', 0), LONG).await.expect("connected");
    for _ in 0..2 {
        peer.call_control(&command(b'h', 0), SHORT).await.expect_err("never answered");
    }
    eventually(|| server.commands.dropped() == 2).await;
    let answer = peer.call_control(&command(b'e', 7), LONG).await;
    assert_eq!(answer.expect("there is room"), command(b'e', 7));
}

#[tokio::test]
async fn a_panic_ends_one_request() {
    let server = Server::start().await;
    let peer = client(&server, RpcConfig::default());
    let error = peer.call_range(&support::stats(666, 60_000)).await;
    assert!(matches!(error, Err(KvError::Ambiguous(_))));
    assert!(peer.call_range(&support::stats(1, 60_000)).await.is_ok());
}

#[tokio::test]
async fn a_request_too_large_is_refused_before_it_is_sent() {
    let server = Server::start().await;
    let peer = client(&server, RpcConfig { payload_bytes_max: 1_000, ..RpcConfig::default() });
    let error = peer.call_control(&[b'e'; 1_001], LONG).await.expect_err("too large");
    assert_eq!(error, RpcError::TooLarge { bytes: 1_001, limit: 1_000 });
    peer.call_control(&[b'e'; 1_000], LONG).await.expect("just fits");
}

#[tokio::test]
async fn a_stranger_is_refused_with_the_reason() {
    let server = Server::start().await;
    let stranger = Arc::new(LocalIdentity::member(ClusterId(666), NodeId(9)));
    let peer = Peer::anybody(&server.address, stranger, Arc::default());
    let error = peer.call_control(&command(b'e', 0), LONG).await.expect_err("another cluster");
    assert!(
        matches!(&error, RpcError::Stranger { reason, .. } if reason.contains("another cluster"))
    );
    let expected = KvError::Unreachable { node: SERVER, maybe_sent: false };
    assert_eq!(error.into_kv(SERVER), expected);
    assert_eq!(server.commands.handled(), 0);
}

#[tokio::test]
async fn another_node_at_the_address_is_refused() {
    let server = Server::start().await;
    let local = Arc::new(LocalIdentity::member(CLUSTER, NodeId(9)));
    let peer = Peer::node(NodeId(77), &server.address, local, Arc::default());
    let error = peer.call_control(&command(b'e', 0), LONG).await.expect_err("not n77");
    assert!(matches!(&error, RpcError::Refused { reason, .. } if reason.contains("not n77")));
}

#[tokio::test]
async fn a_process_without_a_cluster_has_control_requests_only() {
    let server = Server::start().await;
    let local = Arc::new(LocalIdentity::unknown());
    let pool = Pool::new(local.clone(), RpcConfig::default());
    pool.set_address(SERVER, &server.address);
    pool.call_control(SERVER, &command(b'e', 0), LONG).await.expect("control is open");
    let refused = pool.call_range(SERVER, support::stats(1, 1_000)).await;
    assert!(matches!(refused, Err(KvError::Unavailable(_))));
    local.set(CLUSTER, NodeId(9));
    let answer = pool.call_range(SERVER, support::stats(1, 1_000)).await;
    assert!(answer.is_ok(), "a new handshake says who we are now");
    let unknown = pool.call_range(NodeId(5), support::stats(1, 1_000)).await;
    assert_eq!(unknown.err(), Some(KvError::Unreachable { node: NodeId(5), maybe_sent: false }));
}

#[tokio::test]
async fn a_lost_connection_is_made_anew() {
    let mut server = Server::start().await;
    let peer = Arc::new(client(&server, RpcConfig::default()));
    let hanging = {
        let peer = peer.clone();
        tokio::spawn(async move { peer.call_control(&command(b'h', 0), LONG).await })
    };
    eventually(|| server.commands.waiting() == 1).await;
    server.stop().await;
    let error = hanging.await.expect("no panic").expect_err("lost");
    assert!(matches!(error, RpcError::Lost { .. }));
    let error = peer.call_control(&command(b'e', 0), LONG).await.expect_err("nobody there");
    assert!(matches!(error, RpcError::NobodyListens { .. }), "certainly not sent: {error}");

    server.restart().await;
    let mut attempts = 0;
    while peer.call_control(&command(b'e', 0), LONG).await.is_err() {
        attempts += 1;
        assert!(attempts < 1_000, "reconnects");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_process_that_is_gone_is_missed_without_being_called() {
    let mut server = Server::start().await;
    let local = Arc::new(LocalIdentity::member(CLUSTER, NodeId(9)));
    let pool = Pool::new(local, RpcConfig::default());
    let gone = Arc::new(AtomicU64::new(0));
    let told = gone.clone();
    pool.on_gone(Arc::new(move |node| told.store(node.0, Ordering::SeqCst)));
    pool.set_address(SERVER, &server.address);
    let alive = PeerMessage::Alive(NodeAlive { node: NodeId(9), sequence: 1, is_reply: false });
    eventually(|| pool.send_peer(SERVER, std::slice::from_ref(&alive))).await;
    eventually(|| !server.commands.peers().is_empty()).await;
    assert_eq!(gone.load(Ordering::SeqCst), 0, "it is there");
    server.stop().await;
    eventually(|| gone.load(Ordering::SeqCst) == SERVER.0).await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_fills_the_queue_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(support::welcome_and_stop_reading(listener));
    let config = RpcConfig {
        queue_bytes_max: 1 << 20,
        silence_max: LONG,
        ping_interval: LONG,
        ..RpcConfig::default()
    };
    let local = Arc::new(LocalIdentity::member(CLUSTER, NodeId(9)));
    let peer = Arc::new(Peer::anybody(&address, local, Arc::new(config)));
    let payload = vec![b'e'; 1 << 20];
    let mut sent = 0;
    let full = loop {
        match peer.call_control(&payload, SHORT).await {
            Err(RpcError::Timeout { .. }) => sent += 1,
            other => break other,
        }
        assert!(sent < 100, "sockets and the queue hold a few megabytes");
    };
    assert!(matches!(full, Err(RpcError::Full { .. })), "{full:?}");
    let error = full.expect_err("full").into_kv(SERVER);
    assert!(matches!(error, KvError::Unavailable(_)), "certainly not sent");
}

#[tokio::test]
async fn raft_traffic_that_is_too_much_for_a_frame_takes_several() {
    let server = Server::start().await;
    let config = RpcConfig { payload_bytes_max: 256, ..RpcConfig::default() };
    let peer = client(&server, config);
    let alive = |sequence| NodeAlive { node: NodeId(9), sequence, is_reply: false };
    let messages: Vec<PeerMessage> = (0..1_000).map(|n| PeerMessage::Alive(alive(n))).collect();
    // The first attempts are dropped: there is no connection yet.
    eventually(|| peer.send_peer(&messages)).await;
    eventually(|| server.commands.peers().len() >= messages.len()).await;
    assert_eq!(server.commands.peers(), messages, "all of it, in order");
}

#[tokio::test]
async fn control_requests_count_against_the_limit_of_a_connection() {
    let server = Server::start_with(RpcConfig { in_flight_max: 2, ..RpcConfig::default() }).await;
    let peer = Arc::new(client(&server, RpcConfig::default()));
    for _ in 0..2 {
        let peer = peer.clone();
        tokio::spawn(async move { peer.call_control(&command(b'h', 0), LONG).await });
    }
    eventually(|| server.commands.waiting() == 2).await;
    let answer = peer.call_control(&command(b'e', 1), LONG).await.expect("answered");
    assert!(answer.is_empty(), "refused");
    assert_eq!(server.commands.handled(), 2);
}
