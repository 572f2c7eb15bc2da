//! The state of a flow that carries RFB: whose turn it is, and what must come.

use super::keywords::FRAME;
use super::transaction::{Event, PixelFormat, RfbTransaction, Screen, Version};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::{Broken, Context, Input, Parser, Taken, Transactions};

/// Bytes that a screen's name or a reason may have; with more, the message is malformed.
const TEXT_BYTES_MAX: u32 = 64 * 1024;

const NO_SECURITY: u32 = 1;
const VNC_AUTHENTICATION: u32 = 2;
const OK: u32 = 0;
const FAILED: u32 = 1;

/// What must come next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    #[default]
    ServerVersion,
    ClientVersion,
    SecurityTypes,
    /// In version 3.3 the server decides.
    ServerSecurityType,
    SecurityChoice,
    Challenge,
    Response,
    SecurityResult,
    FailureReason,
    ClientInit,
    ServerInit,
    /// Nothing that is looked at.
    Over,
}

impl Stage {
    /// Whose turn it is, if anybody's.
    fn speaker(self) -> Option<Direction> {
        match self {
            Stage::ClientVersion | Stage::SecurityChoice | Stage::Response | Stage::ClientInit => {
                Some(Direction::ToServer)
            }
            Stage::ServerVersion
            | Stage::SecurityTypes
            | Stage::ServerSecurityType
            | Stage::Challenge
            | Stage::SecurityResult
            | Stage::FailureReason
            | Stage::ServerInit => Some(Direction::ToClient),
            Stage::Over => None,
        }
    }
}

/// What a message turned out to be.
enum Step {
    /// It is not there in full.
    More,
    /// It was understood; this comes next.
    Next(Stage),
    /// What follows cannot be understood, and this is odd.
    Over(Event),
    /// It is no message.
    Malformed,
}

/// The state of a flow.
#[derive(Clone, Debug, Default)]
pub struct RfbParser {
    transactions: Transactions<RfbTransaction>,
    stage: Stage,
}

impl Parser for RfbParser {
    type Transaction = RfbTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        while !rest.is_empty() {
            match self.stage.speaker() {
                None => return Ok(Taken::all(&input)),
                Some(speaker) if speaker != direction => {
                    self.give_up(Event::ConfusedState, true);
                    return Ok(Taken::all(&input));
                }
                Some(_) => {}
            }
            let mut reader = Reader::new(rest);
            match self.message(&mut reader) {
                Step::More => return Ok(Taken::part(input.bytes.len() - rest.len(), rest.len() + 1)),
                Step::Next(stage) => {
                    if stage == Stage::FailureReason {
                        context.refuses_login();
                    }
                    self.stage = stage;
                }
                Step::Over(event) => self.give_up(event, event == Event::UnknownSecurityResult),
                Step::Malformed if matches!(self.stage, Stage::ServerVersion | Stage::ClientVersion) => {
                    return Err(Broken);
                }
                Step::Malformed => {
                    self.give_up(Event::MalformedMessage, true);
                    return Ok(Taken::all(&input));
                }
            }
            let (message, behind) = rest.split_at(rest.len() - reader.len());
            context.frame(FRAME, direction, message);
            rest = behind;
            if self.stage == Stage::Over
                && let Some(transaction) =
                    self.transactions.last_mut().filter(|transaction| transaction.screen.is_some())
            {
                transaction.is_complete = true;
            }
        }
        Ok(Taken::all(&input))
    }

    fn end(&mut self, _direction: Direction, _context: &mut Context<'_>) {
        if let Some(transaction) = self.transactions.last_mut() {
            transaction.is_complete = true;
        }
    }

    fn transactions(&self) -> &Transactions<RfbTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<RfbTransaction> {
        &mut self.transactions
    }
}

impl RfbParser {
    fn give_up(&mut self, event: Event, is_complete: bool) {
        self.stage = Stage::Over;
        if let Some(transaction) = self.transactions.last_mut() {
            transaction.note(event);
            transaction.is_complete |= is_complete;
        }
    }

    /// Takes the message that must come.
    fn message(&mut self, reader: &mut Reader<'_>) -> Step {
        if self.stage == Stage::ServerVersion {
            return match version(reader) {
                Ok(Some(version)) => {
                    let versions = [None, Some(version)];
                    self.transactions.open(RfbTransaction { versions, ..RfbTransaction::default() });
                    Step::Next(Stage::ClientVersion)
                }
                Ok(None) => Step::More,
                Err(step) => step,
            };
        }
        match self.transactions.last_mut() {
            Some(transaction) => message(self.stage, reader, transaction).unwrap_or(Step::More),
            // It was looked at and taken away, or forgotten.
            None => Step::Next(Stage::Over),
        }
    }
}

