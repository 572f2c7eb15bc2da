//! Whether a node takes a key, and by which key it answers, without being anybody's link.
//!
//! Upon a knock: TLS is made as somebody, and the first byte is waited for. A node greets whoever it takes; whom it does not take it
//!   closes. Nobody says hello, so no link of the same peer is disturbed.

use crate::tls;
use rustls::ClientConfig;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What came of a knock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Knock {
    /// Both took the other's key.
    Taken,
    /// One of them did not.
    Refused,
    /// Nobody answered.
    Unreachable,
}

/// Knocks at `address` by `config` ([`tls::client_config`]), and waits for `longest` at each step.
#[must_use]
pub fn knock(address: SocketAddr, config: &Arc<ClientConfig>, longest: Duration) -> Knock {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, longest) else { return Knock::Unreachable };
    let timeouts = stream.set_read_timeout(Some(longest)).and(stream.set_write_timeout(Some(longest)));
    let (Ok(()), Ok(mut tls)) = (timeouts, tls::connect(config)) else { return Knock::Unreachable };
    match rustls::Stream::new(&mut tls, &mut stream).read(&mut [0]) {
        Ok(1..) => Knock::Taken,
        // Closed without a word, or with one of TLS.
        Ok(0) => Knock::Refused,
        Err(error) if error.kind() == ErrorKind::InvalidData => Knock::Refused,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Knock::Refused,
        Err(_) => Knock::Unreachable,
    }
}
