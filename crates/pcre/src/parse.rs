//! From the bytes of a pattern to its tree.
//!
//! Accepted is what PCRE2 10.42 accepts without UTF, with `\n` as the newline and `\R` as any newline; what it would refuse is refused,
//! and of what it has beyond that (verbs, callouts, `\p`, `\X`, groups of one name) each is refused by its own name.
//!
//! - here: branches, quantifiers, literals, what is skipped;
//! - [`group`]: what a parenthesis opens; [`escape`]: what a backslash means; [`class`]: what a bracket opens;
//! - [`scan`]: numbers, names, and where one is.
//!
//! A name may be used before its group is seen. Then the pattern is read a second time, with the names known from the first.
//! Not here: whether a look-behind has a fixed length, which `compile` finds.

mod class;
mod escape;
mod group;
mod scan;

use crate::error::{Cause, Error};
use crate::set::{ByteSet, NOT_NEWLINE, SPACE};
use crate::tree::{Assertion, Kind, Node};
use crate::{Flags, PATTERN_BYTES_MAX};

/// A pattern that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Node,
    /// How many capturing groups there are.
    pub(crate) groups: u16,
    pub(crate) names: Vec<(Vec<u8>, u16)>,
}

/// What `(?i)` and its like change, until the end of the group.
#[derive(Clone, Copy, Debug)]
struct Options {
    caseless: bool,
    multiline: bool,
    dot_all: bool,
    extended: bool,
    /// `xx`: blanks are skipped in classes, too.
    extended_more: bool,
    ungreedy: bool,
    /// `n`: a plain parenthesis does not capture.
    names_only: bool,
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    options: Options,
    dollar_end_only: bool,
    /// Between `\Q` and `\E`.
    quoting: bool,
    groups: u16,
    names: Vec<(Vec<u8>, u16)>,
    /// The names that an earlier reading found.
    known: Option<&'p [(Vec<u8>, u16)]>,
    /// A name was used that is not known yet.
    forward: bool,
    /// The largest number of a group that is referred to, and where.
    referred: (u16, usize),
    /// Open groups, and those of them that are look-arounds.
    depth: usize,
    looks: usize,
}

