//! A connection of one process to a cluster: one link to each node, and the thread that owns them.
//!
//! Upon the opening: a station number is drawn, the links are dialled, the thread begins. It does not wait for the links: the first
//!   calls do.
//! Upon a wish for a session: there it is, if there are not [`SESSIONS_MAX`] already.
//! Upon a close: no call is begun any more; those under way have until the deadline. What is left then, and upon a connection that
//!   is dropped everything, ends with [`CallError::Closed`].

use crate::error::{CallError, OpenError};
use crate::follow::Follower;
use crate::session::Session;
use crate::slot::Desk;
use crate::thread::Post;
use agree::Station;
use agree::station::{SESSIONS_MAX, Tally};
use core::fmt;
use link::secret::random_number;
use link::{Holder, Links};
use node::assemble;
use node::config::ClientConfig;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use wire::{ClientId, Peer};

/// How often a close looks whether all calls are over.
const CLOSE_LOOK: Duration = Duration::from_millis(2);

/// A connection to a cluster.
pub struct Connection {
    desk: Arc<Desk>,
    station: ClientId,
    thread: Option<JoinHandle<()>>,
}

impl Connection {
    /// Opens a connection as the client that `config` speaks of.
    pub fn open(config: &ClientConfig) -> Result<Connection, OpenError> {
        // Two processes of one client that draw the same number would push each other out: one in 16 million.
        let drawn = random_number().map_err(OpenError::Randomness)?;
        let station = (drawn & u64::from(ClientId::STATION_MAX)) as u32;
        Connection::open_as(config, station)
    }

    /// The same as a station that the caller names: no two processes may use one at a time.
    ///
    /// # Panics
    /// If `station` is greater than [`ClientId::STATION_MAX`].
    pub fn open_as(config: &ClientConfig, station: u32) -> Result<Connection, OpenError> {
        let secret = config.secret().map_err(OpenError::Secret)?;
        let station = config.client.session(station, 0);
        let pins = assemble::pins(&config.cluster);
        let making = assemble::making(&config.cluster, Peer::Client(station), &secret, &pins);
        let links = Links::new(making).map_err(OpenError::System)?;
        let (me, old) = (Holder::Client(config.client), config.old_secret().map_err(OpenError::Secret)?);
        let keys = assemble::keyring_of(me, &secret, old.as_ref(), None, &pins);
        let desk = Desk::new(links.waker());
        let settings = &config.cluster.settings;
        let follower = Follower::new(assemble::membership(&config.cluster, &pins));
        let station_of = Station::new(station, settings, keys);
        let post = Post::new(station_of, settings, links, pins, follower, Arc::clone(&desk));
        let thread = thread::Builder::new()
            .name("varangian-client".to_string())
            .spawn(move || post.run())
            .map_err(OpenError::System)?;
        Ok(Connection { desk, station, thread: Some(thread) })
    }

    /// Which station it is.
    #[must_use]
    pub fn station(&self) -> ClientId {
        self.station
    }

    /// What its sessions have asked more than once so far: a cluster that has no room says BUSY, and is asked again later.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.desk.tally()
    }

    /// Opens a session.
    pub fn session(&self) -> Result<Session, CallError> {
        let room = |sessions: usize| (sessions < usize::from(SESSIONS_MAX)).then_some(sessions + 1);
        match self.desk.sessions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room) {
            Ok(_) => Ok(Session::new(Arc::clone(&self.desk))),
            Err(_) => Err(CallError::TooManySessions),
        }
    }

    /// Lets calls that are under way come to their end until `deadline`, begins no other, and closes.
    pub fn close(mut self, deadline: Instant) {
        self.desk.begin_to_close();
        let is_over = |thread: &JoinHandle<()>| thread.is_finished() || Instant::now() >= deadline;
        while !self.thread.as_ref().is_none_or(is_over) {
            thread::sleep(CLOSE_LOOK);
        }
        self.end();
    }

    fn end(&mut self) {
        self.desk.end();
        self.desk.wake();
        if let Some(thread) = self.thread.take() {
            // It panics only if something of ours is wrong, and has said so then.
            let _ = thread.join();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("station", &self.station).finish_non_exhaustive()
    }
}
