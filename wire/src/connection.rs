//! The phase machine of one connection.

use crate::error::{FEATURE_NOT_SUPPORTED, PROGRAM_LIMIT_EXCEEDED, Recovery, WireError};
use crate::frame::{self, Frame, Tag};
use crate::frontend::{self, Bind, Execute, Parse, Target};
use crate::limits::Limits;
use crate::startup::{self, Asked, CancelKey, Packet, Startup};
use bytes::{Bytes, BytesMut};

/// An input buffer that a large message has grown beyond this is given back when it runs empty.
const KEPT_BUFFER_BYTES_MAX: usize = 1 << 20;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing but startup packets.
    Startup,
    /// The startup packet is in; until [`Connection::authenticated`] nothing more is decoded.
    Authenticating,
    /// Messages of the simple and the extended protocol.
    Ready,
    /// The server reads COPY data.
    CopyIn,
    /// An error, a Terminate or a cancel request ended it.
    Closed,
}

/// What a client wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrontendEvent {
    /// Answer with one byte, [`crate::Writer::encryption_refused`].
    SslRequest,
    /// As [`FrontendEvent::SslRequest`].
    GssRequest,
    /// Cancel what that session runs; there is no answer, close.
    Cancel(CancelKey),
    /// Decide who it is, then call [`Connection::authenticated`].
    Startup(Startup),
    /// A simple query: one string of statements.
    Query(String),
    Parse(Parse),
    Bind(Bind),
    Describe(Target),
    Execute(Execute),
    Close(Target),
    Flush,
    Sync,
    Terminate,
    /// A piece of COPY input; pieces need not end where lines end.
    CopyData(Bytes),
    CopyDone,
    /// The client gives up the COPY, for this reason.
    CopyFail(String),
}

/// One connection's input side.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    phase: Phase,
    asked: Asked,
    input: BytesMut,
    /// The message handed out last belongs to the extended protocol: should it fail, everything up
    /// to Sync is dropped.
    in_extended: bool,
    skip_until_sync: bool,
    /// The error that closed the connection: told again to whoever asks again, so that it cannot be
    /// overlooked in the middle of a COPY.
    fatal: Option<WireError>,
}

impl Connection {
    /// A connection of which nothing has arrived.
    pub fn new(limits: Limits) -> Connection {
        Connection {
            limits,
            phase: Phase::Startup,
            asked: Asked::default(),
            input: BytesMut::new(),
            in_extended: false,
            skip_until_sync: false,
            fatal: None,
        }
    }

