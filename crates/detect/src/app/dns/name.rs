//! Domain names as messages carry them: labels, each with its length before it, and pointers to where the
//! rest of a name stood before.
//!
//! Promises: every name is read in at most [`STEPS_OF_A_NAME_MAX`] steps and kept up to [`NAME_BYTES_MAX`]
//! bytes, whatever it points at. Labels are joined by dots and otherwise kept as they are: no case is folded,
//! no byte is escaped, and the root is the empty name.
//!
//! Not here: what a name stands for, see `message`.

use super::message::Fault;

/// Labels and pointers of one name at most.
const STEPS_OF_A_NAME_MAX: u32 = 255;
/// Bytes of a name at most; the rest is cut off, and said to be.
const NAME_BYTES_MAX: usize = 1025;
/// Labels and pointers of all names of one message at most: honest messages of full size stay far below. One
/// that needs more is malformed.
const STEPS_OF_A_MESSAGE_MAX: u32 = 1 << 16;
/// Bytes of all text of one message at most: pointers make short messages name much. What is beyond is cut
/// off, and said to be.
const TEXT_BYTES_MAX: usize = 1 << 19;

/// The two upper bits of a label's length: both set for a pointer, none for a label, the rest was never used.
const POINTER: u8 = 0b1100_0000;

/// What was odd about names, of which something was understood nevertheless.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NameOddities(u8);

impl NameOddities {
    /// A pointer pointed at itself.
    pub const LOOP: NameOddities = NameOddities(1);
    /// The name was too long and is kept in part.
    pub const CUT_OFF: NameOddities = NameOddities(2);
    /// The name has more labels than are followed.
    pub const LABELS: NameOddities = NameOddities(4);

    /// Whether `other` is among them.
    #[must_use]
    pub fn contain(self, other: NameOddities) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn add(&mut self, other: NameOddities) {
        self.0 |= other.0;
    }
}

/// A piece of a message's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Text {
    pub(super) start: u32,
    pub(super) length: u16,
    pub(super) odd: NameOddities,
}

impl Text {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Whether only a part of it was kept.
    #[must_use]
    pub fn is_cut_off(self) -> bool {
        self.odd.contain(NameOddities::CUT_OFF)
    }
}

/// Reads the names of one message and collects their text.
pub(super) struct Names<'a> {
    message: &'a [u8],
    /// The text of all names and data, one after the other; empty if nobody wants it.
    pub(super) text: Vec<u8>,
    /// What was odd about any of them.
    pub(super) odd: NameOddities,
    keep: bool,
    steps: u32,
    /// The last name that was one pointer: most records of an answer point at the same name, which is read
    /// once then.
    pointed: Option<(u16, Text)>,
}

impl<'a> Names<'a> {
    /// The names of `message`, which begins with its header. Without `keep` they are looked at, not collected.
    pub(super) fn new(message: &'a [u8], keep: bool) -> Self {
        let text = if keep { Vec::with_capacity(64) } else { Vec::new() };
        Names { message, text, odd: NameOddities::default(), keep, steps: 0, pointed: None }
    }

    /// Keeps bytes that are no name.
    pub(super) fn store(&mut self, bytes: &[u8]) -> Text {
        let start = self.text.len();
        let room = TEXT_BYTES_MAX.saturating_sub(start).min(usize::from(u16::MAX));
        let kept = if self.keep { bytes.len().min(room) } else { 0 };
        self.text.extend_from_slice(bytes.get(..kept).unwrap_or_default());
        Text { start: index(start), length: u16::try_from(kept).unwrap_or(u16::MAX), ..Text::default() }
    }

    /// The name at the front of `from`, and what follows it.
    pub(super) fn read(&mut self, from: &'a [u8]) -> Result<(&'a [u8], Text), Fault> {
        let pointer = pointer(from);
        if let (Some((target, rest)), Some((known, text))) = (pointer, self.pointed)
            && target == known
        {
            return Ok((rest, text));
        }
        let (rest, text) = self.follow(from)?;
        self.odd.add(text.odd);
        if let Some((target, _)) = pointer
            && text.odd == NameOddities::default()
        {
            self.pointed = Some((target, text));
        }
        Ok((rest, text))
    }

    fn follow(&mut self, from: &'a [u8]) -> Result<(&'a [u8], Text), Fault> {
        let start = self.text.len();
        let mut length = 0usize;
        let mut odd = NameOddities::default();
        let mut at = from;
        // What follows the name: known as soon as a pointer was followed.
        let mut behind: Option<&'a [u8]> = None;
        let mut steps = 0;
        while let Some((&first, after)) = at.split_first() {
            if first == 0 {
                at = after;
                break;
            } else if first & POINTER == 0 {
                let (label, rest) = after.split_at_checked(usize::from(first)).ok_or(Fault)?;
                if !odd.contain(NameOddities::CUT_OFF) {
                    length += self.push(label, length > 0);
                }
                at = rest;
            } else {
                let (target, rest) = pointer(at).ok_or(Fault)?;
                let there = self.message.get(usize::from(target)..).ok_or(Fault)?;
                if there == at {
                    // Behind a first pointer we know where the name ends and keep what there is of it; else
                    // there is no going on.
                    behind.ok_or(Fault)?;
                    odd.add(NameOddities::LOOP);
                    break;
                }
                at = there;
                behind.get_or_insert(rest);
            }
            steps += 1;
            if steps > STEPS_OF_A_NAME_MAX {
                behind.ok_or(Fault)?;
                odd.add(NameOddities::LABELS);
                odd.add(NameOddities::CUT_OFF);
                break;
            }
            if length > NAME_BYTES_MAX {
                length = NAME_BYTES_MAX;
                odd.add(NameOddities::CUT_OFF);
                if behind.is_some() {
                    break;
                }
            }
        }
        self.steps += steps;
        if self.steps > STEPS_OF_A_MESSAGE_MAX {
            return Err(Fault);
        }
        if self.keep {
            let kept = length.min(TEXT_BYTES_MAX.saturating_sub(start));
            if kept < length {
                odd.add(NameOddities::CUT_OFF);
            }
            length = kept;
            self.text.truncate(start.saturating_add(length));
        }
        let text = Text { start: index(start), length: u16::try_from(length).unwrap_or(u16::MAX), odd };
        Ok((behind.unwrap_or(at), text))
    }

    /// Adds a label, with a dot before it unless it is the first; how many bytes that makes.
    fn push(&mut self, label: &[u8], dot: bool) -> usize {
        if self.keep {
            if dot {
                self.text.push(b'.');
            }
            self.text.extend_from_slice(label);
        }
        label.len() + usize::from(dot)
    }
}

/// The pointer at the front of `from`, and what follows it, if there is one.
fn pointer(from: &[u8]) -> Option<(u16, &[u8])> {
    match from {
        [high, low, rest @ ..] if high & POINTER == POINTER => {
            Some((u16::from_be_bytes([high & !POINTER, *low]), rest))
        }
        _ => None,
    }
}

/// A place in the text, which has [`TEXT_BYTES_MAX`] bytes at most, and one name more.
fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
