//! `pcre`: a regular expression, and in which buffer it looks.

use super::{Compiler, Draft, Where};
use crate::Complaint;
use crate::app::Takes;
use crate::inspect::Link;
use crate::inspect::chain::Expression;
use std::sync::Arc;

/// What a letter behind the expression makes it look into.
const BUFFERS: &[(u8, &str)] = &[
    (b'U', "http.uri"),
    (b'I', "http.uri.raw"),
    (b'P', "http.request_body"),
    // The body of a response is a file.
    (b'Q', "http_server_body"),
    (b'H', "http.header"),
    (b'D', "http.header.raw"),
    (b'M', "http.method"),
    (b'C', "http.cookie"),
    (b'S', "http.stat_code"),
    (b'Y', "http.stat_msg"),
    (b'V', "http.user_agent"),
    (b'W', "http.host"),
    (b'Z', "http.host.raw"),
];

/// Whether an expression is wrong, or more than is here.
pub(crate) fn complaint(what: &str, error: &pcre::Error) -> Complaint {
    use pcre::Cause;
    let words = format!("{what}: {error}");
    match error.cause {
        Cause::NotSupported(_)
        | Cause::PatternTooLong
        | Cause::ProgramTooLarge
        | Cause::TooDeep
        | Cause::TooManyGroups
        | Cause::LookBehindTooLong => Complaint::lacking(words),
        _ => Complaint::new(words),
    }
}

impl Compiler<'_> {
    pub(super) fn expression(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let (value, negated) = match value.strip_prefix('!') {
            Some(rest) => (rest.trim_start(), true),
            None => (value, false),
        };
        let wrong = || Complaint::new("expected an expression as in \"/expression/flags\"");
        // Names for what groups match, behind a comma, are for those who write it down.
        let inner = value.trim().trim_matches('"').strip_prefix('/').ok_or_else(wrong)?;
        let (pattern, letters) = inner.rsplit_once('/').ok_or_else(wrong)?;
        let letters = letters.split(',').next().unwrap_or_default();
        let mut flags = pcre::Flags::default();
        let (mut relative, mut buffer, mut bits) = (false, None, 0u8);
        for letter in letters.trim().trim_end_matches('"').bytes() {
            match letter {
                b'i' => (flags.caseless, bits) = (true, bits | 1),
                b'm' => (flags.multiline, bits) = (true, bits | 2),
                b's' => (flags.dot_all, bits) = (true, bits | 4),
                b'x' => (flags.extended, bits) = (true, bits | 8),
                b'A' => (flags.anchored, bits) = (true, bits | 16),
                b'E' => (flags.dollar_end_only, bits) = (true, bits | 32),
                b'G' => (flags.ungreedy, bits) = (true, bits | 64),
                b'R' => relative = true,
                // Raw bytes are what we always look into; limits are our own.
                b'B' | b'O' => {}
                letter => match BUFFERS.iter().find(|known| known.0 == letter) {
                    Some((_, name)) if buffer.is_none() => buffer = Some(*name),
                    Some(_) => return Err(Complaint::new("an expression looks into one buffer only")),
                    None => {
                        return Err(Complaint::new(format!(
                            "'{}' is no flag of an expression",
                            char::from(letter)
                        )));
                    }
                },
            }
        }
        let key = (pattern.as_bytes().to_vec(), bits);
        let regex = match self.expressions.get(&key) {
            Some(regex) => Arc::clone(regex),
            None => {
                let regex = pcre::Regex::new(pattern.as_bytes(), flags)
                    .map_err(|error| complaint("expression", &error))?;
                let regex = Arc::new(regex);
                self.expressions.insert(key, Arc::clone(&regex));
                regex
            }
        };
        let link = Link::Expression(Expression { regex, negated, relative, next_depends: false });
        match buffer {
            None if relative
                && draft.place_is_payload()
                && !draft.in_base64
                && draft.last_match.is_none() =>
            {
                return Err(Complaint::new(
                    "flag 'R' means behind the last match, and there is none before it",
                ));
            }
            None => draft.add_link(link, relative),
            Some(name) => {
                let Some(Takes::Buffer(wanted) | Takes::Modifier(wanted)) =
                    self.keyword(name).map(|keyword| keyword.takes)
                else {
                    return Err(Complaint::new(format!("there is no '{name}' to look into")));
                };
                if !draft.is_within(Where::Layer(wanted)) {
                    return Err(Complaint::new(format!(
                        "it looks into '{name}', but stands behind another sticky buffer: 'pkt_data' ends that"
                    )));
                }
                draft.add_to_layer(Where::Layer(wanted), link, relative)?;
            }
        }
        Ok(())
    }
}

impl Draft {
    /// Whether what follows looks into `at`, or into nothing in particular.
    fn is_within(&self, at: Where) -> bool {
        match self.current.and_then(|place| self.parts.get(place)) {
            None => true,
            Some(super::DraftPart::Open(open)) => {
                !self.in_base64
                    && match (open.at, at) {
                        (Where::Payload, _) => true,
                        (Where::Layer(here), Where::Layer(wanted)) => here.field == wanted.field,
                        _ => false,
                    }
            }
            Some(super::DraftPart::Done(_)) => false,
        }
    }

    /// Adds a link to the chain of a buffer, and leaves the current one as it is.
    fn add_to_layer(&mut self, at: Where, link: Link, is_relative: bool) -> Result<(), Complaint> {
        let before = (self.current, self.in_base64);
        let found = self.parts.iter().position(
            |part| matches!(part, super::DraftPart::Open(open) if open.at.same(&at) && open.transforms.is_empty()),
        );
        match found {
            Some(place) => (self.current, self.in_base64) = (Some(place), false),
            None => self.look_into(at)?,
        }
        self.add_link(link, is_relative);
        (self.current, self.in_base64) = before;
        Ok(())
    }
}
