//! The words of FTP: commands, and the ports that commands and replies name.
//!
//! Promises: a command is known wherever it stands in its line and however it is written, as servers are as
//! lenient; what names a port is read as strictly as servers read it.

use core::net::{IpAddr, Ipv4Addr};

/// A command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Command(&'static str);

impl Command {
    pub(super) const PORT: Command = Command("PORT");
    pub(super) const EPRT: Command = Command("EPRT");
    pub(super) const PASV: Command = Command("PASV");
    pub(super) const EPSV: Command = Command("EPSV");
    pub(super) const RETR: Command = Command("RETR");
    pub(super) const STOR: Command = Command("STOR");
    pub(super) const PASS: Command = Command("PASS");

    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        self.0
    }

    /// The command in a line: the one that ends first.
    pub(super) fn find(line: &[u8]) -> Option<Command> {
        let ends_with = |start: &[u8], name: &str| {
            let from = start.len().checked_sub(name.len());
            from.and_then(|from| start.get(from..))
                .is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        (SHORTEST..=line.len()).find_map(|end| {
            let start = line.get(..end)?;
            COMMANDS.iter().find(|name| ends_with(start, name)).map(|name| Command(name))
        })
    }
}

const SHORTEST: usize = 3;

/// All of them.
const COMMANDS: &[&str] = &[
    "PORT", "EPRT", "PASV", "EPSV", "RETR", "STOR", "ABOR", "ACCT", "ALLO", "APPE", "CDUP", "CHMOD", "CWD",
    "DELE", "HELP", "IDLE", "LIST", "MAIL", "MDTM", "MKD", "MLFL", "MLSD", "MODE", "MRCP", "MRSQ", "MSAM",
    "MSND", "MSOM", "NLST", "NOOP", "PASS", "PWD", "QUIT", "REIN", "REST", "RMD", "RNFR", "RNTO", "SITE",
    "SIZE", "SMNT", "STAT", "STOU", "STRU", "SYST", "TYPE", "UMASK", "USER",
];

/// The port that `PORT 192,0,2,1,200,7` names.
pub(super) fn active(line: &[u8]) -> Option<u16> {
    let list = skip_spaces(line.strip_prefix(b"PORT")?);
    let (first, rest) = digits(list)?;
    let rest = skip_spaces(rest);
    digits_value(first)?;
    let mut rest = rest.strip_prefix(b",")?;
    for _ in 0..3 {
        rest = digits(rest)?.1.strip_prefix(b",")?;
    }
    port(rest).map(|(port, _)| port)
}

/// The address that it names; octets beyond 255 are none.
pub(super) fn active_address(line: &[u8]) -> Option<IpAddr> {
    let start = line.iter().position(u8::is_ascii_digit)?;
    let mut octets = [0u8; 4];
    let mut rest = line.get(start..)?;
    for octet in &mut octets {
        let (number, after) = digits(rest)?;
        *octet = u8::try_from(digits_value(number)?).ok()?;
        rest = skip_spaces(after).strip_prefix(b",")?;
    }
    Some(IpAddr::V4(Ipv4Addr::from(octets)))
}

/// The port that `EPRT |1|192.0.2.1|51207|` names.
pub(super) fn extended_active(line: &[u8]) -> Option<u16> {
    let mut parts = line.strip_prefix(b"EPRT")?.splitn(5, |byte| *byte == b'|').skip(1);
    let port = parts.nth(2)?;
    // There has to be a bar behind it.
    parts.next()?;
    whole_port(port)
}

/// The port that `227 … (192,0,2,1,200,7)` names.
pub(super) fn passive(line: &[u8]) -> Option<u16> {
    let list = line.strip_prefix(b"227")?;
    let open = list.iter().position(|byte| *byte == b'(')?;
    let mut rest = list.get(open + 1..)?;
    for _ in 0..4 {
        rest = digits(rest)?.1.strip_prefix(b",")?;
    }
    let (port, rest) = port(rest)?;
    rest.starts_with(b")").then_some(port)
}

/// The port that `229 … (|||51207|)` names.
pub(super) fn extended_passive(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"229")?;
    let bars = rest.windows(3).position(|window| window == b"|||")?;
    let rest = rest.get(bars + 3..)?;
    let end = rest.iter().position(|byte| *byte == b'|')?;
    rest.get(end..)?.strip_prefix(b"|)")?;
    whole_port(rest.get(..end)?)
}

/// Two numbers of a byte each, and what follows them; spaces may stand around them.
fn port(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (high, rest) = digits(skip_spaces(bytes))?;
    let rest = skip_spaces(rest).strip_prefix(b",")?;
    let (low, rest) = digits(skip_spaces(rest))?;
    let byte = |number| u8::try_from(digits_value(number)?).ok();
    let port = u16::from_be_bytes([byte(high)?, byte(low)?]);
    (port != 0).then_some((port, skip_spaces(rest)))
}

fn whole_port(bytes: &[u8]) -> Option<u16> {
    u16::try_from(digits_value(bytes.trim_ascii())?).ok().filter(|port| *port != 0)
}

/// One digit or more, and what follows them.
fn digits(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(())?;
    bytes.split_at_checked(count)
}

fn digits_value(bytes: &[u8]) -> Option<u32> {
    core::str::from_utf8(bytes).ok()?.parse().ok()
}

fn skip_spaces(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}
