//! Who waits at a listener that says only once that somebody came.
//!
//! Upon word that somebody came ([`Listening::told`]): it is looked at, once in each turn, until nobody waits any more.
//! Upon a system that could give us no connection: it is looked at again a while later.
//!
//! How many are taken in within one turn, and who makes room for them, is up to whoever listens.

use core::time::Duration;
use mio::net::{TcpListener, TcpStream};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Instant;

/// The pause after the system could give us no connection: it has no descriptor left, and says so as often as it is asked.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Who came.
#[derive(Debug)]
pub enum Came {
    /// Somebody, from there.
    Somebody(TcpStream, SocketAddr),
    /// One that has given up already, or a signal: the next one may do.
    Gone,
    /// Nobody more, for now.
    Nobody,
}

/// A listener, registered by whoever owns it.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    /// Somebody may wait: from when on that is to be looked at.
    due: Option<Instant>,
}

impl Listening {
    /// Nobody has come yet.
    #[must_use]
    pub fn new(listener: TcpListener) -> Listening {
        Listening { listener, due: None }
    }

    /// Where it listens, if that is known.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// The system says that somebody came.
    pub fn told(&mut self, now: Instant) {
        self.due = Some(now);
    }

    /// When it is to be looked at next, if somebody may wait.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The next one that waits; nobody before it is due.
    pub fn next(&mut self, now: Instant) -> Came {
        if self.due.is_none_or(|due| due > now) {
            return Came::Nobody;
        }
        match self.listener.accept() {
            Ok((stream, from)) => Came::Somebody(stream, from),
            Err(error) => match error.kind() {
                ErrorKind::ConnectionAborted | ErrorKind::Interrupted => Came::Gone,
                ErrorKind::WouldBlock => {
                    self.due = None;
                    Came::Nobody
                }
                _ => {
                    self.due = Some(now + AGAIN_AFTER);
                    Came::Nobody
                }
            },
        }
    }
}
