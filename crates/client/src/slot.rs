//! Where a session and the thread of its connection meet: one place for one call.
//!
//! ```text
//!          caller: begin            thread: takes it          thread: finish
//!   Idle ────────────────► Wanted ──────────────────► Asked ─────────────────► Done ──► Idle (caller: take)
//!     ▲                      │                          │
//!     └──────────────────────┴── caller: give up ───────┘           any ──► Gone (the session was dropped)
//! ```
//!
//! Upon a change by the caller: the slot is put on the list of those that the thread must look at, once, however much changes
//!   before it looks. So the list is never longer than there are sessions, and what the thread finds is what is wanted now.
//! Upon a thread that waits for something to happen: it is woken. Whatever comes until it looks leaves in the same bundle. A thread
//!   that is at work looks before it waits; a caller that it woke itself, and that asks again at once, is heard in the same turn.

use crate::error::CallError;
use agree::client::Accepted;
use agree::station::{SessionNumber, Tally};
use bytes::Bytes;
use core::mem::replace;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What came of a call.
pub(crate) type Outcome = Result<Accepted, CallError>;

/// How far a call is.
#[derive(Debug)]
pub(crate) enum Stage {
    Idle,
    Wanted(Bytes),
    Asked,
    Done(Outcome),
    Gone,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) stage: Stage,
    /// The thread has not looked since something changed.
    pub(crate) listed: bool,
    /// Its number at the station, once it has asked for something. The thread's alone.
    pub(crate) number: Option<SessionNumber>,
    /// The primary had no room for what was asked.
    pub(crate) put_off: bool,
    /// Whom to wake at the end, if the caller does not block.
    pub(crate) waker: Option<Waker>,
    /// The caller blocks.
    blocks: bool,
}

/// The place of one session.
#[derive(Debug)]
pub(crate) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

