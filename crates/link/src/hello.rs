//! The first thing that both ends of a link say: who they are, of which cluster, and by which version of the link.
//!
//! ```text
//! "VLNK" | version u8 | cluster digest [32] | peer
//! ```
//!
//! Over TLS the key has said already who the other end is; then the word must agree with the key. Over a plain link the word is
//! all there is, which is why a plain link is for an isolated network only.

use bytes::Bytes;
use core::fmt;
use wire::{Decode, DecodeError, Digest, Encode, Peer, Reader};

const MAGIC: [u8; 4] = *b"VLNK";

/// The version of what travels on a link beside the frames.
pub const VERSION: u8 = 1;

/// Who somebody says to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hello {
    /// The cluster: the digest of its name and settings.
    pub cluster: Digest,
    /// Who speaks.
    pub me: Peer,
}

impl Encode for Hello {
    fn encode(&self, to: &mut Vec<u8>) {
        MAGIC.encode(to);
        VERSION.encode(to);
        self.cluster.encode(to);
        self.me.encode(to);
    }
}

/// What is wrong with the first word of a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadHello {
    /// It is no hello.
    Malformed(DecodeError),
    /// It is not of our kind at all.
    NotOurs,
    /// It has another version.
    Version(u8),
}

impl fmt::Display for BadHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadHello::Malformed(error) => write!(f, "the first word does not decode: {error}"),
            BadHello::NotOurs => write!(f, "this does not speak our language"),
            BadHello::Version(found) => {
                write!(f, "it speaks version {found} of the link, we speak {VERSION}")
            }
        }
    }
}

impl core::error::Error for BadHello {}

impl Hello {
    /// Reads one.
    pub fn read(bytes: Bytes) -> Result<Hello, BadHello> {
        let mut reader = Reader::new(bytes);
        let mut read = || -> Result<Result<Hello, BadHello>, DecodeError> {
            if reader.array()? != MAGIC {
                return Ok(Err(BadHello::NotOurs));
            }
            match u8::decode(&mut reader)? {
                VERSION => {}
                other => return Ok(Err(BadHello::Version(other))),
            }
            let hello = Hello { cluster: Digest::decode(&mut reader)?, me: Peer::decode(&mut reader)? };
            match reader.left() {
                0 => Ok(Ok(hello)),
                left => Err(DecodeError::TrailingBytes { left }),
            }
        };
        read().map_err(BadHello::Malformed)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::NodeId;

    #[test]
    fn a_hello_is_read_back_and_anything_else_is_refused_by_name() {
        let hello = Hello { cluster: Digest([7; 32]), me: Peer::Node(NodeId(3)) };
        let bytes = hello.to_bytes();
        assert_eq!(Hello::read(bytes.clone()), Ok(hello));
        let changed = |at: usize, byte: u8| {
            let mut bytes = bytes.to_vec();
            bytes[at] = byte;
            Hello::read(Bytes::from(bytes))
        };
        assert_eq!(changed(0, b'G'), Err(BadHello::NotOurs));
        assert_eq!(changed(4, 9), Err(BadHello::Version(9)));
        assert!(matches!(Hello::read(bytes.slice(..20)), Err(BadHello::Malformed(_))));
        assert!(matches!(Hello::read(Bytes::from_static(b"GET / HTTP/1.1\r\n")), Err(BadHello::NotOurs)));
    }
}
