//! Files that are ready to become segments.
//!
//! Rolling over must not wait until a new file is made ready, which takes the disk as long as hundreds of flushes. So a
//! segment that is no longer needed is kept, up to [`SPARES_MAX`], and used again; and where none is left after one was
//! taken, a thread makes the next one while the log goes on.
//!
//! Upon `take`: a spare that is there; else the one that is being made; else one is made on the spot.
//! Upon `give`: one more spare, or, where there are enough, the file is removed.
//!
//! A failure to make one in advance is forgotten: by the time one is needed, there may be room again.

use crate::error::DiskError;
use crate::folder::{Folder, Name};
use crate::segment;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Spares that are kept at most.
pub(crate) const SPARES_MAX: usize = 2;

/// The spares of one log.
#[derive(Debug)]
pub(crate) struct Spares {
    folder: Folder,
    segment_bytes: u64,
    ready: Vec<u64>,
    next: u64,
    maker: Option<Maker>,
}

/// The thread that makes them.
#[derive(Debug)]
struct Maker {
    asked: SyncSender<u64>,
    made: Receiver<Result<(), DiskError>>,
    making: Option<u64>,
    thread: JoinHandle<()>,
}

impl Spares {
    /// Takes stock of what is there. A file that is too short was not made ready to its end, or for other settings.
    pub(crate) fn new(folder: &Folder, segment_bytes: u64, names: &[Name]) -> Result<Self, DiskError> {
        let mut spares =
            Spares { folder: folder.clone(), segment_bytes, ready: Vec::new(), next: 0, maker: None };
        for name in names {
            if let Name::Spare(number) = *name {
                spares.next = spares.next.max(number.wrapping_add(1));
                if spares.ready.len() < SPARES_MAX && folder.open(*name)?.length()? == segment_bytes {
                    spares.ready.push(number);
                } else {
                    folder.remove(*name)?;
                }
            }
        }
        Ok(spares)
    }

    /// How long each is, and each segment that it becomes.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    /// A file that is ready.
    pub(crate) fn take(&mut self) -> Result<Name, DiskError> {
        let number = match self.ready.pop() {
            Some(number) => number,
            None => self.made()?,
        };
        if self.ready.is_empty() {
            self.ask()?;
        }
        Ok(Name::Spare(number))
    }

    /// The one that is being made, or else one that is made now.
    fn made(&mut self) -> Result<u64, DiskError> {
        if let Some(maker) = &mut self.maker
            && let Some(number) = maker.making.take()
            && let Ok(Ok(())) = maker.made.recv()
        {
            return Ok(number);
        }
        let number = self.number();
        segment::make_ready(&self.folder, Name::Spare(number), self.segment_bytes)?;
        Ok(number)
    }

    fn number(&mut self) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// Has the next one made, if none is being made.
    fn ask(&mut self) -> Result<(), DiskError> {
        let number = self.number();
        if self.maker.is_none() {
            let failed =
                |error: io::Error| DiskError::new("start a thread for", self.folder.directory(), error);
            self.maker = Some(Maker::start(self.folder.clone(), self.segment_bytes).map_err(failed)?);
        }
        if let Some(maker) = &mut self.maker
            && maker.making.is_none()
            && maker.asked.try_send(number).is_ok()
        {
            maker.making = Some(number);
        }
        Ok(())
    }

    /// `segment` is not needed any more.
    pub(crate) fn give(&mut self, segment: Name) -> Result<(), DiskError> {
        let is_usual = self.folder.open(segment)?.length()? == self.segment_bytes;
        if self.ready.len() >= SPARES_MAX || !is_usual {
            return self.folder.remove(segment);
        }
        let number = self.number();
        self.folder.rename(segment, Name::Spare(number))?;
        self.ready.push(number);
        Ok(())
    }
}

impl Maker {
    fn start(folder: Folder, segment_bytes: u64) -> io::Result<Maker> {
        let (asked, asks) = sync_channel::<u64>(1);
        let (done, made) = sync_channel(1);
        let thread = thread::Builder::new().name("log-spares".into()).spawn(move || {
            for number in asks {
                if done.send(segment::make_ready(&folder, Name::Spare(number), segment_bytes)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Maker { asked, made, making: None, thread })
    }
}

impl Drop for Spares {
    /// Waits for the file that is being made: nothing of a log goes on once it is closed.
    fn drop(&mut self) {
        if let Some(Maker { asked, made, thread, .. }) = self.maker.take() {
            drop((asked, made));
            // If it panicked there is no spare, and nothing else is lost.
            let _ = thread.join();
        }
    }
}
