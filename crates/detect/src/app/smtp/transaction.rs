//! One mail, or whatever else was asked for until one was sent.

use super::keywords::{HEADERS, HELO, MAIL_FROM, RCPT_TO, RECEIVED, URL};
use crate::Direction;
use crate::app::file::{Ending, Files};
use crate::app::mime::{Mail, MailOddities};
use crate::app::{Family, Field, Piece, Ready, Transaction};
use crate::eve::Object;

/// Recipients of a mail at most; later ones are not kept.
const RECIPIENTS_MAX: usize = 1024;

/// What can be odd about an exchange: the place of its name in [`EVENTS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Event(u8);

impl Event {
    pub(super) const INVALID_REPLY: Event = Event(0);
    pub(super) const INVALID_PIPELINED_SEQUENCE: Event = Event(4);
    pub(super) const BDAT_CHUNK_LEN_EXCEEDED: Event = Event(5);
    pub(super) const NO_SERVER_WELCOME_MESSAGE: Event = Event(6);
    pub(super) const TLS_REJECTED: Event = Event(7);
    pub(super) const DATA_COMMAND_REJECTED: Event = Event(8);
    const MIME_INVALID_BASE64: Event = Event(11);
    const MIME_INVALID_QP: Event = Event(12);
    const MIME_LONG_LINE: Event = Event(13);
    const MIME_LONG_ENC_LINE: Event = Event(14);
    const MIME_LONG_HEADER_NAME: Event = Event(15);
    const MIME_LONG_HEADER_VALUE: Event = Event(16);
    const MIME_LONG_BOUNDARY: Event = Event(17);
    const MIME_LONG_FILENAME: Event = Event(18);
    pub(super) const DUPLICATE_FIELDS: Event = Event(19);
    pub(super) const UNPARSABLE_CONTENT: Event = Event(20);
    pub(super) const TRUNCATED_LINE: Event = Event(21);
}

/// The names of what can be odd, in the order of their bits. Some are there for rules alone: nothing is odd
/// in that way any more.
pub(super) const EVENTS: &[&str] = &[
    "invalid_reply",
    "unable_to_match_reply_with_request",
    "max_command_line_len_exceeded",
    "max_reply_line_len_exceeded",
    "invalid_pipelined_sequence",
    "bdat_chunk_len_exceeded",
    "no_server_welcome_message",
    "tls_rejected",
    "data_command_rejected",
    "failed_protocol_change",
    "mime_parse_failed",
    "mime_invalid_base64",
    "mime_invalid_qp",
    "mime_long_line",
    "mime_long_enc_line",
    "mime_long_header_name",
    "mime_long_header_value",
    "mime_long_boundary",
    "mime_long_filename",
    "duplicate_fields",
    "unparsable_content",
    "truncated_line",
];

/// One mail, or whatever else was asked for until one was sent.
#[derive(Clone, Debug, Default)]
pub struct SmtpTransaction {
    /// The name that the client gave itself, in this exchange or before.
    pub(super) helo: Vec<u8>,
    pub(super) mail_from: Option<Vec<u8>>,
    pub(super) rcpt_to: Vec<Vec<u8>>,
    pub(super) mail: Option<Mail>,
    pub(super) files: Files,
    /// The client said that it would send a mail.
    pub(super) has_data: bool,
    /// It is over, both ways.
    pub(super) is_done: bool,
    /// Nothing more will be said in this direction.
    pub(super) has_ended: [bool; 2],
    pub(super) events: u128,
}

impl SmtpTransaction {
    pub(super) fn set(&mut self, event: Event) {
        self.events |= 1 << event.0;
    }

    pub(super) fn add_recipient(&mut self, name: &[u8]) {
        if self.rcpt_to.len() < RECIPIENTS_MAX {
            self.rcpt_to.push(name.to_vec());
        }
    }

    /// Shows a line of the mail to it.
    pub(super) fn mail_line(&mut self, line: &[u8], end: &[u8]) {
        let Some(mail) = &mut self.mail else { return };
        let odd = mail.line(line, end, &mut self.files);
        if odd == MailOddities::default() {
            return;
        }
        let oddities = [
            (odd.invalid_base64, Event::MIME_INVALID_BASE64),
            (odd.invalid_quoted, Event::MIME_INVALID_QP),
            (odd.long_line, Event::MIME_LONG_LINE),
            (odd.long_encoded_line, Event::MIME_LONG_ENC_LINE),
            (odd.long_header_name, Event::MIME_LONG_HEADER_NAME),
            (odd.long_header_value, Event::MIME_LONG_HEADER_VALUE),
            (odd.long_boundary, Event::MIME_LONG_BOUNDARY),
            (odd.long_file_name, Event::MIME_LONG_FILENAME),
        ];
        oddities.into_iter().filter(|(is_so, _)| *is_so).for_each(|(_, event)| self.set(event));
    }

