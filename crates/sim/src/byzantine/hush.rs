//! Does all that the other nodes can see, and does not answer clients: nobody at all, or as a speaker, or with half of what it owes.

use super::{Means, Strategy};
use crate::random::Random;
use agree::{Effect, Message};

/// The behaviour.
pub struct Hush {
    as_speaker_only: bool,
    /// What it answers all the same, in thousandths.
    answers_permille: u64,
}

impl Hush {
    /// One that draws from `random` what it keeps to itself.
    pub fn new(random: &mut Random) -> Self {
        Hush { as_speaker_only: random.chance(600), answers_permille: random.pick(&[0, 0, 500]) }
    }
}

impl Strategy for Hush {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        let Effect::Send { to, message } = effect else { return means.pass(effect) };
        let is_kept = match &message {
            Message::Replies(_) => true,
            Message::Reply(_) | Message::Assent(_) => !self.as_speaker_only,
            _ => false,
        };
        if is_kept && !means.random.chance(self.answers_permille) {
            return;
        }
        means.pass(Effect::Send { to, message });
    }
}
