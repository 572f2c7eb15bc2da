//! FTP's data connections: one file each.
//!
//! Upon the first bytes in the direction that the command promised: a file of the name that it gave. Upon the
//! end: the file is complete. Bytes in the other direction mean nothing.
//!
//! Not here: lists of folders, which no command announces.

use super::keywords::DATA_KEYWORDS;
use crate::Direction;
use crate::app::file::{Ending, Files};
use crate::app::{
    BodyLimits, Broken, Context, Field, Input, Parser, Piece, Protocol, ProtocolId, Settings, Taken,
    Transaction, Transactions,
};
use crate::eve::Object;

/// The front door. Nothing is known by itself: such flows are announced.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::FtpData,
    name: "ftp-data",
    keywords: DATA_KEYWORDS,
    events: &[],
    frames: &[],
    signatures: &[],
    probes: &[],
    begin: |_: &Settings| Protocol::boxed(DataFlow::default()),
};

/// How files are looked at: as much of them as is put together of a flow.
const FILE_LIMITS: BodyLimits =
    BodyLimits { bytes_max: 1 << 20, first_bytes_min: 32_768, overlap_bytes: 4096 };

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transfer {
    /// The client wants a file.
    Fetch,
    /// The client gives one.
    Store,
}

/// What an announcement says: what for, and whether the file goes to the one who is connected to.
pub(super) fn note(transfer: Transfer, direction: Direction) -> u64 {
    u64::from(transfer == Transfer::Store) | (direction.index() as u64) << 1
}

fn noted(note: u64) -> (Transfer, Direction) {
    let transfer = if note & 1 == 1 { Transfer::Store } else { Transfer::Fetch };
    (transfer, if note & 2 == 0 { Direction::ToServer } else { Direction::ToClient })
}

/// The file of a data connection.
#[derive(Clone, Debug, Default)]
pub struct FtpData {
    what: Option<(Transfer, Direction)>,
    name: Vec<u8>,
    files: Files,
    place: Option<usize>,
    is_done: bool,
}

impl FtpData {
    pub(super) fn transfer(&self) -> Option<Transfer> {
        self.what.map(|(transfer, _)| transfer)
    }

    /// Whether the file goes this way.
    fn goes(&self, direction: Direction) -> bool {
        self.what.is_some_and(|(_, way)| way == direction)
    }

    fn close(&mut self, ending: Ending) {
        if let Some(place) = self.place {
            self.files.close(place, ending);
        }
        self.is_done = true;
    }
}

impl Transaction for FtpData {
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_done || (self.what.is_some() && !self.goes(direction))
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn files(&self, direction: Direction) -> Option<&Files> {
        self.goes(direction).then_some(&self.files)
    }

    fn files_mut(&mut self, direction: Direction) -> Option<&mut Files> {
        self.goes(direction).then_some(&mut self.files)
    }

    fn inspected(&mut self, direction: Direction) {
        if self.goes(direction) {
            self.files.inspected();
        }
    }

    fn record(&self, record: &mut Object) {
        if !self.name.is_empty() {
            record.bytes("filename", &self.name);
        }
        match self.transfer() {
            Some(Transfer::Fetch) => record.text("command", "RETR"),
            Some(Transfer::Store) => record.text("command", "STOR"),
            None => {}
        }
    }
}

/// The state of a data connection.
#[derive(Clone, Default)]
pub(super) struct DataFlow {
    transfers: Transactions<FtpData>,
    /// The only one, alive or not.
    id: Option<u64>,
}

impl Parser for DataFlow {
    type Transaction = FtpData;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let what = noted(context.announced.ok_or(Broken)?);
        if what.1 != direction || input.bytes.is_empty() {
            return Ok(Taken::all(&input));
        }
        let id = *self.id.get_or_insert_with(|| self.transfers.open(FtpData::default()));
        if let Some(data) = self.transfers.get_mut(id) {
            if data.what.is_none() {
                data.what = Some(what);
                data.name = context.announced_name.to_vec();
                data.place = data.files.open(context.announced_name, FILE_LIMITS);
            }
            if let Some(place) = data.place {
                data.files.append(place, input.bytes);
            }
        }
        Ok(Taken::all(&input))
    }

    fn gap(&mut self, direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        self.close(direction, Ending::Truncated);
        Err(Broken)
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        self.close(direction, Ending::Closed);
    }

    fn transactions(&self) -> &Transactions<FtpData> {
        &self.transfers
    }

    fn transactions_mut(&mut self) -> &mut Transactions<FtpData> {
        &mut self.transfers
    }
}

impl DataFlow {
    fn close(&mut self, direction: Direction, ending: Ending) {
        if let Some(data) =
            self.id.and_then(|id| self.transfers.get_mut(id)).filter(|data| data.goes(direction))
        {
            data.close(ending);
        }
    }
}
