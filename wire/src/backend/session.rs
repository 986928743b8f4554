//! What a client learns when its session begins, and between statements.

use super::{MessageTooLong, Writer, put_text};
use crate::startup::CancelKey;
use bytes::BufMut;
use pgwire::messages::response::{SslResponse, TransactionStatus};
use pgwire::messages::startup::{
    Authentication, BackendKeyData, NegotiateProtocolVersion, SecretKey,
};

impl Writer {
    /// No to SSLRequest and GSSENCRequest alike: one byte, no frame.
    pub fn encryption_refused(&mut self) {
        self.message(SslResponse::Refuse);
    }

    /// The peer is who it says.
    pub fn authentication_ok(&mut self) {
        self.message(Authentication::Ok);
    }

    /// This server's newest minor version, and the options it did not know.
    pub fn negotiate_protocol_version(&mut self, unknown_options: &[String]) {
        self.message(NegotiateProtocolVersion::new(0, unknown_options.to_vec()));
    }

    /// The key by which the session can be cancelled.
    pub fn backend_key_data(&mut self, key: CancelKey) {
        self.message(BackendKeyData::new(key.process, SecretKey::I32(key.secret)));
    }

    /// A setting that drivers watch.
    pub fn parameter_status(&mut self, name: &str, value: &str) -> Result<(), MessageTooLong> {
        self.framed(b'S', |out| {
            put_text(out, name);
            put_text(out, value);
        })
    }

    /// The next statement may come.
    pub fn ready_for_query(&mut self, status: TransactionStatus) {
        self.out.put_slice(&[b'Z', 0, 0, 0, 5, status as u8]);
    }

    /// An asynchronous notification.
    pub fn notification(
        &mut self,
        process: i32,
        channel: &str,
        payload: &str,
    ) -> Result<(), MessageTooLong> {
        self.framed(b'A', |out| {
            out.put_i32(process);
            put_text(out, channel);
            put_text(out, payload);
        })
    }
}
