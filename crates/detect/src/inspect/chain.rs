//! What stands after one sticky buffer: links that must hold one after the other.
//!
//! Upon a content that is found and whose successor depends on the place: when the rest does not hold, the next place is tried, and so
//! on; a regular expression likewise. So `content:"a"; content:"b"; within:2;` holds for `a..ab`. When a link fails that
//! depends on nothing before it, nobody tries again, since nothing would change.
//!
//! The work is bounded: [`STEPS_MAX`] links are looked at for one buffer, then the chain does not hold.

use super::bytes::{ByteJump, ByteMath, ByteTest, Extract, Reach};
use super::content::Content;
use crate::NumberTest;
use std::sync::Arc;

/// Links that are looked at for one buffer.
const STEPS_MAX: u32 = 3000;
/// Numbers that one rule may keep by name.
pub(crate) const VARIABLES_MAX: usize = 32;

/// The numbers that a rule keeps by name.
pub(crate) type Values = [u64; VARIABLES_MAX];

/// A number in a rule: written there, or kept by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operand {
    Number(i64),
    Variable(u8),
}

impl Operand {
    pub(crate) fn signed(self, values: &Values) -> i64 {
        match self {
            Operand::Number(number) => number,
            Operand::Variable(place) => {
                let value = values.get(usize::from(place)).copied().unwrap_or(0);
                // Offsets beyond this point nowhere: it keeps sums of two within range.
                i64::try_from(value).unwrap_or(i64::MAX).min(1 << 40)
            }
        }
    }

    pub(crate) fn unsigned(self, values: &Values) -> u64 {
        match self {
            Operand::Number(number) => number as u64,
            Operand::Variable(place) => values.get(usize::from(place)).copied().unwrap_or(0),
        }
    }
}

/// The buffer that is looked into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where it begins in the stream that it is a part of.
    pub(crate) start: u64,
    /// The numbers in it are little-endian: DCERPC said so.
    pub(crate) little_endian: bool,
}

impl<'a> Look<'a> {
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        Look { bytes, start: 0, little_endian: false }
    }
}

/// One condition.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    Content(Content),
    Expression(Expression),
    IsDataAt(Reach),
    ByteTest(ByteTest),
    ByteJump(ByteJump),
    Extract(Extract),
    ByteMath(ByteMath),
    /// The buffer's length.
    Size(NumberTest),
    /// The same, for `urilen`, which a stream's end does not matter to.
    Length(NumberTest),
    /// Decodes base64, and asks the rest of the rule about what comes out.
    Base64(Base64),
    /// Whether the buffer is in a list, by its number.
    Listed(Listed),
    /// Shannon's entropy of the buffer, in billionths of a bit for each byte.
    Entropy {
        from: usize,
        bytes: usize,
        test: NumberTest,
    },
}

/// A regular expression.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) regex: Arc<pcre::Regex>,
    pub(crate) negated: bool,
    /// It begins where the last match ended.
    pub(crate) relative: bool,
    pub(crate) next_depends: bool,
}

/// `base64_decode` and what stands after `base64_data`.
#[derive(Clone, Debug)]
pub(crate) struct Base64 {
    /// Letters that are decoded at most; 0: as many as there are.
    pub(crate) bytes: usize,
    pub(crate) offset: usize,
    pub(crate) relative: bool,
    pub(crate) chain: Option<Box<Chain>>,
}

/// A look into a list of values.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) list: u32,
    pub(crate) ask: crate::lists::Ask,
}

/// What evaluating needs and may reuse.
pub(crate) struct Scratch {
    pub(crate) values: Values,
    pub(crate) pcre: pcre::Scratch,
    pub(crate) strings: pattern::Scratch,
    /// Where the last match ended.
    last: usize,
    steps: u32,
    /// Nothing before can mend it.
    is_final: bool,
    pub(crate) gave_up: u64,
    /// Looks into lists that change while we run: they are decided later, in the order of frames.
    pub(crate) late: Vec<(u32, crate::lists::Ask, Vec<u8>)>,
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch {
            values: [0; VARIABLES_MAX],
            pcre: pcre::Scratch::default(),
            strings: pattern::Scratch::default(),
            last: 0,
            steps: 0,
            is_final: false,
            gave_up: 0,
            late: Vec::new(),
        }
    }
}

/// Links that must hold one after the other.
#[derive(Clone, Default, Debug)]
pub(crate) struct Chain {
    pub(crate) links: Vec<Link>,
}

impl Chain {
    /// Whether it holds in `look`.
    pub(crate) fn holds(&self, look: Look<'_>, lists: &crate::lists::Lists, scratch: &mut Scratch) -> bool {
        scratch.last = 0;
        scratch.steps = 0;
        scratch.is_final = false;
        rest_holds(&self.links, look, lists, scratch)
    }

    /// Whether it asks for something that no buffer has when it is not there.
    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }
}

