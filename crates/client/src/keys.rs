//! The store of keys and values, as a client sees it: [`kv::Command`]s out, [`kv::Answer`]s in, what does not fit is an error.
//!
//! Upon a blocking call: one command, which has the time that the handle was given. Upon its async twin: the same without a limit
//!   in time.
//! Upon a list: page after page, until there are no more or the limit is reached.
//! Upon a watch: an iterator that asks again from where it stands: at once while there is more, else after [`WATCH_MIN`], twice as
//!   long each time up to [`WATCH_MAX`]. A time without an answer changes nothing and is an item of its own; who goes on asks
//!   again.
//!
//! Not here: an async watch that waits by itself, which would need the timer of some runtime. [`Kv::changes_async`] asks once.

use crate::error::CallError;
use crate::session::Session;
use bytes::Bytes;
use core::fmt;
use core::time::Duration;
use kv::answer::{Changes, ITEMS_MAX, Listing};
use kv::{Answer, Change, Command, Entry, Item, Outcome, Refusal, Revision, Version};
use std::collections::VecDeque;
use std::thread;
use std::time::Instant;
use wire::{Decode, DecodeError, Encode};

/// The first pause of a watch that has heard nothing new.
pub const WATCH_MIN: Duration = Duration::from_millis(5);

/// The longest pause of a watch that hears nothing new.
pub const WATCH_MAX: Duration = Duration::from_millis(500);

/// Why a command was not done, or is not known to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KvError {
    /// There is no answer.
    Call(CallError),
    /// The store refused, and nothing was changed.
    Refused(Refusal),
    /// The answer cannot be read. Is the service of this cluster a store of keys and values?
    Unreadable(DecodeError),
    /// The answer is one to another command.
    Mismatched,
}

impl From<CallError> for KvError {
    fn from(error: CallError) -> Self {
        KvError::Call(error)
    }
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KvError::Call(error) => error.fmt(f),
            KvError::Refused(refusal) => refusal.fmt(f),
            KvError::Unreadable(error) => {
                write!(
                    f,
                    "the answer is none of a store of keys and values ({error}); is that the cluster's service?"
                )
            }
            KvError::Mismatched => f.write_str(
                "the answer is one to another command; is a store of keys and values the cluster's service?",
            ),
        }
    }
}

impl core::error::Error for KvError {}

/// A key holds what it was to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The revision of this write.
    pub revision: Revision,
    /// How often the key was put since it came into being.
    pub version: Version,
}

/// What was listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// The keys in order, and what they hold.
    pub entries: Vec<Entry>,
    /// The store's revision when the first page was read. A watch since then tells all that changed while the others were.
    pub revision: Revision,
    /// Whether there are more keys than the limit.
    pub more: bool,
}

/// A session that speaks to a store of keys and values.
#[derive(Debug)]
pub struct Kv {
    session: Session,
    timeout: Duration,
}

/// What is made of an answer.
type Made<T> = Result<T, KvError>;

impl Kv {
    /// A store behind `session`; each blocking command has `timeout`.
    #[must_use]
    pub fn new(session: Session, timeout: Duration) -> Kv {
        Kv { session, timeout }
    }

