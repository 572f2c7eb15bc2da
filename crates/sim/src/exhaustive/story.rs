//! What happened, in words: one line per action, for the story of a violation.

use super::model::{Model, client};
use super::tables::{Flying, FrameNumber};
use super::world::{Action, World};
use agree::Message;
use bytes::Bytes;
use wire::{Decode, Frame};

impl World {
    /// `action` in words, for the story of a violation.
    #[must_use]
    pub fn describe(&self, model: &Model, action: &Action) -> String {
        let tables = model.tables();
        let frame = |frame: FrameNumber| {
            let Flying { to, link, frame } = tables.frame(frame);
            let said = said(frame).map_or("?".into(), |message| short(&message));
            format!("{link} → {to}: {said}")
        };
        let known = |index: usize| tables.node(self.nodes[index]);
        let id = |index: usize| model.matter.settings.members[index];
        match *action {
            Action::Deliver { frame: which, again: false } => format!("delivered  {}", frame(which)),
            Action::Deliver { frame: which, again: true } => {
                format!("delivered, to come again  {}", frame(which))
            }
            Action::Lose(which) => format!("lost  {}", frame(which)),
            Action::Fire(node, owner, timer) => {
                format!("time  {}'s {owner:?} timer {} runs out", id(node), timer.0)
            }
            Action::Settle(node) => format!("disk  {}'s first waiting write is durable", id(node)),
            Action::Crash(node, keep) => {
                let waiting = known(node).node.disk().waiting();
                format!("crash  {}'s replica, {keep} of {waiting} waiting writes survive", id(node))
            }
            Action::RestartMonitor(node) => format!("crash  {}'s monitor", id(node)),
            Action::Release(node, template) => {
                let template = &known(node).node.templates()[template];
                format!("traitor  says as it should, to {:?}: {}", template.to, short(&template.message))
            }
            Action::Lie(node, lie) => {
                let (lie, (to, message)) = &known(node).lies[lie];
                format!("traitor  lies ({lie:?}), to {to:?}: {}", short(message))
            }
            Action::Mute(node) => format!("traitor  {} falls silent", id(node)),
            Action::Retry(index, node) => format!("client  {} asks {} again", client(index), id(node)),
        }
    }
}

fn said(frame: &Bytes) -> Option<Message> {
    Message::from_bytes(Frame::from_bytes(frame.clone()).ok()?.body).ok()
}

/// A message on one line.
fn short(message: &Message) -> String {
    let text = match message {
        Message::ByzId(message) => format!("{message:?}"),
        other => format!("{other:?}"),
    };
    text.chars().take(SHORT_CHARS_MAX).collect()
}

/// Characters of a message in a story at most.
const SHORT_CHARS_MAX: usize = 240;
