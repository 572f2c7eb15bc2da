//! How a replica comes by what was chosen without it.
//!
//! Upon a place that is chosen, and this replica does not know for sure what is there: wait `retransmit_after`,
//!   since messages overtake one another; then CATCH-UP(executed) to the leader, then to one after the other, the
//!   waits doubling up to `view_timeout`.
//! Upon CATCH-UP(after): DECIDED with the batches executed after `after`, as many as one message takes; if the log
//!   was cut off after `after`: TRUNCATED, with the last stable checkpoint instead.
//! Upon DECIDED: execute what is next. If that is not all, and it was something: ask its sender for the next page.
//! Upon TRUNCATED: fetch that checkpoint, from its sender first ([`crate::checkpoint::Fetch`]). Nobody lies, so the
//!   word of one is enough; the digests in the transfer guard against a torn or mixed one. When
//!   [`FETCH_ROUNDS_MAX`] rounds of sources stay silent, the checkpoint may be gone everywhere: ask anew.
//! Upon the whole checkpoint: it becomes the state, and is written to the own disk before anything said later leaves.
//!
//! The limit of this: one that fetches for longer than the others take two checkpoints has to fetch again.

use super::message::{CatchUp as Ask, Decided, Message, Truncated};
use super::{CATCH_UP, Replica, Role};
use crate::checkpoint::{Checkpoint, Fetch, Step, Transfer};
use crate::replica::{Outbox, Refusal};
use crate::request::Batch;
use crate::service::Service;
use core::time::Duration;
use wire::{NodeId, Peer, Sequence};

/// How often every source may stay silent before a state transfer is given up.
const FETCH_ROUNDS_MAX: usize = 2;

/// What a replica does about what it misses.
#[derive(Clone, Hash, Debug)]
pub(super) enum CatchUp {
    /// It asks for batches.
    Asking {
        /// How often it has asked in vain.
        attempts: usize,
        /// How long until it asks again.
        wait: Duration,
    },
    /// It fetches a checkpoint.
    Fetching {
        /// The transfer.
        fetch: Box<Fetch>,
        /// How many times in a row a source stayed silent.
        silences: usize,
    },
}

impl<S: Service + Clone> Replica<S> {
    /// Something is missing. It may be under way; if not, ask for it.
    pub(super) fn catch_up_soon(&mut self, out: &mut Outbox) {
        if self.catch_up.is_none() && !defect!(PaxosNoCatchUp) {
            let wait = self.settings.retransmit_after;
            self.catch_up = Some(CatchUp::Asking { attempts: 0, wait });
            out.set_timer(CATCH_UP, wait);
        }
    }

    /// What was asked for did not come.
    pub(super) fn catch_up_timeout(&mut self, out: &mut Outbox) {
        let sources = self.others_from(self.slot(self.leader(self.promised)));
        match &mut self.catch_up {
            None => {}
            Some(CatchUp::Asking { attempts, wait }) => {
                let source = sources[*attempts % sources.len()];
                *attempts += 1;
                *wait = (*wait * 2).min(self.settings.view_timeout);
                let wait = *wait;
                self.execute_chosen(out);
                if !self.is_behind() {
                    self.catch_up = None;
                    return;
                }
                out.set_timer(CATCH_UP, wait);
                out.send(source, Message::CatchUp(Ask { after: self.executed() }));
            }
            Some(CatchUp::Fetching { fetch, silences }) => {
                *silences += 1;
                if *silences > FETCH_ROUNDS_MAX * sources.len() {
                    self.catch_up = None;
                    return self.catch_up_soon(out);
                }
                fetch.next_source();
                self.continue_fetch(out);
            }
        }
    }

    /// Asks the present source for what is still missing of the checkpoint.
    fn continue_fetch(&mut self, out: &mut Outbox) {
        let Some(CatchUp::Fetching { fetch, .. }) = &mut self.catch_up else { return };
        let source = fetch.source();
        fetch.ask().into_iter().for_each(|ask| out.send(source, ask));
        out.set_timer(CATCH_UP, self.settings.retransmit_after);
    }

    /// Another replica misses something.
    pub(super) fn tell_decided(&mut self, from: NodeId, ask: &Ask, out: &mut Outbox) {
        if ask.after < self.log.low() {
            return self.tell_truncated(from, out);
        }
        let (page, _) = self.log.page(ask.after, self.executed());
        let batches: Vec<Batch> = page.into_iter().map(|proposal| proposal.batch).collect();
        if !batches.is_empty() {
            out.send(from, Message::Decided(Decided { after: ask.after, batches }));
        }
    }

