//! Regression tests for the defects P1 to P7 of the `pgwire` crate's own server loop (`codec.rs`,
//! `server.rs` and friends of 0.42.1), none of which may come back through ours.

use bytes::BytesMut;
use pgwire::messages::Message;
use pgwire::messages::extendedquery::{Bind, Execute, Parse, Sync};
use wire::{Connection, FrontendEvent, Limits, Phase, Recovery, Severity, WireError};

fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn startup() -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 23];
    bytes.extend(b"\0\x03\0\0user\0postgres\0\0");
    bytes
}

fn fed(bytes: &[u8]) -> Connection {
    let mut connection = Connection::new(Limits::default());
    connection.feed(bytes);
    connection
}

/// A connection that is past startup.
fn ready() -> Connection {
    let mut connection = fed(&startup());
    assert!(matches!(connection.next_event(), Ok(Some(FrontendEvent::Startup(_)))));
    connection.authenticated();
    connection
}

fn encoded(message: impl Message) -> BytesMut {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes).expect("encodes");
    bytes
}

fn fatal(result: Result<Option<FrontendEvent>, WireError>) -> WireError {
    let error = result.expect_err("refused");
    assert_eq!(error.fields.severity, Severity::Fatal);
    assert!(error.closes());
    error
}

/// P1: after an error in startup the next Query ran unauthenticated.
#[test]
fn p1_no_query_gets_in_after_a_failed_startup() {
    let no_user = [&[0, 0, 0, 9, 0, 3, 0, 0, 0][..], &frame(b'Q', b"SELECT 1\0")].concat();
    let mut connection = fed(&no_user);
    assert_eq!(fatal(connection.next_event()).fields.code, "28000");
    assert_eq!(connection.phase(), Phase::Closed);
    for _ in 0..3 {
        connection.feed(&frame(b'Q', b"SELECT 1\0"));
        connection.input_mut().extend_from_slice(&frame(b'Q', b"SELECT 2\0"));
        assert_eq!(fatal(connection.next_event()).fields.code, "28000", "the same again");
        assert_eq!(connection.buffered(), 0);
    }
}

/// P1: nothing is decoded between the startup packet and the decision who the peer is.
#[test]
fn p1_no_query_gets_in_before_authentication() {
    let mut connection = fed(&[startup(), frame(b'Q', b"SELECT 1\0")].concat());
    assert!(matches!(connection.next_event(), Ok(Some(FrontendEvent::Startup(_)))));
    assert_eq!(connection.next_event(), Ok(None));
    connection.close();
    assert_eq!(connection.next_event(), Ok(None), "refused: the query is gone");
}

/// P2: bytes sent in clear behind SSLRequest were read as if they had come encrypted.
#[test]
fn p2_bytes_behind_an_encryption_request_end_the_connection() {
    for code in [[0x04, 0xd2, 0x16, 0x2f], [0x04, 0xd2, 0x16, 0x30]] {
        let request = [&[0, 0, 0, 8], &code[..]].concat();
        let mut connection = fed(&[request.clone(), startup()].concat());
        let error = fatal(connection.next_event());
        assert_eq!(error.fields.code, "08P01");
        assert!(error.fields.message.starts_with("received unencrypted data after"), "{error}");

        let mut connection = fed(&request);
        assert!(connection.next_event().expect("one is fine").is_some());
        connection.feed(&request);
        assert_eq!(fatal(connection.next_event()).fields.code, "0A000", "the second is not");
    }
}

/// P3: a peer that is not authenticated could make the server keep a gigabyte.
#[test]
fn p3_an_unauthenticated_peer_is_cut_off_early() {
    let mut connection = fed(&[0x12, 0, 0, 0]);
    fatal(connection.next_event());

    let mut connection = fed(&startup());
    assert!(connection.next_event().is_ok());
    let limits = Limits::default();
    connection.feed(&vec![b'p'; limits.unauthenticated_bytes_max]);
    assert_eq!(connection.next_event(), Ok(None));
    connection.feed(b"p");
    assert_eq!(fatal(connection.next_event()).fields.code, "54000");
    assert_eq!(connection.buffered(), 0);
}

/// P3: after authentication a length beyond the cap is refused before any of the body is kept.
#[test]
fn p3_a_gigabyte_is_refused_by_its_announcement() {
    for (tag, length) in [(b'Q', 1_i32 << 30), (b'Q', i32::MAX), (b'S', 10_001), (b'd', 300 << 20)]
    {
        let mut connection = ready();
        connection.feed(&[&[tag][..], &length.to_be_bytes()].concat());
        fatal(connection.next_event());
    }
}

