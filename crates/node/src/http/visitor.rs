//! One visitor: what it has asked so far, and what is left to tell it.

use super::HEAD_BYTES_MAX;
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

/// What ends the head of a question.
const END: &[u8] = b"\r\n\r\n";

/// How a visit ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Over {
    /// It was answered.
    Answered,
    /// It was the oldest, and others came.
    CrowdedOut,
    /// It hung up, or said what is no HTTP.
    Left,
    /// It took too long.
    Slow,
    /// It asked too long a question.
    TooLong,
}

impl Over {
    /// Its name, for counters.
    pub(super) fn name(self) -> &'static str {
        match self {
            Over::Answered => "answered",
            Over::CrowdedOut => "crowded-out",
            Over::Left => "left",
            Over::Slow => "slow",
            Over::TooLong => "too-long",
        }
    }
}

#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) stream: TcpStream,
    /// It is sent away then.
    pub(super) until: Instant,
    head: Vec<u8>,
    /// Nothing as long as it asks.
    answer: Vec<u8>,
    /// Bytes of the answer that are gone already.
    gone: usize,
}

impl Visitor {
    pub(super) fn new(stream: TcpStream, until: Instant) -> Visitor {
        Visitor { stream, until, head: Vec::new(), answer: Vec::new(), gone: 0 }
    }

    /// Hears what it asks, has `answer` answer it, and tells it, all as far as the socket lets us; how the visit ended, if it did.
    pub(super) fn advance(&mut self, answer: impl FnOnce(&str) -> Vec<u8>) -> Option<Over> {
        let advanced = match self.answer.is_empty() {
            true => self.hear(answer),
            false => self.tell(),
        };
        match advanced {
            Ok(over) => Some(over),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(_) => Some(Over::Left),
        }
    }

    fn hear(&mut self, answer: impl FnOnce(&str) -> Vec<u8>) -> io::Result<Over> {
        let mut piece = [0; 1024];
        loop {
            let known = self.head.len().saturating_sub(END.len() - 1);
            match self.stream.read(&mut piece) {
                Ok(0) => return Ok(Over::Left),
                Ok(count) => self.head.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.head[known..].windows(END.len()).any(|bytes| bytes == END) {
                let Ok(head) = str::from_utf8(&self.head) else { return Ok(Over::Left) };
                self.answer = answer(head);
                return self.tell();
            }
            if self.head.len() > HEAD_BYTES_MAX {
                return Ok(Over::TooLong);
            }
        }
    }

    fn tell(&mut self) -> io::Result<Over> {
        while self.gone < self.answer.len() {
            match self.stream.write(&self.answer[self.gone..]) {
                Ok(0) => return Ok(Over::Left),
                Ok(count) => self.gone += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Over::Answered)
    }
}
