//! Somebody who waits for the outcome of a proposal or of an operation.

use crate::command::Command;
use crate::raft::shared::ReplicaShared;
use base::{BoxFuture, KvError, KvResult};
use bytes::Bytes;
use futures::channel::oneshot;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The near end of one proposal. Counts against the group's limits for as long as it exists, and
/// suspends lease reads if it was told to, so that whatever becomes of it nothing leaks.
pub(crate) struct ProposalWaiter {
    answer: Option<oneshot::Sender<KvResult<Bytes>>>,
    shared: Arc<ReplicaShared>,
    command: Option<Box<Command>>,
    bytes: usize,
    suspends: bool,
}

impl ProposalWaiter {
    /// Registers a proposal, unless too many are waiting.
    pub(crate) fn register(
        shared: &Arc<ReplicaShared>,
        bytes: usize,
        suspends: bool,
        limits: (usize, usize),
    ) -> KvResult<(ProposalWaiter, oneshot::Receiver<KvResult<Bytes>>)> {
        let waiting = shared.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting_bytes = shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if suspends {
            shared.suspend();
        }
        let shared = shared.clone();
        let mut waiter = ProposalWaiter { answer: None, shared, command: None, bytes, suspends };
        if waiting >= limits.0 || (waiting > 0 && waiting_bytes >= limits.1) {
            return Err(KvError::Unavailable(format!(
                "{} has too much to do",
                waiter.shared.range
            )));
        }
        let (sender, receiver) = oneshot::channel();
        waiter.answer = Some(sender);
        Ok((waiter, receiver))
    }

    /// Ends the wait. Whoever waits finds the limits and the lease as they are without it.
    pub(crate) fn finish(mut self, result: KvResult<Bytes>) {
        let answer = self.answer.take();
        drop(self);
        if let Some(answer) = answer {
            // A caller that has gone does not care.
            let _ = answer.send(result);
        }
    }

    /// Keeps the command beside its encoded form, so that it need not be decoded here.
    pub(crate) fn keep(&mut self, command: Command) {
        self.command = Some(Box::new(command));
    }

    /// The command that was proposed, if it was kept.
    pub(crate) fn take_command(&mut self) -> Option<Box<Command>> {
        self.command.take()
    }
}

impl Drop for ProposalWaiter {
    fn drop(&mut self) {
        if self.answer.is_some() {
            // The loop has ended with the entry on its way: it may still come to be committed. Until
            // the process is gone nobody may be served who would have to wait for it.
            self.shared.set_destroyed();
        }
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        self.shared.waiting_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        if self.suspends {
            self.shared.resume();
        }
    }
}

/// The near end of an operation.
pub(crate) type Reply<T> = oneshot::Sender<KvResult<T>>;

/// A future that ends with the reply; a loop that went away has shut down.
pub(crate) fn reply<T: Send + 'static>() -> (Reply<T>, BoxFuture<'static, KvResult<T>>) {
    let (sender, receiver) = oneshot::channel();
    let future = async move { receiver.await.unwrap_or(Err(KvError::Shutdown)) };
    (sender, Box::pin(future))
}

/// A future that fails at once.
pub(crate) fn failed<T: Send + 'static>(error: KvError) -> BoxFuture<'static, KvResult<T>> {
    Box::pin(std::future::ready(Err(error)))
}
