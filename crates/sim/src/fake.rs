//! A protocol for the simulator's own tests: one primary for ever, backups that fetch what it has.
//!
//! Upon a REQUEST at the primary (slot 0): it gets the next place; its record is written; once that is durable it is
//!   executed, sent to the backups (as a CHUNK whose index is the place) and answered.
//! Upon the timer: a backup asks for what follows after the last place that it executed.
//!
//! It is right as long as the primary comes back with its disk, and it can be made wrong in known ways.

use agree::checkpoint::{AskChunk, Chunk, Transfer};
use agree::journal::Journal;
use agree::machine::Machine;
use agree::replica::{Destination, Position, Recovered, Status};
use agree::sessions::Standing;
use agree::{Batch, Effect, Event, Message, Observation, Outbox, Reply, Request, Settings, Timer};
use bytes::Bytes;

use core::time::Duration;
use std::collections::VecDeque;
use wire::{ClientId, Decode, Digest, Encode, NodeId, Peer, Sequence, Time, Timestamp, View};

use crate::byzantine::requests_in;
use crate::service::Registers;

/// How the protocol is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Defect {
    /// It is not.
    None,
    /// The primary does not wait for its disk.
    NoSync,
    /// A backup takes whatever comes for the next place.
    NoOrder,
    /// The primary never answers again after it was restarted.
    Mute,
    /// The primary stops itself when a backup asks for place 20.
    Panics,
}

const ASK: Timer = Timer(0);
const ASK_EVERY: Duration = Duration::from_millis(20);
const ANSWERS_MAX: usize = 32;

/// A replica of the fake protocol.
#[derive(Clone, Hash)]
pub struct Replica {
    me: NodeId,
    primary: NodeId,
    defect: Defect,
    journal: Journal,
    machine: Machine<Registers>,
    log: Vec<Batch>,
    waiting: VecDeque<(Position, Batch)>,
    recovered: Vec<Bytes>,
    restarted: bool,
}

impl Replica {
    pub fn recover(me: NodeId, settings: &Settings, defect: Defect, recovered: Recovered) -> Self {
        Replica {
            me,
            primary: settings.members[0],
            defect,
            journal: Journal::new(recovered.last),
            machine: Machine::new(Registers::default(), settings.sessions_bytes_max),
            log: Vec::new(),
            waiting: VecDeque::new(),
            recovered: recovered.records.into_iter().map(|(_, record)| record).collect(),
            restarted: recovered.last > Position(0),
        }
    }

    /// What is on disk is executed, and seen to be: some of it may never have been executed before.
    fn start(&mut self, out: &mut Outbox) {
        for record in core::mem::take(&mut self.recovered) {
            let batch = Batch::from_bytes(record).expect("the disk gives back what was written");
            self.apply(batch, out);
        }
        out.set_timer(ASK, ASK_EVERY);
    }

    fn execute(&mut self, batch: Batch, out: &mut Outbox) {
        let executed = self.apply(batch, out);
        if self.me != self.primary {
            return;
        }
        let sequence = self.machine.sequence();
        for (client, timestamp, result) in executed {
            out.send(client, Reply { view: View(0), primary: self.me, sequence, client, timestamp, result });
        }
        out.send_members(self.chunk(sequence));
    }

    fn apply(&mut self, batch: Batch, out: &mut Outbox) -> Vec<(ClientId, Timestamp, Bytes)> {
        let sequence = self.machine.sequence().next();
        let executed = self.machine.execute(sequence, &batch);
        out.observe(Observation::Executed {
            view: View(0),
            sequence,
            batch: batch.digest(),
            state: self.machine.digest(),
            applied: executed.iter().map(|(client, timestamp, _)| (*client, *timestamp)).collect(),
        });
        self.log.push(batch);
        executed
    }

    fn chunk(&self, sequence: Sequence) -> Message {
        let bytes = self.log[sequence.0 as usize - 1].to_bytes();
        Message::Transfer(Transfer::Chunk(Chunk { digest: Digest::ZERO, index: sequence.0 as u32, bytes }))
    }