    /// The mail is over.
    pub(super) fn mail_end(&mut self, ending: Ending) {
        if let Some(mail) = &mut self.mail {
            mail.finish(&mut self.files, ending);
        }
    }

    /// Whether all of a field of the client's is there, before the exchange is over.
    fn is_settled(&self, field: Field) -> bool {
        match field {
            HELO => !self.helo.is_empty(),
            MAIL_FROM => self.mail_from.is_some(),
            RCPT_TO => self.has_data,
            URL => false,
            field => field.is_of(Family::Email) && self.mail.as_ref().is_some_and(Mail::has_own_headers),
        }
    }

    /// Whether some of it is.
    fn is_begun(&self, field: Field) -> bool {
        match field {
            RCPT_TO => !self.rcpt_to.is_empty(),
            URL => self.mail.as_ref().is_some_and(|mail| !mail.urls().is_empty()),
            _ => false,
        }
    }
}

impl Transaction for SmtpTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_done || self.has_ended.get(direction.index()).copied().unwrap_or(false)
    }

    fn ready(&self, field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) || (direction == Direction::ToServer && self.is_settled(field)) {
            Ready::Full
        } else if direction == Direction::ToServer && self.is_begun(field) {
            Ready::Part
        } else {
            Ready::No
        }
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if direction == Direction::ToClient {
            return;
        }
        match field {
            HELO if !self.helo.is_empty() => show(Piece::whole(&self.helo)),
            MAIL_FROM => self.mail_from.iter().for_each(|name| show(Piece::whole(name))),
            RCPT_TO => self.rcpt_to.iter().for_each(|name| show(Piece::whole(name))),
            URL => {
                let urls = self.mail.as_ref().map(Mail::urls).unwrap_or_default();
                urls.iter().for_each(|url| show(Piece::whole(url)));
            }
            field if field.is_of(Family::Email) => {
                let number = usize::from(field.number());
                if let (Some(mail), Some(name)) = (&self.mail, HEADERS.get(number)) {
                    let shown = if number == RECEIVED { usize::MAX } else { 1 };
                    mail.values(name).take(shown).for_each(|value| show(Piece::whole(value)));
                }
            }
            _ => {}
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn files(&self, direction: Direction) -> Option<&Files> {
        (direction == Direction::ToServer).then_some(&self.files)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut Files> {
        (direction == Direction::ToServer).then_some(&mut self.files)
    }

    fn inspected(&mut self, direction: Direction) {
        if direction == Direction::ToServer {
            self.files.inspected();
        }
    }

    fn record(&self, record: &mut Object) {
        if !self.helo.is_empty() {
            record.bytes("helo", &self.helo);
        }
        if let Some(name) = &self.mail_from {
            record.bytes("mail_from", name);
        }
        if !self.rcpt_to.is_empty() {
            record.byte_strings("rcpt_to", self.rcpt_to.iter().map(Vec::as_slice));
        }
    }

    fn record_beside(&self, record: &mut Object) {
        if let Some(mail) = &self.mail {
            record.object("email", email(mail));
        }
    }
}

/// What a mail says of itself.
fn email(mail: &Mail) -> Object {
    let mut email = Object::new();
    if let Some(from) = mail.values(b"from").next() {
        email.bytes("from", from);
    }
    for key in ["to", "cc"] {
        if let Some(list) = mail.values(key.as_bytes()).next() {
            email.byte_strings(key, addresses(list));
        }
    }
    for (key, name) in
        [("subject", "subject"), ("date", "date"), ("message_id", "message-id"), ("x_mailer", "x-mailer")]
    {
        if let Some(value) = mail.values(name.as_bytes()).next() {
            email.bytes(key, value);
        }
    }
    if mail.values(b"received").next().is_some() {
        email.byte_strings("received", mail.values(b"received"));
    }
    if !mail.attachments().is_empty() {
        email.byte_strings("attachment", mail.attachments().iter().map(Vec::as_slice));
    }
    if !mail.urls().is_empty() {
        email.byte_strings("url", mail.urls().iter().map(Vec::as_slice));
    }
    email
}

/// The addresses of a list: cut at commas that are in no quotes.
fn addresses(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    list.split(move |byte| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    })
    .map(<[u8]>::trim_ascii_start)
    .filter(|address| !address.is_empty())
}
