//! Connections that look like logins that failed, where the protocol hides whether they did.
//!
//! Promises a judgement by shape alone: short, small, and of a service that is used otherwise. Servers that say in clear that they refuse are heard by their
//! parsers (`Context::refuses_login`), not here.

use crate::Direction;
use crate::app::ProtocolId;

/// The shape of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) port: u16,
    pub(crate) spoken: Option<ProtocolId>,
    /// Bytes said to the server and to the client.
    pub(crate) bytes: [u64; 2],
    /// How long it lasted.
    pub(crate) nanoseconds: u64,
    /// Who ended it.
    pub(crate) ended_by: Option<Direction>,
}

/// A service, and how a failed login on it looks.
struct Service {
    name: &'static str,
    port: u16,
    spoken: Option<ProtocolId>,
    /// The client says so much, or it did not get as far as to a login.
    client_bytes_min: u64,
    /// Beyond this the session was used.
    client_bytes_max: u64,
    server_bytes_max: u64,
    /// Only a server that refuses ends it; a client that is done says good-bye.
    server_ends: bool,
}

/// Of SSH, measured with OpenSSH 9.2: a client whose password is refused has said 3.1 kB and heard 3.0 kB, and each further password is some 150 and 60 bytes; the shortest
/// session, of the command `true`, is 3.7 kB and 4.1 kB, since it brings the server's other host keys and a channel.
/// Of RDP: a refused login is the certificate and a few messages; a desktop is a hundred times more.
/// Of MySQL and SQL Server: a greeting, one answer to it, one error, and the server hangs up.
const SERVICES: &[Service] = &[
    Service {
        name: "ssh",
        port: 22,
        spoken: Some(ProtocolId::Ssh),
        client_bytes_min: 600,
        client_bytes_max: 5_000,
        server_bytes_max: 3_500,
        server_ends: false,
    },
    Service {
        name: "rdp",
        port: 3389,
        spoken: Some(ProtocolId::Rdp),
        client_bytes_min: 200,
        client_bytes_max: 8_000,
        server_bytes_max: 8_000,
        server_ends: false,
    },
    Service {
        name: "telnet",
        port: 23,
        spoken: Some(ProtocolId::Telnet),
        client_bytes_min: 4,
        client_bytes_max: 1_000,
        server_bytes_max: 2_000,
        server_ends: true,
    },
    Service {
        name: "mysql",
        port: 3306,
        spoken: None,
        client_bytes_min: 30,
        client_bytes_max: 500,
        server_bytes_max: 500,
        server_ends: true,
    },
    Service {
        name: "mssql",
        port: 1433,
        spoken: None,
        client_bytes_min: 30,
        client_bytes_max: 2_000,
        server_bytes_max: 5_000,
        server_ends: true,
    },
];

/// The service at which a login seems to have failed.
pub(crate) fn failed_login(shape: &Shape, seconds_max: u64) -> Option<&'static str> {
    if shape.nanoseconds > seconds_max.saturating_mul(1_000_000_000) {
        return None;
    }
    let service = SERVICES.iter().find(|service| match shape.spoken {
        Some(spoken) => service.spoken == Some(spoken),
        None => service.port == shape.port,
    })?;
    let [to_server, to_client] = shape.bytes;
    let is_one = (service.client_bytes_min..=service.client_bytes_max).contains(&to_server)
        && (1..=service.server_bytes_max).contains(&to_client)
        && (!service.server_ends || shape.ended_by == Some(Direction::ToClient));
    is_one.then_some(service.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Shape = Shape {
        port: 22,
        spoken: Some(ProtocolId::Ssh),
        bytes: [2_200, 2_400],
        nanoseconds: 2_000_000_000,
        ended_by: Some(Direction::ToServer),
    };

    #[test]
    fn a_short_conversation_is_a_failed_login_and_one_that_was_used_is_none() {
        assert_eq!(failed_login(&SHORT, 30), Some("ssh"));
        assert_eq!(failed_login(&Shape { port: 2222, ..SHORT }, 30), Some("ssh"));
        assert_eq!(failed_login(&Shape { bytes: [2_200, 9_000], ..SHORT }, 30), None);
        assert_eq!(failed_login(&Shape { nanoseconds: 31_000_000_000, ..SHORT }, 30), None);
        // A monitor reads the banner, says its own and leaves.
        assert_eq!(failed_login(&Shape { bytes: [23, 40], ..SHORT }, 30), None);
        assert_eq!(failed_login(&Shape { port: 443, spoken: Some(ProtocolId::Tls), ..SHORT }, 30), None);
    }

    #[test]
    fn a_database_that_hangs_up_refused_and_a_client_that_hangs_up_is_done() {
        let refused = Shape {
            port: 3306,
            spoken: None,
            bytes: [120, 160],
            ended_by: Some(Direction::ToClient),
            ..SHORT
        };
        assert_eq!(failed_login(&refused, 30), Some("mysql"));
        assert_eq!(failed_login(&Shape { ended_by: Some(Direction::ToServer), ..refused }, 30), None);
    }
}
