//! One connection that runs requests.

use super::workload::{Request, statements};
use crate::cli::Workload;
use crate::exit::Failure;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, NoTls, Statement};

/// Pause before a connection is tried again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Client {
    url: Arc<str>,
    workload: Workload,
    random: StdRng,
    connection: Connected,
}

/// A connection with its statements prepared.
struct Connected {
    client: tokio_postgres::Client,
    statements: Vec<Statement>,
}

/// Connects; the connection's own work runs in the background until the client is dropped.
pub(super) async fn connect(url: &str) -> Result<tokio_postgres::Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // Its error reaches every request that is under way.
    tokio::spawn(connection);
    Ok(client)
}

impl Connected {
    async fn open(url: &str, workload: Workload) -> Result<Connected, Error> {
        let client = connect(url).await?;
        let mut prepared = Vec::new();
        for sql in statements(workload) {
            prepared.push(client.prepare(sql).await?);
        }
        Ok(Connected { client, statements: prepared })
    }
}

impl Client {
    pub(super) async fn connect(url: &Arc<str>, workload: Workload) -> Result<Client, Failure> {
        let connection = Connected::open(url, workload).await;
        let connection = connection.map_err(|error| cannot_connect(url, &error))?;
        Ok(Client { url: url.clone(), workload, random: StdRng::from_os_rng(), connection })
    }

    /// Runs one request: a statement, or a transaction of several.
    pub(super) async fn request(&mut self) -> Result<(), Error> {
        let Connected { client, statements } = &mut self.connection;
        match Request::draw(self.workload, &mut self.random) {
            Request::Read { id } => client.query_one(&statements[0], &[&id]).await.map(|_| ()),
            Request::Update { id, value } => {
                let value = format!("value {value:020}");
                client.execute(&statements[1], &[&id, &value]).await.map(|_| ())
            }
            Request::Transfer { account, teller, branch, delta } => {
                let transaction = client.transaction().await?;
                transaction.execute(&statements[0], &[&account, &delta]).await?;
                transaction.query_one(&statements[1], &[&account]).await?;
                transaction.execute(&statements[2], &[&teller, &delta]).await?;
                transaction.execute(&statements[3], &[&branch, &delta]).await?;
                let row: [&(dyn ToSql + Sync); 4] = [&teller, &branch, &account, &delta];
                transaction.execute(&statements[4], &row).await?;
                transaction.commit().await
            }
        }
    }

    /// After an error: a new connection if the old one is gone, for as long as the run lasts.
    pub(super) async fn recover(&mut self, end: Instant) {
        while self.connection.client.is_closed() && Instant::now() < end {
            tokio::time::sleep(RECONNECT_PAUSE).await;
            if let Ok(connection) = Connected::open(&self.url, self.workload).await {
                self.connection = connection;
            }
        }
    }
}

pub(super) fn cannot_connect(url: &str, error: &Error) -> Failure {
    Failure::new(format!("{url}: {}", describe(error)))
}

/// An error in one line: the server's words if it has any, else the whole chain.
pub(super) fn describe(error: &Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!("{} ({})", answer.message(), answer.code().code());
    }
    let mut line = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}
