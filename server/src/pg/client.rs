//! One client's socket with its input and output buffers.

use sql::session::{Field, Format};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use types::Settings;
use wire::{Connection, Limits, Writer};

/// Output beyond this is sent before more is produced.
const FLUSH_BYTES: usize = 64 << 10;
/// A grown output buffer is given back when it is empty.
const KEPT_BYTES_MAX: usize = 256 << 10;
/// Room for one read from the socket.
const READ_BYTES: usize = 8 << 10;

/// The shape of the rows that are being sent.
pub(super) struct Shape {
    pub(super) fields: Arc<[Field]>,
    pub(super) formats: Vec<Format>,
    pub(super) settings: Settings,
}

/// Tells whether a client has left while its statement runs.
pub(super) struct Presence {
    socket: Option<std::net::TcpStream>,
}

impl Presence {
    /// True when the client has closed its side and has sent nothing that is still unread. Who only
    /// stops sending looks the same: it has the time of one look to get its answer.
    pub(super) fn is_over(&self) -> bool {
        let Some(socket) = &self.socket else { return false };
        match socket.peek(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

/// A connected client.
pub(super) struct Client {
    stream: TcpStream,
    pub(super) input: Connection,
    pub(super) out: Writer,
    /// Bytes sent since the connection began: marks count from there.
    pub(super) sent: usize,
    pub(super) shape: Option<Shape>,
    pub(super) text: String,
    pub(super) binary: Vec<u8>,
    /// SQLSTATE of the last statement's error, until it has been counted.
    pub(super) failure: Option<&'static str>,
}

impl Client {
    pub(super) fn new(stream: TcpStream) -> Client {
        Client {
            stream,
            input: Connection::new(Limits::default()),
            out: Writer::new(),
            sent: 0,
            shape: None,
            text: String::new(),
            binary: Vec::new(),
            failure: None,
        }
    }

    /// A second handle on the socket, to look at it while this one is busy.
    pub(super) fn presence(&self) -> Presence {
        // Without a spare file descriptor the end is noticed by the next read.
        let handle = self.stream.as_fd().try_clone_to_owned().ok();
        Presence { socket: handle.map(std::net::TcpStream::from) }
    }

    /// Reads once; false at the end of the stream.
    pub(super) async fn read(&mut self) -> io::Result<bool> {
        let buffer = self.input.input_mut();
        buffer.reserve(READ_BYTES);
        Ok(self.stream.read_buf(buffer).await? > 0)
    }

    /// True when the client's next message is already here and is a Sync.
    pub(super) fn sync_follows(&mut self) -> bool {
        const SYNC: &[u8] = b"S\0\0\0\x04";
        self.input.input_mut().starts_with(SYNC)
    }

    /// Sends everything.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.stream.write_all(self.out.bytes()).await?;
        self.sent += self.out.len();
        if self.out.buffer_mut().capacity() > KEPT_BYTES_MAX {
            self.out = Writer::new();
        } else {
            self.out.clear();
        }
        Ok(())
    }

    /// Sends when much has gathered.
    pub(super) async fn flush_if_large(&mut self) -> io::Result<()> {
        if self.out.len() >= FLUSH_BYTES { self.flush().await } else { Ok(()) }
    }
}
