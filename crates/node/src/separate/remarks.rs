//! What a part tells: lines on its standard error, which is a pipe to its supervisor. The node's log is the supervisor's alone.
//!
//! A part does not have the log itself, since whoever has a replica could write its monitor's words there, or cut the file
//! short. The monitor has it no more than the replica: there is one way for both, and no line in the middle of another.
//!
//! A line is a letter for its level, a space, and words. It proves nothing but whose pipe it came through.
//!
//! Upon something to tell, in the part ([`Mouth`]): one write, whole or not at all. If there is no room it is dropped and counted,
//!   and the count told with the next line that finds room; a part neither waits for its supervisor nor ends without it.
//! Upon a look of the supervisor's (`Ear`): it reads [`LOOK_BYTES_MAX`] at most, and waits for nothing. So a part that writes without end
//!   fills its own pipe.
//! Upon a line: it is said at its level and in the name of the part. What has no level (a panic, a traitor's noise) is a warning. What
//!   is no letter, mark or number but moves a terminal's cursor, or hides, is said as what it is ([`harmless`]).
//! Upon a line longer than [`LINE_BYTES_MAX`]: the rest is left out, and `…` stands for it.
//! Upon more than [`LINES_MAX`] lines at once, or one in [`LINE_EVERY`] for long: they are left out and counted, and how many is
//!   told before the next line that is said.
//! Upon the end of the part: what it wrote last is still said, also without an end of the line.

use crate::telling::{Level, Say};
use rustix::io::ioctl_fionbio;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Bytes of a line at most, level and end included: what the kernel takes whole or not at all (`PIPE_BUF`) is no less.
pub const LINE_BYTES_MAX: usize = 2048;

/// Lines of a part that are said at once, at most: links to all other nodes of the greatest cluster, up and down.
pub const LINES_MAX: u32 = 128;

/// How often there is room for another line.
pub const LINE_EVERY: Duration = Duration::from_secs(1);

/// Bytes that are read at one look, at most: all that a pipe holds.
pub const LOOK_BYTES_MAX: usize = 64 << 10;

/// What stands for the rest of a line.
const CUT: &str = "…";

fn letter(level: Level) -> char {
    match level {
        Level::Error => 'e',
        Level::Warning => 'w',
        Level::Info => 'i',
    }
}

/// The level and the words of a line, if a part wrote it as it should.
fn parse(line: &str) -> Option<(Level, &str)> {
    let (first, words) = line.split_once(' ')?;
    let levels = [Level::Error, Level::Warning, Level::Info];
    let level = levels.into_iter().find(|level| first.chars().eq([letter(*level)]))?;
    Some((level, words))
}

/// The same words in one line and in plain sight: what would move a cursor, end a line, turn its direction or hide is spelled out.
#[must_use]
pub fn harmless(words: &str) -> String {
    let mut plain = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '\'' | '"' | '\\' => plain.push(letter),
            letter => plain.extend(letter.escape_debug()),
        }
    }
    plain
}

/// As much of `text` as fits into `bytes`.
fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub(CUT.len())));
        text.push_str(CUT);
    }
}

/// The part's end.
#[derive(Debug, Default)]
pub struct Mouth {
    /// Lines without room that nobody was told of.
    lost: u64,
}

impl Mouth {
    /// Tells the supervisor something.
    pub fn tell(&mut self, level: Level, words: &str) {
        self.tell_to(&mut io::stderr().lock(), level, words);
    }

    fn tell_to(&mut self, to: &mut impl Write, level: Level, words: &str) {
        if self.lost > 0 {
            let lost = format!("{} lines before this one found no room on their way", self.lost);
            if write(to, Level::Warning, &lost) {
                self.lost = 0;
            }
        }
        if !write(to, level, words) {
            self.lost = self.lost.saturating_add(1);
        }
    }
}

/// Whether there was room.
fn write(to: &mut impl Write, level: Level, words: &str) -> bool {
    let mut line = format!("{} {}", letter(level), harmless(words));
    cut(&mut line, LINE_BYTES_MAX - 1);
    line.push('\n');
    to.write_all(line.as_bytes()).is_ok()
}