    fn request(&mut self, request: Request, out: &mut Outbox) {
        if self.me != self.primary || (self.defect == Defect::Mute && self.restarted) {
            return;
        }
        match self.machine.standing(request.client, request.timestamp) {
            Standing::Answered { .. } | Standing::Forgotten | Standing::TooMany => {
                let reply = self.machine.reply_again(View(0), self.me, request.client, request.timestamp);
                if let Some(reply) = reply {
                    out.send(request.client, reply);
                }
            }
            Standing::Outdated => {}
            Standing::New => {
                let batch = Batch::new(vec![request]);
                if self.waiting.iter().any(|(_, waiting)| *waiting == batch) {
                    return;
                }
                let position = self.journal.record(batch.to_bytes(), out);
                if self.defect == Defect::NoSync {
                    self.execute(batch, out);
                } else {
                    self.waiting.push_back((position, batch));
                }
            }
        }
    }

    fn transfer(&mut self, from: Peer, transfer: Transfer, out: &mut Outbox) {
        let next = self.machine.sequence().0 as u32 + 1;
        match transfer {
            Transfer::AskChunk(ask) if self.me == self.primary => {
                assert!(self.defect != Defect::Panics || ask.index != 20, "place 20 is haunted");
                for place in (ask.index..next).take(ANSWERS_MAX) {
                    let message = self.chunk(Sequence(u64::from(place)));
                    out.push(Effect::Send { to: Destination::Peer(from), message });
                }
            }
            Transfer::Chunk(chunk) if self.me != self.primary => {
                let taken = chunk.index == next || self.defect == Defect::NoOrder && chunk.index > next;
                if !taken {
                    return;
                }
                let batch = Batch::from_bytes(chunk.bytes.clone()).expect("nobody lies here");
                self.journal.record(chunk.bytes, out);
                self.execute(batch, out);
            }
            _ => {}
        }
    }
}

impl agree::Replica for Replica {
    fn step(&mut self, _: Time, event: Event, out: &mut Outbox) {
        match event {
            Event::Started => self.start(out),
            Event::Message { message: Message::Request(_) | Message::Bundle(_), .. } => {
                requests_in(&event).into_iter().for_each(|request| self.request(request, out));
            }
            Event::Message { from, message: Message::Transfer(transfer) } => {
                self.transfer(from, transfer, out)
            }
            Event::Message { .. } | Event::Notice(_) => {}
            Event::Timer(_) => {
                if self.me != self.primary {
                    let index = self.machine.sequence().0 as u32 + 1;
                    let ask = AskChunk { digest: Digest::ZERO, index };
                    out.send(self.primary, Message::Transfer(Transfer::AskChunk(ask)));
                }
                out.set_timer(ASK, ASK_EVERY);
            }
            Event::Durable(position) => {
                self.journal.durable(position, out);
                while self.waiting.front().is_some_and(|(at, _)| *at <= position) {
                    let (_, batch) = self.waiting.pop_front().expect("it has a front");
                    self.execute(batch, out);
                }
            }
        }
    }

    fn status(&self) -> Status {
        Status {
            view: View(0),
            primary: self.primary,
            normal: true,
            executed: self.machine.sequence(),
            stable: Sequence::ZERO,
            state: self.machine.digest(),
            sessions: self.machine.sessions() as u64,
        }
    }
}

/// Settings of runs of the fake protocol.
pub(crate) fn settings(defect: Defect) -> crate::RunSettings {
    crate::RunSettings {
        engine: crate::engine::Engine::Fake(defect),
        duration: Duration::from_secs(2),
        // It never cuts its log, so it must stay short: few clients that ask for little.
        only: crate::Only { clients: Some(5), operations: Some(30), ..crate::Only::default() },
        ..crate::RunSettings::new(agree::Protocol::Paxos, 1)
    }
}
