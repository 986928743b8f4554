//! Signals in and out.

use crate::exit::Failure;
use futures::future::select_all;
use std::io::Read;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// What ends this process in good order. Made once, early: nothing that happens from then on is
/// lost, whoever is busy with what.
pub(crate) struct Ending {
    signals: Vec<Signal>,
    /// Fires when the process that started this one is gone.
    orphaned: Option<oneshot::Receiver<()>>,
}

impl Ending {
    /// By SIGINT or SIGTERM.
    pub(crate) fn by_signal() -> Result<Ending, Failure> {
        Ending::by(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    /// By SIGINT or SIGTERM, or when the terminal is closed.
    pub(crate) fn by_signal_or_hangup() -> Result<Ending, Failure> {
        Ending::by(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()])
    }

    fn by(kinds: &[SignalKind]) -> Result<Ending, Failure> {
        let signals: std::io::Result<Vec<Signal>> =
            kinds.iter().map(|kind| signal(*kind)).collect();
        let signals =
            signals.map_err(|e| Failure::new(format!("cannot watch for signals: {e}")))?;
        Ok(Ending { signals, orphaned: None })
    }

    /// Also when standard input ends: whoever started this process holds its other end and keeps it
    /// open for as long as it lives.
    pub(crate) fn or_with_parent(mut self) -> Result<Ending, Failure> {
        let (sender, receiver) = oneshot::channel();
        // A thread of its own: a read that never returns must not hold up the end of the runtime.
        let reader = std::thread::Builder::new().name("parent".into()).spawn(move || {
            let mut byte = [0];
            while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
            // Nobody waits when the process is ending anyway.
            let _ = sender.send(());
        });
        reader.map_err(|e| Failure::new(format!("cannot start threads: {e}")))?;
        self.orphaned = Some(receiver);
        Ok(self)
    }

    /// Waits for the end.
    pub(crate) async fn come(&mut self) {
        let signals = select_all(self.signals.iter_mut().map(|signal| Box::pin(signal.recv())));
        match &mut self.orphaned {
            Some(orphaned) => tokio::select! {
                _ = signals => {}
                _ = orphaned => {}
            },
            None => drop(signals.await),
        }
    }
}

/// Asks a child process to stop.
pub(crate) fn terminate(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        // Gone already is as good.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}