/// The pipe of a part, to read from and to be its standard error. Neither end makes anybody wait.
pub(crate) fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (near, far) = io::pipe()?;
    ioctl_fionbio(&near, true)?;
    ioctl_fionbio(&far, true)?;
    Ok((near, far))
}

/// The supervisor's end, which outlives the part: one that begins anew has no more room than the one before.
#[derive(Debug)]
pub(crate) struct Ear {
    pipe: Option<PipeReader>,
    /// The line so far.
    line: Vec<u8>,
    /// It was too long, and its rest is left out.
    is_cut: bool,
    /// Lines that may be said now.
    room: u32,
    /// Since when there is so much.
    since: Instant,
    /// Lines left out that nobody was told of.
    untold: u64,
    left_out: u64,
}

impl Ear {
    pub(crate) fn new(now: Instant) -> Ear {
        Ear {
            pipe: None,
            line: Vec::new(),
            is_cut: false,
            room: LINES_MAX,
            since: now,
            untold: 0,
            left_out: 0,
        }
    }

    /// A part begins; what it is to have as its standard error.
    pub(crate) fn listen(&mut self) -> io::Result<OwnedFd> {
        let (near, far) = pipe()?;
        self.pipe = Some(near);
        Ok(far.into())
    }

    /// Lines that were left out so far.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Says what the part has written.
    pub(crate) fn hear(&mut self, now: Instant, say: Say<'_>) {
        self.make_room(now);
        let mut bytes = [0; 4096];
        let mut read = 0;
        while read < LOOK_BYTES_MAX {
            let Some(pipe) = &mut self.pipe else { break };
            match pipe.read(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Nobody has the other end any more.
                Ok(0) | Err(_) => {
                    self.pipe = None;
                    break;
                }
                Ok(count) => {
                    read += count;
                    bytes[..count].iter().for_each(|byte| self.take(*byte, say));
                }
            }
        }
        if self.untold > 0 && self.room > 0 {
            self.room -= 1;
            self.tell_left_out(say);
        }
    }

    /// The part has ended: what it wrote last is said, and then there is nothing more.
    pub(crate) fn hear_the_last(&mut self, now: Instant, say: Say<'_>) {
        self.hear(now, say);
        self.end_line(say);
        self.pipe = None;
    }

    fn make_room(&mut self, now: Instant) {
        let more = now.saturating_duration_since(self.since).as_secs() / LINE_EVERY.as_secs();
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        if more > 0 {
            self.room = self.room.saturating_add(more).min(LINES_MAX);
            self.since += LINE_EVERY * more;
        }
    }

    fn take(&mut self, byte: u8, say: Say<'_>) {
        match byte {
            b'\n' => self.end_line(say),
            _ if self.line.len() < LINE_BYTES_MAX - 1 => self.line.push(byte),
            _ => self.is_cut = true,
        }
    }

    fn end_line(&mut self, say: Say<'_>) {
        let is_cut = std::mem::take(&mut self.is_cut);
        if self.line.is_empty() {
            return;
        }
        if self.room == 0 {
            self.left_out = self.left_out.saturating_add(1);
            self.untold = self.untold.saturating_add(1);
        } else {
            self.room -= 1;
            self.tell_left_out(say);
            let line = String::from_utf8_lossy(&self.line);
            let (level, words) = parse(&line).unwrap_or((Level::Warning, &line));
            let mut words = harmless(words);
            if is_cut {
                words.push_str(CUT);
            }
            cut(&mut words, LINE_BYTES_MAX);
            say(level, &words);
        }
        self.line.clear();
    }

