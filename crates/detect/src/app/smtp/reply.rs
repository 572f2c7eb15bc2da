//! What the server says: replies.

use super::transaction::Event;
use super::{Command, Smtp};
use crate::Direction;
use crate::app::lines::{Cut, cut};
use crate::app::{Broken, Context, Input, Next, ProtocolId, Taken};

/// The codes that servers reply with. Whoever says anything else speaks another protocol.
const CODES: &[&[u8; 3]] = &[
    b"211", b"214", b"220", b"221", b"235", b"250", b"251", b"252", b"334", b"354", b"401", b"402", b"421",
    b"435", b"450", b"451", b"452", b"454", b"455", b"500", b"501", b"502", b"503", b"504", b"511", b"521",
    b"522", b"525", b"530", b"534", b"535", b"541", b"543", b"550", b"551", b"552", b"553", b"554", b"555",
];

/// What a name with the wrong password is replied to with.
const LOGIN_REFUSED: &[u8; 3] = b"535";

impl Smtp {
    pub(super) fn replies(&mut self, input: Input<'_>, context: &mut Context<'_>) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        let place = Direction::ToClient.index();
        while !rest.is_empty() {
            let taken = match cut(rest, &mut self.is_skipping[place]) {
                Cut::Nothing => break,
                Cut::Rest(bytes) => bytes,
                Cut::Line(line) => {
                    let shown = rest.get(..line.text.len() + line.end.len()).unwrap_or_default();
                    context.frame("smtp.response_line", Direction::ToClient, shown);
                    let is_bare_feed = line.taken == 1;
                    if !is_bare_feed {
                        self.reply(line.text, context)?;
                    }
                    if line.is_cut {
                        self.set(Event::TRUNCATED_LINE);
                    }
                    line.taken
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), 0))
    }

    fn reply(&mut self, line: &[u8], context: &mut Context<'_>) -> Result<(), Broken> {
        let code = line.first_chunk::<3>().filter(|code| CODES.contains(code));
        self.is_multiline = line.get(3) == Some(&b'-');
        let Some(code) = code else {
            self.set(Event::INVALID_REPLY);
            return Err(Broken);
        };
        let Some(command) = self.waiting.front().copied() else {
            if !self.is_welcomed {
                self.is_welcomed = !self.is_multiline;
                if code != b"220" {
                    self.set(Event::INVALID_REPLY);
                }
            }
            return Ok(());
        };
        self.reply_to(command, code, context);
        if !self.is_multiline {
            self.waiting.pop_front();
        } else if self.is_welcomed
            && code == b"250"
            && line.get(4..).is_some_and(|word| word.eq_ignore_ascii_case(b"pipelining"))
        {
            self.may_pipeline = true;
        }
        Ok(())
    }

    fn reply_to(&mut self, command: Command, code: &[u8; 3], context: &mut Context<'_>) {
        if code == LOGIN_REFUSED && !self.is_multiline {
            context.refuses_login();
        }
        match command {
            Command::StartTls if code == b"220" => {
                self.is_data = true;
                context.then(Next::Switch(ProtocolId::Tls));
                self.complete();
            }
            Command::StartTls => self.set(Event::TLS_REJECTED),
            Command::Data if code == b"354" => self.is_data = true,
            Command::Data => {
                if self.may_pipeline {
                    self.is_data = false;
                }
                self.set(Event::DATA_COMMAND_REJECTED);
            }
            Command::Rset if code == b"250" && !self.is_multiline => self.complete(),
            Command::Rset | Command::Bdat | Command::DataEnd | Command::Other => {}
        }
    }
}
