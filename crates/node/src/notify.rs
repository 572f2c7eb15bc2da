//! What a service manager is told: `sd_notify` of systemd, a datagram to the socket that it names.
//!
//! Upon no such socket: nothing. Upon one that does not take it: nothing either; a node must not fall because nobody watches it.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The way to the service manager, if there is one.
#[derive(Debug, Default)]
pub struct Notify {
    way: Option<(UnixDatagram, SocketAddr)>,
}

impl Notify {
    /// As the environment says (`NOTIFY_SOCKET`).
    #[must_use]
    pub fn from_environment() -> Notify {
        std::env::var_os("NOTIFY_SOCKET").map(|name| Notify::to(name.as_bytes())).unwrap_or_default()
    }

    /// To the socket of this name; one that begins with `@` is abstract.
    fn to(name: &[u8]) -> Notify {
        let address = match name {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
            name => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)),
        };
        let socket = UnixDatagram::unbound().and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        Notify { way: socket.ok().zip(address.ok()) }
    }

    /// Says one thing.
    pub fn say(&self, what: &str) {
        if let Some((socket, address)) = &self.way {
            let _ = socket.send_to_addr(what.as_bytes(), address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_manager_hears_what_is_said_and_none_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).expect("the folder is new");
        let notify = Notify::to(path.as_os_str().as_bytes());
        notify.say("READY=1");
        let mut heard = [0; 16];
        let count = manager.recv(&mut heard).expect("it was said");
        assert_eq!(&heard[..count], b"READY=1");
        drop(manager);
        notify.say("STOPPING=1");
        Notify::default().say("READY=1");
    }
}