/// Takes a message; nothing if it is not there in full.
fn message(stage: Stage, reader: &mut Reader<'_>, transaction: &mut RfbTransaction) -> Option<Step> {
    let step = match stage {
        Stage::ServerVersion | Stage::Over => Step::Next(Stage::Over),
        Stage::ClientVersion => match version(reader) {
            Ok(version) => {
                let version = version?;
                transaction.versions[0] = Some(version);
                let is_decided_by_server = version == [*b"003", *b"003"];
                Step::Next(if is_decided_by_server {
                    Stage::ServerSecurityType
                } else {
                    Stage::SecurityTypes
                })
            }
            Err(step) => step,
        },
        Stage::SecurityTypes => {
            let count = reader.u8()?;
            reader.skip(usize::from(count))?;
            Step::Next(if count == 0 { Stage::FailureReason } else { Stage::SecurityChoice })
        }
        Stage::ServerSecurityType => {
            let kind = reader.be32()?;
            match kind {
                0 => transaction.security_type = Some(kind),
                NO_SECURITY | VNC_AUTHENTICATION => transaction.security_type = Some(kind),
                _ => {
                    transaction.is_complete = true;
                    return Some(Step::Over(Event::UnimplementedSecurityType));
                }
            }
            Step::Next(if kind == 0 { Stage::FailureReason } else { after_choice(kind) })
        }
        Stage::SecurityChoice => {
            let kind = u32::from(reader.u8()?);
            transaction.security_type = Some(kind);
            match kind {
                NO_SECURITY | VNC_AUTHENTICATION => Step::Next(after_choice(kind)),
                _ => Step::Over(Event::UnimplementedSecurityType),
            }
        }
        Stage::Challenge => {
            transaction.challenge = Some(reader.array()?);
            Step::Next(Stage::Response)
        }
        Stage::Response => {
            transaction.response = Some(reader.array()?);
            Step::Next(Stage::SecurityResult)
        }
        Stage::SecurityResult => match reader.be32()? {
            OK => {
                transaction.security_result = Some(OK);
                Step::Next(Stage::ClientInit)
            }
            FAILED => Step::Next(Stage::FailureReason),
            _ => Step::Over(Event::UnknownSecurityResult),
        },
        Stage::FailureReason => match text(reader)? {
            Some(reason) if core::str::from_utf8(reason).is_ok() => {
                transaction.failure = Some(reason.to_vec());
                Step::Next(Stage::Over)
            }
            _ => Step::Malformed,
        },
        Stage::ClientInit => {
            transaction.is_shared = Some(reader.u8()? != 0);
            Step::Next(Stage::ServerInit)
        }
        Stage::ServerInit => {
            let (width, height) = (reader.be16()?, reader.be16()?);
            let format = pixel_format(reader)?;
            match text(reader)? {
                Some(name) => {
                    transaction.screen = Some(Screen { width, height, format, name: name.to_vec() });
                    Step::Next(Stage::Over)
                }
                None => Step::Malformed,
            }
        }
    };
    Some(step)
}

fn after_choice(kind: u32) -> Stage {
    if kind == VNC_AUTHENTICATION { Stage::Challenge } else { Stage::ClientInit }
}

/// `RFB 003.008` and a line feed. An error as soon as it cannot be that; nothing if it is not there in full.
fn version(reader: &mut Reader<'_>) -> Result<Option<Version>, Step> {
    const FORM: &[u8; 12] = b"RFB ___.___\n";
    let fits = reader.rest().iter().zip(FORM).all(|(byte, wanted)| *wanted == b'_' || byte == wanted);
    if !fits {
        return Err(Step::Malformed);
    }
    let Some([_, _, _, _, a, b, c, _, d, e, f, _]) = reader.array::<12>() else {
        return Ok(None);
    };
    let version = [[a, b, c], [d, e, f]];
    if version.iter().any(|part| core::str::from_utf8(part).is_err()) {
        return Err(Step::Malformed);
    }
    Ok(Some(version))
}

/// A text behind its length; `Some(None)` if that is too long.
fn text<'a>(reader: &mut Reader<'a>) -> Option<Option<&'a [u8]>> {
    let length = reader.be32()?;
    if length > TEXT_BYTES_MAX {
        return Some(None);
    }
    reader.take(length as usize).map(Some)
}

fn pixel_format(reader: &mut Reader<'_>) -> Option<PixelFormat> {
    let (bits, depth) = (reader.u8()?, reader.u8()?);
    let (is_big_endian, is_true_colour) = (reader.u8()? != 0, reader.u8()? != 0);
    let max = [reader.be16()?, reader.be16()?, reader.be16()?];
    let shift = [reader.u8()?, reader.u8()?, reader.u8()?];
    reader.skip(3)?;
    Some(PixelFormat { bits, depth, is_big_endian, is_true_colour, max, shift })
}
