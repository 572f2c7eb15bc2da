//! The keywords of SSH.

use super::SshTransaction;
use crate::app::{Buffer, Family, Field, Keyword, Letters, ProtocolId, Sides, Takes, Test, Verdict};
use crate::{Complaint, Direction};

pub(super) const PROTO: Field = Field::new(Family::Ssh, 0);
pub(super) const SOFTWARE: Field = Field::new(Family::Ssh, 1);
pub(super) const HASSH: Field = Field::new(Family::Ssh, 2);
pub(super) const HASSH_STRING: Field = Field::new(Family::Ssh, 3);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Ssh];

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("ssh.proto", PROTO, Sides::Both),
    buffer("ssh_proto", PROTO, Sides::Both),
    buffer("ssh.software", SOFTWARE, Sides::Both),
    buffer("ssh_software", SOFTWARE, Sides::Both),
    digest("ssh.hassh", Sides::ToServer),
    digest("ssh-hassh", Sides::ToServer),
    digest("ssh.hassh.server", Sides::ToClient),
    digest("ssh-hassh-server", Sides::ToClient),
    buffer("ssh.hassh.string", HASSH_STRING, Sides::ToServer),
    buffer("ssh-hassh-string", HASSH_STRING, Sides::ToServer),
    buffer("ssh.hassh.server.string", HASSH_STRING, Sides::ToClient),
    buffer("ssh-hassh-server-string", HASSH_STRING, Sides::ToClient),
    Keyword { name: "ssh.protoversion", takes: Takes::Test(protocol_version) },
    Keyword { name: "ssh.softwareversion", takes: Takes::Test(software_version) },
];

const fn buffer(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides, protocols: PROTOCOLS }) }
}

const fn digest(name: &'static str, sides: Sides) -> Keyword {
    Keyword {
        name,
        takes: Takes::Folded(Buffer { field: HASSH, sides, protocols: PROTOCOLS }, Letters::Small),
    }
}

/// The beginning of the protocol's version, or `2_compat` for all that speak version 2.
fn protocol_version(text: &str) -> Result<Test, Complaint> {
    let wanted = unquoted(text);
    if wanted == "2_compat" {
        return Ok(of_banner(|protocol, _| protocol.starts_with(b"2") || protocol.starts_with(b"1.99")));
    }
    let is_version = wanted.starts_with(|first: char| first.is_ascii_digit())
        && wanted.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    if !is_version {
        return Err(Complaint::new(format!("'{text}' is no version of SSH: 2.0 for example, or 2_compat")));
    }
    let wanted = wanted.to_owned();
    Ok(of_banner(move |protocol, _| protocol.starts_with(wanted.as_bytes())))
}

/// The beginning of the software's name.
fn software_version(text: &str) -> Result<Test, Complaint> {
    let wanted = unquoted(text);
    let is_name = wanted.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":.-_+ ".contains(&byte));
    if wanted.is_empty() || !is_name {
        return Err(Complaint::new(format!("'{text}' is no name of software")));
    }
    let wanted = wanted.to_owned();
    Ok(of_banner(move |_, software| software.starts_with(wanted.as_bytes())))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text).trim()
}

/// A test of protocol and software, once they were said.
fn of_banner(holds: impl Fn(&[u8], &[u8]) -> bool + Send + Sync + 'static) -> Test {
    Test::new(Sides::Both, PROTOCOLS, move |exchange: &SshTransaction, direction: Direction| {
        match exchange.banner(direction) {
            Some((protocol, software)) if holds(protocol, software) => Verdict::Holds,
            Some(_) => Verdict::Fails,
            None => Verdict::Open,
        }
    })
}
