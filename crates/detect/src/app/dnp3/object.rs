//! The objects of a message: which there are, and where each ends.
//!
//! Nothing in an object says how long it is, so a kind that is not known ends the matter.
//!
//! Not here: what points say.

use crate::app::bytes::Reader;

/// Points of one message that are passed over at most.
pub(super) const POINTS_MAX: u64 = 16_384;
/// Objects of one message at most.
pub(super) const OBJECTS_MAX: usize = 2048;

/// The head of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Object {
    pub(super) group: u8,
    pub(super) variation: u8,
    pub(super) qualifier: u8,
    pub(super) start: u32,
    pub(super) stop: u32,
    pub(super) count: u32,
}

/// How reading the objects ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// All of them were read.
    Complete,
    /// A head is cut off, or of a form that is reserved.
    Cut,
    /// Of a kind that is not known, or shorter than it says.
    Unknown,
    TooManyPoints,
    TooManyObjects,
}

/// What a point is made of.
#[derive(Clone, Copy)]
enum Shape {
    /// So many bits; points share bytes.
    Bits(u64),
    /// So many bytes.
    Bytes(u64),
    /// Parts one after another.
    Parts(&'static [Part]),
    /// The same; a size must stand before it.
    Sized(&'static [Part]),
}

#[derive(Clone, Copy)]
enum Part {
    Bytes(usize),
    /// The length, in two bytes, of a text that follows.
    Length,
    /// As many bytes as the first length says that was not used yet.
    Text,
    /// What is left of the size that stands before the point.
    Rest,
}

use Part::{Bytes, Length, Rest, Text};

fn shape(group: u8, variation: u8) -> Option<Shape> {
    let bytes = match (group, variation) {
        (1 | 10 | 80, 1) | (12, 3) => return Some(Shape::Bits(1)),
        (3, 1) => return Some(Shape::Bits(2)),
        (70 | 83 | 120, _) => return parts(group, variation),
        (1 | 3 | 10, 2) | (2 | 4 | 11 | 13, 1) | (86, 2) | (102, 1) => 1,
        (2 | 4 | 11 | 13, 2) => 7,
        (2 | 4, 3) => 3,
        (12, 1 | 2) => 11,
        (20, 1 | 3) | (21, 1 | 3) | (22 | 23, 1 | 3) => 5,
        (20, 2 | 4) | (21, 2 | 4) | (22 | 23, 2 | 4) => 3,
        (20, 5 | 7) | (21, 9 | 11) => 4,
        (20, 6 | 8) | (21, 10 | 12) => 2,
        (21..=23, 5 | 7) => 11,
        (21..=23, 6 | 8) => 9,
        (30, 1 | 5) | (31, 1 | 7) | (32 | 33, 1 | 5) => 5,
        (30 | 31, 2) | (32 | 33, 2) => 3,
        (30, 3) | (31, 5) => 4,
        (30, 4) | (31, 6) => 2,
        (30, 6) | (31, 8) | (32 | 33, 6) => 9,
        (31..=33, 3) | (32 | 33, 7) => 11,
        (31..=33, 4) => 9,
        (32 | 33, 8) => 15,
        (34, 1) => 2,
        (34, 2 | 3) => 4,
        (40, 1 | 3) | (41, 1 | 3) | (42 | 43, 1 | 5) => 5,
        (40..=43, 2) => 3,
        (40, 4) | (41, 4) | (42 | 43, 4 | 6) => 9,
        (42 | 43, 3 | 7) => 11,
        (42 | 43, 8) => 15,
        (50, 1 | 3) | (51, 1 | 2) => 6,
        (50, 2) => 10,
        (50, 4) => 11,
        (52, 1 | 2) => 2,
        (81, 1) => 3,
        (121 | 122, 1) => 7,
        (122, 2) => 13,
        _ => return None,
    };
    Some(Shape::Bytes(bytes))
}

/// Files, data sets and what proves who speaks: their lengths differ.
fn parts(group: u8, variation: u8) -> Option<Shape> {
    Some(match (group, variation) {
        (70, 1) => Shape::Parts(&[Length, Bytes(32), Text, Length, Text]),
        (70, 2) => Shape::Parts(&[Bytes(2), Length, Bytes(2), Length, Bytes(4), Text, Text]),
        (70, 3) => Shape::Parts(&[Bytes(2), Length, Bytes(22), Text]),
        (70, 4) => Shape::Sized(&[Bytes(13), Rest]),
        (70, 5) => Shape::Sized(&[Bytes(8), Rest]),
        (70, 6) => Shape::Sized(&[Bytes(9), Rest]),
        (70, 7) => Shape::Parts(&[Bytes(2), Length, Bytes(16), Text]),
        (70, 8) => Shape::Sized(&[Rest]),
        (83, 1) => Shape::Parts(&[Bytes(6), Length, Text]),
        (120, 1) => Shape::Sized(&[Bytes(8), Rest]),
        (120, 2) => Shape::Sized(&[Bytes(6), Rest]),
        (120, 3) => Shape::Bytes(6),
        (120, 4) => Shape::Bytes(2),
        (120, 5) => Shape::Sized(&[Bytes(9), Length, Text, Rest]),
        (120, 6) => Shape::Sized(&[Bytes(5), Rest]),
        (120, 7) => Shape::Sized(&[Bytes(15), Rest]),
        (120, 8) => Shape::Sized(&[Bytes(2), Rest]),
        (120, 9 | 14 | 15) => Shape::Sized(&[Rest]),
        (120, 10) => Shape::Sized(&[Bytes(10), Length, Length, Length, Text, Text, Text]),
        (120, 11) => Shape::Sized(&[Bytes(1), Length, Length, Text, Text]),
        (120, 12 | 13) => Shape::Sized(&[Bytes(6), Length, Text]),
        _ => return None,
    })
}

/// How many bytes stand before each point, and whether they are its size.
fn prefix(qualifier: u8) -> Option<(usize, bool)> {
    match qualifier >> 4 & 7 {
        0 => Some((0, false)),
        1 => Some((1, false)),
        2 => Some((2, false)),
        3 => Some((4, false)),
        4 => Some((1, true)),
        5 => Some((2, true)),
        6 => Some((4, true)),
        _ => None,
    }
}

impl Object {
    /// Reads a head.
    fn read(reader: &mut Reader<'_>) -> Option<Object> {
        let [group, variation, qualifier] = reader.array()?;
        let mut object = Object { group, variation, qualifier, ..Object::default() };
        let range = qualifier & 0x0f;
        let mut number = || match range {
            0 | 3 | 7 | 11 => reader.u8().map(u32::from),
            1 | 4 | 8 => reader.le16().map(u32::from),
            2 | 5 | 9 => reader.le32(),
            _ => None,
        };
        match range {
            0..=5 => {
                object.start = number()?;
                object.stop = number()?;
                object.count = object.stop.wrapping_sub(object.start).wrapping_add(1);
            }
            6 => {}
            _ => object.count = number()?,
        }
        Some(object)
    }

    /// Passes over its points.
    fn pass(&self, reader: &mut Reader<'_>) -> Option<()> {
        let (prefix_bytes, is_size) = prefix(self.qualifier)?;
        let count = u64::from(self.count);
        match shape(self.group, self.variation)? {
            Shape::Bits(bits) => {
                reader.skip(prefix_bytes)?;
                reader.skip(usize::try_from((count * bits).div_ceil(8)).ok()?)
            }
            Shape::Bytes(bytes) => reader.skip(usize::try_from(count * (prefix_bytes as u64 + bytes)).ok()?),
            Shape::Sized(_) if !is_size => None,
            Shape::Parts(parts) | Shape::Sized(parts) => {
                (0..count).try_for_each(|_| point(reader, prefix_bytes, parts))
            }
        }
    }
}

/// Passes over a point.
fn point(reader: &mut Reader<'_>, prefix_bytes: usize, parts: &[Part]) -> Option<()> {
    let size =
        reader.take(prefix_bytes)?.iter().rev().fold(0, |size: usize, byte| size << 8 | usize::from(*byte));
    let behind = reader.len();
    let mut lengths = [0; 3];
    let (mut known, mut used) = (0, 0);
    for part in parts {
        match part {
            Bytes(count) => reader.skip(*count)?,
            Length => {
                *lengths.get_mut(known)? = usize::from(reader.le16()?);
                known += 1;
            }
            Text => {
                reader.skip(*lengths.get(used)?)?;
                used += 1;
            }
            Rest => reader.skip(size.checked_sub(behind - reader.len())?)?,
        }
    }
    Some(())
}

/// Reads the objects of a message.
pub(super) fn read(bytes: &[u8], objects: &mut Vec<Object>) -> End {
    let mut reader = Reader::new(bytes);
    let mut points = 0;
    while !reader.is_empty() {
        let Some(object) = Object::read(&mut reader) else { return End::Cut };
        if objects.len() >= OBJECTS_MAX {
            return End::TooManyObjects;
        }
        objects.push(object);
        // None of its points are here.
        if object.variation == 0 || object.count == 0 {
            continue;
        }
        points += u64::from(object.count);
        if points > POINTS_MAX {
            return End::TooManyPoints;
        }
        if object.pass(&mut reader).is_none() {
            return End::Unknown;
        }
    }
    End::Complete
}