    fn tell_left_out(&mut self, say: Say<'_>) {
        let untold = std::mem::take(&mut self.untold);
        if untold > 0 {
            say(Level::Warning, &format!("{untold} lines before this one were too many and are left out"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(ear: &mut Ear, now: Instant) -> Vec<(Level, String)> {
        let mut heard = Vec::new();
        ear.hear(now, &mut |level, words| heard.push((level, words.to_string())));
        heard
    }

    fn joined() -> (Ear, PipeWriter, Instant) {
        let now = Instant::now();
        let mut ear = Ear::new(now);
        let far = ear.listen().expect("there is room for a pipe");
        (ear, far.into(), now)
    }

    #[test]
    fn what_a_part_tells_keeps_its_level_and_what_has_none_is_a_warning() {
        let (mut ear, mut far, now) = joined();
        let mut mouth = Mouth::default();
        for level in [Level::Error, Level::Warning, Level::Info] {
            mouth.tell_to(&mut far, level, "the replica broke 'no gap'");
        }
        far.write_all(b"thread 'main' panicked at x.rs:1:2:\n\nx y\n\xff").expect("there is room");
        let words = "the replica broke 'no gap'".to_string();
        let mut right =
            [Level::Error, Level::Warning, Level::Info].map(|level| (level, words.clone())).to_vec();
        right.push((Level::Warning, "thread 'main' panicked at x.rs:1:2:".to_string()));
        right.push((Level::Warning, "x y".to_string()));
        assert_eq!(heard(&mut ear, now), right);
        let mut last = Vec::new();
        ear.hear_the_last(now, &mut |level, words| last.push((level, words.to_string())));
        assert_eq!(last, [(Level::Warning, "\u{fffd}".to_string())], "its last line has no end");
    }

    #[test]
    fn what_would_fool_a_reader_is_spelled_out() {
        let words = "it's \"ä\"\\n\r\u{1b}[2Jx\n\u{202e}\u{2028}\t";
        let plain = harmless(words);
        assert_eq!(plain, "it's \"ä\"\\n\\r\\u{1b}[2Jx\\n\\u{202e}\\u{2028}\\t");
        assert_eq!(harmless(&plain), plain, "once is enough");
        let (mut ear, mut far, now) = joined();
        Mouth::default().tell_to(&mut far, Level::Info, "a\ne b");
        assert_eq!(
            heard(&mut ear, now),
            [(Level::Info, "a\\ne b".to_string())],
            "one thing told is one line"
        );
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let (mut ear, mut far, now) = joined();
        far.write_all(&[b'x'; 3 * LINE_BYTES_MAX]).expect("there is room");
        far.write_all(b"\ni \x01\n").expect("there is room");
        far.write_all(&[1; LINE_BYTES_MAX]).expect("there is room");
        far.write_all(b"\n").expect("there is room");
        let heard = heard(&mut ear, now);
        assert_eq!(heard.len(), 3);
        assert!(heard.iter().all(|(_, words)| words.len() <= LINE_BYTES_MAX));
        assert!(heard[0].1.ends_with("x…") && heard[2].1.ends_with(CUT), "{heard:?}");
        assert_eq!(heard[1], (Level::Info, "\\u{1}".to_string()));
    }

    #[test]
    fn of_too_many_lines_some_are_told_and_the_rest_is_counted() {
        let (mut ear, mut far, now) = joined();
        let mut told = 0;
        for round in 0..100 {
            far.write_all(&b"noise\n".repeat(100)).expect("it was read");
            told += heard(&mut ear, now + Duration::from_millis(round)).len();
        }
        assert_eq!(told, LINES_MAX as usize);
        assert_eq!(ear.left_out(), 10_000 - u64::from(LINES_MAX));
        let later = now + LINE_EVERY * 2;
        let count = format!("{} lines before this one were too many and are left out", ear.left_out());
        assert_eq!(heard(&mut ear, later), [(Level::Warning, count)]);
        far.write_all(b"i more\ni yet more\n").expect("it was read");
        assert_eq!(heard(&mut ear, later), [(Level::Info, "more".to_string())]);
    }

    #[test]
    fn a_part_does_not_wait_for_room_and_says_how_much_was_lost() {
        let (mut ear, mut far, now) = joined();
        let mut mouth = Mouth::default();
        let words = "x".repeat(1000);
        (0..1000).for_each(|_| mouth.tell_to(&mut far, Level::Info, &words));
        assert!(mouth.lost > 0, "a pipe holds less");
        let lost = mouth.lost;
        while !heard(&mut ear, now).is_empty() {}
        mouth.tell_to(&mut far, Level::Info, "there is room again");
        let heard = heard(&mut ear, now);
        assert_eq!(heard[0].1, format!("{lost} lines before this one found no room on their way"));
        assert_eq!(heard[1].1, "there is room again");
        drop(ear);
        mouth.tell_to(&mut far, Level::Info, "nobody hears it");
    }
}
