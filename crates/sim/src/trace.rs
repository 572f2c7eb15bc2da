//! The story of a run, kept only when somebody wants to hear it.

use agree::client::Accepted;
use agree::replica::Refusal;
use agree::{Message, Observation};
use bytes::Bytes;
use std::collections::VecDeque;
use wire::{ClientId, Decode, Frame, Peer, Time, Timestamp};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Traced {
    /// A frame was put on a link.
    Sent {
        /// The index of the sender.
        from: u8,
        /// The index of the receiver.
        to: u8,
        /// The frame.
        frame: Bytes,
    },
    /// A message was not acted upon.
    Refused {
        /// The index of who refused.
        at: u8,
        /// Who had sent it, as far as known.
        from: Option<Peer>,
        /// Why.
        refusal: Refusal,
    },
    /// A correct replica observed something of itself.
    Observed {
        /// Which node.
        node: u8,
        /// What.
        observation: Observation,
    },
    /// A guard raised an alarm.
    Alarm {
        /// At which node.
        node: u8,
        /// Which rule was broken.
        rule: &'static str,
    },
    /// A replica was started.
    Up {
        /// At which node.
        node: u8,
    },
    /// A replica died.
    Down {
        /// At which node.
        node: u8,
        /// How many writes were lost.
        lost: usize,
    },
    /// A client asked.
    Invoked {
        /// Which client.
        client: ClientId,
        /// Which of its requests.
        timestamp: Timestamp,
        /// What for.
        operation: Bytes,
    },
    /// A client was told.
    Accepted {
        /// Which client.
        client: ClientId,
        /// What.
        accepted: Accepted,
    },
    /// A fault began or ended, or a promise was broken: in words.
    Note(String),
}

/// What happened last, up to a limit.
#[derive(Clone, Debug)]
pub struct Trace {
    entries: VecDeque<(Time, Traced)>,
    limit: usize,
}

impl Trace {
    /// One that remembers the last `limit` things.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Trace { entries: VecDeque::new(), limit: limit.max(1) }
    }

    /// Adds something.
    pub fn add(&mut self, at: Time, what: Traced) {
        if self.entries.len() == self.limit {
            self.entries.pop_front();
        }
        self.entries.push_back((at, what));
    }

    /// What is remembered, in order.
    pub fn iter(&self) -> impl Iterator<Item = &(Time, Traced)> {
        self.entries.iter()
    }
}

/// A message in a few words: its name, and the fields of its outermost part.
#[must_use]
pub fn summary(frame: &Bytes) -> String {
    let decoded = Frame::from_bytes(frame.clone()).and_then(|frame| Message::from_bytes(frame.body));
    let Ok(message) = decoded else { return format!("garbage of {} bytes", frame.len()) };
    match &message {
        Message::Request(request) => format!("REQUEST {}{}", request.client, request.timestamp),
        Message::Reply(reply) => {
            format!("REPLY {}{} {} {}", reply.client, reply.timestamp, reply.view, reply.sequence)
        }
        Message::Busy(busy) => format!("BUSY {}{}", busy.client, busy.timestamp),
        Message::Bundle(bundle) => format!("BUNDLE of {}", bundle.messages().len()),
        Message::Replies(said) => {
            let told: Vec<String> =
                said.replies().map(|reply| format!("{}{}", reply.client, reply.timestamp)).collect();
            cut(format!("REPLIES {} {} {}", said.view, said.sequence, told.join(" ")))
        }
        Message::Assent(said) => {
            format!("ASSENT {} {} to {} of {}", said.view, said.sequence, said.count, said.speaker)
        }
        Message::Transfer(_) => message.name().to_string(),
        Message::ByzId(inner) => fields(message.name(), &format!("{inner:?}")),
        Message::Paxos(inner) => fields(message.name(), &format!("{inner:?}")),
        Message::Pbft(inner) => fields(message.name(), &format!("{inner:?}")),
    }
}

/// Characters of a summary at most.
const SUMMARY_CHARS_MAX: usize = 72;

/// `Accept(Accept { view: v1, sequence: #3 })` becomes `ACCEPT view v1, sequence #3`.
fn fields(name: &str, debug: &str) -> String {
    let inner = debug.find('{').map_or("", |start| debug[start + 1..].trim_end_matches([')', '}', ' ']));
    cut(format!("{name} {}", inner.trim().replace(": ", " ")))
}

fn cut(text: String) -> String {
    if text.chars().count() <= SUMMARY_CHARS_MAX {
        return text.trim_end().to_string();
    }
    let cut: String = text.chars().take(SUMMARY_CHARS_MAX - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_things_are_remembered() {
        let mut trace = Trace::new(2);
        for node in 0..5 {
            trace.add(Time(u64::from(node)), Traced::Up { node });
        }
        assert_eq!(trace.iter().map(|(at, _)| at.0).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn a_message_is_told_in_a_few_words() {
        assert_eq!(
            fields("ACCEPT", "Accept(Accept { view: v1, sequence: #3 })"),
            "ACCEPT view v1, sequence #3"
        );
        let long = format!("Promise(Promise {{ accepted: [{}] }})", "x, ".repeat(100));
        assert_eq!(fields("PROMISE", &long).chars().count(), SUMMARY_CHARS_MAX);
    }
}
