//! A session: one operation after the other, each executed once at most, in the order in which they were asked for.
//!
//! Upon a blocking call: it waits for the result until the deadline. Upon the deadline: the error says whether the operation may
//!   have been executed.
//! Upon an async call: the same without a deadline, under any executor. Whoever does not want to wait longer drops the future;
//!   whether the operation was executed is unknown then.
//! Upon a session that is dropped: its number is free for another.
//!
//! One call at a time, which the type sees to. Who wants more at once uses more sessions: they share links and bundles.

use crate::error::CallError;
use crate::slot::{Desk, Outcome, Slot, Stage};
use agree::client::Accepted;
use agree::request::OPERATION_BYTES_MAX;
use bytes::Bytes;
use core::fmt;
use core::future::Future;
use core::mem::replace;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::Arc;
use std::time::Instant;

/// One session of a connection.
pub struct Session {
    slot: Arc<Slot>,
    desk: Arc<Desk>,
}

impl Session {
    pub(crate) fn new(desk: Arc<Desk>) -> Session {
        Session { slot: Slot::new(), desk }
    }

    /// Has `operation` executed and returns its result, or gives up at `deadline`.
    pub fn call(&mut self, operation: Bytes, deadline: Instant) -> Result<Bytes, CallError> {
        self.begin(operation)?;
        match self.slot.wait(deadline) {
            Some(outcome) => outcome.map(result),
            None => self.give_up().map(result),
        }
    }

    /// Has `operation` executed once the future is polled. A future that is dropped before its end has given up.
    pub fn call_async(&mut self, operation: Bytes) -> Call<'_> {
        Call { session: self, stage: CallStage::New(operation) }
    }

    fn begin(&mut self, operation: Bytes) -> Result<(), CallError> {
        let bytes = operation.len();
        if bytes > OPERATION_BYTES_MAX {
            return Err(CallError::TooLong { bytes });
        }
        if self.desk.is_closing() {
            return Err(CallError::Closed);
        }
        self.desk.change(&self.slot, |state| state.stage = Stage::Wanted(operation));
        Ok(())
    }

    /// Ends the call that is under way, if it has not ended by itself in the meantime.
    fn give_up(&mut self) -> Outcome {
        let mut outcome = Err(CallError::OutcomeUnknown);
        self.desk.change(&self.slot, |state| {
            state.waker = None;
            match replace(&mut state.stage, Stage::Idle) {
                Stage::Done(done) => outcome = done,
                Stage::Wanted(_) => outcome = Err(CallError::Unreachable),
                Stage::Asked if state.put_off => outcome = Err(CallError::Busy),
                Stage::Asked | Stage::Idle | Stage::Gone => {}
            }
        });
        outcome
    }
}

fn result(accepted: Accepted) -> Bytes {
    accepted.result
}

impl Drop for Session {
    fn drop(&mut self) {
        self.desk.change(&self.slot, |state| state.stage = Stage::Gone);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("stage", &self.slot.lock().stage).finish_non_exhaustive()
    }
}

/// A call that waits for its result.
#[derive(Debug)]
#[must_use = "nothing is asked before it is polled"]
pub struct Call<'a> {
    session: &'a mut Session,
    stage: CallStage,
}

#[derive(Debug)]
enum CallStage {
    New(Bytes),
    Waiting,
    Over,
}

impl Future for Call<'_> {
    type Output = Result<Bytes, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let call = &mut *self;
        match replace(&mut call.stage, CallStage::Over) {
            CallStage::New(operation) => {
                if let Err(error) = call.session.begin(operation) {
                    return Poll::Ready(Err(error));
                }
            }
            CallStage::Waiting => {}
            CallStage::Over => panic!("a call that is over is not polled again"),
        }
        let polled = call.session.slot.poll(context);
        if polled.is_pending() {
            call.stage = CallStage::Waiting;
        }
        polled.map(|outcome| outcome.map(result))
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if matches!(self.stage, CallStage::Waiting) {
            let _ = self.session.give_up();
        }
    }
}
