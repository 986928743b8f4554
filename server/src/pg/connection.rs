//! The life of one connection: startup, messages, end.

use super::client::{Client, Presence};
use super::dispatch::{Next, dispatch, status};
use super::errors;
use super::listener::PgServer;
use crate::metrics::{Metrics, Protocol};
use sql::session::{CancelToken, ConnectParams, Session};
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use wire::{ErrorFields, FrontendEvent, Phase, Recovery, Severity, Startup, WireError};

/// A peer that has not said who it is by then is dropped.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(60);

/// SQLSTATE of the end that an administrator has ordered.
const ADMIN_SHUTDOWN: &str = "57P01";

/// Time between two looks whether the client of a running statement is still there.
const PRESENCE_LOOK: Duration = Duration::from_secs(1);

/// Serves one client until it leaves, breaks the protocol, or the server stops.
pub(super) async fn run(
    stream: TcpStream,
    peer: IpAddr,
    server: Arc<PgServer>,
    stop: watch::Receiver<bool>,
) {
    let mut client = Client::new(stream);
    let mut stopping = stop.clone();
    let started = tokio::select! {
        started = tokio::time::timeout(STARTUP_TIMEOUT, start(&mut client, &server)) => started,
        // There is no session yet that could be told.
        () = stopped(&mut stopping) => return,
    };
    let Ok(Some(startup)) = started else { return };
    if !server.trust.admits(peer) {
        // A peer that has left already does not mind.
        let _ = refuse(&mut client, not_trusted(peer, &startup)).await;
        return;
    }
    // An end of the stream, orderly or not, ends the session: there is nobody to tell.
    let _ = converse(&mut client, &server, startup, stop).await;
}

/// What PostgreSQL says when no rule lets a host in.
fn not_trusted(peer: IpAddr, startup: &Startup) -> ErrorFields {
    let (user, database) = (&startup.user, &startup.database);
    let database = if database.is_empty() { user } else { database };
    let message = format!(
        "no pg_hba.conf entry for host \"{peer}\", user \"{user}\", database \"{database}\", \
         no encryption"
    );
    ErrorFields::new(Severity::Fatal, "28000", message)
}

/// Reads startup packets; `None` when there is no session to come.
async fn start(client: &mut Client, server: &PgServer) -> Option<Startup> {
    loop {
        match client.input.next_event() {
            Ok(Some(FrontendEvent::SslRequest | FrontendEvent::GssRequest)) => {
                client.out.encryption_refused();
                client.flush().await.ok()?;
            }
            Ok(Some(FrontendEvent::Cancel(key))) => {
                server.cancels.cancel(key);
                return None;
            }
            Ok(Some(FrontendEvent::Startup(startup))) => return Some(startup),
            Ok(Some(_)) => return None,
            Ok(None) => {
                if !client.read().await.ok()? {
                    return None;
                }
            }
            Err(error) => {
                client.out.error(&error.fields);
                client.flush().await.ok()?;
                return None;
            }
        }
    }
}

async fn converse(
    client: &mut Client,
    server: &PgServer,
    startup: Startup,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let Some(_permit) = server.admit() else {
        let message = "sorry, too many clients already";
        return refuse(client, ErrorFields::new(Severity::Fatal, "53300", message)).await;
    };
    let process_id = server.cancels.next_process_id();
    let params = ConnectParams {
        user: startup.user,
        database: startup.database,
        options: startup.parameters,
        process_id,
    };
    let mut session = match server.engine.connect(params).await {
        Ok(session) => session,
        Err(error) => return refuse(client, errors::fatal(&error)).await,
    };
    let registered = server.cancels.register(process_id, session.cancel_token());
    client.input.authenticated();
    if let Some(options) = &startup.negotiate {
        client.out.negotiate_protocol_version(options);
    }
    client.out.authentication_ok();
    for (name, value) in session.parameters() {
        // Settings are bounded far below the limit of a message.
        let _ = client.out.parameter_status(&name, &value);
    }
    client.out.backend_key_data(registered.key);
    client.out.ready_for_query(status(&session));
    client.flush().await?;
    let outcome = messages(client, &mut session, &server.metrics, &mut stop).await;
    session.close().await;
    outcome
}

