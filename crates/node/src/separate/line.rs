//! The line between supervisor and monitor: one datagram for each thing said, in order, over a socket pair.
//!
//! From the supervisor, each with a descriptor: the pipe to a replica that begins; the changes of the roster, or the
//!   secret, opened (the monitor opens no file).
//! From the monitor: that it runs; that its replica is lost, and why; what to answer to whoever asks.
//! Upon no room: an answer is dropped, there is a newer one soon; that a replica is lost is said again by the monitor.
//!
//! [`SAID_BYTES_MAX`] each. What does not decode ends the line: the two are of one binary.

use crate::report::{Answers, Duty};
use agree::between::WHY_BYTES_MAX;
use bytes::Bytes;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use wire::{Decode, DecodeError, Encode, Reader, Text};

/// Bytes of a datagram at most.
pub const SAID_BYTES_MAX: usize = 64 << 10;

/// What a supervisor hands over.
#[derive(Debug)]
pub enum ToMonitor {
    /// At the other end of this pipe a replica begins, by its number of starts.
    Replica(u64, OwnedFd),
    /// The changes of the roster, as the files tell them.
    Changes(OwnedFd),
    /// The secret identity of the node.
    Secret(OwnedFd),
}

/// What a monitor says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToSupervisor {
    /// It runs.
    Runs,
    /// It has given up the replica of this number.
    ReplicaLost(u64, String),
    /// What is to be answered from now on.
    Answers(Answers),
}

fn text<const BYTES_MAX: usize>(from: &mut Reader) -> Result<String, DecodeError> {
    Text::<BYTES_MAX>::decode(from).map(Text::into_string)
}

impl Encode for ToSupervisor {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            ToSupervisor::Runs => to.push(0),
            ToSupervisor::ReplicaLost(start, why) => {
                to.push(1);
                start.encode(to);
                Text::<WHY_BYTES_MAX>::cut(why).encode(to);
            }
            ToSupervisor::Answers(answers) => {
                to.push(2);
                to.push(match answers.duty {
                    Duty::TakesPart => 0,
                    Duty::StandsBy => 1,
                    Duty::Neither => 2,
                });
                Text::<SAID_BYTES_MAX>::cut(&answers.status).encode(to);
                Text::<SAID_BYTES_MAX>::cut(&answers.metrics).encode(to);
            }
        }
    }
}

impl Decode for ToSupervisor {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(ToSupervisor::Runs),
            1 => Ok(ToSupervisor::ReplicaLost(u64::decode(from)?, text::<WHY_BYTES_MAX>(from)?)),
            2 => Ok(ToSupervisor::Answers(Answers {
                duty: match u8::decode(from)? {
                    0 => Duty::TakesPart,
                    1 => Duty::StandsBy,
                    2 => Duty::Neither,
                    tag => return Err(DecodeError::UnknownTag { of: "duty of a node", tag }),
                },
                status: text::<SAID_BYTES_MAX>(from)?,
                metrics: text::<SAID_BYTES_MAX>(from)?,
            })),
            tag => Err(DecodeError::UnknownTag { of: "word of a monitor", tag }),
        }
    }
}

/// One end.
#[derive(Debug)]
pub struct Line {
    socket: OwnedFd,
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Line {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// What came of one datagram.
enum Datagram {
    Nothing,
    Closed,
    Said(Bytes, Option<OwnedFd>),
}

/// Two ends of what `kind` says; neither blocks, and no program that is run inherits one unasked.
pub(crate) fn pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?)
}

impl Line {
    /// A line, and the socket that is its other end.
    pub fn new() -> io::Result<(Line, OwnedFd)> {
        let (near, far) = pair(SocketType::SEQPACKET)?;
        Ok((Line { socket: near }, far))
    }

    /// The end that is `socket`.
    #[must_use]
    pub fn of(socket: OwnedFd) -> Line {
        Line { socket }
    }

