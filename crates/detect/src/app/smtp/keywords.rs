//! The keywords of SMTP and of the mails that it carries.

use crate::app::{Buffer, Family, Field, Keyword, ProtocolId, Sides, Takes};

pub(super) const HELO: Field = Field::new(Family::Smtp, 0);
pub(super) const MAIL_FROM: Field = Field::new(Family::Smtp, 1);
pub(super) const RCPT_TO: Field = Field::new(Family::Smtp, 2);

pub(super) const URL: Field = Field::new(Family::Email, 0);

/// The headers of a mail that have a keyword, by the numbers of their fields in the family of mails.
pub(super) const HEADERS: &[&[u8]] =
    &[b"", b"from", b"subject", b"to", b"cc", b"date", b"message-id", b"x-mailer", b"received"];
/// The only one of which all are looked at; of the others the first is.
pub(super) const RECEIVED: usize = 8;

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("smtp.helo", HELO),
    buffer("smtp.mail_from", MAIL_FROM),
    buffer("smtp.rcpt_to", RCPT_TO),
    buffer("email.from", header(1)),
    buffer("email.subject", header(2)),
    buffer("email.to", header(3)),
    buffer("email.cc", header(4)),
    buffer("email.date", header(5)),
    buffer("email.message_id", header(6)),
    buffer("email.x_mailer", header(7)),
    buffer("email.received", header(8)),
    buffer("email.url", URL),
];

const fn header(number: u8) -> Field {
    Field::new(Family::Email, number)
}

const fn buffer(name: &'static str, field: Field) -> Keyword {
    let buffer = Buffer { field, sides: Sides::ToServer, protocols: &[ProtocolId::Smtp] };
    Keyword { name, takes: Takes::Buffer(buffer) }
}
