//! Decompression of bodies: `Content-Encoding`, as tolerant as browsers are.
//!
//! A [`Chain`] is made of the codings that a message names, at most two. What is written into it comes out decoded,
//! bit by bit. Where the data is not what the header says, the other kinds of deflate are tried (gzip, raw, with
//! zlib's header); where none fits, the bytes go through as they are. Where data breaks off in the middle of
//! something that decoded well, what came out stays and the rest is dropped. All that is the same however the data is
//! cut: what comes out of another kind than the one that was named is held back until it is enough, or all there is.
//!
//! A chain grows neither with what goes in nor with what comes out: windows and what is kept to start again are
//! bounded, and whoever drives it stops at its own limit of bytes (the caller's callback refuses).
//!
//! Not here: what is decoded to what limit, and the events about bombs, which the message's owner counts.

mod brotli;
mod deflate;
mod gzip;
mod lzma;
mod names;
mod single;

use crate::room::Room;
pub(crate) use names::named;
pub(crate) use single::{Single, Trouble};

use brotli::Brotli;
use deflate::Deflate;
use gzip::Gzip;
use lzma::Lzma;
use std::borrow::Cow;

/// How often a layer tries another kind when the data is not what it should be.
const ATTEMPTS_MAX: u8 = 3;

/// Bytes that are held back while it is not sure that the data is of a kind: of what went in, and of what came out. With more of either it is.
const TRIAL_BYTES_MAX: usize = 32 * 1024;

/// A content coding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1951, bare.
    Deflate,
    /// RFC 1950: deflate with a header and a sum.
    Zlib,
    /// RFC 7932.
    Brotli,
    /// LZMA alone.
    Lzma,
}

/// Nothing more comes out: the receiver refused, or the data broke off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stopped;

/// Where decoded bytes go; refuses when it has enough.
pub(crate) type Receiver<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), Stopped>;

/// Why a decoder cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    /// The data is none of its kind. What stood in front of it, `done` bytes since the decoder began, was understood.
    Corrupt { done: usize },
    /// The receiver refused.
    Refused,
}

#[derive(Clone)]
enum Decoder {
    Gzip(Box<Gzip>),
    Deflate(Box<Deflate>),
    Brotli(Box<Brotli>),
    Lzma(Lzma),
}

impl Decoder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Decoder::Gzip(Box::new(Gzip::new())),
            Coding::Deflate => Decoder::Deflate(Box::new(Deflate::bare())),
            Coding::Zlib => Decoder::Deflate(Box::new(Deflate::with_header())),
            Coding::Brotli => Decoder::Brotli(Box::new(Brotli::new())),
            Coding::Lzma => Decoder::Lzma(Lzma::new()),
        }
    }

    /// Bytes of memory that it holds.
    fn held_bytes(&self) -> usize {
        match self {
            Decoder::Gzip(_) => size_of::<Gzip>(),
            Decoder::Deflate(_) => size_of::<Deflate>(),
            Decoder::Brotli(decoder) => decoder.held_bytes(),
            Decoder::Lzma(decoder) => decoder.held_bytes(),
        }
    }

    fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Failure> {
        match self {
            Decoder::Gzip(decoder) => decoder.write(input, receive),
            Decoder::Deflate(decoder) => decoder.write(input, receive),
            Decoder::Brotli(decoder) => decoder.write(input, receive),
            Decoder::Lzma(decoder) => decoder.write(input),
        }
    }
}

/// What becomes of a layer's input.
#[derive(Clone)]
enum Mode {
    Decode(Decoder),
    /// It goes through as it is.
    Through,
    /// It is dropped.
    Stopped,
}

#[derive(Clone)]
struct Layer {
    coding: Coding,
    mode: Mode,
    attempts: u8,
    /// What went in since the attempt began, as long as it does not count: the next attempt begins there, however the data was cut.
    kept: Room,
    /// What came out of an attempt at another kind than the one that was named, as long as it does not count.
    held: Room,
    /// The attempt counts, and no other follows it: something came out of the kind that was named, or enough went into or came out of another.
    counts: bool,
}

/// The decoders of one body, in the order in which its bytes pass them.
#[derive(Clone)]
pub(crate) struct Chain {
    layers: Vec<Layer>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.layers.iter().map(|layer| layer.coding)).finish()
    }
}

impl Chain {
    /// A chain for codings in the order in which they were applied: the last one is taken off first. None is needed
    /// for none.
    pub(crate) fn new(codings: &[Coding]) -> Option<Self> {
        let layers: Vec<Layer> = codings.iter().rev().map(|coding| Layer::new(*coding, 0)).collect();
        (!layers.is_empty()).then_some(Chain { layers })
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        let decoder = |layer: &Layer| match &layer.mode {
            Mode::Decode(decoder) => decoder.held_bytes(),
            Mode::Through | Mode::Stopped => 0,
        };
        self.layers.iter().map(|layer| decoder(layer) + layer.kept.capacity() + layer.held.capacity()).sum()
    }

    /// Decodes what came.
    pub(crate) fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Stopped> {
        write(&mut self.layers, input, receive)
    }

