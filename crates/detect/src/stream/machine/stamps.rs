//! Time stamps (RFC 7323): a segment whose stamp lies before the last one is an old one, or none of the conversation.
//!
//! What a receiver does with odd stamps depends on its system: over IPv4 it is taken for a Windows, over IPv6 for a BSD, as everywhere here.

use super::{Event, Events, Machine, Segment, side::Side};

/// A stamp that is older than this says nothing any more.
const STAMP_SECONDS_MAX: u32 = 24 * 24 * 60 * 60;

/// What a segment's stamp says.
enum Stamp {
    /// The segment has none, or none is looked at.
    NotLookedAt,
    /// It is this one's turn.
    First(u32),
    Fine(u32),
    Invalid,
}

impl Machine {
    /// Whether the stamp of a segment is one that its receiver accepts.
    pub(super) fn stamp_is_fine(&self, segment: &Segment<'_>, events: &mut Events) -> bool {
        let sender = &self.sides[segment.direction.index()];
        let is_fine = !matches!(stamp(sender, segment), Stamp::Invalid);
        if !is_fine {
            events.add(Event::InvalidStamp);
        }
        is_fine
    }

    /// Remembers the stamp of a segment that was taken.
    pub(super) fn note_stamp(&mut self, segment: &Segment<'_>, events: &mut Events) {
        if !self.stamps {
            return;
        }
        let sender = &mut self.sides[segment.direction.index()];
        let is_next = sender.next == segment.sequence();
        let found = stamp(sender, segment);
        if segment.is_v4 && segment.tcp.options.timestamps.is_some() {
            sender.began_with_zero = false;
        }
        match found {
            Stamp::NotLookedAt => {}
            Stamp::First(value) => sender.stamp = value,
            Stamp::Fine(value) => {
                if is_next {
                    sender.stamp = value;
                }
                sender.stamp_seconds = segment.seconds;
            }
            Stamp::Invalid => events.add(Event::InvalidStamp),
        }
    }
}

fn stamp(sender: &Side, segment: &Segment<'_>) -> Stamp {
    let Some((value, _)) = segment.tcp.options.timestamps else { return Stamp::NotLookedAt };
    let is_next = sender.next == segment.sequence();
    if sender.began_with_zero && segment.is_v4 && is_next {
        return Stamp::First(value);
    }
    if value == 0 && !segment.is_v4 {
        return Stamp::Invalid;
    }
    let is_stale = segment.seconds > sender.stamp_seconds.saturating_add(STAMP_SECONDS_MAX);
    let is_older = (value.wrapping_sub(sender.stamp) as i32) < 0;
    if (is_older || (sender.stamp != 0 && is_stale)) && !(is_next && is_stale) {
        return Stamp::Invalid;
    }
    Stamp::Fine(value)
}