/// P4: bytes behind a message's own content were decoded as another message.
#[test]
fn p4_a_message_ends_where_its_frame_ends() {
    let smuggled = frame(b'Q', b"DROP TABLE t\0");
    let mut connection = ready();
    connection.feed(&frame(b'Q', &[&b"SELECT 1\0"[..], &smuggled].concat()));
    let error = connection.next_event().expect_err("trailing bytes");
    assert_eq!((&*error.fields.code, error.recovery), ("08P01", Recovery::Ready));
    assert_eq!(connection.next_event(), Ok(None), "nothing came after");
}

/// P4: a message that is too short took its rest from the next one.
#[test]
fn p4_a_short_message_does_not_eat_the_next() {
    let mut connection = ready();
    connection.feed(&frame(b'Q', b"SELECT 1"));
    connection.feed(&frame(b'Q', b"SELECT 2\0"));
    assert!(connection.next_event().is_err());
    assert_eq!(connection.next_event(), Ok(Some(FrontendEvent::Query("SELECT 2".into()))));
}

/// P5: every prefix of every extended message is refused, none panics.
#[test]
fn p5_cut_messages_are_errors() {
    let messages: [BytesMut; 3] = [
        encoded(Parse::new(Some("s".into()), "SELECT $1".into(), vec![23, 25])),
        encoded(Bind::new(
            Some("p".into()),
            Some("s".into()),
            vec![0, 1],
            vec![Some("1".into()), None],
            vec![1],
        )),
        encoded(Execute::new(Some("p".into()), 7)),
    ];
    for message in messages {
        for length in 0..message.len() - 5 {
            let mut connection = ready();
            connection.feed(&frame(message[0], &message[5..5 + length]));
            connection.feed(&encoded(Sync::new()));
            let error = connection.next_event().expect_err("cut");
            assert_eq!(error.recovery, Recovery::SkipUntilSync);
            assert_eq!(connection.next_event(), Ok(Some(FrontendEvent::Sync)));
        }
    }
}

/// P5: `p` with length 0 before authentication, and two formats for three parameters.
#[test]
fn p5_known_panics_are_errors() {
    let mut connection = fed(&[startup(), vec![b'p', 0, 0, 0, 0]].concat());
    assert!(connection.next_event().is_ok());
    assert_eq!(connection.next_event(), Ok(None));
    connection.authenticated();
    fatal(connection.next_event());

    let bind = Bind::new(None, None, vec![0, 1], vec![None, None, None], vec![]);
    let mut connection = ready();
    connection.feed(&encoded(bind));
    let error = connection.next_event().expect_err("mismatch");
    assert_eq!(error.fields.code, "08P01");
    assert_eq!(error.fields.message, "bind message has 2 parameter formats but 3 parameters");
}

/// P6: an error inside an extended statement did not stop the pipelined ones behind it.
#[test]
fn p6_nothing_runs_between_an_error_and_sync() {
    let mut connection = ready();
    let execute = encoded(Execute::new(None, 0));
    for message in [&execute, &execute, &encoded(Parse::new(None, "x".into(), vec![]))] {
        connection.feed(message);
    }
    connection.feed(&frame(b'Q', b"SELECT 1\0"));
    connection.feed(&encoded(Sync::new()));
    connection.feed(&execute);
    assert!(matches!(connection.next_event(), Ok(Some(FrontendEvent::Execute(_)))));
    assert!(!connection.statement_failed(), "Sync will ask for ReadyForQuery");
    assert_eq!(connection.next_event(), Ok(Some(FrontendEvent::Sync)));
    assert!(matches!(connection.next_event(), Ok(Some(FrontendEvent::Execute(_)))));
}

/// P7: messages that do not decode closed the connection without a word; bytes that are not UTF-8
/// were replaced.
#[test]
fn p7_broken_text_is_refused_not_replaced() {
    for text in [&b"SELECT '\xff'\0"[..], b"\xc0\xaf\0", b"\xed\xa0\x80\0", b"\xe2\x82\0"] {
        let mut connection = ready();
        connection.feed(&frame(b'Q', text));
        let error = connection.next_event().expect_err("not UTF-8");
        assert_eq!((&*error.fields.code, error.recovery), ("22021", Recovery::Ready));
        connection.feed(&frame(b'Q', "SELECT 'ü'\0".as_bytes()));
        assert_eq!(connection.next_event(), Ok(Some(FrontendEvent::Query("SELECT 'ü'".into()))));
    }
}
