//! Who may cancel what: the keys handed out in BackendKeyData.

use parking_lot::Mutex;
use sql::CancelToken;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use wire::CancelKey;

/// The running sessions of this process by their secret keys.
#[derive(Default)]
pub(crate) struct CancelRegistry {
    sessions: Mutex<HashMap<CancelKey, Arc<CancelToken>>>,
    next_process: AtomicI32,
}

/// A session's entry; gone when dropped.
pub(crate) struct Registered {
    registry: Arc<CancelRegistry>,
    pub(crate) key: CancelKey,
}

impl CancelRegistry {
    /// A number that names a session to people and in BackendKeyData.
    pub(crate) fn next_process_id(&self) -> i32 {
        // Wraps after two billion connections; the secret still tells sessions apart.
        self.next_process.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX
    }

    /// Enters a session under a fresh secret.
    pub(crate) fn register(self: &Arc<Self>, process: i32, token: Arc<CancelToken>) -> Registered {
        let key = CancelKey { process, secret: rand::random() };
        self.sessions.lock().insert(key, token);
        Registered { registry: self.clone(), key }
    }

    /// Cancels the session with this key. A wrong key does nothing and says nothing.
    pub(crate) fn cancel(&self, key: CancelKey) {
        let token = self.sessions.lock().get(&key).cloned();
        if let Some(token) = token {
            token.cancel();
        }
    }

    /// Sessions that are connected.
    pub(crate) fn len(&self) -> usize {
        self.sessions.lock().len()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.registry.sessions.lock().remove(&self.key);
    }
}