    /// Lets `key` hold `value`.
    pub fn put(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Made<Written> {
        self.ask(&Command::put(key, value)).and_then(written)
    }

    /// Lets `key` hold `value`.
    pub async fn put_async(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Made<Written> {
        self.ask_async(&Command::put(key, value)).await.and_then(written)
    }

    /// Lets `key` hold `value` if it was last changed at `expected`; [`Revision::ZERO`]: if there is no such key.
    pub fn cas(
        &mut self,
        key: impl Into<Bytes>,
        expected: Revision,
        value: impl Into<Bytes>,
    ) -> Made<Written> {
        self.ask(&Command::cas(key, expected, value)).and_then(written)
    }

    /// Lets `key` hold `value` if it was last changed at `expected`; [`Revision::ZERO`]: if there is no such key.
    pub async fn cas_async(
        &mut self,
        key: impl Into<Bytes>,
        expected: Revision,
        value: impl Into<Bytes>,
    ) -> Made<Written> {
        self.ask_async(&Command::cas(key, expected, value)).await.and_then(written)
    }

    /// What `key` holds, if there is such a key.
    pub fn get(&mut self, key: impl Into<Bytes>) -> Made<Option<Item>> {
        self.ask(&Command::get(key)).and_then(found)
    }

    /// What `key` holds, if there is such a key.
    pub async fn get_async(&mut self, key: impl Into<Bytes>) -> Made<Option<Item>> {
        self.ask_async(&Command::get(key)).await.and_then(found)
    }

    /// Lets there be no `key`; the version that was deleted, if there was one.
    pub fn delete(&mut self, key: impl Into<Bytes>) -> Made<Option<Version>> {
        self.ask(&Command::delete(key)).and_then(deleted)
    }

    /// Lets there be no `key`; the version that was deleted, if there was one.
    pub async fn delete_async(&mut self, key: impl Into<Bytes>) -> Made<Option<Version>> {
        self.ask_async(&Command::delete(key)).await.and_then(deleted)
    }

    /// The first `limit` keys that begin with `prefix`, and what they hold.
    pub fn list(&mut self, prefix: impl Into<Bytes>, limit: usize) -> Made<Listed> {
        let mut pages = Pages::new(prefix.into(), limit);
        while let Some(command) = pages.next() {
            let answer = self.ask(&command)?;
            pages.take(answer)?;
        }
        Ok(pages.listed)
    }

    /// The first `limit` keys that begin with `prefix`, and what they hold.
    pub async fn list_async(&mut self, prefix: impl Into<Bytes>, limit: usize) -> Made<Listed> {
        let mut pages = Pages::new(prefix.into(), limit);
        while let Some(command) = pages.next() {
            let answer = self.ask_async(&command).await?;
            pages.take(answer)?;
        }
        Ok(pages.listed)
    }

    /// The store's present revision, from where a watch hears of what comes.
    pub fn revision(&mut self) -> Made<Revision> {
        Ok(self.ask(&Command::list("", "", 0))?.revision)
    }

    /// Every change of a key that begins with `prefix` after `since`, as it comes.
    pub fn watch(&mut self, prefix: impl Into<Bytes>, since: Revision) -> Watching<'_> {
        Watching { kv: self, prefix: prefix.into(), since, heard: VecDeque::new(), pause: Duration::ZERO }
    }

    /// The changes under `prefix` after `since` that there are now, as far as they fit an answer.
    pub fn changes(&mut self, prefix: impl Into<Bytes>, since: Revision) -> Made<Changes> {
        self.ask(&Command::watch(prefix, since, ITEMS_MAX as u32)).and_then(changes)
    }

    /// The changes under `prefix` after `since` that there are now, as far as they fit an answer.
    pub async fn changes_async(&mut self, prefix: impl Into<Bytes>, since: Revision) -> Made<Changes> {
        self.ask_async(&Command::watch(prefix, since, ITEMS_MAX as u32)).await.and_then(changes)
    }

    fn ask(&mut self, command: &Command) -> Made<Answer> {
        let result = self.session.call(command.to_bytes(), Instant::now() + self.timeout)?;
        read(result)
    }

    async fn ask_async(&mut self, command: &Command) -> Made<Answer> {
        let result = self.session.call_async(command.to_bytes()).await?;
        read(result)
    }
}

fn read(result: Bytes) -> Made<Answer> {
    let answer = Answer::from_bytes(result).map_err(KvError::Unreadable)?;
    match answer.outcome {
        Outcome::Refused(refusal) => Err(KvError::Refused(refusal)),
        _ => Ok(answer),
    }
}

fn written(answer: Answer) -> Made<Written> {
    match answer.outcome {
        Outcome::Written(version) => Ok(Written { revision: answer.revision, version }),
        _ => Err(KvError::Mismatched),
    }
}

fn found(answer: Answer) -> Made<Option<Item>> {
    match answer.outcome {
        Outcome::Found(item) => Ok(item),
        _ => Err(KvError::Mismatched),
    }
}

fn deleted(answer: Answer) -> Made<Option<Version>> {
    match answer.outcome {
        Outcome::Deleted(version) => Ok(version),
        _ => Err(KvError::Mismatched),
    }
}

fn changes(answer: Answer) -> Made<Changes> {
    match answer.outcome {
        Outcome::Changes(changes) => Ok(changes),
        _ => Err(KvError::Mismatched),
    }
}

/// A list, page by page.
struct Pages {
    prefix: Bytes,
    limit: usize,
    /// Where the next page begins; nothing after the last.
    start: Option<Bytes>,
    is_first: bool,
    listed: Listed,
}

impl Pages {
    fn new(prefix: Bytes, limit: usize) -> Pages {
        let listed = Listed { entries: Vec::new(), revision: Revision::ZERO, more: false };
        Pages { prefix, limit, start: Some(Bytes::new()), is_first: true, listed }
    }

    fn next(&self) -> Option<Command> {
        let left = self.limit - self.listed.entries.len();
        let start = self.start.clone().filter(|_| left > 0 || self.is_first)?;
        Some(Command::list(self.prefix.clone(), start, u32::try_from(left).unwrap_or(u32::MAX)))
    }

    fn take(&mut self, answer: Answer) -> Made<()> {
        let Outcome::Listing(Listing { entries, next }) = answer.outcome else {
            return Err(KvError::Mismatched);
        };
        if core::mem::take(&mut self.is_first) {
            self.listed.revision = answer.revision;
        }
        self.listed.entries.extend(entries);
        self.listed.entries.truncate(self.limit);
        self.listed.more = next.is_some();
        self.start = next;
        Ok(())
    }
}

/// The changes under a prefix, as they come. It never ends by itself.
#[derive(Debug)]
pub struct Watching<'a> {
    kv: &'a mut Kv,
    prefix: Bytes,
    since: Revision,
    heard: VecDeque<Change>,
    pause: Duration,
}

impl Watching<'_> {
    /// All changes up to this revision have been told, once nothing heard is left: a watch since it goes on from here.
    #[must_use]
    pub fn since(&self) -> Revision {
        self.heard.front().map_or(self.since, |change| Revision(change.revision().0 - 1))
    }
}

impl Iterator for Watching<'_> {
    type Item = Made<Change>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(change) = self.heard.pop_front() {
                return Some(Ok(change));
            }
            thread::sleep(self.pause);
            match self.kv.changes(self.prefix.clone(), self.since) {
                Ok(changes) => {
                    self.pause = match changes.changes.is_empty() {
                        true => (self.pause * 2).clamp(WATCH_MIN, WATCH_MAX),
                        false => Duration::ZERO,
                    };
                    self.since = changes.until;
                    self.heard.extend(changes.changes);
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
