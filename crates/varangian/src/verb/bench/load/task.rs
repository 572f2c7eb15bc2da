//! Futures that go on where they are woken.
//!
//! Upon the beginning: the future is polled by whoever begins it. Upon being woken: it is polled at once, by whoever wakes it.
//!
//! The client library wakes on the thread of its connection, when it holds no lock. So a session that has its result asks for the
//! next one on that same thread, in the same turn: what one bundle of replies allows is asked in one bundle of requests, and no
//! other thread has to be woken for it. This is right for futures that do next to nothing between two waits, and for no others.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future, until it is over.
struct Task {
    work: Mutex<Option<Work>>,
}

/// Begins `work`.
pub(super) fn begin(work: impl Future<Output = ()> + Send + 'static) {
    let work: Work = Box::pin(work);
    Arc::new(Task { work: Mutex::new(Some(work)) }).wake();
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if work.as_mut().is_some_and(|work| work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()) {
            *work = None;
        }
    }
}
