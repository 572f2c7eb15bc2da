//! A rule, as far as merging has to know it: what it is called, what it sets and asks, and its text.
//!
//! The rest of the text is nobody's business here, and comes out as it came in. What makes a text a rule:
//!   - `#` and blanks before it say that it is disabled;
//!   - its head is an action alone, or an action and six words or more; blanks between `[` and `]` part no words;
//!   - its options stand in parentheses, each ends with a `;` that has no backslash before it, and one of them is a sid.

use crate::Fault;
use std::fmt;

/// The longest rule that is read, or that a modification may leave. At it: the rule is told and left out, or left as it was.
pub const RULE_BYTES_MAX: usize = 128 << 10;

/// Every word that a rule may begin with. The last four are those of other engines and older versions.
const ACTIONS: [&str; 12] = [
    "alert",
    "pass",
    "drop",
    "reject",
    "rejectsrc",
    "rejectdst",
    "rejectboth",
    "config",
    "log",
    "activate",
    "dynamic",
    "sdrop",
];

/// The words in the head of a rule of packets: action, protocol, source, port, direction, destination, port.
const HEAD_WORDS: usize = 7;

/// By what a rule is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleId {
    /// The generator; 1 unless the rule says otherwise.
    pub gid: u32,
    /// The signature.
    pub sid: u32,
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.gid, self.sid)
    }
}

/// What a rule does with a flowbit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BitUse {
    /// It may change it.
    Sets,
    /// It asks about it.
    Asks,
}

/// A rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// By what it is known.
    pub id: RuleId,
    /// Its revision; 0 unless it says otherwise.
    pub rev: u32,
    /// Whether it counts. One that does not is commented out in the text.
    pub is_enabled: bool,
    /// Its text without what says that it is disabled.
    pub raw: String,
    /// In which of the files it stood, counted as they were given.
    pub file: usize,
    /// On which line of it it began, from 1.
    pub line: usize,
    pub(crate) bits: Vec<(BitUse, String)>,
    pub(crate) metadata: Vec<String>,
    /// It never alerts.
    pub(crate) is_silent: bool,
}

impl Rule {
    /// Reads a rule, or says at which byte of `text` it is none.
    pub(crate) fn parse(text: &str, file: usize, line: usize) -> Result<Rule, (usize, Fault)> {
        let is_enabled = !text.trim_start().starts_with('#');
        let raw = text.trim_start_matches(|character: char| character == '#' || character.is_whitespace());
        let raw_at = text.len() - raw.len();
        let raw = raw.trim_end();
        if raw.len() > RULE_BYTES_MAX {
            return Err((raw_at, Fault::RuleTooLong { bytes: raw.len() }));
        }
        let inner = raw.strip_suffix(')').and_then(|raw| raw.split_once('('));
        let Some((head, options)) = inner.filter(|(head, _)| !head.contains(')')) else {
            return Err((raw_at, Fault::NotARule));
        };
        check_head(head).map_err(|fault| (raw_at, fault))?;
        let mut rule = Rule {
            id: RuleId { gid: 1, sid: 0 },
            rev: 0,
            is_enabled,
            raw: raw.to_string(),
            file,
            line,
            bits: Vec::new(),
            metadata: Vec::new(),
            is_silent: false,
        };
        for option in (Options { rest: options, at: raw_at + head.len() + 1 }) {
            let (at, option) = option?;
            let option_at = at + option.len() - option.trim_start().len();
            rule.take(option.trim()).map_err(|fault| (option_at, fault))?;
        }
        if rule.id.sid == 0 { Err((raw_at, Fault::NoSid)) } else { Ok(rule) }
    }

    /// Takes what matters from an option.
    fn take(&mut self, option: &str) -> Result<(), Fault> {
        let (name, value) =
            option.split_once(':').map_or((option, ""), |(name, value)| (name.trim(), value.trim()));
        match name {
            "gid" => self.id.gid = number("gid", value)?,
            "sid" => self.id.sid = number("sid", value)?,
            "rev" => self.rev = number("revision", value)?,
            "metadata" => self.metadata.extend(value.split(',').map(|entry| entry.trim().to_string())),
            "noalert" => self.is_silent = true,
            "flowbits" => self.take_bit(value),
            _ => {}
        }
        Ok(())
    }

