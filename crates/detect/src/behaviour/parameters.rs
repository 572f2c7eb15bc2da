//! What can be set, and what holds if nothing is: one list, from which the struct, the names in files and the table in `docs/behaviour.md` are made.
//!
//! Promises that each value has a name, a default, a range and a reason, and that a value out of range is refused by its name. Does not read files.

use crate::Complaint;
use core::net::IpAddr;

/// Senders that may be named as exempt at most.
pub const EXEMPT_MAX: usize = 1024;

/// What there is to say of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParameterText {
    /// Its name, in the struct and in files.
    pub name: &'static str,
    /// What holds if nothing is set.
    pub default: u64,
    /// The smallest and the largest value.
    pub range: (u64, u64),
    /// What it means.
    pub meaning: &'static str,
    /// Why the default is what it is.
    pub why: &'static str,
}

macro_rules! parameters {
    ($($name:ident = $default:literal, $low:literal ..= $high:literal, $meaning:literal, $why:literal;)*) => {
        /// What behaviour detection goes by.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Parameters {
            $(#[doc = $meaning] pub $name: u64,)*
            /// Senders that are never told of: scanners and monitors of one's own. Address and length of the prefix.
            pub exempt: Vec<(IpAddr, u8)>,
        }

        impl Default for Parameters {
            fn default() -> Self {
                Parameters { $($name: $default,)* exempt: Vec::new() }
            }
        }

        /// All parameters that are numbers, in the order of the documentation.
        pub const PARAMETERS: &[ParameterText] = &[$(ParameterText {
            name: stringify!($name), default: $default, range: ($low, $high), meaning: $meaning, why: $why,
        },)*];

        impl Parameters {
            fn place(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)*
                    _ => None,
                }
            }
        }
    };
}

parameters! {
    answer_wait_seconds = 3, 1..=30,
        "How long an answer is waited for before an attempt counts as unanswered.",
        "A SYN is repeated after one second and once more after three; who answers at all has answered by then.";
    failed_share_percent = 75, 50..=100,
        "So many of the attempts that settled must have failed, for scans, sweeps and floods of half-open or silent connections.",
        "Jung et al. found that a benign source succeeds at 80 % of its first contacts, a scanner at less than 20 %; 75 % failed at 20 attempts is odds of more than 4^13.";
    scan_ports = 20, 3..=1024,
        "Distinct ports of one host at which one source failed: a port scan (SYN, connect, ACK, Maimon, UDP).",
        "The quickest scan that people run asks 100 ports; no client needs 20 closed ones of the same host.";
    stealth_ports = 5, 2..=1024,
        "Distinct ports of one host that one source sent segments to that no TCP sends: FIN, NULL and XMAS scans.",
        "They have no ordinary use at all; a few may come of a broken device.";
    protocols = 8, 2..=256,
        "Distinct unusual IP protocols that one source tried on one host: a scan of protocols.",
        "What is in use (tunnels, IPsec, routing) is not counted.";
    scan_window_seconds = 300, 1..=2592000,
        "In how long a time the failures of a scan must come, from its first.",
        "One probe in 15 seconds is still found. Longer windows find slower scans, and need more room.";
    sweep_hosts = 20, 3..=1024,
        "Distinct hosts at which one source failed on the same port, or that did not answer its ping: a sweep.",
        "As for ports; a source with a few dead peers stays far below.";
    sweep_window_seconds = 300, 1..=2592000,
        "In how long a time the failures of a sweep must come.",
        "As for scans.";
    network_groups = 3, 2..=64,
        "Scans and sweeps of one source that are told one by one; from the next on they are one scan of the network.",
        "Ports times hosts would be as many alerts.";
    flood_window_seconds = 10, 1..=600,
        "The time over which floods are counted.",
        "Long enough to level bursts, short enough to be told while it matters.";
    syn_flood_half_open = 500, 10..=10000000,
        "Connections to one port of one host that were asked for and never completed, in the window: a SYN flood.",
        "50 a second fill the queue of a listener with ordinary settings within seconds; clients of a server that is down rarely come so fast.";
    connection_flood_silent = 300, 10..=10000000,
        "Connections to one port of one host that were completed and on which the client says nothing, in the window: a connection flood.",
        "Checks of health do this too, some times in a second at most.";
    connection_flood_from_one = 2000, 10..=10000000,
        "Connections of one source to one port of one host, in the window, whatever is said on them: a connection flood.",
        "200 a second from one source; a load balancer that does so belongs into `exempt`.";
    udp_flood_packets = 50000, 100..=1000000000,
        "Packets to one host over UDP that are hardly answered, in the window: a UDP flood.",
        "5,000 a second; streams that go one way are mostly slower, and downloads are acknowledged.";
    icmp_flood_packets = 5000, 100..=1000000000,
        "ICMP echo requests to one host, in the window, answered or not: an ICMP flood.",
        "500 a second: no monitor needs them.";
    udp_unanswered_percent = 95, 50..=100,
        "So many of the packets of a UDP flood must have no answer.",
        "The acknowledgements of a QUIC upload are at least a tenth of its packets.";
    login_failures = 10, 2..=1024,
        "Logins that servers refused one source, over one protocol, on any number of hosts: brute force.",
        "People mistype three times; a mail client with an old password tries once a minute.";
    login_connections = 20, 3..=1024,
        "Short connections of one source to a service of one host that look like logins that failed, where the protocol hides it: brute force.",
        "Whom a script calls up so often in so little time is told by the bytes: a session that is used has more of them.";
    login_window_seconds = 120, 1..=2592000,
        "In how long a time the failures of a brute force attack must come.",
        "One attempt in six seconds is still found.";
    login_seconds_max = 30, 1..=600,
        "How long a connection may last to count as a login that failed.",
        "Servers end a login after two minutes at the latest, guessers much earlier.";
    group_silence_seconds = 300, 1..=2592000,
        "After so long a silence a group is over, and its sum is told.",
        "A scan that pauses for less is still the same one.";
    group_seconds = 3600, 10..=2592000,
        "A group that goes on is told again after so long.",
        "Who looks at the last hour sees that it goes on.";
}

