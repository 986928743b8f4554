//! Our decoders against `pgwire`'s encoders, our encoders against `pgwire`'s decoders, and random
//! bytes against the whole machine.

use bytes::{Bytes, BytesMut};
use pgwire::messages::data::{DataRow, RowDescription};
use pgwire::messages::response::{CommandComplete, ErrorResponse};
use pgwire::messages::{DecodeContext, Message, extendedquery};
use proptest::prelude::*;
use wire::{
    Column, Connection, ErrorFields, Format, FrontendEvent, Limits, Severity, TransactionStatus,
    Writer,
};

const STARTUP: &[u8] = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";

fn ready() -> Connection {
    let mut connection = Connection::new(Limits::default());
    connection.feed(STARTUP);
    assert!(matches!(connection.next_event(), Ok(Some(FrontendEvent::Startup(_)))));
    connection.authenticated();
    connection
}

fn event_of(message: impl Message, piece: usize) -> FrontendEvent {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes).expect("encodes");
    let mut connection = ready();
    let (last, first) = bytes.split_last().expect("not empty");
    for piece in first.chunks(piece) {
        connection.feed(piece);
        assert_eq!(connection.next_event(), Ok(None), "not whole yet");
    }
    connection.feed(&[*last]);
    connection.next_event().expect("decodes").expect("whole")
}

fn decoded<M: Message>(writer: &Writer) -> M {
    let mut bytes = BytesMut::from(writer.bytes());
    let message = M::decode(&mut bytes, &DecodeContext::default()).expect("decodes");
    assert!(bytes.is_empty(), "one message");
    message.expect("whole")
}

fn text() -> impl Strategy<Value = String> {
    "[^\0]{1,20}"
}

proptest! {
    #[test]
    fn parse(name in text(), sql in text(), types in prop::collection::vec(any::<u32>(), 0..9),
             piece in 1usize..40) {
        let message = extendedquery::Parse::new(Some(name.clone()), sql.clone(), types.clone());
        let FrontendEvent::Parse(parse) = event_of(message, piece) else { panic!() };
        prop_assert_eq!((parse.name, parse.sql, parse.param_types), (name, sql, types));
    }

    #[test]
    fn bind(portal in text(), statement in text(), binary in any::<Vec<bool>>(),
            values in prop::collection::vec(any::<Option<Vec<u8>>>(), 0..20), piece in 1usize..40) {
        let formats: Vec<i16> = values.iter().zip(binary.iter().cycle())
            .map(|(_, binary)| i16::from(*binary)).collect();
        let bytes = values.iter().map(|value| value.clone().map(Bytes::from)).collect();
        let message = extendedquery::Bind::new(
            Some(portal.clone()), Some(statement.clone()), formats.clone(), bytes, vec![1]);
        let FrontendEvent::Bind(bind) = event_of(message, piece) else { panic!() };
        prop_assert_eq!((bind.portal, bind.statement), (portal, statement));
        prop_assert_eq!(bind.params.len(), values.len());
        prop_assert_eq!(bind.result_formats.of(5), Format::Binary);
        for (index, (format, value)) in bind.params.iter().enumerate() {
            prop_assert_eq!(value, values[index].as_deref());
            let expected = formats.get(index).copied().unwrap_or(0);
            prop_assert_eq!(format.code(), expected as u16);
        }
    }

    #[test]
    fn data_row(values in prop::collection::vec(any::<Option<Vec<u8>>>(), 0..20)) {
        let mut writer = Writer::new();
        let mut row = writer.data_row(values.len() as u16);
        for value in &values {
            match value {
                Some(bytes) => row.value(bytes),
                None => row.null(),
            }
        }
        row.finish().unwrap();
        let row: DataRow = decoded(&writer);
        prop_assert_eq!(usize::from(row.field_count as u16), values.len());
        let mut rest = &row.data[..];
        for value in &values {
            let (length, tail) = rest.split_at(4);
            let length = i32::from_be_bytes(length.try_into().unwrap());
            let (bytes, tail) = tail.split_at(length.max(0) as usize);
            prop_assert_eq!((length >= 0).then_some(bytes), value.as_deref());
            rest = tail;
        }
    }

    /// No input panics, and after an error that closes nothing more comes out.
    #[test]
    fn random_bytes(authenticated in any::<bool>(), pieces in any::<Vec<Vec<u8>>>()) {
        let mut connection = if authenticated { ready() } else { Connection::new(Limits::default()) };
        let mut is_closed = false;
        for piece in pieces {
            connection.feed(&piece);
            loop {
                match connection.next_event() {
                    Ok(Some(event)) => {
                        prop_assert!(!is_closed);
                        if matches!(event, FrontendEvent::Startup(_)) {
                            connection.authenticated();
                        }
                    }
                    Ok(None) => break,
                    Err(error) if error.closes() => {
                        is_closed = true;
                        break;
                    }
                    Err(_) => prop_assert!(!is_closed),
                }
            }
        }
    }

    /// Frames of known types with random bodies: never a panic, never a closed connection, and the
    /// machine stays in step with the frames.
    #[test]
    fn random_bodies(frames in prop::collection::vec(
        (prop::sample::select(b"QPBDECHSFdcf".to_vec()), any::<Vec<u8>>()), 0..20)) {
        let mut connection = ready();
        for (tag, body) in frames {
            let mut bytes = vec![tag];
            bytes.extend((body.len() as u32 + 4).to_be_bytes());
            bytes.extend(&body);
            connection.feed(&bytes);
            if let Err(error) = connection.next_event() {
                prop_assert!(!error.closes(), "{error}");
            }
            prop_assert_eq!(connection.buffered(), 0);
        }
        connection.feed(b"S\0\0\0\x04Q\0\0\0\x06a\0");
        prop_assert_eq!(connection.next_event(), Ok(Some(FrontendEvent::Sync)));
        prop_assert_eq!(connection.next_event(), Ok(Some(FrontendEvent::Query("a".into()))));
    }
}

