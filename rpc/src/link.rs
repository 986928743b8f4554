//! One TCP connection with frames on it.
//!
//! Whoever has a frame appends it to the outgoing buffer. If nobody is writing, the same caller
//! becomes the writer and empties the buffer into the socket without waiting for any task; only
//! when the socket takes no more does the connection's own task go on. Frames appended while
//! somebody writes leave together in the next write.

#![expect(clippy::disallowed_methods, reason = "how long a peer is silent is the real time")]

use crate::frame::{self, Frame, FrameError, Kind};
use bytes::BytesMut;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Rounds that a caller writes for others before the connection's task takes over.
const CALLER_WRITES_MAX: usize = 4;
/// How much one read asks for.
const READ_BYTES: usize = 64 << 10;
/// Buffers grown beyond this are given back when they run empty.
const KEPT_BUFFER_BYTES_MAX: usize = 1 << 20;

/// A connection after TCP, before and after the handshake.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    outgoing: Mutex<Outgoing>,
    /// The socket took no more: the task must write.
    blocked: Notify,
    /// The outgoing buffer became empty.
    drained: Notify,
    closed: CancellationToken,
    queue_bytes_max: usize,
    opened: Instant,
    /// Nanoseconds after `opened` when bytes last arrived.
    heard: AtomicU64,
}

#[derive(Debug, Default)]
struct Outgoing {
    buffer: Vec<u8>,
    /// What the socket took only a part of, and how much of it; goes out before `buffer`.
    partial: Option<(Vec<u8>, usize)>,
    /// Memory for the next round.
    spare: Vec<u8>,
    /// Somebody is between taking the buffer and finding it empty.
    is_writing: bool,
}

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    Closed,
    Full,
}

/// Why reading ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("closed")]
    Closed,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Link {
    pub(crate) fn new(stream: TcpStream, queue_bytes_max: usize) -> Link {
        // Without it every small answer waits for an acknowledgement; a socket that refuses it is
        // about to fail anyway.
        let _ = stream.set_nodelay(true);
        Link {
            stream,
            outgoing: Mutex::default(),
            blocked: Notify::new(),
            drained: Notify::new(),
            closed: CancellationToken::new(),
            queue_bytes_max,
            opened: Instant::now(),
            heard: AtomicU64::new(0),
        }
    }

    /// Queues a frame that has no deadline and, usually, writes it at once.
    pub(crate) fn send(&self, kind: Kind, id: u64, payload: &[u8]) -> Result<(), SendError> {
        self.request(kind, id, 0, payload)
    }

    /// The same for a request, which is of no use to anybody after its timeout.
    pub(crate) fn request(
        &self,
        kind: Kind,
        id: u64,
        timeout_ms: u32,
        payload: &[u8],
    ) -> Result<(), SendError> {
        {
            let mut outgoing = self.outgoing.lock();
            if self.is_closed() {
                return Err(SendError::Closed);
            }
            if outgoing.buffer.len() > self.queue_bytes_max {
                return Err(SendError::Full);
            }
            frame::encode(&mut outgoing.buffer, kind, id, timeout_ms, payload);
            if outgoing.is_writing {
                return Ok(());
            }
            outgoing.is_writing = true;
        }
        if !self.write_some() {
            self.blocked.notify_one();
        }
        Ok(())
    }

    /// Writes for as long as the socket takes bytes, a few rounds at most. True when the buffer is
    /// empty and somebody else may become the writer.
    fn write_some(&self) -> bool {
        for _ in 0..CALLER_WRITES_MAX {
            let Some((chunk, from)) = self.next_chunk() else { return true };
            let written = from + self.try_write(&chunk[from..]);
            if written < chunk.len() {
                self.outgoing.lock().partial = Some((chunk, written));
                return self.is_closed();
            }
            self.recycle(chunk);
        }
        false
    }

    /// The next bytes to write, and where in them.
    fn next_chunk(&self) -> Option<(Vec<u8>, usize)> {
        let mut outgoing = self.outgoing.lock();
        if let Some(partial) = outgoing.partial.take() {
            return Some(partial);
        }
        if outgoing.buffer.is_empty() {
            outgoing.is_writing = false;
            drop(outgoing);
            self.drained.notify_waiters();
            return None;
        }
        let spare = std::mem::take(&mut outgoing.spare);
        Some((std::mem::replace(&mut outgoing.buffer, spare), 0))
    }

    fn recycle(&self, mut chunk: Vec<u8>) {
        if chunk.capacity() <= KEPT_BUFFER_BYTES_MAX {
            chunk.clear();
            self.outgoing.lock().spare = chunk;
        }
    }

    fn try_write(&self, chunk: &[u8]) -> usize {
        let mut written = 0;
        while written < chunk.len() {
            match self.stream.try_write(&chunk[written..]) {
                Ok(bytes) if bytes > 0 => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {
                    self.close();
                    break;
                }
            }
        }
        written
    }

    /// The connection's own task: writes what callers could not. Ends when the link closes.
    pub(crate) async fn write_rest(&self) {
        loop {
            tokio::select! {
                () = self.closed.cancelled() => return,
                () = self.blocked.notified() => {}
            }
            loop {
                tokio::select! {
                    () = self.closed.cancelled() => return,
                    ready = self.stream.writable() => if ready.is_err() {
                        return self.close();
                    },
                }
                if self.write_some() {
                    break;
                }
            }
        }
    }

    /// Reads until a frame is whole.
    pub(crate) async fn read_frame(
        &self,
        input: &mut BytesMut,
        payload_bytes_max: usize,
    ) -> Result<Frame, ReadError> {
        loop {
            if let Some(frame) = frame::take(input, payload_bytes_max)? {
                return Ok(frame);
            }
            if input.is_empty() && input.capacity() > KEPT_BUFFER_BYTES_MAX {
                *input = BytesMut::new();
            }
            self.read_more(input).await?;
        }
    }

    async fn read_more(&self, input: &mut BytesMut) -> Result<(), ReadError> {
        input.reserve(READ_BYTES);
        loop {
            match self.stream.try_read_buf(input) {
                Ok(0) => return Err(ReadError::Closed),
                Ok(_) => {
                    self.heard.store(self.opened.elapsed().as_nanos() as u64, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            tokio::select! {
                () = self.closed.cancelled() => return Err(ReadError::Closed),
                ready = self.stream.readable() => ready?,
            }
        }
    }

    /// How long nothing has arrived.
    pub(crate) fn silence(&self) -> Duration {
        let heard = Duration::from_nanos(self.heard.load(Ordering::Relaxed));
        self.opened.elapsed().saturating_sub(heard)
    }

    /// Waits until at most `bytes` are queued (or the link closes).
    pub(crate) async fn wait_queue_below(&self, bytes: usize) {
        loop {
            let drained = self.drained.notified();
            if self.is_closed() || self.outgoing.lock().buffer.len() <= bytes {
                return;
            }
            tokio::select! {
                () = drained => {}
                () = self.closed.cancelled() => return,
            }
        }
    }

    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    /// Waits until the link closes.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }
}
