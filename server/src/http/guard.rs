//! Who may use the debug endpoints, which read and write rows without asking SQL.

use super::{HttpState, Refusal};
use axum::http::{HeaderMap, StatusCode, header};
use std::net::{IpAddr, SocketAddr};

/// Passes loopback and bearers of the token.
///
/// A browser on this machine is loopback as well, and any page may make it send requests: a name
/// other than this machine's in `Host`, or an `Origin`, gives such a request away.
pub(super) fn check(
    node: &dyn HttpState,
    address: SocketAddr,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let is_local = address.ip().to_canonical().is_loopback()
        && !headers.contains_key(header::ORIGIN)
        && header(headers, header::HOST).is_none_or(is_own_name);
    let bearer = header(headers, header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
    let has_token = match (node.token(), bearer) {
        (Some(token), Some(bearer)) => !token.is_empty() && is_same(&token, bearer),
        _ => false,
    };
    if is_local || has_token {
        return Ok(());
    }
    let reason = "debug endpoints are open to loopback and to the bearer of the token only";
    Err(Refusal(StatusCode::FORBIDDEN, reason.into()))
}

fn header(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// An address, or `localhost`, with or without a port.
fn is_own_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok()
}

/// Compares in a time that does not depend on where two texts differ.
fn is_same(left: &str, right: &str) -> bool {
    let difference = left.bytes().zip(right.bytes()).fold(0, |sum, (l, r)| sum | (l ^ r));
    left.len() == right.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_own_name(host), expected, "{host}");
        }
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(is_same("secret", "secret"));
        for other in ["", "secre", "secrets", "sEcret"] {
            assert!(!is_same("secret", other), "{other}");
        }
    }
}