#[test]
fn row_description() {
    let column = Column {
        name: "id",
        table_oid: 16_384,
        attribute: 1,
        type_oid: 23,
        type_size: 4,
        type_modifier: -1,
        format: Format::Binary,
    };
    let mut writer = Writer::new();
    writer.row_description([column, Column { name: "", ..column }].into_iter()).unwrap();
    let description: RowDescription = decoded(&writer);
    let [first, second] = &description.fields[..] else { panic!("two columns") };
    assert_eq!((&*first.name, &*second.name), ("id", ""));
    let numbers = (first.table_id, first.column_id, first.type_id, first.type_size);
    assert_eq!(numbers, (16_384, 1, 23, 4));
    assert_eq!((first.type_modifier, first.format_code), (-1, 1));
}

#[test]
fn error_fields() {
    let mut fields = ErrorFields::new(Severity::Error, "23505", "duplicate key\0 and more");
    fields.detail = Some("Key (id)=(1) already exists.".into());
    fields.position = Some(8);
    fields.constraint = Some("t_pkey".into());
    let mut writer = Writer::new();
    writer.error(&fields);
    let response: ErrorResponse = decoded(&writer);
    let expected = [
        (b'S', "ERROR"),
        (b'V', "ERROR"),
        (b'C', "23505"),
        (b'M', "duplicate key"),
        (b'D', "Key (id)=(1) already exists."),
        (b'P', "8"),
        (b'n', "t_pkey"),
    ];
    let expected = expected.map(|(code, value)| (code, value.to_owned()));
    assert_eq!(response.fields, expected);
}

#[test]
fn tags_and_states() {
    let mut writer = Writer::new();
    writer.command_complete_fmt(format_args!("INSERT 0 {}", 3)).unwrap();
    assert_eq!(decoded::<CommandComplete>(&writer).tag, "INSERT 0 3");
    writer.clear();
    writer.ready_for_query(TransactionStatus::Error);
    assert_eq!(writer.bytes(), b"Z\0\0\0\x05E");
}

#[test]
fn an_unfinished_row_leaves_nothing() {
    let mut writer = Writer::new();
    writer.parse_complete();
    let mark = writer.len();
    let mut row = writer.data_row(2);
    row.value(b"half");
    drop(row);
    assert_eq!(writer.len(), mark);
}
