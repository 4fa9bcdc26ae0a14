//! What `fer-live serve` is told.
//! In: command-line words. Out: [`ServeOptions`], checked.

use std::net::{SocketAddr, ToSocketAddrs};

use super::security::{Access, random_hex};
use crate::error::LiveError;

/// Options of `fer-live serve` beside those of the model, the detector and `--input`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ServeOptions {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000", value_parser = parse_address)]
    pub address: SocketAddr,
    /// Let other machines in: makes an access token and prints the address that holds it.
    #[arg(long)]
    pub allow_remote: bool,
    /// Open the page in the browser.
    #[arg(long)]
    pub open: bool,
}

impl ServeOptions {
    /// Who may ask: this machine, or whoever knows a new token.
    ///
    /// # Errors
    /// [`LiveError::Config`] for an address beyond this machine without `--allow-remote`,
    /// [`LiveError::Device`] when the system has no randomness for the token.
    pub fn access(&self) -> Result<Access, LiveError> {
        if !self.allow_remote {
            return if self.address.ip().is_loopback() {
                Ok(Access::Loopback)
            } else {
                Err(LiveError::Config(format!(
                    "{}: other machines could reach this address: add --allow-remote to let them in with a token",
                    self.address
                )))
            };
        }
        let token = random_hex().map_err(|error| LiveError::Device {
            device: "access token".to_owned(),
            reason: format!("the system gives no randomness: {error}"),
        })?;
        Ok(Access::Token(token.into()))
    }
}

/// An address, or a name of this machine such as `localhost`, with a port.
fn parse_address(words: &str) -> Result<SocketAddr, String> {
    let found = words.to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| "expected an address and a port, such as 127.0.0.1:8000".to_owned())
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

    fn options(address: &str, allow_remote: bool) -> ServeOptions {
        ServeOptions { address: address.parse().expect("an address"), allow_remote, open: false }
    }

    #[test]
    fn another_address_needs_leave_and_gets_a_token() {
        assert_eq!(options("127.0.0.1:8000", false).access().expect("loopback"), Access::Loopback);
        let error = options("0.0.0.0:8000", false).access().expect_err("no leave").to_string();
        assert!(error.contains("0.0.0.0:8000: ") && error.contains("--allow-remote"), "{error}");
        let Access::Token(first) = options("0.0.0.0:8000", true).access().expect("leave") else {
            panic!("another address without a token");
        };
        assert_eq!(first.len(), 32);
        assert_ne!(options("0.0.0.0:8000", true).access().expect("leave"), Access::Token(first));
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
