//! An edge: frames out of files of captured packets, and back into them.
//!
//! [`Reader`] reads pcap (both byte orders, micro- and nanoseconds, the older and the modified record) and pcapng (several
//! sections, several interfaces, any resolution of time); the first bytes tell which. It reads in large pieces into a
//! [`Chunk`] that its caller lends it and gets back full: one allocation for millions of frames, and no copy of a frame
//! but the one that the system makes, and of the last one of each chunk. [`Pieces`] is for several who read a file at once.
//! Both find frames by the same [`Records`]. [`Writer`] writes pcap.
//!
//! What is promised for any bytes, written down as code in `fuzz/src/capture.rs`:
//!   - no panic, and no more memory than a chunk, one record and a list of interfaces;
//!   - the same frames, then the same end, whatever the sizes of the pieces in which the bytes come;
//!   - a capture that is cut off gives every frame before the cut, and then says where it was cut.
//!
//! Not here: what is in a frame; compressed files; live capture. Names, comments and statistics in pcapng are passed
//! over, and so is the length of a checksum behind each frame.

mod chunk;
mod clock;
mod error;
mod link;
mod order;
mod pcap;
mod pcapng;
mod pieces;
mod reader;
mod records;
mod step;
#[cfg(test)]
mod testing;
mod writer;

pub use chunk::{Chunk, Frame, Frames, PIECE_BYTES};
pub use error::{Error, Fault, Part};
pub use link::Link;
pub use pcapng::{BLOCK_BYTES_MAX, INTERFACES_MAX};
pub use pieces::Pieces;
pub use reader::Reader;
pub use records::Records;
pub use writer::{Resolution, WriteError, Writer};

/// The longest frame that is read or written; the same limit that others have who read such files. At it: the capture is
/// refused from there on, since a length beyond it is nearly always a damaged one, and nothing tells where the next
/// record would begin.
pub const FRAME_BYTES_MAX: usize = 262_144;
