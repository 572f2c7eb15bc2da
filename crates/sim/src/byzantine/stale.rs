//! Speaks of views that are over, or have not begun: says everything once more as if in another view.

use super::{Means, Strategy, forgery};
use agree::Effect;
use wire::View;

/// The behaviour.
pub struct Stale;

impl Strategy for Stale {
    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { to, message } = &effect
            && means.random.chance(300)
        {
            let view = match means.random.below(4) {
                0 => View(means.view.0.saturating_sub(1)),
                1 => View(means.view.0 + 1),
                2 => View(means.view.0 + means.random.between(2, 50)),
                _ => View(u64::MAX),
            };
            if let Some(message) = forgery::in_view(message, view, means) {
                let to = *to;
                means.pass(effect);
                return means.pass(Effect::Send { to, message });
            }
        }
        means.pass(effect);
    }
}
