//! How a connection that stands for long hears of changes of the roster: it asks for them, like for anything else.
//!
//! Upon every [`LOOK_EVERY`], and soon after a node did not take our key, or we not its: it asks for the changes after the edition that it
//!   knows, in a session of its own. What enough nodes answer is still believed only as far as operators signed it.
//! Upon an answer: keys and links go by it. A page that does not lead to the present edition is followed by the next.
//! Upon a connection that closes: it asks no more.

use agree::Station;
use agree::roster::{Answer, Command};
use agree::station::SessionNumber;
use core::time::Duration;
use link::{Arrival, Keyring, Links};
use node::membership::Membership;
use wire::{Decode, Encode, Time, Timestamp};

/// How often it asks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How soon it asks again where a key was refused.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// What a connection knows of the roster, and how it learns more.
pub(crate) struct Follower {
    membership: Membership,
    session: Option<SessionNumber>,
    waiting: bool,
    asked: Time,
    more: bool,
}

impl Follower {
    pub(crate) fn new(membership: Membership) -> Follower {
        Follower { membership, session: None, waiting: false, asked: Time::ZERO, more: false }
    }

    /// Asks, if it is time to. `refused` says whether a key was.
    pub(crate) fn ask(
        &mut self,
        now: Time,
        refused: bool,
        station: &mut Station<Keyring>,
        newest: impl FnOnce() -> Timestamp,
    ) {
        let pause = if refused { LOOK_AGAIN } else { LOOK_EVERY };
        if self.waiting || !(self.more || now.since(self.asked) >= pause) {
            return;
        }
        self.session = self.session.or_else(|| station.open(now, newest()));
        let Some(session) = self.session else { return };
        (self.waiting, self.asked, self.more) = (true, now, false);
        station.submit(now, session, Command::Look(self.membership.edition()).to_bytes());
    }

    /// Asks no more.
    pub(crate) fn stop(&mut self, station: &mut Station<Keyring>) {
        if core::mem::take(&mut self.waiting)
            && let Some(session) = self.session
        {
            station.give_up(session);
        }
    }

    /// Whether `session` is that in which it asks.
    pub(crate) fn is_its(&self, session: SessionNumber) -> bool {
        self.session == Some(session)
    }

    /// What it asked for is here.
    pub(crate) fn hear(&mut self, result: wire::Bytes, links: &mut Links, arrived: &mut Vec<Arrival>) {
        self.waiting = false;
        // A service without a roster answers something else.
        let Ok(Answer::Chain(page)) = Answer::from_bytes(result) else { return };
        let taken = self.membership.show(&page.changes, links, arrived);
        self.more = taken == Ok(true) && self.membership.edition() < page.edition;
    }
}
