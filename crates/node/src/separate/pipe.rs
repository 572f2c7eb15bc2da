//! The pipe between monitor and replica: words, each with its length, over a socket that neither end waits for.
//!
//! Upon a word to send: it joins what waits. At the end of a turn ([`Pipe::flush`]) all of it is written at once, as far as the
//!   socket takes it.
//! Upon the socket being readable: up to `READS_MAX` pieces are read; if there may be more, the next turn does not wait.
//! Upon more than [`FULL_BYTES`] that wait: the pipe is *full*. Nothing is dropped: a word that is lost between a monitor and its
//!   replica would make the replica break rules that it never saw. Whoever writes stops taking in what makes words,
//!   until the other end has read. It still makes some itself, so whoever does not read until the pipe is full no more is given up
//!   after a while, and at once upon [`OVERFULL_BYTES`].
//!
//! Not here: what a word says.

use agree::between::WORD_BYTES_MAX;
use bytes::Bytes;
use link::framing::{BadLength, Inbound};
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::Instant;
use wire::Encode;

/// Bytes that wait in a pipe that is full.
pub const FULL_BYTES: usize = 16 << 20;

/// Bytes that wait in a pipe beyond all patience.
pub const OVERFULL_BYTES: usize = 4 * FULL_BYTES;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

/// Times that a pipe is read from in one turn at most.
const READS_MAX: usize = 8;

/// How a turn of reading ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// There is nothing more for now.
    Drained,
    /// There may be more.
    More,
    /// The other end is gone.
    Closed,
}

/// One end.
#[derive(Debug)]
pub struct Pipe {
    stream: UnixStream,
    inbound: Inbound,
    out: Vec<u8>,
    /// Bytes of `out` that are gone already.
    gone: usize,
    /// Since when it has been full.
    full_since: Option<Instant>,
    scratch: Box<[u8]>,
}

impl Pipe {
    /// The end that is `socket`, which must be a stream that does not block.
    #[must_use]
    pub fn new(socket: OwnedFd) -> Pipe {
        Pipe {
            stream: UnixStream::from_std(socket.into()),
            inbound: Inbound::default(),
            out: Vec::new(),
            gone: 0,
            full_since: None,
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
        }
    }

    /// Wakes whoever waits at `registry` when there is something to read, or room again.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// The opposite.
    pub fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    /// Adds a word to what waits.
    pub fn queue(&mut self, word: &impl Encode) {
        let start = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        word.encode(&mut self.out);
        let length = self.out.len() - start - 4;
        debug_assert!((1..=WORD_BYTES_MAX).contains(&length));
        self.out[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    }

    /// Whether as much waits as may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.waiting() > FULL_BYTES
    }

    /// Whether more waits than ever should.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.waiting() > OVERFULL_BYTES
    }

    fn waiting(&self) -> usize {
        self.out.len() - self.gone
    }

    /// Since when it has been full without a break, as of the last flush. That some of it is taken now and then is no excuse.
    #[must_use]
    pub fn full_since(&self) -> Option<Instant> {
        self.full_since
    }

    /// Writes what waits, as far as the socket takes it.
    pub fn flush(&mut self) -> io::Result<()> {
        let flushed = self.write();
        self.full_since = self.is_full().then(|| self.full_since.unwrap_or_else(Instant::now));
        flushed
    }

    fn write(&mut self) -> io::Result<()> {
        while self.gone < self.out.len() {
            match self.stream.write(&self.out[self.gone..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.gone += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.gone > FULL_BYTES {
                        self.out.drain(..self.gone);
                        self.gone = 0;
                    }
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.gone = 0;
        Ok(())
    }

    /// Reads what came.
    pub fn read(&mut self) -> io::Result<Reading> {
        for _ in 0..READS_MAX {
            match self.stream.read(&mut self.scratch) {
                Ok(0) => return Ok(Reading::Closed),
                Ok(count) => {
                    self.inbound.extend(&self.scratch[..count]);
                    if count < self.scratch.len() {
                        return Ok(Reading::Drained);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Reading::Drained),
                Err(error) => return Err(error),
            }
        }
        Ok(Reading::More)
    }

    /// The next word, if it is whole.
    pub fn next_word(&mut self) -> Result<Option<Bytes>, BadLength> {
        self.inbound.next_frame()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream as Blocking;

    fn pair() -> (Pipe, Blocking) {
        let (near, far) = Blocking::pair().expect("there is room for two sockets");
        near.set_nonblocking(true).expect("it can be set");
        (Pipe::new(near.into()), far)
    }

    #[test]
    fn words_arrive_whole_and_in_order_however_slowly_the_other_end_reads() {
        let (mut pipe, far) = pair();
        far.set_nonblocking(true).expect("it can be set");
        let mut other = Pipe::new(far.into());
        let words: Vec<Bytes> = (1..200_usize).map(|size| Bytes::from(vec![size as u8; size * 50])).collect();
        words.iter().for_each(|word| pipe.queue(word));
        let mut heard = Vec::new();
        while heard.len() < words.len() {
            pipe.flush().expect("it is open");
            assert_ne!(other.read().expect("it is open"), Reading::Closed);
            while let Some(word) = other.next_word().expect("lengths are right") {
                heard.push(word.slice(4..));
            }
        }
        assert_eq!(heard, words);
    }

    #[test]
    fn a_pipe_says_since_when_it_is_full_whatever_is_read_of_it_now_and_then() {
        let (mut pipe, mut far) = pair();
        let word = Bytes::from(vec![0; 1 << 20]);
        for _ in 0..18 {
            pipe.queue(&word);
        }
        assert_eq!(pipe.full_since(), None, "nobody has tried yet");
        pipe.flush().expect("it is open");
        let since = pipe.full_since();
        assert!(pipe.is_full() && since.is_some() && !pipe.is_overfull());
        let mut some = [0; 4_096];
        far.read_exact(&mut some).expect("there is something");
        pipe.flush().expect("it is open");
        assert_eq!(pipe.full_since(), since, "a drop is no excuse");
        let mut rest = vec![0; 4 << 20];
        while pipe.is_full() {
            assert!(far.read(&mut rest).expect("there is more") > 0);
            pipe.flush().expect("it is open");
        }
        assert_eq!(pipe.full_since(), None);
        while !pipe.is_overfull() {
            pipe.queue(&word);
        }
    }

    #[test]
    fn what_was_said_before_the_end_is_heard_before_it() {
        let (mut pipe, mut far) = pair();
        far.write_all(&[1, 0, 0, 0, 7]).expect("there is room");
        drop(far);
        let mut reading = pipe.read().expect("it is readable");
        if reading != Reading::Closed {
            reading = pipe.read().expect("it is readable");
        }
        assert_eq!(reading, Reading::Closed);
        assert_eq!(pipe.next_word(), Ok(Some(Bytes::from_static(&[7]))));
    }
}
