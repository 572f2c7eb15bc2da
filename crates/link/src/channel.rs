//! One connection: a socket, TLS or not, what came in and what is to go out.
//!
//! Upon the socket being readable: bytes are read, up to a limit a turn, so that a flood on one connection does not starve
//!   the others.
//! Upon a frame to send: it is put into the buffer. If that is full, the frame is dropped: a peer that does not read must
//!   not cost memory, and whoever sends knows how to say things again.
//! Upon a flush: what is in the buffer goes to the socket in one piece; what the socket does not take waits until it is
//!   writable. Over TLS it is encrypted only as fast as the socket takes it, so nothing waits twice.

use crate::framing::{BadLength, Inbound, append};
use bytes::Bytes;
use core::time::Duration;
use mio::net::TcpStream;
use rustls::Connection;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind, Read, Write};

/// Bytes that wait to go out on one connection at most.
pub(crate) const OUT_BYTES_MAX: usize = 16 << 20;

/// Times that a connection is read from in one turn at most.
const READS_MAX: usize = 8;

/// Bytes that are encrypted at once: what a socket's buffer is likely to take.
const ENCRYPT_BYTES: usize = 64 << 10;

/// How long what was sent may go without a sign that it came, and a connection without any.
const UNANSWERED_MAX: Duration = Duration::from_secs(1);

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

/// Why a connection can go on no longer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The socket failed.
    Socket(ErrorKind),
    /// TLS did not come about, or was broken.
    Tls(rustls::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Broken::Socket(error.kind())
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) stream: TcpStream,
    tls: Option<Box<Connection>>,
    inbound: Inbound,
    out: Vec<u8>,
    /// Bytes of `out` that are gone already.
    gone: usize,
}

impl Channel {
    pub(crate) fn new(stream: TcpStream, tls: Option<Connection>) -> Self {
        // What the system refuses here costs time, and nothing else.
        let _ = set_options(&stream);
        Channel { stream, tls: tls.map(Box::new), inbound: Inbound::default(), out: Vec::new(), gone: 0 }
    }

    /// What TLS knows of the other end.
    pub(crate) fn tls(&self) -> Option<&Connection> {
        self.tls.as_deref()
    }

    /// Reads what came, through `scratch`.
    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> Result<Reading, Broken> {
        for _ in 0..READS_MAX {
            match self.read_once(scratch) {
                Ok(Reading::More) => {}
                Ok(ended) => return Ok(ended),
                Err(Broken::Socket(kind)) => return Err(Broken::Socket(kind)),
                Err(broken) => {
                    // The other end may be told why.
                    let _ = self.flush();
                    return Err(broken);
                }
            }
        }
        Ok(Reading::More)
    }

    fn read_once(&mut self, scratch: &mut [u8]) -> Result<Reading, Broken> {
        let Some(tls) = &mut self.tls else {
            return match self.stream.read(scratch) {
                Ok(0) => Ok(Reading::Closed),
                Ok(count) => {
                    self.inbound.extend(&scratch[..count]);
                    // A short read has emptied the socket; what comes later is told anew.
                    Ok(if count < scratch.len() { Reading::Drained } else { Reading::More })
                }
                Err(error) => waits(error),
            };
        };
        match tls.read_tls(&mut self.stream) {
            Ok(0) => return Ok(Reading::Closed),
            Ok(_) => {}
            Err(error) => return waits(error),
        }
        let state = tls.process_new_packets().map_err(Broken::Tls)?;
        let mut left = state.plaintext_bytes_to_read();
        while left > 0 {
            let count = tls.reader().read(scratch)?;
            self.inbound.extend(&scratch[..count]);
            left -= count.min(left);
        }
        if state.peer_has_closed() {
            return Ok(Reading::Closed);
        }
        Ok(Reading::More)
    }

    pub(crate) fn next_frame(&mut self) -> Result<Option<Bytes>, BadLength> {
        self.inbound.next_frame()
    }

    /// Puts a frame into the buffer; whether there was room.
    pub(crate) fn queue(&mut self, frame: &[u8]) -> bool {
        if self.out.len() - self.gone + frame.len() > OUT_BYTES_MAX {
            return false;
        }
        append(frame, &mut self.out);
        true
    }

    /// Whether something waits to go out.
    pub(crate) fn has_output(&self) -> bool {
        self.gone < self.out.len() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> Result<(), Broken> {
        match &mut self.tls {
            None => write(&mut self.stream, &self.out, &mut self.gone)?,
            Some(tls) => loop {
                while tls.wants_write() {
                    match tls.write_tls(&mut self.stream) {
                        Ok(_) => {}
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                        Err(error) => return Err(error.into()),
                    }
                }
                if tls.is_handshaking() || self.gone == self.out.len() {
                    break;
                }
                let end = self.out.len().min(self.gone + ENCRYPT_BYTES);
                self.gone += tls.writer().write(&self.out[self.gone..end])?;
            },
        }
        if self.gone == self.out.len() {
            self.out.clear();
            self.gone = 0;
        } else if self.gone > OUT_BYTES_MAX {
            self.out.drain(..self.gone);
            self.gone = 0;
        }
        Ok(())
    }
}

/// A frame does not wait for the one after it; and a peer that is cut off is given up early: left to itself, TCP would try for
/// many minutes, more and more rarely, and notice the end of a partition as late.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(UNANSWERED_MAX))?;
    let keepalive =
        TcpKeepalive::new().with_time(UNANSWERED_MAX).with_interval(UNANSWERED_MAX).with_retries(2);
    socket.set_tcp_keepalive(&keepalive)
}

/// Writes what is left of `out` after `gone`, until the socket takes no more.
fn write(stream: &mut TcpStream, out: &[u8], gone: &mut usize) -> io::Result<()> {
    while *gone < out.len() {
        match stream.write(&out[*gone..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => *gone += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What an error of a read means.
fn waits(error: io::Error) -> Result<Reading, Broken> {
    match error.kind() {
        ErrorKind::WouldBlock => Ok(Reading::Drained),
        ErrorKind::Interrupted => Ok(Reading::More),
        _ => Err(error.into()),
    }
}