    /// Hands something over; the supervisor's end.
    pub fn hand(&self, what: &ToMonitor) -> io::Result<()> {
        let (said, descriptor) = match what {
            ToMonitor::Replica(start, pipe) => ([&[0], &start.to_le_bytes()[..]].concat(), pipe),
            ToMonitor::Changes(file) => (vec![1], file),
            ToMonitor::Secret(file) => (vec![2], file),
        };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        let descriptors = [descriptor.as_fd()];
        assert!(beside.push(SendAncillaryMessage::ScmRights(&descriptors)), "there is room for one");
        sendmsg(&self.socket, &[IoSlice::new(&said)], &mut beside, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// What the supervisor handed over, if anything waits; the monitor's end.
    ///
    /// # Errors
    /// If the supervisor is gone ([`ErrorKind::UnexpectedEof`]), or what it says makes no sense.
    pub fn handed(&self) -> io::Result<Option<ToMonitor>> {
        match self.receive()? {
            Datagram::Nothing => Ok(None),
            Datagram::Closed => Err(ErrorKind::UnexpectedEof.into()),
            Datagram::Said(bytes, descriptor) => match (&bytes[..], descriptor) {
                ([0, start @ ..], Some(pipe)) => {
                    let start = start.try_into().map_err(|_| io::Error::from(ErrorKind::InvalidData))?;
                    Ok(Some(ToMonitor::Replica(u64::from_le_bytes(start), pipe)))
                }
                ([1], Some(file)) => Ok(Some(ToMonitor::Changes(file))),
                ([2], Some(file)) => Ok(Some(ToMonitor::Secret(file))),
                _ => Err(ErrorKind::InvalidData.into()),
            },
        }
    }

    /// Says something; the monitor's end. Whether there was room.
    pub fn say(&self, what: &ToSupervisor) -> io::Result<bool> {
        let bytes = what.to_bytes();
        let mut beside = SendAncillaryBuffer::default();
        match sendmsg(&self.socket, &[IoSlice::new(&bytes)], &mut beside, SendFlags::NOSIGNAL) {
            Ok(_) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What the monitor said, if anything waits; the supervisor's end.
    ///
    /// # Errors
    /// If the monitor is gone ([`ErrorKind::UnexpectedEof`]), or what it says makes no sense.
    pub fn said(&self) -> io::Result<Option<ToSupervisor>> {
        match self.receive()? {
            Datagram::Nothing => Ok(None),
            Datagram::Closed => Err(ErrorKind::UnexpectedEof.into()),
            Datagram::Said(bytes, _) => {
                let said = ToSupervisor::from_bytes(bytes);
                said.map(Some).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
            }
        }
    }

    fn receive(&self) -> io::Result<Datagram> {
        let mut bytes = vec![0; SAID_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut bytes)];
        let count = match recvmsg(&self.socket, &mut into, &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => received.bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Datagram::Nothing),
            Err(error) => return Err(error.into()),
        };
        if count == 0 {
            return Ok(Datagram::Closed);
        }
        let descriptor = beside.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        bytes.truncate(count);
        Ok(Datagram::Said(bytes.into(), descriptor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_that_is_handed_over_still_leads_where_it_did() {
        let (supervisor, far) = Line::new().expect("there is room for a line");
        let monitor = Line::of(far);
        assert!(monitor.handed().expect("it is open").is_none());
        let (mut near, far) = UnixStream::pair().expect("there is room for a pipe");
        supervisor.hand(&ToMonitor::Replica(7, far.into())).expect("it is open");
        let Ok(Some(ToMonitor::Replica(7, pipe))) = monitor.handed() else {
            panic!("a pipe was handed over")
        };
        near.write_all(b"x").expect("it is open");
        let mut byte = [0];
        UnixStream::from(pipe).read_exact(&mut byte).expect("it is open");
        assert_eq!(&byte, b"x");
        let null = File::open("/dev/null").expect("it is there");
        supervisor.hand(&ToMonitor::Changes(null.into())).expect("it is open");
        assert!(matches!(monitor.handed(), Ok(Some(ToMonitor::Changes(_)))));
        drop(supervisor);
        assert_eq!(monitor.handed().expect_err("it is closed").kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_a_monitor_says_arrives_and_an_answer_without_room_is_dropped() {
        let (supervisor, far) = Line::new().expect("there is room for a line");
        let monitor = Line::of(far);
        let of = |duty| Answers { duty, status: "{}".repeat(5_000), metrics: "varangian_healthy 1\n".into() };
        let answers = of(Duty::TakesPart);
        for word in [
            ToSupervisor::Runs,
            ToSupervisor::Answers(of(Duty::StandsBy)),
            ToSupervisor::Answers(of(Duty::Neither)),
            ToSupervisor::ReplicaLost(3, "ä".repeat(9)),
            ToSupervisor::Answers(answers.clone()),
        ] {
            assert!(monitor.say(&word).expect("it is open"));
            assert_eq!(supervisor.said().expect("it is open"), Some(word));
        }
        let word = ToSupervisor::Answers(answers);
        assert!((0..1_000).any(|_| !monitor.say(&word).expect("it is open")), "the line has an end");
        let cut = ToSupervisor::ReplicaLost(3, "ä".repeat(WHY_BYTES_MAX)).to_bytes();
        assert!(ToSupervisor::from_bytes(cut).is_ok(), "a reason is cut between letters");
    }
}