fn rest_holds(links: &[Link], look: Look<'_>, lists: &crate::lists::Lists, scratch: &mut Scratch) -> bool {
    let mut links = links;
    loop {
        let Some((link, rest)) = links.split_first() else { return true };
        scratch.steps += 1;
        if scratch.steps > STEPS_MAX {
            scratch.is_final = true;
            return false;
        }
        let holds = match link {
            Link::Content(content) => return content_holds(content, rest, look, lists, scratch),
            Link::Expression(expression) => return expression_holds(expression, rest, look, lists, scratch),
            // What is asked of the decoded bytes is the end of the rule's questions about this buffer.
            Link::Base64(base64) => return base64_holds(base64, look, lists, scratch),
            Link::IsDataAt(reach) => {
                let holds = reach.holds(look, scratch.last, &scratch.values);
                // Another place further on has no more behind it.
                scratch.is_final |= !holds && reach.is_fixed();
                holds
            }
            Link::ByteTest(test) => test.holds(look, scratch.last, &scratch.values),
            Link::ByteJump(jump) => match jump.target(look, scratch.last, &scratch.values) {
                Some(target) => {
                    scratch.last = target;
                    if let Some(place) = jump.result {
                        scratch.values[usize::from(place)] = target as u64;
                    }
                    true
                }
                None => false,
            },
            Link::Extract(extract) => match extract.value(look, scratch.last) {
                Some((value, end)) => {
                    scratch.values[usize::from(extract.result)] = value;
                    scratch.last = end;
                    true
                }
                None => false,
            },
            Link::ByteMath(math) => match math.value(look, scratch.last, &scratch.values) {
                Some((value, end)) => {
                    scratch.values[usize::from(math.result)] = value;
                    scratch.last = end;
                    true
                }
                None => false,
            },
            Link::Size(test) => {
                // What came so far is the size: a stream that goes on is judged again.
                let holds = test.holds(look.start + look.bytes.len() as u64);
                scratch.is_final |= !holds;
                holds
            }
            Link::Length(test) => test.holds(look.bytes.len().min(usize::from(u16::MAX)) as u64),
            Link::Listed(listed) => {
                let holds = match lists.ask(listed.list, &listed.ask, look.bytes) {
                    Some(holds) => holds,
                    None => {
                        scratch.late.push((listed.list, listed.ask, look.bytes.to_vec()));
                        true
                    }
                };
                scratch.is_final |= !holds;
                holds
            }
            Link::Entropy { from, bytes, test } => {
                let part = look.bytes.get(*from..);
                let part = part.and_then(|part| if *bytes == 0 { Some(part) } else { part.get(..*bytes) });
                part.is_some_and(|part| test.holds(super::bytes::entropy(part)))
            }
        };
        if !holds {
            return false;
        }
        links = rest;
    }
}

fn content_holds(
    content: &Content,
    rest: &[Link],
    look: Look<'_>,
    lists: &crate::lists::Lists,
    scratch: &mut Scratch,
) -> bool {
    let before = scratch.last;
    let Some((mut from, until)) = content.part(&look, before, &scratch.values) else {
        return content.negated && rest_holds(rest, look, lists, scratch);
    };
    loop {
        let found = content.end(look.bytes, from, until);
        let end = match (found, content.negated) {
            (None, true) => return rest_holds(rest, look, lists, scratch),
            (None, false) => {
                scratch.is_final |= !content.is_relative();
                return false;
            }
            (Some(_), true) => {
                let is_single = !content.is_relative() && content.depth.is_none() && content.offset.is_none();
                scratch.is_final |= is_single;
                return false;
            }
            (Some(end), false) => end,
        };
        scratch.last = end;
        if rest_holds(rest, look, lists, scratch) {
            return true;
        }
        if scratch.is_final {
            return false;
        }
        if !content.next_depends || content.ends {
            scratch.is_final = true;
            return false;
        }
        scratch.steps += 1;
        if scratch.steps > STEPS_MAX {
            scratch.is_final = true;
            return false;
        }
        from = end - content.bytes.len() + 1;
    }
}

fn expression_holds(
    expression: &Expression,
    rest: &[Link],
    look: Look<'_>,
    lists: &crate::lists::Lists,
    scratch: &mut Scratch,
) -> bool {
    let before = scratch.last;
    // An expression that is relative sees only what follows: `^` and look-behind end there.
    let base = if expression.relative { before } else { 0 };
    let Some(text) = look.bytes.get(base..) else { return false };
    let mut start = 0;
    loop {
        let found = match expression.regex.find_at(text, start, &mut scratch.pcre) {
            pcre::Outcome::Match => scratch.pcre.group(0),
            pcre::Outcome::NoMatch => None,
            pcre::Outcome::GaveUp => {
                scratch.gave_up += 1;
                // Who cannot say whether it is there holds neither for it nor for its absence.
                return false;
            }
        };
        let (begin, end) = match (found, expression.negated) {
            (None, true) => return rest_holds(rest, look, lists, scratch),
            (None, false) | (Some(_), true) => return false,
            (Some(found), false) => found,
        };
        scratch.last = base + end;
        if rest_holds(rest, look, lists, scratch) {
            return true;
        }
        if scratch.is_final || !expression.next_depends {
            return false;
        }
        scratch.steps += 1;
        if scratch.steps > STEPS_MAX || begin + 1 > text.len() {
            scratch.is_final = true;
            return false;
        }
        start = begin + 1;
    }
}

/// Whether what base64 stands for is what the rule asks for. It asks no more of this buffer then; if it asks nothing, it does not hold.
fn base64_holds(base64: &Base64, look: Look<'_>, lists: &crate::lists::Lists, scratch: &mut Scratch) -> bool {
    /// Letters that are decoded if a rule does not say how many.
    const LETTERS_MAX: usize = 65_535;
    let from = if base64.relative { scratch.last } else { 0 } + base64.offset;
    let Some(text) = look.bytes.get(from..).filter(|text| !text.is_empty()) else { return false };
    let letters = if base64.bytes == 0 { LETTERS_MAX } else { base64.bytes };
    let decoded = super::base64::until_other(&text[..text.len().min(letters)]);
    match (decoded, &base64.chain) {
        (Some(decoded), Some(chain)) => {
            // What comes out is another buffer: places in it count from its start.
            let last = std::mem::replace(&mut scratch.last, 0);
            let holds = rest_holds(&chain.links, Look::whole(&decoded), lists, scratch);
            scratch.last = last;
            holds
        }
        _ => false,
    }
}