    /// Nothing more comes in: what is still held back comes out.
    pub(crate) fn finish(&mut self, receive: Receiver<'_>) -> Result<(), Stopped> {
        finish(&mut self.layers, receive)
    }
}

fn finish(layers: &mut [Layer], receive: Receiver<'_>) -> Result<(), Stopped> {
    let Some((layer, rest)) = layers.split_first_mut() else { return Ok(()) };
    match &mut layer.mode {
        Mode::Decode(Decoder::Lzma(decoder)) => finish_lzma(decoder.take(), rest, receive)?,
        Mode::Decode(_) if !layer.held.is_empty() => {
            write(rest, &layer.held.take(), receive)?;
        }
        Mode::Decode(_) | Mode::Through | Mode::Stopped => {}
    }
    finish(rest, receive)
}

fn write(layers: &mut [Layer], input: &[u8], receive: Receiver<'_>) -> Result<(), Stopped> {
    let Some((layer, rest)) = layers.split_first_mut() else {
        return if input.is_empty() { Ok(()) } else { receive(input) };
    };
    let mut input = Cow::Borrowed(input);
    while !input.is_empty() {
        match layer.mode {
            Mode::Stopped => return Err(Stopped),
            Mode::Through => return write(rest, &input, receive),
            Mode::Decode(_) => {}
        }
        // It begins to count behind the same byte however the data is cut.
        let slice = if layer.counts { input.len() } else { input.len().min(layer.room()) };
        let (now, later) = input.split_at(slice);
        match layer.decode(now, rest, receive) {
            Ok(()) => {
                layer.keep(now, rest, receive)?;
                input = Cow::Owned(later.to_vec());
            }
            Err(Failure::Corrupt { done }) if !layer.counts => {
                let mut all = layer.kept.take();
                all.extend_from_slice(&input);
                all.drain(..done.min(all.len()));
                input = Cow::Owned(all);
                layer.next_attempt();
            }
            Err(Failure::Corrupt { .. } | Failure::Refused) => {
                layer.mode = Mode::Stopped;
                return Err(Stopped);
            }
        }
    }
    Ok(())
}

impl Layer {
    fn new(coding: Coding, attempts: u8) -> Self {
        let mode = Mode::Decode(Decoder::new(coding));
        Layer { coding, mode, attempts, kept: Room::default(), held: Room::default(), counts: false }
    }

    /// Bytes that may still go in before the attempt counts.
    fn room(&self) -> usize {
        TRIAL_BYTES_MAX.saturating_sub(self.kept.len()).max(1)
    }

    /// Decodes what came. Nearly anything can be taken for bare deflate for a while: what comes out of another kind than the one that was named is
    /// held back until it counts.
    fn decode(&mut self, input: &[u8], rest: &mut [Layer], receive: Receiver<'_>) -> Result<(), Failure> {
        let Layer { mode: Mode::Decode(decoder), attempts, held, counts, .. } = self else { return Ok(()) };
        decoder.write(input, &mut |piece| {
            if *attempts > 0 && !*counts {
                held.extend_from_slice(piece);
                if held.len() <= TRIAL_BYTES_MAX {
                    return Ok(());
                }
                *counts = true;
                return write(rest, &std::mem::take(held), receive);
            }
            *counts = true;
            write(rest, piece, receive)
        })
    }

    /// This went in and was understood so far.
    fn keep(&mut self, input: &[u8], rest: &mut [Layer], receive: Receiver<'_>) -> Result<(), Stopped> {
        if !self.counts && self.kept.len() + input.len() < TRIAL_BYTES_MAX {
            self.kept.extend_from_slice(input);
            return Ok(());
        }
        self.counts = true;
        self.kept = Room::default();
        let held = self.held.take();
        if held.is_empty() { Ok(()) } else { write(rest, &held, receive) }
    }

    /// Begins with the kind to try now that the last one did not fit.
    fn next_attempt(&mut self) {
        self.held = Room::default();
        if self.attempts >= ATTEMPTS_MAX {
            self.mode = Mode::Through;
            return;
        }
        self.attempts += 1;
        self.coding = match self.coding {
            Coding::Gzip | Coding::Brotli | Coding::Lzma => Coding::Deflate,
            Coding::Deflate => Coding::Zlib,
            Coding::Zlib => Coding::Gzip,
        };
        self.mode = Mode::Decode(Decoder::new(self.coding));
    }
}

/// LZMA is decoded at the end, in one go; where it is none, the kinds of deflate are tried on all of it.
fn finish_lzma(input: Vec<u8>, rest: &mut [Layer], receive: Receiver<'_>) -> Result<(), Stopped> {
    match lzma::decode(&input) {
        Some(output) => write(rest, &output, receive),
        None => {
            let mut other = [Layer::new(Coding::Deflate, 1)];
            write(&mut other, &input, &mut |piece| write(rest, piece, receive))?;
            finish(&mut other, &mut |piece| write(rest, piece, receive))
        }
    }
}

#[cfg(test)]
mod tests;
