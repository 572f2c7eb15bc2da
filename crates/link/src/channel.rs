//! One connection: a socket, TLS or not, what came in and what is to go out.
//!
//! Upon the socket being readable: bytes are read, up to a limit a turn, so that a flood on one connection does not starve
//!   the others.
//! Upon a frame to send: it is put into the buffer. If that is full, the frame is dropped: a peer that does not read must
//!   not cost memory, and whoever sends knows how to say things again.
//! Upon a flush: what is in the buffer goes to the socket in one piece; what the socket does not take waits until it is
//!   writable.

use crate::framing::{BadLength, Inbound, append};
use bytes::Bytes;
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read, Write};

/// Bytes that wait to go out on one connection at most.
pub(crate) const OUT_BYTES_MAX: usize = 16 << 20;

/// Times that a connection is read from in one turn at most.
const READS_MAX: usize = 8;

/// How a turn of reading ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    /// There is nothing more for now.
    Drained,
    /// There may be more.
    More,
    /// The other end has closed.
    Closed,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) stream: TcpStream,
    inbound: Inbound,
    out: Vec<u8>,
    /// Bytes of `out` that are gone already.
    gone: usize,
}

impl Channel {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Channel { stream, inbound: Inbound::default(), out: Vec::new(), gone: 0 }
    }

    /// Reads what came, through `scratch`.
    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> io::Result<Reading> {
        for _ in 0..READS_MAX {
            match self.stream.read(scratch) {
                Ok(0) => return Ok(Reading::Closed),
                Ok(count) => {
                    self.inbound.extend(&scratch[..count]);
                    // A short read has emptied the socket; what comes later is told anew.
                    if count < scratch.len() {
                        return Ok(Reading::Drained);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Reading::Drained),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Reading::More)
    }

    pub(crate) fn next_frame(&mut self) -> Result<Option<Bytes>, BadLength> {
        self.inbound.next_frame()
    }

    /// Puts a frame into the buffer; whether there was room.
    pub(crate) fn queue(&mut self, frame: &[u8]) -> bool {
        if self.out.len() + frame.len() > OUT_BYTES_MAX {
            return false;
        }
        append(frame, &mut self.out);
        true
    }

    /// Whether something waits to go out.
    pub(crate) fn has_output(&self) -> bool {
        self.gone < self.out.len()
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.has_output() {
            match self.stream.write(&self.out[self.gone..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.gone += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.gone = 0;
        Ok(())
    }
}
