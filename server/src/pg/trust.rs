//! Who may connect. There are no passwords yet, so a client is trusted by where it connects from.

use serde::Deserialize;
use std::net::IpAddr;

/// The peers that are let in.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// This machine.
    Loopback,
    /// Private networks too: containers and machines behind the same router.
    Private,
    /// Everybody who can reach the port.
    Any,
}

impl Trust {
    /// True for a peer that needs no further proof.
    pub(crate) fn admits(self, peer: IpAddr) -> bool {
        let is_private = |peer: IpAddr| match peer {
            IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
        };
        let peer = peer.to_canonical();
        match self {
            Trust::Loopback => peer.is_loopback(),
            Trust::Private => peer.is_loopback() || is_private(peer),
            Trust::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_let_in_by_where_they_come_from() {
        let cases = [
            ("127.0.0.1", [true, true, true]),
            ("::1", [true, true, true]),
            ("::ffff:127.0.0.1", [true, true, true]),
            ("172.18.0.5", [false, true, true]),
            ("192.168.1.7", [false, true, true]),
            ("fd00::7", [false, true, true]),
            ("203.0.113.9", [false, false, true]),
            ("::ffff:203.0.113.9", [false, false, true]),
            ("2001:db8::1", [false, false, true]),
        ];
        for (peer, expected) in cases {
            let peer: IpAddr = peer.parse().expect("an address");
            let admitted = [Trust::Loopback, Trust::Private, Trust::Any].map(|t| t.admits(peer));
            assert_eq!(admitted, expected, "{peer}");
        }
    }
}
