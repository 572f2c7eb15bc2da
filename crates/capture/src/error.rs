//! What can be wrong with a capture: what was found, at which byte of the file, and what would be right.
//!
//! The file has no name here, since what is read need not be a file; callers put it in front.

use crate::{BLOCK_BYTES_MAX, FRAME_BYTES_MAX, INTERFACES_MAX};
use std::fmt;
use std::io;

/// Why there are no more frames.
#[derive(Debug)]
pub struct Error {
    /// At which byte, from the beginning of the capture. For a record, where it begins.
    pub at: u64,
    /// What is wrong there.
    pub fault: Fault,
}

impl Error {
    /// The system refused to do something.
    pub(crate) fn system(at: u64, doing: &'static str, error: io::Error) -> Error {
        Error { at, fault: Fault::System { doing, error } }
    }

    /// Whether the capture merely ends too early. All frames before the cut were given, and going on with them is
    /// reasonable.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        matches!(self.fault, Fault::Truncated { .. })
    }
}

/// What is wrong with a capture.
#[derive(Debug)]
pub enum Fault {
    /// The system refused something.
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// There is nothing in it.
    Empty,
    /// It begins with bytes that no format begins with.
    NotACapture {
        /// The first four of them, or fewer.
        found: Vec<u8>,
    },
    /// It ends within something.
    Truncated {
        /// Within what.
        within: Part,
        /// How many bytes of it are there.
        have: u64,
        /// How many it needs.
        need: u64,
    },
    /// It is of a version that is not known.
    Version {
        /// The larger part of the version.
        major: u16,
        /// The smaller part of it.
        minor: u16,
        /// What is known.
        known: &'static str,
    },
    /// A frame is longer than [`FRAME_BYTES_MAX`].
    FrameTooLong {
        /// How long it says that it is.
        bytes: u32,
    },
    /// A section of pcapng does not say in which order its bytes are.
    ByteOrder {
        /// What stands there instead.
        found: [u8; 4],
    },
    /// A block is shorter than one of its kind can be.
    BlockTooShort {
        /// Its kind.
        kind: u32,
        /// How long it says that it is.
        bytes: u32,
        /// How long it must be.
        bytes_min: u32,
    },
    /// A block that must be read as a whole is longer than [`BLOCK_BYTES_MAX`].
    BlockTooLong {
        /// Its kind.
        kind: u32,
        /// How long it says that it is.
        bytes: u32,
    },
    /// The length of a block is no multiple of four.
    BlockUneven {
        /// Its kind.
        kind: u32,
        /// How long it says that it is.
        bytes: u32,
    },
    /// A block says another length at its end than at its beginning.
    BlockEnd {
        /// Its length as it stands at the beginning.
        first: u32,
        /// Its length as it stands at the end.
        last: u32,
    },
    /// A frame, or an option, is longer than the block that it stands in.
    BeyondBlock {
        /// How long it says that it is.
        bytes: u32,
        /// What is left of the block.
        room: usize,
    },
    /// An option that has a fixed length has another.
    OptionLength {
        /// Its code.
        code: u16,
        /// How long it is.
        bytes: u16,
        /// How long it must be.
        right: u16,
    },
    /// A frame comes from an interface that its section has not described.
    UnknownInterface {
        /// Its number.
        interface: u32,
        /// How many were described.
        known: usize,
    },
    /// A section describes more than [`INTERFACES_MAX`] interfaces.
    TooManyInterfaces,
}

/// What a capture may end within.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The head of the file.
    FileHead,
    /// The head of a record of pcap.
    RecordHead,
    /// A record of pcap.
    Record,
    /// The head of a block of pcapng.
    BlockHead,
    /// A block of pcapng.
    Block,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::FileHead => "the head of the file",
            Part::RecordHead => "the head of a record",
            Part::Record => "a record",
            Part::BlockHead => "the head of a block",
            Part::Block => "a block",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            // Nothing stands at a byte when there is none.
            Fault::System { doing, error } if self.at == 0 => write!(f, "cannot {doing}: {error}"),
            Fault::System { doing, error } => write!(f, "byte {}: cannot {doing}: {error}", self.at),
            fault => write!(f, "byte {}: {fault}", self.at),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::System { doing, error } => write!(f, "cannot {doing}: {error}"),
            Fault::Empty => write!(f, "the capture is empty; even one without frames has a head of 24 bytes"),
            Fault::NotACapture { found } => write!(
                f,
                "this is no capture: it begins with {}; pcap begins with a1b2c3d4, a1b23c4d or a1b2cd34 in either order of bytes, \
                 pcapng with 0a0d0d0a",
                Hex(found)
            ),
            Fault::Truncated { within, have, need } => {
                write!(f, "the capture ends within {within}: {have} of its {need} bytes are there")
            }
            Fault::Version { major, minor, known } => {
                write!(f, "version {major}.{minor} of the format is not known; {known} is")
            }
            Fault::FrameTooLong { bytes } => {
                write!(f, "a frame of {bytes} bytes; at most {FRAME_BYTES_MAX} are read, so this is damaged")
            }
            Fault::ByteOrder { found } => {
                write!(
                    f,
                    "a section says {} for its order of bytes; 1a2b3c4d or 4d3c2b1a would be right",
                    Hex(found)
                )
            }
            Fault::BlockTooShort { kind, bytes, bytes_min } => {
                write!(
                    f,
                    "a block (type {kind:#x}) of {bytes} bytes; one of its type has {bytes_min} or more"
                )
            }
            Fault::BlockTooLong { kind, bytes } => {
                write!(
                    f,
                    "a block (type {kind:#x}) of {bytes} bytes; one of its type has at most {BLOCK_BYTES_MAX}"
                )
            }
            Fault::BlockUneven { kind, bytes } => {
                write!(
                    f,
                    "a block (type {kind:#x}) of {bytes} bytes; the length of a block is a multiple of 4"
                )
            }
            Fault::BlockEnd { first, last } => {
                write!(f, "a block ends with length {last} and begins with {first}; both must be the same")
            }
            Fault::BeyondBlock { bytes, room } => {
                write!(f, "a block says that {bytes} bytes stand in it where it has {room}")
            }
            Fault::OptionLength { code, bytes, right } => {
                write!(f, "option {code} of an interface has {bytes} bytes; {right} would be right")
            }
            Fault::UnknownInterface { interface, known } => {
                write!(f, "a frame of interface {interface}, where its section has described {known} so far")
            }
            Fault::TooManyInterfaces => {
                write!(f, "a section describes more than {INTERFACES_MAX} interfaces; that is the most")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Bytes as a person reads them in a dump.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
