//! When keys end: what a node tells of that while there is time to change them.
//!
//! Upon each report: the end of the node's own key, the next one of the roster that counts, and how many have ended already. An end that
//!   is over does not hide the one that comes.
//! Upon [`TOLD_EVERY`] since the start, and again and again: who has [`WARNED_DAYS`] or less left is told. Upon a key that ends: at once.
//!
//! One line for the node's own key, one for all that end soon, one for all that have: a roster may name thousands.

use crate::telling::{Level, Say};
use core::time::Duration;
use link::{Holder, Roster, WallTime};
use wire::Time;

/// How long before its end a key is warned of.
pub const WARNED_DAYS: u32 = 30;

/// How often it is told. Upon the start, all warnings of the configuration are.
pub const TOLD_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// The ends of keys, as seen at some moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// When the node's own key ends or has ended; the first one, while it has two.
    pub own: Option<WallTime>,
    /// Whether it has.
    pub own_has: bool,
    /// Whose key ends next, and when.
    pub next: Option<(WallTime, Holder)>,
    /// How many end soon.
    pub soon: u64,
    /// How many have ended.
    pub ended: u64,
}

impl Ending {
    /// Of the keys of `roster` at `now`, as `me` sees it.
    #[must_use]
    pub fn of(roster: &Roster, me: Holder, now: WallTime) -> Ending {
        let mut ending = Ending::default();
        let soon = now.day_after(WARNED_DAYS);
        let identities = roster.iter().flat_map(|(holder, all)| all.iter().map(move |one| (holder, one)));
        for (holder, identity) in identities {
            let Some(end) = identity.expires() else { continue };
            if holder == me {
                ending.own = Some(ending.own.map_or(end, |own| own.min(end)));
                ending.own_has |= identity.is_expired(now);
            }
            if identity.is_expired(now) {
                ending.ended += 1;
                continue;
            }
            ending.soon += u64::from(end <= soon);
            ending.next = Some(ending.next.map_or((end, holder), |next| next.min((end, holder))));
        }
        ending
    }

    fn tell(&self, say: Say<'_>) {
        if let Some(own) = self.own.filter(|_| self.own_has) {
            say(Level::Error, &format!("the key of this node ended at {own}; nobody takes it any more"));
        }
        if self.ended > 0 {
            say(
                Level::Warning,
                &format!("keys of the roster that have ended: {}; nobody takes them", self.ended),
            );
        }
        if let Some((end, holder)) = self.next.filter(|_| self.soon > 0) {
            let soon = self.soon;
            let words = format!(
                "keys of the roster that end within {WARNED_DAYS} days: {soon}, the first that of {holder} at {end}; \
                 right would be varangian rotate-keys"
            );
            say(Level::Warning, &words);
        }
    }
}

/// What was told last of the ends of keys.
#[derive(Debug, Default)]
pub(crate) struct Told {
    at: Option<Time>,
    /// How many had ended; nothing before the first look.
    ended: Option<u64>,
}

impl Told {
    /// Tells of `ending` at `now`, counted from the start, if it is time to.
    pub(crate) fn tell(&mut self, ending: &Ending, now: Time, say: Say<'_>) {
        let before = self.ended.replace(ending.ended);
        let has_ended = before.is_some_and(|before| ending.ended > before);
        if has_ended || now.since(self.at.unwrap_or(Time::ZERO)) >= TOLD_EVERY {
            self.at = Some(now);
            ending.tell(say);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::{ClientNumber, SecretIdentity};
    use wire::NodeId;

    const DAY: u64 = 24 * 60 * 60;

    fn roster(ends: [Option<u64>; 3]) -> Roster {
        let holders = [NodeId(0).into(), NodeId(1).into(), Holder::Client(ClientNumber(1))];
        let identity = |seed: usize| {
            let secret = SecretIdentity::from_bytes(&[seed as u8 + 1; 32], &[seed as u8 + 1; 32]);
            secret.public(ends[seed].map(|days| WallTime(days * DAY)))
        };
        Roster::new((0..3).map(|seed| (holders[seed], identity(seed)))).expect("it is one")
    }

    fn at(roster: &Roster, day: u64) -> Ending {
        Ending::of(roster, NodeId(0).into(), WallTime(day * DAY))
    }

    #[test]
    fn an_end_that_is_over_does_not_hide_the_one_that_comes() {
        let roster = roster([Some(200), None, Some(100)]);
        let client = Holder::Client(ClientNumber(1));
        let (own, end) = (Some(WallTime(200 * DAY)), WallTime(100 * DAY));
        let right = Ending { own, own_has: false, next: Some((end, client)), soon: 0, ended: 0 };
        assert_eq!(at(&roster, 69), right);
        assert_eq!(at(&roster, 70), Ending { soon: 1, ..right.clone() });
        let next = Some((WallTime(200 * DAY), NodeId(0).into()));
        assert_eq!(at(&roster, 100), Ending { next, ended: 1, ..right.clone() });
        assert_eq!(at(&roster, 200), Ending { own_has: true, next: None, ended: 2, ..right });
    }

    #[test]
    fn a_key_that_ends_soon_is_told_of_daily_and_one_that_ended_at_once() {
        let roster = roster([Some(102), None, Some(101)]);
        let mut told = Told::default();
        let mut lines = |hour: u64, day: u64| {
            let (mut lines, now) = (Vec::new(), Time(hour * 3_600_000_000_000));
            told.tell(&at(&roster, day), now, &mut |level, words| {
                lines.push(format!("{}: {words}", level.name()));
            });
            lines
        };
        let soon = "warning: keys of the roster that end within 30 days: 2, the first that of client 1 at 1970-04-12";
        assert!(lines(0, 99).is_empty() && lines(23, 99).is_empty(), "upon the start it was told");
        for hour in [24, 48] {
            let told = lines(hour, 100);
            assert!(told.len() == 1 && told[0].starts_with(soon), "{told:?}");
            assert!(lines(hour + 23, 100).is_empty());
        }
        let told = lines(72, 101);
        assert!(
            told.len() == 2 && told[0].starts_with("warning: keys of the roster that have ended: 1"),
            "{told:?}"
        );
        let told = lines(73, 102);
        assert!(told[0].starts_with("error: the key of this node ended at 1970-04-13"), "{told:?}");
    }

    #[test]
    fn keys_without_an_end_are_not_spoken_of() {
        let ending = at(&roster([None; 3]), 1_000_000);
        assert_eq!(ending, Ending::default());
        Told::default().tell(&ending, Time(u64::MAX), &mut |_, words| panic!("{words}"));
    }
}
