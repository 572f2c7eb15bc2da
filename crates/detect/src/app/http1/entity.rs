//! The body of a message on its way: counted, decompressed, and handed to those who look at it.
//!
//! What is looked at is bounded by the body's limits; the rest is counted and passes without a copy. Decompression
//! ends at [`DECODED_BYTES_MAX`], far beyond what is looked at; if so much came out of very little it is a bomb.
//!
//! Not here: where a body ends on the wire (`request`, `response`).

use super::event::{Event, Events};
use super::multipart::Multipart;
use crate::app::file::{Ending, Files};
use crate::app::http::compression::{Chain, Stopped};
use crate::app::{Body, BodyLimits};

/// Decompressed bytes of one body at most.
const DECODED_BYTES_MAX: u64 = 1024 * 1024;
/// A body that reaches that size out of no more than these bytes is a bomb.
const BOMB_BYTES_MAX: u64 = DECODED_BYTES_MAX / 2048;
/// Bombs of one connection after which nothing more of it is decompressed.
pub(super) const BOMBS_MAX: u8 = 3;

/// What files a body is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// None.
    Plain,
    /// One, of this name.
    File(Vec<u8>),
    /// Several, perhaps.
    Multipart(Box<Multipart>),
}

/// A body.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    chain: Option<Chain>,
    /// Bytes as they came, without chunk sizes.
    pub(super) message_bytes: u64,
    pub(super) sink: Sink,
}

/// Those who look at a body.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    limits: BodyLimits,
    pub(super) kind: Kind,
    /// The body for itself, if somebody asks for it.
    pub(super) body: Option<Body>,
    pub(super) files: Files,
    file: Option<usize>,
    /// Bytes that the message announces, 0 if it does not.
    pub(super) announced: u64,
    /// Bytes after decompression.
    pub(super) entity_bytes: u64,
}

impl Entity {
    pub(super) fn new(limits: BodyLimits) -> Self {
        let sink = Sink {
            limits,
            kind: Kind::Plain,
            body: None,
            files: Files::default(),
            file: None,
            announced: 0,
            entity_bytes: 0,
        };
        Entity { chain: None, message_bytes: 0, sink }
    }

    /// Bytes that it holds more than those that came: what needs decompression, and what came out of it.
    pub(super) fn unpacked_bytes(&self) -> usize {
        let Some(chain) = &self.chain else { return 0 };
        let body = self.sink.body.as_ref().map_or(0, Body::held_bytes);
        chain.held_bytes() + body + self.sink.files.held_bytes()
    }

    /// What comes now is compressed like this.
    pub(super) fn decode_with(&mut self, chain: Option<Chain>) {
        self.chain = chain;
    }

    /// Takes bytes of the body. Tells whether it was found to be a bomb.
    pub(super) fn write(&mut self, bytes: &[u8], events: &mut Events) -> bool {
        if self.chain.is_none() {
            self.message_bytes = self.message_bytes.saturating_add(bytes.len() as u64);
            self.sink.write(bytes, events);
            return false;
        }
        // What a bomb is made of ends at the same byte however the body is cut.
        let room = BOMB_BYTES_MAX.saturating_sub(self.message_bytes);
        let (first, rest) = bytes.split_at(usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len()));
        let is_bomb = !first.is_empty() && self.decode(first, events);
        self.decode(rest, events);
        events.set_if(is_bomb, Event::CompressionBomb);
        is_bomb
    }

    /// Decodes bytes of the body. Tells whether it became too large by them.
    fn decode(&mut self, bytes: &[u8], events: &mut Events) -> bool {
        self.message_bytes = self.message_bytes.saturating_add(bytes.len() as u64);
        let (Some(chain), false) = (&mut self.chain, bytes.is_empty()) else { return false };
        let sink = &mut self.sink;
        let mut is_too_large = false;
        let result = chain.write(bytes, &mut |piece| {
            let room = DECODED_BYTES_MAX.saturating_sub(sink.entity_bytes);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            sink.write(piece.get(..room).unwrap_or(piece), events);
            is_too_large = piece.len() > room;
            if is_too_large { Err(Stopped) } else { Ok(()) }
        });
        let _dropped = result;
        is_too_large
    }

    /// Bytes of the body are missing: what was compressed cannot go on.
    pub(super) fn skip(&mut self, bytes: u64, events: &mut Events) {
        if self.chain.is_some() {
            self.flush(events);
        }
        self.message_bytes = self.message_bytes.saturating_add(bytes);
    }

    /// The message is over.
    pub(super) fn finish(&mut self, events: &mut Events) {
        self.flush(events);
        self.sink.finish();
    }

    /// What is compressed is over: what decoders hold back comes out.
    pub(super) fn flush(&mut self, events: &mut Events) {
        if let Some(mut chain) = self.chain.take() {
            let sink = &mut self.sink;
            let _ended = chain.finish(&mut |piece| {
                sink.write(piece, events);
                Ok(())
            });
        }
    }
}

impl Sink {
    fn write(&mut self, bytes: &[u8], events: &mut Events) {
        // What is beyond the limit begins at the same byte however the body is cut.
        let room = self.limits.bytes_max.saturating_sub(self.entity_bytes);
        let (within, beyond) = bytes.split_at(usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len()));
        for (bytes, is_beyond) in [(within, false), (beyond, true)] {
            if !bytes.is_empty() {
                self.take(bytes, is_beyond, events);
            }
        }
    }

    fn take(&mut self, bytes: &[u8], is_beyond: bool, events: &mut Events) {
        self.entity_bytes = self.entity_bytes.saturating_add(bytes.len() as u64);
        if let Some(body) = &mut self.body {
            body.append(bytes);
        }
        match &mut self.kind {
            Kind::Plain => {}
            Kind::Multipart(multipart) if !is_beyond => multipart.write(bytes, &mut self.files, events),
            Kind::Multipart(multipart) => multipart.finish(&mut self.files),
            Kind::File(name) => {
                if self.file.is_none() {
                    self.file = self.files.open(name, self.limits);
                    if let Some(place) = self.file {
                        self.files.expect(place, self.announced);
                    }
                }
                match self.file {
                    Some(place) if is_beyond => self.files.close(place, Ending::Truncated),
                    Some(place) => self.files.append(place, bytes),
                    None => {}
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Some(body) = &mut self.body {
            body.finish();
        }
        if let Kind::Multipart(multipart) = &mut self.kind {
            multipart.finish(&mut self.files);
        }
        if let Some(place) = self.file {
            let is_cut = self.entity_bytes > self.limits.bytes_max;
            self.files.close(place, if is_cut { Ending::Truncated } else { Ending::Closed });
        }
    }

    /// The file that the whole body is, once it has begun.
    pub(super) fn whole(&self) -> Option<&Body> {
        self.file.and_then(|place| self.files.list().get(place)).map(|file| &file.body)
    }
}