    /// Another replica misses something that was cut off here. Between a checkpoint that was fetched and its being
    /// durable there is none to offer: then it will ask again.
    pub(super) fn tell_truncated(&self, from: NodeId, out: &mut Outbox) {
        if let Some(checkpoint) = self.checkpoints.latest() {
            let (sequence, digest) = (checkpoint.sequence(), checkpoint.digest());
            out.send(from, Message::Truncated(Truncated { sequence, digest }));
        }
    }

    /// Executes `batch`, which is chosen at `sequence`, if that is next and there is room for it.
    pub(super) fn learn(&mut self, sequence: Sequence, batch: Batch, out: &mut Outbox) {
        if sequence == self.executed().next() && sequence <= self.limit() {
            self.log.learn(sequence, self.promised, batch.clone());
            self.execute(&batch, out);
        }
    }

    /// Another replica tells what was chosen.
    pub(super) fn decided(&mut self, from: NodeId, decided: Decided, out: &mut Outbox) {
        if let Role::Leading(_) = self.role {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        let before = self.executed();
        let mut sequence = decided.after;
        for batch in decided.batches {
            sequence = sequence.plus(1);
            self.learn(sequence, batch, out);
        }
        if self.executed() == before {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        self.execute_chosen(out);
        if let Some(CatchUp::Asking { .. }) = self.catch_up {
            self.ask_next_page(from, out);
        }
    }

    /// Asks `from` for what is still missing, if something is.
    fn ask_next_page(&mut self, from: NodeId, out: &mut Outbox) {
        if !self.is_behind() {
            self.catch_up = None;
            return out.clear_timer(CATCH_UP);
        }
        let wait = self.settings.retransmit_after;
        self.catch_up = Some(CatchUp::Asking { attempts: 0, wait });
        out.set_timer(CATCH_UP, wait);
        out.send(from, Message::CatchUp(Ask { after: self.executed() }));
    }

    /// Another replica has only a checkpoint of what this one misses.
    pub(super) fn truncated(&mut self, from: NodeId, truncated: &Truncated, out: &mut Outbox) {
        let fetching = matches!(self.catch_up, Some(CatchUp::Fetching { .. }));
        if truncated.sequence <= self.executed() || fetching || matches!(self.role, Role::Leading(_)) {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        if let Role::Preparing(_) = self.role {
            // The view timer, which runs since the campaign began, turns to somebody else.
            self.role = Role::Following;
        }
        // From its sender first, then from those after it.
        let sources = self.others_from(self.slot(from));
        let fetch = Box::new(Fetch::new(truncated.sequence, truncated.digest, sources));
        self.catch_up = Some(CatchUp::Fetching { fetch, silences: 0 });
        self.continue_fetch(out);
    }

    /// A part of a checkpoint, or a question about one.
    pub(super) fn transfer(&mut self, from: NodeId, transfer: Transfer, out: &mut Outbox) {
        if let Transfer::AskManifest(_) | Transfer::AskChunk(_) = transfer {
            return match self.checkpoints.serve(&transfer) {
                Some(answer) => out.send(from, answer),
                None => out.refuse(Peer::Node(from), Refusal::Stale),
            };
        }
        let Some(CatchUp::Fetching { fetch, silences }) = &mut self.catch_up else {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        };
        match fetch.receive(from, transfer) {
            Step::Wait => {}
            Step::Ask(asks) => {
                *silences = 0;
                asks.into_iter().for_each(|ask| out.send(from, ask));
                out.set_timer(CATCH_UP, self.settings.retransmit_after);
            }
            Step::Blame { liar, ask } => {
                out.refuse(Peer::Node(liar), Refusal::Contradiction);
                let source = fetch.source();
                ask.into_iter().for_each(|ask| out.send(source, ask));
            }
            Step::Done(checkpoint) => self.fetched(from, checkpoint, out),
        }
    }

    /// A checkpoint is whole.
    fn fetched(&mut self, from: NodeId, checkpoint: Checkpoint, out: &mut Outbox) {
        self.catch_up = None;
        out.clear_timer(CATCH_UP);
        if checkpoint.sequence() > self.executed() && !self.install(checkpoint, out) {
            out.refuse(Peer::Node(from), Refusal::Contradiction);
        }
        self.execute_chosen(out);
        if self.is_behind() {
            self.ask_next_page(from, out);
        }
    }
}
