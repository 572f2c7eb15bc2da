//! Orders every request the moment it comes, one by one, without waiting for anybody: no window, no batches, no log's end.

use super::{Means, Strategy, forgery};
use agree::replica::Destination;
use agree::{Effect, Event, Message};
use wire::{Sequence, View};

/// The behaviour.
#[derive(Default)]
pub struct Rush {
    view: View,
    /// The last place that it knows to be taken in `view`.
    last: Sequence,
}

impl Rush {
    fn learn(&mut self, message: &Message) {
        if let Some((view, last)) = forgery::place_of(message)
            && (view, last) > (self.view, self.last)
        {
            (self.view, self.last) = (view, last);
        }
    }
}

impl Strategy for Rush {
    fn incoming(&mut self, event: Event, means: &mut Means) -> Option<Event> {
        if let Event::Message { message, .. } = &event {
            self.learn(message);
            if let Message::Request(request) = message
                && means.primary == means.me
                && let Some(order) = forgery::order_of(request.clone(), means.view, self.last.next(), means)
            {
                self.learn(&order);
                means.pass(Effect::Send { to: Destination::Members, message: order });
                return None;
            }
        }
        Some(event)
    }

    fn outgoing(&mut self, effect: Effect, means: &mut Means) {
        if let Effect::Send { message, .. } = &effect {
            self.learn(message);
        }
        means.pass(effect);
    }
}