    fn take_bit(&mut self, value: &str) {
        let (verb, bits) = value.split_once(',').unwrap_or((value, ""));
        let bits = bits.trim();
        match verb.trim() {
            "noalert" => self.is_silent = true,
            "set" | "setx" | "unset" | "toggle" if !bits.is_empty() => {
                self.bits.push((BitUse::Sets, bits.to_string()));
            }
            "isset" | "isnotset" => {
                let each = bits.split('|').map(str::trim).filter(|bit| !bit.is_empty());
                self.bits.extend(each.map(|bit| (BitUse::Asks, bit.to_string())));
            }
            _ => {}
        }
    }

    /// Makes a rule that never alerts of it.
    pub(crate) fn silence(&mut self) {
        if self.is_silent {
            return;
        }
        let Some((head, options)) = self.raw.strip_suffix(')').and_then(|raw| raw.split_once('(')) else {
            return;
        };
        let mut options = Options { rest: options, at: head.len() + 1 }.flatten();
        let is_sid = |option: &str| {
            option.trim_start().strip_prefix("sid").is_some_and(|rest| rest.trim().starts_with(':'))
        };
        if let Some((at, _)) = options.find(|(_, option)| is_sid(option)) {
            self.raw.insert_str(at, " noalert;");
            self.is_silent = true;
        }
    }

    /// What it does: `alert`.
    #[must_use]
    pub fn action(&self) -> &str {
        self.raw.split_whitespace().next().unwrap_or_default()
    }

    /// What it is about: `http`. A rule whose head is an action alone has none.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        let (head, _) = self.raw.split_once('(')?;
        head.split_whitespace().nth(1)
    }

    /// The value of its first option of this name, quotes included.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let (_, options) = self.raw.strip_suffix(')').and_then(|raw| raw.split_once('('))?;
        (Options { rest: options, at: 0 }).flatten().find_map(|(_, option)| {
            let (found, value) = option.split_once(':')?;
            (found.trim() == name).then(|| value.trim())
        })
    }

    /// The rule as it stands in a file of rules.
    #[must_use]
    pub fn text(&self) -> String {
        if self.is_enabled { self.raw.clone() } else { format!("# {}", self.raw) }
    }
}

/// A number of a rule.
pub(crate) fn number(of: &'static str, found: &str) -> Result<u32, Fault> {
    found.trim().parse().map_err(|_| Fault::Number { of, found: found.trim().to_string() })
}

fn check_head(head: &str) -> Result<(), Fault> {
    let mut depth = 0_usize;
    let mut is_in_word = false;
    let mut words = 0;
    for character in head.chars() {
        match character {
            '[' => depth = depth.saturating_add(1),
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_part = depth > 0 || !character.is_whitespace();
        words += usize::from(is_part && !is_in_word);
        is_in_word = is_part;
    }
    let action = head.split_whitespace().next().unwrap_or_default();
    if !ACTIONS.contains(&action) {
        return Err(if words < HEAD_WORDS {
            Fault::NotARule
        } else {
            Fault::Action { found: action.to_string() }
        });
    }
    if words == 1 || words >= HEAD_WORDS { Ok(()) } else { Err(Fault::Head { words }) }
}

/// The options of a rule, each with the blanks around it and where they begin; or where one begins that has no `;` at
/// its end.
struct Options<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<(usize, &'a str), (usize, Fault)>;

    fn next(&mut self) -> Option<Self::Item> {
        let (rest, at) = (self.rest, self.at);
        if rest.trim().is_empty() {
            return None;
        }
        let is_end = |end: &usize| rest.get(..*end).is_some_and(|before| !before.ends_with('\\'));
        let Some(end) = rest.match_indices(';').map(|(end, _)| end).find(is_end) else {
            self.rest = "";
            return Some(Err((at + rest.len() - rest.trim_start().len(), Fault::Semicolon)));
        };
        let (option, behind) = rest.split_at(end);
        self.rest = behind.strip_prefix(';').unwrap_or_default();
        self.at += end + 1;
        Some(Ok((at, option)))
    }
}

#[cfg(test)]
mod tests;
