//! What the client says: commands and mails.

use super::transaction::Event;
use super::{
    ATTACHMENT_LIMITS, COMMANDS_WAITING_MAX, Command, DATA_FRAME_BYTES_MAX, EXCHANGES_MAX, Smtp,
    SmtpTransaction,
};
use crate::Direction;
use crate::app::file::Ending;
use crate::app::lines::{Cut, Line, cut};
use crate::app::mime::Mail;
use crate::app::{Broken, Context, Input, Taken};

impl Smtp {
    pub(super) fn requests(&mut self, input: Input<'_>, context: &mut Context<'_>) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        while !rest.is_empty() {
            let taken = if self.takes_pieces(rest) {
                self.mail_piece(rest, input.last, context)?
            } else {
                self.request_line(rest, context)?
            };
            let Some(after) = rest.get(taken..).filter(|_| taken > 0) else { break };
            rest = after;
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), 0))
    }

    /// Whether what follows is the body of a mail, whose lines may be of any length; a line that may be a
    /// boundary has to be complete.
    fn takes_pieces(&self, rest: &[u8]) -> bool {
        if !self.is_data || self.is_skipping[Direction::ToServer.index()] {
            return false;
        }
        match self.command {
            Command::Data => self
                .current()
                .and_then(|exchange| exchange.mail.as_ref())
                .is_none_or(|mail| mail.is_in_body() && (self.is_within_line || !mail.may_be_boundary(rest))),
            Command::Bdat => true,
            _ => false,
        }
    }

    /// Takes a line of a mail, or what is there of it: how many bytes, none if more is needed.
    fn mail_piece(&mut self, rest: &[u8], is_last: bool, context: &mut Context<'_>) -> Result<usize, Broken> {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let (line, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let end = match behind {
            [b'\r', b'\n', ..] => 2,
            // The line feed may be about to come.
            [b'\r'] if !is_last => 0,
            [_, ..] => 1,
            [] => 0,
        };
        let is_complete = end > 0;
        let may_be_last = !self.is_within_line && line == b".";
        if !is_complete && !is_last && (line.is_empty() || may_be_last) {
            return Ok(0);
        }
        let end = behind.get(..end).unwrap_or_default();
        let is_the_end = may_be_last && is_complete;
        self.is_within_line = !is_complete;
        self.data_line(line, end, is_the_end, context)?;
        Ok(line.len() + end.len())
    }

    /// Takes a line: how many bytes, none if it is not complete.
    fn request_line(&mut self, rest: &[u8], context: &mut Context<'_>) -> Result<usize, Broken> {
        let Line { text: line, end, is_cut, taken } =
            match cut(rest, &mut self.is_skipping[Direction::ToServer.index()]) {
                Cut::Nothing => return Ok(0),
                Cut::Rest(bytes) => return Ok(bytes),
                Cut::Line(line) => line,
            };
        if !(self.is_data && self.command == Command::Data) {
            context.frame(
                "smtp.command_line",
                Direction::ToServer,
                rest.get(..line.len() + end.len()).unwrap_or_default(),
            );
            context.frame("smtp.command_line", Direction::ToServer, line);
        }
        if self.is_data {
            self.data_line(line, end, line == b".", context)?;
        } else {
            self.begin_if_over(line)?;
            self.command(line, context)?;
        }
        if is_cut {
            self.set(Event::TRUNCATED_LINE);
        }
        Ok(taken)
    }

    /// Begins an exchange if there is none that this line belongs to.
    fn begin_if_over(&mut self, line: &[u8]) -> Result<(), Broken> {
        let stays = !self.is_data && (starts_with(line, b"rset") || starts_with(line, b"quit"));
        let has_one = self.current().is_some_and(|exchange| !exchange.is_done || stays);
        if has_one {
            return Ok(());
        }
        if self.exchanges.opened() > EXCHANGES_MAX {
            return Err(Broken);
        }
        let helo = self.helo.clone().unwrap_or_default();
        self.current = Some(self.exchanges.open(SmtpTransaction { helo, ..SmtpTransaction::default() }));
        Ok(())
    }

    fn command(&mut self, line: &[u8], context: &mut Context<'_>) -> Result<(), Broken> {
        if !self.is_welcomed {
            self.set(Event::NO_SERVER_WELCOME_MESSAGE);
        }
        self.command = Command::Other;
        if starts_with(line, b"starttls") {
            self.command = Command::StartTls;
        } else if starts_with(line, b"data") {
            self.command = Command::Data;
            if self.data_command(context) {
                return Ok(());
            }
        } else if starts_with(line, b"bdat") {
            self.chunk_bytes = chunk_length(line).ok_or(Broken)?;
            self.command = Command::Bdat;
            self.is_data = true;
        } else if starts_with(line, b"helo") || starts_with(line, b"ehlo") {
            self.helo_command(line);
        } else if starts_with(line, b"mail from") {
            let name = parameter(line, 9);
            if let Some(exchange) = self.current_mut() {
                if exchange.mail_from.is_some() {
                    exchange.set(Event::DUPLICATE_FIELDS);
                } else {
                    exchange.mail_from = Some(name.to_vec());
                }
            }
        } else if starts_with(line, b"rcpt to") {
            let name = parameter(line, 7);
            if let Some(exchange) = self.current_mut() {
                exchange.add_recipient(name);
            }
        } else if starts_with(line, b"rset") {
            self.chunk_bytes_seen = 0;
            self.command = Command::Rset;
        }
        self.wait_for_reply(self.command)
    }

    fn helo_command(&mut self, line: &[u8]) {
        if self.helo.is_some() {
            self.set(Event::DUPLICATE_FIELDS);
            return;
        }
        let name = parameter(line, 4).to_vec();
        if let Some(exchange) = self.current_mut() {
            exchange.helo.clone_from(&name);
        }
        self.helo = Some(name);
    }

    /// The client wants to send a mail. Whether it wanted that before, without an answer: then it is not
    /// asked for again.
    fn data_command(&mut self, context: &mut Context<'_>) -> bool {
        let wants_urls = context.settings.wants(super::keywords::URL);
        if let Some(exchange) = self.current_mut() {
            if exchange.has_data {
                exchange.set(Event::UNPARSABLE_CONTENT);
                return true;
            }
            exchange.has_data = true;
            exchange.mail = Some(Mail::new(ATTACHMENT_LIMITS, wants_urls));
        }
        self.data_frame = context.wants_frame("smtp.data").then(Vec::new);
        self.is_within_line = false;
        self.is_data |= self.may_pipeline;
        false
    }

    pub(super) fn wait_for_reply(&mut self, command: Command) -> Result<(), Broken> {
        if matches!(self.waiting.back(), Some(Command::StartTls | Command::Data)) {
            // Nothing may be sent ahead of the reply to these.
            self.set(Event::INVALID_PIPELINED_SEQUENCE);
        }
        if self.waiting.len() >= COMMANDS_WAITING_MAX {
            return Err(Broken);
        }
        self.waiting.push_back(command);
        Ok(())
    }

    /// A line that is no command.
    fn data_line(
        &mut self,
        line: &[u8],
        end: &[u8],
        is_the_end: bool,
        context: &mut Context<'_>,
    ) -> Result<(), Broken> {
        self.begin_if_over(line)?;
        if !self.is_welcomed {
            self.set(Event::NO_SERVER_WELCOME_MESSAGE);
        }
        match self.command {
            Command::Data => {
                if let Some(frame) = &mut self.data_frame {
                    let room = DATA_FRAME_BYTES_MAX.saturating_sub(frame.len());
                    frame.extend(line.iter().chain(end).take(room));
                }
                if is_the_end {
                    self.mail_end(context)?;
                } else if let Some(exchange) = self.current_mut() {
                    exchange.mail_line(line, end);
                }
                Ok(())
            }
            Command::Bdat => self.chunk(line.len() + end.len()),
            Command::StartTls | Command::DataEnd | Command::Rset | Command::Other => Ok(()),
        }
    }

    fn mail_end(&mut self, context: &mut Context<'_>) -> Result<(), Broken> {
        self.is_data = false;
        self.wait_for_reply(Command::DataEnd)?;
        if let Some(exchange) = self.current_mut() {
            exchange.mail_end(Ending::Closed);
        }
        self.complete();
        if let Some(frame) = self.data_frame.take() {
            context.frame("smtp.data", Direction::ToServer, &frame);
        }
        Ok(())
    }

    /// So many bytes of a chunk came.
    fn chunk(&mut self, bytes: usize) -> Result<(), Broken> {
        self.chunk_bytes_seen = self.chunk_bytes_seen.saturating_add(bytes as u64);
        self.is_data = self.chunk_bytes_seen < self.chunk_bytes;
        if self.chunk_bytes_seen > self.chunk_bytes {
            self.set(Event::BDAT_CHUNK_LEN_EXCEEDED);
            return Err(Broken);
        }
        Ok(())
    }
}

fn starts_with(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// What follows a command of so many bytes, its separator and spaces, up to the next space: options may follow.
fn parameter(line: &[u8], command_bytes: usize) -> &[u8] {
    let rest = line.get(command_bytes + 1..).unwrap_or_default();
    rest.split(|byte| *byte == b' ').find(|word| !word.is_empty()).unwrap_or_default()
}

/// The length of a chunk: decimal, behind one space or more.
fn chunk_length(line: &[u8]) -> Option<u64> {
    let rest = line.get(4..)?.strip_prefix(b" ")?.trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = rest.get(..digits).filter(|digits| !digits.is_empty())?;
    core::str::from_utf8(number).ok()?.parse::<u32>().ok().map(u64::from)
}
