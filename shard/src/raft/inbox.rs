//! A queue between threads: many push, one drains; one notification per batch.

use parking_lot::Mutex;
use std::sync::Arc;

/// The queue. Cheap to clone.
pub(crate) struct Inbox<T> {
    queue: Arc<Mutex<Vec<T>>>,
    notify: Arc<dyn Fn() + Send + Sync>,
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Inbox { queue: self.queue.clone(), notify: self.notify.clone() }
    }
}

impl<T> Inbox<T> {
    pub(crate) fn new(notify: Arc<dyn Fn() + Send + Sync>) -> Inbox<T> {
        Inbox { queue: Arc::default(), notify }
    }

    /// Adds an item; notifies the reader if the queue was empty.
    pub(crate) fn push(&self, item: T) {
        let was_empty = {
            let mut queue = self.queue.lock();
            queue.push(item);
            queue.len() == 1
        };
        if was_empty {
            (self.notify)();
        }
    }

    /// Adds items and empties the given vector; notifies the reader if the queue was empty.
    pub(crate) fn append(&self, items: &mut Vec<T>) {
        if items.is_empty() {
            return;
        }
        let was_empty = {
            let mut queue = self.queue.lock();
            let was_empty = queue.is_empty();
            queue.append(items);
            was_empty
        };
        if was_empty {
            (self.notify)();
        }
    }

    /// The reader gives items back: they come before everything that has been added since.
    pub(crate) fn put_back(&self, mut items: Vec<T>) {
        let mut queue = self.queue.lock();
        items.append(&mut queue);
        *queue = items;
    }

    /// Notifies the reader without adding anything.
    pub(crate) fn notify(&self) {
        (self.notify)();
    }

    /// Moves everything into an empty vector, whose memory the queue goes on with.
    pub(crate) fn drain_into(&self, out: &mut Vec<T>) {
        debug_assert!(out.is_empty());
        std::mem::swap(&mut *self.queue.lock(), out);
    }
}
