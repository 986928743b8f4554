//! Timestamps from the oracle, one request at a time, shared by concurrent callers.
//!
//! **A caller is served only by a request that was sent after its call**: whoever comes while a
//! request is on its way waits for the next one. One of the waiting callers sends it, so there is
//! no task of its own; a caller that goes away in the middle hands its turn on.

use crate::meta_client::{MetaClient, mismatch};
use base::meta_api::{MetaRequest, MetaResponse};
use base::{KvError, KvResult, Timestamp};
use futures::channel::oneshot;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// One per process.
pub(crate) struct Oracle {
    shared: Arc<Shared>,
}

struct Shared {
    meta: Arc<MetaClient>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    is_driven: bool,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// What a waiting caller is told.
enum Turn {
    /// Its timestamp.
    Drawn(KvResult<Timestamp>),
    /// It is its turn to send a request for all who wait.
    Drive(Driver),
}

impl Oracle {
    pub(crate) fn new(meta: Arc<MetaClient>) -> Oracle {
        Oracle { shared: Arc::new(Shared { meta, queue: Mutex::default() }) }
    }

    /// Draws a timestamp greater than all that were used before the call.
    pub(crate) async fn now(&self) -> KvResult<Timestamp> {
        let Some(turn) = self.enqueue() else {
            return Driver::new(&self.shared).draw().await;
        };
        match turn.await {
            Ok(Turn::Drawn(result)) => result,
            Ok(Turn::Drive(driver)) => driver.draw().await,
            Err(_) => Err(KvError::Shutdown),
        }
    }

    /// Joins the queue; `None` when nobody is sending and the caller has to.
    fn enqueue(&self) -> Option<oneshot::Receiver<Turn>> {
        let mut queue = self.shared.queue.lock();
        if !queue.is_driven {
            queue.is_driven = true;
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        queue.waiting.push_back(sender);
        Some(receiver)
    }
}

/// The right to send the next request. Dropping it, at whatever moment, hands it on.
struct Driver {
    shared: Arc<Shared>,
    batch: VecDeque<oneshot::Sender<Turn>>,
}

impl Driver {
    fn new(shared: &Arc<Shared>) -> Driver {
        Driver { shared: shared.clone(), batch: VecDeque::new() }
    }

    /// One request for the driver and everybody who waits at this moment.
    async fn draw(mut self) -> KvResult<Timestamp> {
        self.batch = std::mem::take(&mut self.shared.queue.lock().waiting);
        let count = self.batch.len() as u32 + 1;
        let result = match self.shared.meta.call(MetaRequest::Timestamps { count }).await {
            Ok(MetaResponse::Timestamps { first, count: drawn }) if drawn >= count => Ok(first),
            Ok(_) => Err(mismatch("a draw of timestamps")),
            Err(error) => Err(error),
        };
        for (i, waiting) in self.batch.drain(..).enumerate() {
            let turn = result.clone().map(|first| Timestamp(first.0 + i as u64 + 1));
            // Whoever has gone away needs no timestamp.
            let _ = waiting.send(Turn::Drawn(turn));
        }
        result
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.shared.queue.lock();
            while let Some(unanswered) = self.batch.pop_back() {
                queue.waiting.push_front(unanswered);
            }
            queue.waiting.retain(|waiting| !waiting.is_canceled());
            let next = queue.waiting.pop_front();
            queue.is_driven = next.is_some();
            next
        };
        if let Some(next) = next {
            // If the chosen one goes away unread, the driver inside the message is dropped and
            // hands on again.
            let _ = next.send(Turn::Drive(Driver::new(&self.shared)));
        }
    }
}
