//! `varangian sim --replay SEED --record FILE`: a run captured, for `varangian audit`.
//!
//! Upon a protocol without a monitor: refused, since nobody could audit it.
//! Upon a file that cannot be written: said, with the reason; what stands in it up to there is whole.

use crate::say::complain;
use agree::capture;
use sim::RunSettings;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Captures the run `seed` in `file`.
pub(super) fn record(settings: &RunSettings, seed: u64, file: &Path) -> Result<(), String> {
    if !settings.protocol.monitored() {
        return Err(format!(
            "{} has no monitor whose rules could be audited; --record is for byzid and byzid-w",
            settings.protocol
        ));
    }
    let passages =
        write(settings, seed, file).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    complain!("{passages} passages written to {}", file.display());
    Ok(())
}

fn write(settings: &RunSettings, seed: u64, file: &Path) -> io::Result<u64> {
    let mut to = BufWriter::new(File::create(file)?);
    to.write_all(&capture::beginning(&settings.plan(seed).tuning.settings))?;
    let (mut passages, mut result) = (0, Ok(()));
    let mut bytes = Vec::new();
    sim::record(settings, seed, |passage| {
        if result.is_ok() {
            bytes.clear();
            capture::piece(&passage, &mut bytes);
            result = to.write_all(&bytes);
            passages += 1;
        }
    });
    result.and_then(|()| to.flush())?;
    Ok(passages)
}