/// Reads `pattern`.
pub(crate) fn parse(pattern: &[u8], flags: Flags) -> Result<Parsed, Error> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(Error { at: PATTERN_BYTES_MAX, cause: Cause::PatternTooLong });
    }
    let mut first = Parser::new(pattern, flags, None);
    let root = first.whole()?;
    if !first.forward {
        return Ok(first.finish(root));
    }
    let known = first.names;
    let mut second = Parser::new(pattern, flags, Some(&known));
    let root = second.whole()?;
    Ok(second.finish(root))
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p [u8], flags: Flags, known: Option<&'p [(Vec<u8>, u16)]>) -> Self {
        let Flags { caseless, multiline, dot_all, extended, anchored: _, dollar_end_only, ungreedy } = flags;
        let options = Options {
            caseless,
            multiline,
            dot_all,
            extended,
            extended_more: false,
            ungreedy,
            names_only: false,
        };
        Self {
            pattern,
            at: 0,
            options,
            dollar_end_only,
            quoting: false,
            groups: 0,
            names: Vec::new(),
            known,
            forward: false,
            referred: (0, 0),
            depth: 0,
            looks: 0,
        }
    }

    fn finish(self, root: Node) -> Parsed {
        Parsed { root, groups: self.groups, names: self.names }
    }

    fn whole(&mut self) -> Result<Node, Error> {
        let branches = self.branches(false)?;
        if self.at < self.pattern.len() {
            return self.error(Cause::UnmatchedParenthesis);
        }
        let (number, at) = self.referred;
        if number > self.groups {
            return Err(Error { at, cause: Cause::NoSuchGroup });
        }
        Ok(Node::alternate(branches))
    }

    /// `…|…|…`, up to a `)` or the end. With `reset`, groups are numbered alike in each branch.
    fn branches(&mut self, reset: bool) -> Result<Vec<Node>, Error> {
        let before = self.groups;
        let mut most = before;
        let mut branches = Vec::new();
        loop {
            branches.push(self.branch()?);
            most = most.max(self.groups);
            if !self.eat(b"|") {
                break;
            }
            if reset {
                self.groups = before;
            }
        }
        self.groups = most;
        Ok(branches)
    }

    fn branch(&mut self) -> Result<Node, Error> {
        let mut items = Vec::new();
        // Whether the last item is one that a quantifier may follow.
        let mut repeatable = false;
        loop {
            if self.quoting {
                repeatable |= self.quoted(&mut items);
                if self.quoting {
                    break;
                }
                continue;
            }
            if self.skip()? {
                continue;
            }
            let at = self.at;
            match self.peek() {
                None | Some(b'|' | b')') => break,
                Some(b'*' | b'+' | b'?' | b'{') => match self.quantifier()? {
                    Some((min, max, kind)) => {
                        let body = items.pop().filter(|_| repeatable);
                        let body = body.ok_or(Error { at, cause: Cause::NothingToRepeat })?;
                        items.push(repeat(body, min, max, kind));
                        repeatable = false;
                    }
                    None => repeatable = self.literal(&mut items),
                },
                Some(b'\\') => repeatable = self.escape(&mut items)?,
                Some(b'[') => repeatable = self.class(&mut items)?,
                Some(b'(') => repeatable = self.group(&mut items)?,
                Some(b'^' | b'$' | b'.') => repeatable = self.place(&mut items),
                Some(_) => repeatable = self.literal(&mut items),
            }
        }
        Ok(flat(items))
    }

    /// Literals up to `\E`; whether there was one. Without `\E` the quotation goes on to the end of the pattern.
    fn quoted(&mut self, items: &mut Vec<Node>) -> bool {
        let mut some = false;
        while self.at < self.pattern.len() {
            if self.eat(b"\\E") {
                self.quoting = false;
                return some;
            }
            some = self.literal(items);
        }
        some
    }

    fn literal(&mut self, items: &mut Vec<Node>) -> bool {
        let Some(byte) = self.next() else { return false };
        items.push(Node::from_byte(byte, self.options.caseless));
        true
    }

    /// `^`, `$` or `.`, of which only the last may be repeated.
    fn place(&mut self, items: &mut Vec<Node>) -> bool {
        let multiline = self.options.multiline;
        let node = match self.next() {
            Some(b'^') if multiline => Node::Assert(Assertion::LineStart),
            Some(b'^') => Node::Assert(Assertion::TextStart),
            Some(b'$') if multiline => Node::Assert(Assertion::LineEnd),
            Some(b'$') if self.dollar_end_only => Node::Assert(Assertion::TextEnd),
            Some(b'$') => Node::Assert(Assertion::TextEndOrNewline),
            _ if self.options.dot_all => Node::Set(ByteSet::ALL),
            _ => Node::Set(NOT_NEWLINE),
        };
        let repeatable = matches!(node, Node::Set(_));
        items.push(node);
        repeatable
    }

    /// Skips what stands for nothing, even between an item and its quantifier; whether there was such a thing.
    fn skip(&mut self) -> Result<bool, Error> {
        let at = self.at;
        if self.eat(b"(?#") {
            let length = self.rest().iter().position(|byte| *byte == b')');
            let length = length.ok_or(Error { at, cause: Cause::UnterminatedComment })?;
            self.at += length + 1;
        } else if self.eat(b"\\Q") {
            self.quoting = true;
        } else if self.options.extended && self.eat(b"#") {
            let line = self.rest().iter().position(|byte| *byte == b'\n');
            self.at = line.map_or(self.pattern.len(), |length| self.at + length + 1);
        } else if self.options.extended && self.peek().is_some_and(is_blank) {
            self.at += 1;
        } else {
            return Ok(self.eat(b"\\E"));
        }
        Ok(true)
    }

    /// A quantifier, or nothing if the brace here begins none.
    fn quantifier(&mut self) -> Result<Option<(u16, Option<u16>, Kind)>, Error> {
        let (min, max) = if self.eat(b"*") {
            (0, None)
        } else if self.eat(b"+") {
            (1, None)
        } else if self.eat(b"?") {
            (0, Some(1))
        } else {
            let Some(numbers) = self.braces()? else { return Ok(None) };
            numbers
        };
        self.skip_to_suffix()?;
        let lazy = self.options.ungreedy;
        let kind = if self.quoting {
            if lazy { Kind::Lazy } else { Kind::Greedy }
        } else if self.eat(b"+") {
            Kind::Possessive
        } else if self.eat(b"?") != lazy {
            Kind::Lazy
        } else {
            Kind::Greedy
        };
        Ok(Some((min, max, kind)))
    }

    /// Skips what may stand even between a quantifier and the `+` or `?` that belongs to it.
    fn skip_to_suffix(&mut self) -> Result<(), Error> {
        while !self.quoting && self.skip()? {
            self.quoting = self.quoting && !self.eat(b"\\E");
        }
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`. Anything else after a brace makes it a literal, and nothing is read.
    fn braces(&mut self) -> Result<Option<(u16, Option<u16>)>, Error> {
        let Some((numbers, length)) = braces(self.rest()) else { return Ok(None) };
        let (min, max) = numbers;
        let (Ok(low), Ok(high)) = (u16::try_from(min), max.map(u16::try_from).transpose()) else {
            return self.error(Cause::RepeatTooLarge);
        };
        if high.is_some_and(|high| high < low) {
            return self.error(Cause::RepeatOutOfOrder);
        }
        self.at += length;
        Ok(Some((low, high)))
    }
}

/// Whether `x` skips the byte; 0x85 is the newline of ISO 8859.
fn is_blank(byte: u8) -> bool {
    SPACE.contains(byte) || byte == 0x85
}

/// The numbers of a quantifier in braces that `text` begins with, and its length.
fn braces(text: &[u8]) -> Option<((u32, Option<u32>), usize)> {
    let rest = text.strip_prefix(b"{")?;
    let (min, after) = number(rest)?;
    let min = min?;
    let (max, after) = match after.strip_prefix(b",") {
        Some(after) => number(after)?,
        None => (Some(min), after),
    };
    let after = after.strip_prefix(b"}")?;
    Some(((min, max), text.len() - after.len()))
}

/// The number that `text` begins with, if there is one, and what comes after it.
fn number(text: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, after) = text.split_at_checked(length)?;
    Some(((length > 0).then(|| scan::value(digits)), after))
}

fn repeat(body: Node, min: u16, max: Option<u16>, kind: Kind) -> Node {
    match body {
        Node::Empty => Node::Empty,
        Node::Look(_) if max != Some(0) => repeat_look(body, min, max, kind),
        _ if (min, max) == (1, Some(1)) && kind == Kind::Possessive => Node::Atomic(Box::new(body)),
        _ if (min, max) == (1, Some(1)) => body,
        _ => Node::Repeat { body: Box::new(body), min, max, kind },
    }
}

/// A look-around more than once. Asking again gives the same answer, unless its captures refer to themselves; and without a bound, one
/// time more than must be is enough, as in PCRE2.
fn repeat_look(look: Node, min: u16, max: Option<u16>, kind: Kind) -> Node {
    let captures = look.any(&|node| matches!(node, Node::Capture { .. }));
    let (min, max) = match captures {
        true => (min, max.unwrap_or(min.saturating_add(1))),
        false => (min.min(1), 1),
    };
    match (min, max) {
        (1, 1) => look,
        (min, max) => Node::Repeat { body: Box::new(look), min, max: Some(max), kind },
    }
}

/// The items in one list: those of a group without meaning of its own are taken out of it.
fn flat(items: Vec<Node>) -> Node {
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Node::Concat(inner) => list.extend(inner),
            Node::Empty => {}
            item => list.push(item),
        }
    }
    Node::concat(list)
}
