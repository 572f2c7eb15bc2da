//! What a parser is told beside the bytes, and what it may ask for.

use super::{Field, ProtocolId, Transport};
use crate::eve::Kinds;
use crate::{Direction, Time};
use core::net::IpAddr;
use std::collections::BTreeSet;

/// Frames that one call may show at most; later ones are not looked at.
const FRAMES_OF_A_CALL_MAX: usize = 4096;
/// Flows that one call may announce at most.
const EXPECTATIONS_OF_A_CALL_MAX: usize = 16;

/// The two ends of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// Who spoke first.
    pub client: (IpAddr, u16),
    /// Whom it spoke to.
    pub server: (IpAddr, u16),
    /// What carries it.
    pub transport: Transport,
}

/// What parsers are to do, the same for all flows: what nobody wants need not be made.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Fields that some rule looks into.
    pub wanted: BTreeSet<Field>,
    /// `frame` names that some rule looks into.
    pub frames: BTreeSet<&'static str>,
    /// Whether the MD5 of files is asked for.
    pub md5: bool,
    /// Whether the SHA-1 of files is asked for.
    pub sha1: bool,
    /// Whether the SHA-256 of files is asked for.
    pub sha256: bool,
    /// Nobody looks into files: their bytes need only be counted.
    pub counts_files: bool,
    /// Whether records of whole exchanges are written, not alerts alone: then everything that a record tells is wanted.
    pub records: bool,
    /// What is written down.
    pub kinds: Kinds,
}

impl Settings {
    /// Whether `field` has to be made.
    #[must_use]
    pub fn wants(&self, field: Field) -> bool {
        self.records || self.wanted.contains(&field)
    }
}

/// What is to become of the flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// What follows, both ways, is this protocol (STARTTLS, Upgrade).
    Switch(ProtocolId),
    /// The flow turned out to be this protocol, which the same parser understands. It goes on as it is.
    Rename(ProtocolId),
    /// What follows is to be recognised anew (a tunnel was agreed on).
    Recognise,
    /// What follows, both ways, is encrypted: rules look into its raw bytes no more. The parser is still shown it.
    Encrypted,
    /// What follows cannot be read (it is encrypted): no more of it need be shown.
    Opaque,
}

/// A flow that this one announces (FTP's data connections).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expectation {
    /// Where it will be opened to.
    pub to: (IpAddr, u16),
    /// What it will carry.
    pub protocol: ProtocolId,
    /// Handed to the new flow's parser, see [`Context::announced`].
    pub note: u64,
    /// Handed to it as well, see [`Context::announced_name`]: a file's name.
    pub name: Vec<u8>,
}

/// A structure within the stream that `frame` rules look into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) name: &'static str,
    pub(crate) direction: Direction,
    pub(crate) bytes: Vec<u8>,
}

/// What a parser is told beside the bytes, and what it may ask for.
pub struct Context<'a> {
    /// When the last of the bytes came.
    pub time: Time,
    /// Who talks to whom.
    pub ends: Ends,
    /// What is wanted.
    pub settings: &'a Settings,
    /// If another flow announced this one: its note.
    pub announced: Option<u64>,
    /// And the name that it gave; empty otherwise.
    pub announced_name: &'a [u8],
    /// Another protocol of this flow asked for a change that is not through yet: no further one will be made.
    pub changing: bool,
    pub(crate) next: Option<Next>,
    pub(crate) expectations: Vec<Expectation>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) told: Vec<u8>,
    pub(crate) refused_logins: u32,
}

impl<'a> Context<'a> {
    /// A context in which nothing was asked for yet.
    #[must_use]
    pub fn new(time: Time, ends: Ends, settings: &'a Settings) -> Self {
        Context {
            time,
            ends,
            settings,
            announced: None,
            announced_name: &[],
            changing: false,
            next: None,
            expectations: Vec::new(),
            frames: Vec::new(),
            told: Vec::new(),
            refused_logins: 0,
        }
    }

    /// Asks for what is to become of the flow, after the bytes that this call takes.
    pub fn then(&mut self, next: Next) {
        self.next = Some(next);
    }

    /// Hands something over to the protocol that follows, which is shown it as [`Context::announced_name`].
    pub fn tell(&mut self, bytes: Vec<u8>) {
        self.told = bytes;
    }

    /// Tells that the server refused a login. Not what is merely a step of one: a challenge is no refusal.
    pub fn refuses_login(&mut self) {
        self.refused_logins = self.refused_logins.saturating_add(1);
    }

    /// What was asked for.
    #[must_use]
    pub fn asked(&self) -> Option<Next> {
        self.next
    }

    /// Announces another flow. More than 16 in one call are not listened to.
    pub fn expect(&mut self, expectation: Expectation) {
        if self.expectations.len() < EXPECTATIONS_OF_A_CALL_MAX {
            self.expectations.push(expectation);
        }
    }

    /// What was announced.
    #[must_use]
    pub fn announcements(&self) -> &[Expectation] {
        &self.expectations
    }

    /// Whether somebody looks into frames of this name: else there is no need to make one.
    #[must_use]
    pub fn wants_frame(&self, name: &str) -> bool {
        self.settings.frames.contains(name)
    }

    /// Shows a structure within the stream, `http1.request` for example, once all its bytes are there.
    pub fn frame(&mut self, name: &'static str, direction: Direction, bytes: &[u8]) {
        if self.wants_frame(name) && self.frames.len() < FRAMES_OF_A_CALL_MAX {
            self.frames.push(Frame { name, direction, bytes: bytes.to_vec() });
        }
    }

    /// The frames that were shown: name and bytes.
    pub fn frames(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.frames.iter().map(|frame| (frame.name, frame.bytes.as_slice()))
    }
}