impl Parameters {
    /// Sets the parameter of this name.
    ///
    /// # Errors
    ///
    /// There is none of this name, or the value is out of its range: the words say which there are, or which range.
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), Complaint> {
        let Some(text) = PARAMETERS.iter().find(|text| text.name == name) else {
            let names: Vec<&str> = PARAMETERS.iter().map(|text| text.name).collect();
            return Err(Complaint::new(format!(
                "there is no '{name}'; there are: exempt, {}",
                names.join(", ")
            )));
        };
        let (low, high) = text.range;
        if !(low..=high).contains(&value) {
            return Err(Complaint::new(format!("{name} = {value}: it is from {low} to {high}")));
        }
        if let Some(place) = self.place(name) {
            *place = value;
        }
        Ok(())
    }

    /// Exempts a sender, or all of a network: `192.0.2.1`, `2001:db8::/32`.
    ///
    /// # Errors
    ///
    /// That is no address and no network, or there are too many.
    pub fn exempt(&mut self, written: &str) -> Result<(), Complaint> {
        let wrong = || {
            Complaint::new(format!(
                "exempt: '{written}' is neither an address nor a network like 192.0.2.0/24"
            ))
        };
        if self.exempt.len() >= EXEMPT_MAX {
            return Err(Complaint::new(format!("exempt: more than {EXEMPT_MAX} networks")));
        }
        let (address, length) = match written.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u8>().map_err(|_| wrong())?)),
            None => (written, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(longest);
        if length > longest {
            return Err(wrong());
        }
        self.exempt.push((address, length));
        Ok(())
    }

    /// Whether this sender is exempt.
    pub(crate) fn exempts(&self, sender: IpAddr) -> bool {
        self.exempt.iter().any(|(network, length)| match (network, sender) {
            (IpAddr::V4(network), IpAddr::V4(sender)) => {
                let shift = 32 - u32::from(*length);
                u64::from(u32::from(*network)) >> shift == u64::from(u32::from(sender)) >> shift
            }
            (IpAddr::V6(network), IpAddr::V6(sender)) => {
                let differing = u128::from(*network) ^ u128::from(sender);
                differing.leading_zeros() >= u32::from(*length)
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_its_range_and_a_name_that_is_none_are_refused_by_name() {
        let mut parameters = Parameters::default();
        assert_eq!(parameters.set("scan_ports", 50), Ok(()));
        assert_eq!(parameters.scan_ports, 50);
        assert!(parameters.set("scan_ports", 1).is_err_and(|error| error.0.contains("from 3 to 1024")));
        assert!(parameters.set("scan_port", 50).is_err_and(|error| error.0.contains("scan_ports")));
    }

    #[test]
    fn every_default_is_within_its_range_and_every_name_can_be_set() {
        for text in PARAMETERS {
            let mut parameters = Parameters::default();
            assert_eq!(parameters.set(text.name, text.default), Ok(()), "{}", text.name);
            assert_eq!(parameters, Parameters::default(), "{}", text.name);
            assert_eq!(parameters.set(text.name, text.range.1), Ok(()));
            assert_ne!(parameters, Parameters::default(), "{}", text.name);
        }
    }

    #[test]
    fn networks_exempt_whom_they_hold() {
        let mut parameters = Parameters::default();
        for network in ["192.0.2.0/24", "198.51.100.7", "2001:db8::/33", "10.0.0.0/8"] {
            assert_eq!(parameters.exempt(network), Ok(()));
        }
        for network in ["192.0.2.0/33", "here", "1.2.3/8", "::/129", "1.2.3.4/"] {
            assert!(parameters.exempt(network).is_err(), "{network}");
        }
        let exempts = |address: &str| parameters.exempts(address.parse().expect("an address"));
        assert!(
            exempts("192.0.2.255")
                && exempts("198.51.100.7")
                && exempts("2001:db8:7fff::1")
                && exempts("10.9.8.7")
        );
        assert!(
            !exempts("192.0.3.0")
                && !exempts("198.51.100.8")
                && !exempts("2001:db8:8000::1")
                && !exempts("11.0.0.0")
        );
        assert_eq!(parameters.exempt("0.0.0.0/0"), Ok(()));
        assert!(parameters.exempts("8.8.8.8".parse().expect("an address")));
    }

    #[test]
    fn the_documentation_has_every_parameter_as_it_is() {
        let page = include_str!("../../../../docs/behaviour.md");
        for text in PARAMETERS {
            let row = format!(
                "| `{}` | {} | {} to {} | {} | {} |",
                text.name, text.default, text.range.0, text.range.1, text.meaning, text.why
            );
            assert!(page.contains(&row), "docs/behaviour.md should have the line\n{row}");
        }
    }
}
