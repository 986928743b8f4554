//! `sharddb start`: listens, puts the node together, serves until a signal, stops in order.

use crate::cli::{Role, StartArgs};
use crate::exit::{Failure, say};
use crate::http;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::observe::Observed;
use crate::pg::{self, PgServer};
use crate::settings::Settings;
use crate::signals;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long open connections get to see that the server is going.
const GOODBYE: Duration = Duration::from_millis(200);

/// Runs the node until it is told to stop.
pub(crate) async fn run(args: &StartArgs) -> Result<(), Failure> {
    let settings = Settings::load(args).map_err(|e| Failure::new(e.to_string()))?;
    init_log(&settings);
    // All ports first: a port in use is found before the directory is touched.
    let rpc = listen("rpc_listen", &settings.rpc_listen).await?;
    let http = listen("http_listen", &settings.http_listen).await?;
    let sql = match settings.has(Role::Proxy) {
        true => Some(listen("sql_listen", &settings.sql_listen).await?),
        false => None,
    };
    let stop = watch::Sender::new(false);
    let metrics = Arc::new(Metrics::new());
    let with_ports = with_real_ports(settings.clone(), &rpc, &http, sql.as_ref());
    let node = tokio::select! {
        node = Node::start(with_ports, rpc, metrics.clone()) => node?,
        () = signals::terminated() => return Ok(()),
    };
    let server = node
        .engine
        .clone()
        .map(|engine| Arc::new(PgServer::new(engine, settings.max_connections, metrics.clone())));
    let state = Arc::new(Observed::new(&node, server.clone(), metrics, &settings));
    tokio::spawn(http::serve(http, state));
    match (sql, server) {
        (Some(listener), Some(server)) => {
            let address = listener.local_addr().map_or(settings.sql_listen, |a| a.to_string());
            tokio::spawn(pg::serve(listener, server, stop.subscribe()));
            say(&format!("ready: postgresql://postgres@{address}/postgres"));
        }
        _ => say(&format!("ready: node {} without SQL", node.id.0)),
    }
    signals::terminated().await;
    stop.send_replace(true);
    node.stop().await;
    tokio::time::sleep(GOODBYE).await;
    Ok(())
}

/// Port 0 lets the system choose; the others must be told the real one.
fn with_real_ports(
    mut settings: Settings,
    rpc: &TcpListener,
    http: &TcpListener,
    sql: Option<&TcpListener>,
) -> Settings {
    let real = |listener: &TcpListener, name: &mut String| {
        if name.ends_with(":0")
            && let Ok(address) = listener.local_addr()
        {
            *name = address.to_string();
        }
    };
    real(rpc, &mut settings.rpc_listen);
    real(rpc, &mut settings.advertise_rpc);
    real(http, &mut settings.http_listen);
    if let Some(sql) = sql {
        real(sql, &mut settings.sql_listen);
    }
    settings
}

async fn listen(name: &str, address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
            _ => error.to_string(),
        };
        Failure::new(format!("cannot listen on {name} {address}: {reason}"))
    })
}

fn init_log(settings: &Settings) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .or_else(|_| tracing_subscriber::EnvFilter::try_new(&settings.log))
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call (tests) keeps the first.
    let _ = subscriber.try_init();
}
