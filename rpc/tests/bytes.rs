//! A server against raw bytes: what is no frame ends the connection, and whoever does not read
//! answers is not read from.

mod support;

use bytes::BytesMut;
use rpc::RpcConfig;
use rpc::frame::{self, Kind};
use support::{Server, command, raw_client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn ends(mut stream: TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn a_wrong_checksum_ends_the_connection() {
    let server = Server::start().await;
    let mut stream = raw_client(&server).await;
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, Kind::Control, 1, 0, &command(b'e', 1));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    frame::encode(&mut bytes, Kind::Control, 2, 0, &command(b'e', 2));
    stream.write_all(&bytes).await.unwrap();
    ends(stream).await;
    assert_eq!(server.commands.handled(), 0, "neither it nor what came behind");
}

#[tokio::test]
async fn an_oversize_frame_ends_the_connection() {
    let server = Server::start().await;
    let mut stream = raw_client(&server).await;
    stream.write_all(&[0xff; 64]).await.unwrap();
    ends(stream).await;
}

#[tokio::test]
async fn other_protocols_are_turned_away() {
    let server = Server::start().await;
    for hello in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0; 64], &[0, 0, 0, 8, 4, 210, 22, 47]]
    {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(hello).await.unwrap();
        stream.shutdown().await.unwrap();
        ends(stream).await;
    }
    assert_eq!(server.commands.handled(), 0);
}

#[tokio::test]
async fn a_request_before_the_handshake_is_refused() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, Kind::Control, 1, 0, &command(b'e', 1));
    stream.write_all(&bytes).await.unwrap();
    ends(stream).await;
    assert_eq!(server.commands.handled(), 0);
}

#[tokio::test]
async fn malformed_requests_are_answered_and_the_connection_lives() {
    let server = Server::start().await;
    let mut stream = raw_client(&server).await;
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, Kind::Range, 1, 0, b"nonsense");
    frame::encode(&mut bytes, Kind::Meta, 2, 0, b"");
    frame::encode(&mut bytes, Kind::Peer, 0, 0, &[1, 255, 255]);
    frame::encode(&mut bytes, Kind::Control, 3, 0, &command(b'e', 3));
    stream.write_all(&bytes).await.unwrap();
    let mut input = BytesMut::new();
    let mut answered = Vec::new();
    while answered.len() < 3 {
        match frame::take(&mut input, 1 << 20).unwrap() {
            Some(frame) => answered.push(frame.id),
            None => assert_ne!(stream.read_buf(&mut input).await.unwrap(), 0),
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 2, 3]);
}

/// A megabyte an answer, none of them read at first: the server must not pile them up.
#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_from() {
    const REQUESTS: u64 = 400;
    /// Queue, socket buffers, one read's worth of requests, with room to spare.
    const AHEAD_MAX: u64 = 200;
    let config = RpcConfig { queue_bytes_max: 4 << 20, ..RpcConfig::default() };
    let server = Server::start_with(config).await;
    let stream = raw_client(&server).await;
    let (mut reader, mut writer) = stream.into_split();
    let sender = tokio::spawn(async move {
        for id in 0..REQUESTS {
            // A request as long as a read, so that reads and requests go in step.
            let mut request = command(b'm', id);
            request.resize(64 << 10, 0);
            let mut bytes = Vec::new();
            frame::encode(&mut bytes, Kind::Control, id, 0, &request);
            writer.write_all(&bytes).await.unwrap();
        }
        writer
    });
    let mut input = BytesMut::new();
    let mut read = 0;
    while read < REQUESTS {
        match frame::take(&mut input, 2 << 20).unwrap() {
            Some(_) => {
                read += 1;
                let ahead = server.commands.handled() - read;
                assert!(ahead < AHEAD_MAX, "{ahead} answers were made and not read");
            }
            None => assert_ne!(reader.read_buf(&mut input).await.unwrap(), 0),
        }
    }
    sender.await.unwrap();
}