impl Slot {
    pub(crate) fn new() -> Arc<Slot> {
        let stage = Stage::Idle;
        let state = State { stage, listed: false, number: None, put_off: false, waker: None, blocks: false };
        Arc::new(Slot { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// No code that can panic runs while it is locked, so what is there is whole.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: what was asked has come to its end. A caller that gave it up meanwhile does not hear of it, not even if it wants
    /// something else already.
    pub(crate) fn finish(&self, outcome: Outcome) {
        let state = self.lock();
        if matches!(state.stage, Stage::Asked) {
            self.over(state, outcome);
        }
    }

    /// The thread: the primary has no room for what was asked. It is asked again.
    pub(crate) fn put_off(&self) {
        let mut state = self.lock();
        state.put_off = matches!(state.stage, Stage::Asked);
    }

    /// The thread: nothing will be asked.
    pub(crate) fn refuse(&self, error: CallError) {
        let state = self.lock();
        if matches!(state.stage, Stage::Wanted(_)) {
            self.over(state, Err(error));
        }
    }

    /// The thread: it looks at nothing any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.listed = false;
        if matches!(state.stage, Stage::Asked | Stage::Wanted(_)) {
            self.over(state, Err(CallError::Closed));
        }
    }

    fn over(&self, mut state: MutexGuard<'_, State>, outcome: Outcome) {
        state.stage = Stage::Done(outcome);
        let (waker, blocks) = (state.waker.take(), state.blocks);
        drop(state);
        if blocks {
            self.changed.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What came of the call, if it is over.
    fn take(state: &mut State) -> Option<Outcome> {
        match replace(&mut state.stage, Stage::Idle) {
            Stage::Done(outcome) => Some(outcome),
            other => {
                state.stage = other;
                None
            }
        }
    }

    /// The caller: waits for the end of the call until `deadline`.
    pub(crate) fn wait(&self, deadline: Instant) -> Option<Outcome> {
        let mut state = self.lock();
        loop {
            state.blocks = false;
            if let Some(outcome) = Slot::take(&mut state) {
                return Some(outcome);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return None;
            }
            state.blocks = true;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The caller: asks whether the call is over, and to be woken when it is.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Outcome> {
        let mut state = self.lock();
        match Slot::take(&mut state) {
            Some(outcome) => {
                state.waker = None;
                Poll::Ready(outcome)
            }
            None => {
                if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    state.waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

/// What the thread must look at.
#[derive(Debug, Default)]
struct Listed {
    slots: Vec<Arc<Slot>>,
    /// The thread waits for something to happen, and has looked at all there was.
    waits: bool,
}

/// What all sessions of a connection share with its thread.
#[derive(Debug)]
pub(crate) struct Desk {
    listed: Mutex<Listed>,
    waker: Arc<mio::Waker>,
    /// Sessions that are open, or that the thread has not closed yet.
    pub(crate) sessions: AtomicUsize,
    /// What the station asked more than once, as of the thread's last turn.
    busy: AtomicU64,
    retried: AtomicU64,
    /// No call is begun any more.
    closing: AtomicBool,
    /// The thread has ended, and looks at nothing any more. Changed only while `listed` is locked.
    ended: AtomicBool,
}

impl Desk {
    pub(crate) fn new(waker: Arc<mio::Waker>) -> Arc<Desk> {
        Arc::new(Desk {
            listed: Mutex::default(),
            waker,
            sessions: AtomicUsize::new(0),
            busy: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A caller: lets `change` have its way with the slot, and the thread look at it.
    pub(crate) fn change(&self, slot: &Arc<Slot>, change: impl FnOnce(&mut State)) {
        let mut state = slot.lock();
        change(&mut state);
        if replace(&mut state.listed, true) {
            return;
        }
        drop(state);
        let mut listed = self.lock();
        if self.ended.load(Ordering::Relaxed) {
            drop(listed);
            slot.close();
            return;
        }
        listed.slots.push(Arc::clone(slot));
        let waits = replace(&mut listed.waits, false);
        drop(listed);
        if waits {
            self.wake();
        }
    }

    /// The thread: whether there is nothing to look at, so that it may wait; whoever changes something from now on wakes it.
    pub(crate) fn may_wait(&self) -> bool {
        let mut listed = self.lock();
        listed.waits = listed.slots.is_empty();
        listed.waits
    }

    /// The thread: it waits no more, and looks at what there is before it waits again.
    pub(crate) fn goes_on(&self) {
        self.lock().waits = false;
    }

    /// Ends a turn of the thread that waits. If that fails, it looks by itself at its next turn.
    pub(crate) fn wake(&self) {
        let _ = self.waker.wake();
    }

    /// The thread: what the station has counted by now.
    pub(crate) fn counted(&self, tally: Tally) {
        self.busy.store(tally.busy, Ordering::Relaxed);
        self.retried.store(tally.retried, Ordering::Relaxed);
    }

    /// What was asked more than once so far.
    pub(crate) fn tally(&self) -> Tally {
        Tally { busy: self.busy.load(Ordering::Relaxed), retried: self.retried.load(Ordering::Relaxed) }
    }

    /// Lets no call begin any more, and the thread end when none is left.
    pub(crate) fn begin_to_close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether no call is to begin any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// The thread: whether there is nothing to look at.
    pub(crate) fn is_clear(&self) -> bool {
        self.lock().slots.is_empty()
    }

    /// Whether the connection is over.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The thread: the slots that it must look at.
    pub(crate) fn take_listed(&self, into: &mut Vec<Arc<Slot>>) {
        into.append(&mut self.lock().slots);
    }

    /// The thread: it looks at nothing any more; what is listed is over.
    pub(crate) fn end(&self) {
        let mut listed = self.lock();
        self.ended.store(true, Ordering::Relaxed);
        let left = core::mem::take(&mut listed.slots);
        drop(listed);
        for slot in left {
            slot.close();
        }
    }
}
