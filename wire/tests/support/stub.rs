//! A session that knows just enough to exercise the protocol: the empty statement, BEGIN, BOGUS (a
//! syntax error) and COPY … FROM STDIN.

use std::collections::BTreeMap;
use wire::{
    CancelKey, Connection, CopyFormat, ErrorFields, Format, FrontendEvent, Limits, Recovery,
    Severity, Target, TransactionStatus, WireError, Writer,
};

fn is_known(sql: &str) -> bool {
    sql.is_empty() || sql == "BEGIN" || sql.starts_with("COPY")
}

/// Connection, writer, and the little that a session remembers.
pub(crate) struct Stub {
    connection: Connection,
    writer: Writer,
    sent: Vec<u8>,
    status: TransactionStatus,
    statements: BTreeMap<String, String>,
    portals: BTreeMap<String, String>,
    copies_extended: bool,
    is_closed: bool,
}

impl Stub {
    /// Feeds the bytes in pieces and sums up the answer as `record.py` does.
    pub(crate) fn run(bytes: &[u8], piece: usize) -> String {
        let mut stub = Stub {
            connection: Connection::new(Limits::default()),
            writer: Writer::new(),
            sent: Vec::new(),
            status: TransactionStatus::Idle,
            statements: BTreeMap::new(),
            portals: BTreeMap::new(),
            copies_extended: false,
            is_closed: false,
        };
        for piece in bytes.chunks(piece.min(bytes.len().max(1))) {
            stub.connection.feed(piece);
            stub.drain();
        }
        stub.summary()
    }

    fn drain(&mut self) {
        while !self.is_closed {
            match self.connection.next_event() {
                Ok(Some(event)) => self.handle(event),
                Ok(None) => return,
                Err(error) => self.protocol_error(&error),
            }
        }
    }

    fn protocol_error(&mut self, error: &WireError) {
        self.writer.error(&error.fields);
        self.flush();
        match error.recovery {
            Recovery::Close => self.is_closed = true,
            Recovery::SkipUntilSync => self.fail_transaction(),
            Recovery::Ready => {
                self.fail_transaction();
                self.ready();
            }
        }
    }

    fn handle(&mut self, event: FrontendEvent) {
        match event {
            FrontendEvent::SslRequest | FrontendEvent::GssRequest => {
                self.writer.encryption_refused();
                self.flush();
            }
            FrontendEvent::Cancel(_) | FrontendEvent::Terminate => self.is_closed = true,
            FrontendEvent::Startup(startup) => {
                self.connection.authenticated();
                if let Some(options) = &startup.negotiate {
                    self.writer.negotiate_protocol_version(options);
                }
                self.writer.authentication_ok();
                self.writer.backend_key_data(CancelKey { process: 1, secret: 2 });
                self.ready();
            }
            FrontendEvent::Query(sql) => self.query(&sql),
            FrontendEvent::Parse(parse) if !is_known(&parse.sql) => self.fail("42601"),
            FrontendEvent::Parse(parse) => {
                self.statements.insert(parse.name, parse.sql);
                self.writer.parse_complete();
            }
            FrontendEvent::Bind(bind) => match self.statements.get(&bind.statement) {
                Some(sql) => {
                    self.portals.insert(bind.portal, sql.clone());
                    self.writer.bind_complete();
                }
                None => self.fail("26000"),
            },
            FrontendEvent::Describe(target) => self.describe(&target),
            FrontendEvent::Execute(execute) => match self.portals.get(&execute.portal) {
                Some(sql) if sql.is_empty() => self.writer.empty_query_response(),
                Some(_) => self.copy(true),
                None => self.fail("34000"),
            },
            FrontendEvent::Close(target) => {
                match target {
                    Target::Statement(name) => self.statements.remove(&name),
                    Target::Portal(name) => self.portals.remove(&name),
                };
                self.writer.close_complete();
            }
            FrontendEvent::Flush => self.flush(),
            FrontendEvent::Sync => self.ready(),
            FrontendEvent::CopyData(_) => {}
            FrontendEvent::CopyDone => {
                self.writer.command_complete("COPY 1").expect("short");
                if !self.copies_extended {
                    self.ready();
                }
            }
            FrontendEvent::CopyFail(_) => self.fail("57014"),
        }
    }

    /// A simple query takes the place of the unnamed statement and portal.
    fn query(&mut self, sql: &str) {
        self.statements.remove("");
        self.portals.remove("");
        match sql {
            "" => self.writer.empty_query_response(),
            "BEGIN" => {
                self.status = TransactionStatus::Transaction;
                self.writer.command_complete("BEGIN").expect("short");
            }
            copy if copy.starts_with("COPY") => return self.copy(false),
            _ => return self.fail("42601"),
        }
        self.ready();
    }

    fn copy(&mut self, is_extended: bool) {
        self.copies_extended = is_extended;
        self.writer.copy_in_response(CopyFormat { format: Format::Text, columns: 1 });
        self.connection.enter_copy_in();
        self.flush();
    }

    fn describe(&mut self, target: &Target) {
        let (known, code) = match target {
            Target::Statement(name) => (self.statements.contains_key(name), "26000"),
            Target::Portal(name) => (self.portals.contains_key(name), "34000"),
        };
        if !known {
            return self.fail(code);
        }
        if matches!(target, Target::Statement(_)) {
            self.writer.parameter_description(&[]).expect("short");
        }
        self.writer.no_data();
    }

    fn fail(&mut self, code: &'static str) {
        self.writer.error(&ErrorFields::new(Severity::Error, code, "no"));
        self.flush();
        self.fail_transaction();
        if self.connection.statement_failed() {
            self.ready();
        }
    }

    fn fail_transaction(&mut self) {
        self.portals.clear();
        if self.status == TransactionStatus::Transaction {
            self.status = TransactionStatus::Error;
        }
    }

    fn ready(&mut self) {
        if self.status == TransactionStatus::Idle {
            self.portals.clear();
        }
        self.writer.ready_for_query(self.status);
        self.flush();
    }

    fn flush(&mut self) {
        self.sent.extend_from_slice(self.writer.bytes());
        self.writer.clear();
    }

    fn summary(&self) -> String {
        let mut words = super::scenario::words(&self.sent);
        words.push(if self.is_closed { "closed" } else { "open" }.into());
        words.join(" ")
    }
}