/// The main loop. Output is sent when the input has run dry and the client is owed an answer; what a
/// message of the extended protocol leaves waits for Sync or Flush.
async fn messages(
    client: &mut Client,
    session: &mut Session,
    metrics: &Metrics,
    stop: &mut watch::Receiver<bool>,
) -> io::Result<()> {
    let watch = Watch { presence: client.presence(), token: session.cancel_token() };
    let mut is_owed = false;
    loop {
        match client.input.next_event() {
            Ok(Some(event)) => match measured(event, session, client, metrics, &watch).await {
                Next::Continue => client.flush_if_large().await?,
                Next::Flush => is_owed = true,
                // A breach of the protocol during COPY: its FATAL error is the next event.
                Next::Ready if client.input.phase() == Phase::Closed => {}
                Next::Ready => {
                    client.out.ready_for_query(status(session));
                    is_owed = true;
                    client.flush_if_large().await?;
                }
                Next::Close => return client.flush().await,
            },
            Ok(None) => {
                if std::mem::take(&mut is_owed) {
                    client.flush().await?;
                }
                let idle = session.idle_timeout();
                tokio::select! {
                    biased;
                    () = stopped(stop) => return shut_down(client).await,
                    more = client.read() => if !more? { return Ok(()) },
                    () = watch.token.terminated() => return shut_down(client).await,
                    () = idle_too_long(idle) => return idle_timeout(client).await,
                }
            }
            Err(error) => {
                if protocol_error(client, session, &error).await? {
                    return Ok(());
                }
                is_owed = true;
            }
        }
    }
}

/// Ends when the server is told to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Ends when a transaction has been left open for longer than the session allows.
async fn idle_too_long(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// What a statement is watched with while it runs.
struct Watch {
    presence: Presence,
    token: Arc<CancelToken>,
}

impl Watch {
    /// Carries out work of a client. Should the client leave meanwhile, the work is cancelled:
    /// nobody waits for it, but others may wait for its locks.
    async fn over<T>(&self, mut work: Pin<&mut impl Future<Output = T>>) -> T {
        // Most is done at once.
        if let Poll::Ready(done) = futures::poll!(work.as_mut()) {
            return done;
        }
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(PRESENCE_LOOK) => {
                    if self.presence.is_over() {
                        self.token.cancel();
                    }
                }
            }
        }
    }
}

/// Carries out one message. Statements are counted and timed where they run, or where they fail
/// before that.
async fn measured(
    event: FrontendEvent,
    session: &mut Session,
    client: &mut Client,
    metrics: &Metrics,
    watch: &Watch,
) -> Next {
    let (protocol, runs) = match &event {
        FrontendEvent::Query(_) => (Protocol::Simple, true),
        FrontendEvent::Execute(_) => (Protocol::Extended, true),
        _ => (Protocol::Extended, false),
    };
    let start = Instant::now();
    let next = {
        let work = pin!(dispatch(event, session, client));
        watch.over(work).await
    };
    let failure = client.failure.take();
    if runs || failure.is_some() {
        metrics.sql(protocol, start.elapsed(), failure);
    }
    // The client has been told already that its session ends.
    if failure == Some(ADMIN_SHUTDOWN) { Next::Close } else { next }
}

/// Answers a breach of the protocol; true when the connection ends.
async fn protocol_error(
    client: &mut Client,
    session: &mut Session,
    error: &WireError,
) -> io::Result<bool> {
    client.out.error(&error.fields);
    session.fail().await;
    match error.recovery {
        Recovery::Close => {
            client.flush().await?;
            return Ok(true);
        }
        Recovery::SkipUntilSync => {}
        Recovery::Ready => client.out.ready_for_query(status(session)),
    }
    Ok(false)
}

async fn idle_timeout(client: &mut Client) -> io::Result<()> {
    let message = "terminating connection due to idle-in-transaction timeout";
    refuse(client, ErrorFields::new(Severity::Fatal, "25P03", message)).await
}

async fn shut_down(client: &mut Client) -> io::Result<()> {
    let message = "terminating connection due to administrator command";
    refuse(client, ErrorFields::new(Severity::Fatal, ADMIN_SHUTDOWN, message)).await
}

async fn refuse(client: &mut Client, fields: ErrorFields) -> io::Result<()> {
    client.out.error(&fields);
    client.flush().await
}