    /// Where the connection stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes bytes from the peer.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.phase != Phase::Closed {
            self.input.extend_from_slice(bytes);
        }
    }

    /// The buffer to read a socket into, at its end; the same as [`Connection::feed`] without a
    /// copy. Read only when [`Connection::next_event`] has returned `None`.
    pub fn input_mut(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// Bytes that have arrived and not been handed out.
    pub fn buffered(&self) -> usize {
        self.input.len()
    }

    /// True when the stream may end here without a message being cut in two.
    pub fn at_boundary(&self) -> bool {
        self.input.is_empty()
    }

    /// The next message; `None` when more bytes are needed. Errors say how to go on; after one that
    /// closes there is never another event, only the same error again.
    pub fn next_event(&mut self) -> Result<Option<FrontendEvent>, WireError> {
        let result = match self.phase {
            Phase::Startup => self.next_packet(),
            Phase::Authenticating => self.check_unauthenticated().map(|()| None),
            Phase::Ready | Phase::CopyIn => self.next_message(),
            Phase::Closed => {
                self.input.clear();
                return self.fatal.clone().map_or(Ok(None), Err);
            }
        };
        if let Err(error) = &result
            && error.closes()
        {
            self.fatal = Some(error.clone());
            self.close();
        }
        result
    }

    /// The peer is who it says: messages follow.
    pub fn authenticated(&mut self) {
        assert_eq!(self.phase, Phase::Authenticating, "authenticated once, after startup");
        self.phase = Phase::Ready;
    }

    /// The server has sent CopyInResponse. Ends with CopyDone, CopyFail or
    /// [`Connection::statement_failed`].
    pub fn enter_copy_in(&mut self) {
        assert_eq!(self.phase, Phase::Ready, "COPY starts in a statement");
        self.phase = Phase::CopyIn;
    }

    /// The message handed out last has failed: ends a COPY, and inside the extended protocol drops
    /// everything up to Sync. True when ReadyForQuery is due now (simple protocol), false when Sync
    /// will ask for it.
    pub fn statement_failed(&mut self) -> bool {
        if self.phase == Phase::CopyIn {
            self.phase = Phase::Ready;
        }
        self.skip_until_sync = self.in_extended;
        !self.in_extended
    }

    /// Nothing more is taken or handed out.
    pub fn close(&mut self) {
        self.phase = Phase::Closed;
        self.input = BytesMut::new();
    }

    fn next_packet(&mut self) -> Result<Option<FrontendEvent>, WireError> {
        let Some(packet) = startup::take(&mut self.input, &self.limits, self.asked)? else {
            return self.check_unauthenticated().map(|()| None);
        };
        Ok(Some(match packet {
            Packet::Ssl => {
                self.asked.ssl = true;
                FrontendEvent::SslRequest
            }
            Packet::Gss => {
                self.asked.gss = true;
                FrontendEvent::GssRequest
            }
            Packet::Cancel(key) => {
                self.close();
                FrontendEvent::Cancel(key)
            }
            Packet::Startup(startup) => {
                self.phase = Phase::Authenticating;
                FrontendEvent::Startup(startup)
            }
        }))
    }

    fn check_unauthenticated(&self) -> Result<(), WireError> {
        if self.input.len() <= self.limits.unauthenticated_bytes_max {
            return Ok(());
        }
        let message = "too many bytes before authentication";
        Err(WireError::fatal(PROGRAM_LIMIT_EXCEEDED, message))
    }

    fn next_message(&mut self) -> Result<Option<FrontendEvent>, WireError> {
        loop {
            let in_copy = self.phase == Phase::CopyIn;
            let Some(frame) = frame::take(&mut self.input, &self.limits, in_copy)? else {
                self.release_large_buffer();
                return Ok(None);
            };
            let event = if in_copy { self.copy_message(frame) } else { self.message(frame) };
            match event {
                Ok(None) => {}
                other => return other,
            }
        }
    }

    /// A message while COPY data is read. Flush and Sync are dropped: clients that do not know that
    /// their statement was a COPY send them.
    fn copy_message(&mut self, frame: Frame) -> Result<Option<FrontendEvent>, WireError> {
        match frame.tag {
            Tag::CopyData => return Ok(Some(FrontendEvent::CopyData(frame.body))),
            Tag::CopyDone => {
                self.phase = Phase::Ready;
                return Ok(Some(FrontendEvent::CopyDone));
            }
            Tag::CopyFail => {}
            _ => return Ok(None),
        }
        match frontend::copy_fail(&frame.body) {
            Ok(reason) => {
                self.phase = Phase::Ready;
                Ok(Some(FrontendEvent::CopyFail(reason)))
            }
            Err(error) => Err(self.recover(error)),
        }
    }

    /// A message outside COPY; `None` when it is dropped.
    fn message(&mut self, frame: Frame) -> Result<Option<FrontendEvent>, WireError> {
        match frame.tag {
            Tag::Terminate => {
                self.close();
                return Ok(Some(FrontendEvent::Terminate));
            }
            Tag::Sync => self.skip_until_sync = false,
            // What a client still sends after its COPY has failed.
            Tag::CopyData | Tag::CopyDone | Tag::CopyFail => return Ok(None),
            _ => {}
        }
        if self.skip_until_sync {
            return Ok(None);
        }
        self.in_extended = frame.tag.is_extended();
        decode(&frame).map(Some).map_err(|error| self.recover(error))
    }

    /// An error inside an intact frame: the connection lives.
    fn recover(&mut self, mut error: WireError) -> WireError {
        error.recovery =
            if self.statement_failed() { Recovery::Ready } else { Recovery::SkipUntilSync };
        error
    }

    fn release_large_buffer(&mut self) {
        if self.input.is_empty() && self.input.capacity() > KEPT_BUFFER_BYTES_MAX {
            self.input = BytesMut::new();
        }
    }
}

fn decode(frame: &Frame) -> Result<FrontendEvent, WireError> {
    let body = &frame.body;
    Ok(match frame.tag {
        Tag::Query => FrontendEvent::Query(frontend::query(body)?),
        Tag::Parse => FrontendEvent::Parse(Parse::decode(body)?),
        Tag::Bind => FrontendEvent::Bind(Bind::decode(body)?),
        Tag::Describe => FrontendEvent::Describe(Target::decode(body, "DESCRIBE")?),
        Tag::Execute => FrontendEvent::Execute(Execute::decode(body)?),
        Tag::Close => FrontendEvent::Close(Target::decode(body, "CLOSE")?),
        Tag::Flush => frontend::empty(body, FrontendEvent::Flush)?,
        Tag::Sync => frontend::empty(body, FrontendEvent::Sync)?,
        Tag::FunctionCall => {
            let message = "function calls through the protocol are not supported";
            return Err(WireError::error(FEATURE_NOT_SUPPORTED, message));
        }
        Tag::Terminate => FrontendEvent::Terminate,
        Tag::CopyData => FrontendEvent::CopyData(body.clone()),
        Tag::CopyDone => FrontendEvent::CopyDone,
        Tag::CopyFail => FrontendEvent::CopyFail(frontend::copy_fail(body)?),
    })
}
