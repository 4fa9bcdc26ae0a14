//! Who may ask, and under which address.
//! In: an address, and leave to let others in. Out: [`Access`], and the address to open in a browser.

use std::{net::SocketAddr, sync::Arc};

use crate::{error::WebError, random::random_hex};

/// Who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// This machine only, under its loopback names.
    Loopback,
    /// Anybody who knows the token, under any name.
    Token(Arc<str>),
}

impl Access {
    /// This machine, or with `allow_remote` whoever knows a new token.
    ///
    /// # Errors
    /// [`WebError::Beyond`] for an address beyond this machine without `allow_remote`,
    /// [`WebError::System`] when the system has no randomness for the token.
    pub fn at(address: SocketAddr, allow_remote: bool) -> Result<Self, WebError> {
        if !allow_remote {
            return if address.ip().is_loopback() {
                Ok(Self::Loopback)
            } else {
                Err(WebError::Beyond(address))
            };
        }
        let token =
            random_hex().map_err(|cause| WebError::System { what: "randomness for a token", cause })?;
        Ok(Self::Token(token.into()))
    }
}

/// The address to open in a browser, with the token where there is one.
#[must_use]
pub fn page_address(address: SocketAddr, access: &Access) -> String {
    // A browser cannot open 0.0.0.0 or [::]; on this machine the loopback address is the same server.
    let host = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("[::1]:{}", v6.port()),
        other => other.to_string(),
    };
    match access {
        Access::Loopback => format!("http://{host}/"),
        Access::Token(token) => format!("http://{host}/?token={token}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(address: &str, allow_remote: bool) -> Result<Access, WebError> {
        Access::at(address.parse().expect("an address"), allow_remote)
    }

    #[test]
    fn another_address_needs_leave_and_gets_a_token() {
        assert_eq!(access("127.0.0.1:8000", false).expect("loopback"), Access::Loopback);
        let error = access("0.0.0.0:8000", false).expect_err("no leave").to_string();
        assert!(error.contains("0.0.0.0:8000: ") && error.contains("--allow-remote"), "{error}");
        let Access::Token(first) = access("0.0.0.0:8000", true).expect("leave") else {
            panic!("another address without a token");
        };
        assert_eq!(first.len(), 32);
        assert_ne!(access("0.0.0.0:8000", true).expect("leave"), Access::Token(first));
    }

    #[test]
    fn the_printed_address_can_be_opened() {
        let all = "0.0.0.0:9000".parse().expect("an address");
        assert_eq!(page_address(all, &Access::Loopback), "http://127.0.0.1:9000/");
        let named = "192.168.1.7:9000".parse().expect("an address");
        let token = Access::Token("abc".into());
        assert_eq!(page_address(named, &token), "http://192.168.1.7:9000/?token=abc");
    }
}
