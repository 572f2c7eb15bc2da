//! The keywords of FTP and of its data connections.

use super::data::{FtpData, Transfer};
use super::transaction::FtpTransaction;
use crate::Complaint;
use crate::app::{Buffer, Family, Field, Keyword, Number, ProtocolId, Sides, Takes, Test, Verdict};

pub(super) const COMMAND: Field = Field::new(Family::Ftp, 0);
pub(super) const COMMAND_DATA: Field = Field::new(Family::Ftp, 1);
pub(super) const REPLY: Field = Field::new(Family::Ftp, 2);
pub(super) const CODE: Field = Field::new(Family::Ftp, 3);
pub(super) const DYNAMIC_PORT: Field = Field::new(Family::Ftp, 4);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Ftp];

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("ftp.command", COMMAND, Sides::ToServer),
    buffer("ftp.command_data", COMMAND_DATA, Sides::ToServer),
    buffer("ftp.reply", REPLY, Sides::ToClient),
    buffer("ftp.completion_code", CODE, Sides::ToClient),
    Keyword {
        name: "ftp.dynamic_port",
        takes: Takes::Number(Number {
            field: DYNAMIC_PORT,
            sides: Sides::Both,
            protocols: PROTOCOLS,
            max: u16::MAX as u64,
            names: &[],
        }),
    },
    Keyword { name: "ftp.mode", takes: Takes::Test(mode) },
    Keyword { name: "ftp.reply_received", takes: Takes::Test(reply_received) },
    Keyword { name: "ftpbounce", takes: Takes::Test(bounce) },
];

pub(super) const DATA_KEYWORDS: &[Keyword] =
    &[Keyword { name: "ftpdata_command", takes: Takes::Test(data_command) }];

const fn buffer(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides, protocols: PROTOCOLS }) }
}

/// Who opens the data connection.
fn mode(text: &str) -> Result<Test, Complaint> {
    let wants_active = match text.trim().to_ascii_lowercase().as_str() {
        "active" => true,
        "passive" => false,
        _ => return Err(Complaint::new(format!("'{text}' is no mode: active or passive"))),
    };
    Ok(Test::new(Sides::Both, PROTOCOLS, move |exchange: &FtpTransaction, _| match exchange.data_port {
        Some(data) if exchange.command.is_some() => settled(data.is_active == wants_active),
        _ if exchange.is_done => Verdict::Fails,
        _ => Verdict::Open,
    }))
}

/// Whether the command was replied to.
fn reply_received(text: &str) -> Result<Test, Complaint> {
    let wanted = match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => true,
        "false" | "0" | "no" | "off" => false,
        _ => return Err(Complaint::new(format!("'{text}' is neither yes nor no"))),
    };
    Ok(Test::new(Sides::ToClient, PROTOCOLS, move |exchange: &FtpTransaction, _| {
        if exchange.is_done && exchange.command.is_none() {
            Verdict::Fails
        } else if wanted && !exchange.is_done {
            Verdict::Open
        } else {
            settled(exchange.is_done == wanted && exchange.command.is_some())
        }
    }))
}

/// Whether the server is asked to open a connection to somebody else.
fn bounce(text: &str) -> Result<Test, Complaint> {
    if !text.trim().is_empty() {
        return Err(Complaint::new("'ftpbounce' takes nothing"));
    }
    Ok(Test::new(Sides::ToServer, PROTOCOLS, |exchange: &FtpTransaction, _| settled(exchange.bounces)))
}

/// Which command the data connection is for: files that are fetched go to the client, those that are stored
/// to the server, whoever opened it.
fn data_command(text: &str) -> Result<Test, Complaint> {
    let (wanted, sides) = match text.trim() {
        "stor" => (Transfer::Store, Sides::ToServer),
        "retr" => (Transfer::Fetch, Sides::ToClient),
        _ => return Err(Complaint::new(format!("'{text}' is neither stor nor retr"))),
    };
    Ok(Test::new(sides, &[ProtocolId::FtpData], move |data: &FtpData, _| match data.transfer() {
        Some(transfer) => settled(transfer == wanted),
        None => Verdict::Open,
    }))
}

fn settled(holds: bool) -> Verdict {
    if holds { Verdict::Holds } else { Verdict::Fails }
}
