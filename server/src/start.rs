//! `sharddb start`: listens, puts the node together, serves until a signal, stops in order.

use crate::cli::{Role, StartArgs};
use crate::exit::{Failure, say};
use crate::http;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::observe::Observed;
use crate::pg::{self, PgServer};
use crate::settings::Settings;
use crate::signals::Ending;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long statements that run when the node is told to stop get to end.
const STATEMENTS: Duration = Duration::from_secs(10);
/// How long a node that leads nothing any more still answers those who do not know that yet.
const GOODBYE: Duration = Duration::from_millis(200);

/// Runs the node until it is told to stop.
pub(crate) async fn run(args: &StartArgs) -> Result<(), Failure> {
    let mut ending = Ending::by_signal()?;
    if args.with_parent {
        ending = ending.or_with_parent()?;
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = Settings::load(args, environment).map_err(|e| Failure::new(e.to_string()))?;
    init_log(&settings)?;
    // All ports first: a port in use is found before the directory is touched.
    let rpc = listen("rpc_listen", &settings.rpc_listen).await?;
    let http = listen("http_listen", &settings.http_listen).await?;
    let sql = match settings.has(Role::Proxy) {
        true => Some(listen("sql_listen", &settings.sql_listen).await?),
        false => None,
    };
    let settings = with_real_ports(settings, &rpc, &http, sql.as_ref());
    let metrics = Arc::new(Metrics::new());
    let observed = Arc::new(Observed::new(metrics.clone(), &settings));
    tokio::spawn(http::serve(http, observed.clone()));
    let node = tokio::select! {
        node = Node::start(settings.clone(), rpc, metrics.clone()) => node?,
        () = ending.come() => return Ok(()),
    };
    let server =
        node.engine.clone().map(|engine| Arc::new(PgServer::new(engine, &settings, metrics)));
    observed.set_running(&node, server.clone());
    let stop = watch::Sender::new(false);
    let serving = match (sql, server) {
        (Some(listener), Some(server)) => {
            let serving = tokio::spawn(pg::serve(listener, server, stop.subscribe()));
            say(&format!("ready: postgresql://postgres@{}/postgres", settings.sql_listen));
            Some(serving)
        }
        _ => {
            say(&format!("ready: node {} without SQL", node.id.0));
            None
        }
    };
    ending.come().await;
    observed.set_stopping();
    stop.send_replace(true);
    if let Some(serving) = serving {
        // Statements that take longer are cut off with the process.
        let _ = tokio::time::timeout(STATEMENTS, serving).await;
    }
    node.drain().await;
    tokio::time::sleep(GOODBYE).await;
    node.stop();
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

/// `RUST_LOG` wins over the settings.
fn init_log(settings: &Settings) -> Result<(), Failure> {
    let given = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = given.as_ref().unwrap_or(&settings.log);
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|e| Failure::new(format!("invalid log filter \"{filter}\": {e}")))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call (tests) keeps the first.
    let _ = subscriber.try_init();
    Ok(())
}
