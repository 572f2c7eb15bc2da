//! A progress bar on a terminal, and nothing anywhere else.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Columns of the bar itself.
const WIDTH_COLUMNS: u64 = 30;

/// How often the line is drawn again at most.
const REDRAW_AFTER: Duration = Duration::from_millis(100);

/// One line on standard error that says how far a long piece of work is.
pub(crate) struct Progress {
    total: u64,
    unit: &'static str,
    is_shown: bool,
    started: Instant,
    drawn: Option<Instant>,
}

impl Progress {
    /// The bar of a work of `total` units, shown if standard error is a terminal.
    pub(crate) fn new(total: u64, unit: &'static str) -> Self {
        Progress { total, unit, is_shown: stderr().is_terminal(), started: Instant::now(), drawn: None }
    }

    /// `done` units are done; `note` is added at the end of the line.
    pub(crate) fn update(&mut self, done: u64, note: &str) {
        let now = Instant::now();
        let is_fresh = self.drawn.is_some_and(|drawn| now.duration_since(drawn) < REDRAW_AFTER);
        if self.is_shown && !is_fresh {
            self.drawn = Some(now);
            draw(&line(done, self.total, self.unit, now.duration_since(self.started), note));
        }
    }

    /// Takes the line away.
    pub(crate) fn finish(self) {
        if self.drawn.is_some() {
            draw("");
        }
    }
}

/// Replaces the line on the terminal. A terminal that cannot be written to is no reason to stop the work.
fn draw(line: &str) {
    let mut terminal = stderr().lock();
    let _ = write!(terminal, "\r\x1b[2K{line}");
    let _ = terminal.flush();
}

fn line(done: u64, total: u64, unit: &str, elapsed: Duration, note: &str) -> String {
    let done = done.min(total);
    let columns = (WIDTH_COLUMNS * done).checked_div(total).unwrap_or(WIDTH_COLUMNS) as usize;
    let bar = "#".repeat(columns) + &".".repeat(WIDTH_COLUMNS as usize - columns);
    let left = match u32::try_from(done) {
        Ok(done) if done > 0 => {
            let seconds = elapsed.as_secs_f64() / f64::from(done) * (total - u64::from(done)) as f64;
            format!(", {seconds:.0} s left")
        }
        Ok(_) | Err(_) => String::new(),
    };
    format!("[{bar}] {done}/{total} {unit}{left}{note}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        assert_eq!(
            line(10, 40, "seeds", Duration::from_secs(5), ""),
            "[#######.......................] 10/40 seeds, 15 s left"
        );
        assert_eq!(line(0, 2, "seeds", Duration::ZERO, "!"), "[..............................] 0/2 seeds!");
        assert_eq!(
            line(2, 2, "seeds", Duration::from_secs(1), ""),
            "[##############################] 2/2 seeds, 0 s left"
        );
    }
}
