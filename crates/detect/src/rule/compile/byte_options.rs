//! Numbers within a buffer: `isdataat`, `bsize`, `urilen`, `byte_test`, `byte_jump`, `byte_extract`, `byte_math`, `entropy`, `asn1`.

use super::{Compiler, Draft, DraftPart, Where};
use crate::app::Takes;
use crate::inspect::Link;
use crate::inspect::asn1::Asn1;
use crate::inspect::bytes::{
    BINARY_BYTES_MAX, ByteJump, ByteMath, ByteTest, Compare, ENTROPY_UNIT, Extract, Form, JumpFrom, Number,
    Operator, Reach, TEXT_BYTES_MAX,
};
use crate::inspect::chain::{Operand, VARIABLES_MAX};
use crate::rule::syntax::SourceOption;
use crate::{Complaint, NumberTest};

/// The names of the options that are read here.
pub(super) const NAMES: &[&str] = &[
    "isdataat",
    "bsize",
    "urilen",
    "byte_test",
    "byte_jump",
    "byte_extract",
    "byte_math",
    "entropy",
    "asn1",
];
/// What an offset can be at most, either way.
const OFFSET_MAX: i64 = 65_535;
/// What a number can be multiplied with at most.
const MULTIPLIER_MAX: i64 = 65_535;
/// Bytes of a number that `byte_math` may name.
const MATH_BYTES_MAX: i64 = 10;
/// Bytes of a number that it shifts.
const SHIFTED_BYTES_MAX: i64 = 4;
/// Digits of a number that `byte_extract` reads.
const EXTRACTED_DIGITS_MAX: i64 = 20;
/// Hexadecimal ones.
const EXTRACTED_HEX_DIGITS_MAX: i64 = 14;

impl Compiler<'_> {
    /// Reads an option of this kind; says whether it was one.
    pub(super) fn byte_option(
        &mut self,
        draft: &mut Draft,
        option: &SourceOption<'_>,
    ) -> Result<bool, Complaint> {
        let value = option.value;
        match option.name {
            "isdataat" => {
                let reach = reach(draft, value)?;
                draft.add_link(Link::IsDataAt(reach), reach.relative);
            }
            "bsize" => {
                let test = NumberTest::parse(value, u64::MAX, &[])?;
                if draft.place_is_payload() && !draft.in_base64 {
                    return Err(Complaint::new("'bsize' needs a sticky buffer before it"));
                }
                draft.add_link(Link::Size(test), false);
            }
            "urilen" => {
                let (test, is_raw) = match value.rsplit_once(',').map(|(test, which)| (test, which.trim())) {
                    Some((test, "raw")) => (test, true),
                    Some((test, "norm")) => (test, false),
                    Some((_, other)) => {
                        return Err(Complaint::new(format!("'{other}': expected 'raw' or 'norm'")));
                    }
                    None => (value, false),
                };
                let test = NumberTest::parse(test, 65_535, &[])?;
                let name = if is_raw { "http.uri.raw" } else { "http.uri" };
                let Some(Takes::Buffer(buffer)) = self.keyword(name).map(|keyword| keyword.takes) else {
                    return Err(Complaint::new(format!("there is no '{name}' to look into")));
                };
                draft.add_to(Where::Layer(buffer), Link::Length(test))?;
            }
            "byte_test" => {
                let test = byte_test(draft, value)?;
                draft.add_link(Link::ByteTest(test), test.number.relative);
            }
            "byte_jump" => {
                let jump = byte_jump(draft, value)?;
                draft.add_link(Link::ByteJump(jump), jump.number.relative);
            }
            "byte_extract" => {
                let extract = byte_extract(draft, value)?;
                draft.add_link(Link::Extract(extract), extract.number.relative);
            }
            "asn1" => {
                let asn1 = Asn1::parse(value)?;
                draft.add_link(Link::Asn1(asn1), asn1.is_relative());
            }
            "byte_math" => {
                let math = byte_math(draft, value)?;
                draft.add_link(Link::ByteMath(math), math.number.relative);
            }
            "entropy" => {
                let link = entropy(value)?;
                draft.add_link(link, false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Draft {
    /// Adds a link to the chain of a buffer that is not the current one.
    fn add_to(&mut self, at: Where, link: Link) -> Result<(), Complaint> {
        let found = self.parts.iter().position(
            |part| matches!(part, DraftPart::Open(open) if open.at.same(&at) && open.transforms.is_empty()),
        );
        let place = match found {
            Some(place) => place,
            None => {
                let (before, in_base64) = (self.current, self.in_base64);
                self.look_into(at)?;
                let place = self.current.unwrap_or(0);
                (self.current, self.in_base64) = (before, in_base64);
                place
            }
        };
        if let Some(DraftPart::Open(open)) = self.parts.get_mut(place) {
            open.chain.links.push(link);
        }
        Ok(())
    }

    /// Gives a number a name; its place.
    fn keep(&mut self, name: &str) -> Result<u8, Complaint> {
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| {
                letter.is_ascii_alphanumeric() || letter == '_' || letter == '-' || letter == '.'
            });
        if !is_name {
            return Err(Complaint::new(format!("'{name}' is no name for a number")));
        }
        if let Some(place) = self.variable(name) {
            return Ok(place);
        }
        if self.variables.len() >= VARIABLES_MAX {
            return Err(Complaint::lacking(format!(
                "more than {VARIABLES_MAX} numbers are kept in one rule"
            )));
        }
        self.variables.push(name.to_owned());
        Ok((self.variables.len() - 1) as u8)
    }
}

fn reach(draft: &Draft, value: &str) -> Result<Reach, Complaint> {
    let value = value.trim_matches('"');
    let (value, negated) = match value.strip_prefix('!') {
        Some(rest) => (rest, true),
        None => (value, false),
    };
    let mut parts = value.split(',').map(str::trim);
    let at = draft.operand(parts.next().unwrap_or_default(), 0, OFFSET_MAX)?;
    let mut reach = Reach { at, relative: false, negated };
    for part in parts {
        match part {
            "relative" => reach.relative = true,
            "rawbytes" => {}
            other => return Err(Complaint::new(format!("'{other}': expected 'relative'"))),
        }
    }
    Ok(reach)
}

/// The options that read a number out of a buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Test,
    Jump,
    Extract,
    Math,
}

/// What they say of how the number is written.
struct Written {
    reader: Reader,
    relative: bool,
    form: Option<Form>,
    is_text: bool,
    base: Option<u32>,
    mask: Option<u64>,
}

impl Written {
    fn new(reader: Reader) -> Self {
        Written { reader, relative: false, form: None, is_text: false, base: None, mask: None }
    }

    /// Reads a word of this kind; says whether it was one.
    fn read(&mut self, word: &str) -> Result<bool, Complaint> {
        // Two of them never minded capitals.
        let folded = match self.reader {
            Reader::Test | Reader::Jump => word.to_ascii_lowercase(),
            Reader::Extract | Reader::Math => word.to_owned(),
        };
        let (first, second) = match folded.split_once(char::is_whitespace) {
            Some((first, second)) => (first, second.trim()),
            None => (folded.as_str(), ""),
        };
        let is_new = match (self.reader, first, second) {
            (_, "relative", "") => !std::mem::replace(&mut self.relative, true),
            (_, "dce", "") | (Reader::Math, "endian", "dce") => self.form.replace(Form::Dce).is_none(),
            (Reader::Math, "endian", "big") => self.form.replace(Form::Big).is_none(),
            (Reader::Math, "endian", "little") => self.form.replace(Form::Little).is_none(),
            (Reader::Math, "string", base) => {
                let base = base_named(base).ok_or_else(|| unknown(word))?;
                self.base = Some(base);
                !std::mem::replace(&mut self.is_text, true)
            }
            (Reader::Test, "bitmask", mask) => self.mask.replace(c_number(mask)?).is_none(),
            (Reader::Math, "bitmask", mask) => self.mask.replace(hexadecimal(mask)?).is_none(),
            (Reader::Math, ..) => return Ok(false),
            (_, "big", "") => self.form.replace(Form::Big).is_none(),
            (_, "little", "") => self.form.replace(Form::Little).is_none(),
            (_, "string", "") => !std::mem::replace(&mut self.is_text, true),
            (_, base, "") => match base_named(base) {
                Some(_) if self.reader == Reader::Extract && !self.is_text => {
                    return Err(Complaint::new(format!("'{base}' stands behind 'string'")));
                }
                Some(base) => self.base.replace(base).is_none(),
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        match (self.reader, is_new) {
            (Reader::Extract | Reader::Math, false) => Err(Complaint::new(format!("'{word}' is said twice"))),
            _ => Ok(true),
        }
    }

    fn number(&self, bytes: Operand, offset: Operand) -> Result<Number, Complaint> {
        let form = match (self.is_text, self.base, self.form, self.reader) {
            (false, Some(_), ..) => return Err(Complaint::new("a base needs 'string'")),
            (true, _, Some(Form::Dce), Reader::Test | Reader::Jump) | (true, _, Some(_), Reader::Extract) => {
                return Err(Complaint::new("digits have no order of bytes"));
            }
            // A number whose base is not said is decimal, or says it itself.
            (true, base, _, Reader::Extract | Reader::Math) => Form::Text(base.unwrap_or(10)),
            (true, base, ..) => Form::Text(base.unwrap_or(0)),
            (false, _, form, _) => form.unwrap_or(Form::Big),
        };
        let max = match (self.reader, form) {
            (Reader::Math, _) => MATH_BYTES_MAX,
            (Reader::Extract, Form::Text(16)) => EXTRACTED_HEX_DIGITS_MAX,
            (Reader::Extract, Form::Text(10)) => EXTRACTED_DIGITS_MAX,
            (_, Form::Text(_)) => TEXT_BYTES_MAX,
            _ => BINARY_BYTES_MAX,
        };
        if let Operand::Number(bytes) = bytes
            && bytes > max
        {
            return Err(Complaint::new(format!("a number of {bytes} bytes is too long: at most {max}")));
        }
        Ok(Number { bytes, offset, relative: self.relative, form, mask: self.mask })
    }
}

fn base_named(word: &str) -> Option<u32> {
    match word {
        "hex" => Some(16),
        "dec" => Some(10),
        "oct" => Some(8),
        _ => None,
    }
}

fn no_number(word: &str) -> Complaint {
    Complaint::new(format!("'{word}' is no number"))
}

/// A number as C writes it: `0x10`, `010` (which is 8) or `10`; one below zero counts down from 2^64.
fn c_number(word: &str) -> Result<u64, Complaint> {
    let word = word.trim();
    let (digits, is_below) = match word.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let parsed = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => u64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    parsed.map(|number| if is_below { number.wrapping_neg() } else { number }).map_err(|_| no_number(word))
}

fn hexadecimal(word: &str) -> Result<u64, Complaint> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
    u32::from_str_radix(digits, 16).map(u64::from).map_err(|_| no_number(word))
}

fn decimal(word: &str, min: i64, max: i64) -> Result<i64, Complaint> {
    let number = word.trim().parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| Complaint::new(format!("'{word}': expected a number from {min} to {max}")))
}

fn unknown(word: &str) -> Complaint {
    Complaint::new(format!("'{word}' is no part of this option"))
}

fn parts(value: &str, least: usize, most: usize) -> Result<Vec<&str>, Complaint> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    if parts.len() < least || parts.len() > most {
        return Err(Complaint::new(format!("expected {least} to {most} values parted by commas")));
    }
    Ok(parts)
}

fn byte_test(draft: &Draft, value: &str) -> Result<ByteTest, Complaint> {
    let parts = parts(value, 4, 10)?;
    let bytes = draft.operand(parts[0], 0, TEXT_BYTES_MAX)?;
    let (operator, negated) = match parts[1].strip_prefix('!') {
        Some("") => ("=", true),
        Some(rest) => (rest.trim(), true),
        None => (parts[1], false),
    };
    let compare = match operator {
        "=" => Compare::Equal,
        "<" => Compare::Less,
        ">" => Compare::More,
        "<=" => Compare::AtMost,
        ">=" => Compare::AtLeast,
        "&" => Compare::And,
        "^" => Compare::Or,
        other => {
            return Err(Complaint::new(format!(
                "'{other}' is no comparison: expected =, <, >, <=, >=, & or ^"
            )));
        }
    };
    let wanted = match draft.variable(parts[2]) {
        Some(place) => Operand::Variable(place),
        None => Operand::Number(c_number(parts[2])? as i64),
    };
    let offset = draft.operand(parts[3], -OFFSET_MAX, OFFSET_MAX)?;
    let mut written = Written::new(Reader::Test);
    for part in &parts[4..] {
        if !written.read(part)? {
            return Err(unknown(part));
        }
    }
    Ok(ByteTest { number: written.number(bytes, offset)?, compare, negated, value: wanted })
}

fn byte_jump(draft: &mut Draft, value: &str) -> Result<ByteJump, Complaint> {
    let parts = parts(value, 2, 11)?;
    let bytes = draft.operand(parts[0], 0, TEXT_BYTES_MAX)?;
    let offset = draft.operand(parts[1], -OFFSET_MAX, OFFSET_MAX)?;
    let mut written = Written::new(Reader::Jump);
    let (mut multiplier, mut align, mut post_offset, mut from) = (1, false, 0, None);
    for part in &parts[2..] {
        if written.read(part)? {
            continue;
        }
        let folded = part.to_ascii_lowercase();
        match folded.split_once(' ').unwrap_or((&folded, "")) {
            ("align", "") => align = true,
            ("from_beginning", "") if from != Some(JumpFrom::End) => from = Some(JumpFrom::Beginning),
            ("from_end", "") if from != Some(JumpFrom::Beginning) => from = Some(JumpFrom::End),
            ("multiplier", number) => multiplier = decimal(number, 1, MULTIPLIER_MAX)? as u64,
            ("post_offset", number) => post_offset = decimal(number, -OFFSET_MAX, OFFSET_MAX)?,
            _ => return Err(unknown(part)),
        }
    }
    if written.form == Some(Form::Dce) && from.is_some() {
        return Err(Complaint::new("'dce' jumps from where the number is"));
    }
    let number = written.number(bytes, offset)?;
    let from = from.unwrap_or(JumpFrom::Here);
    Ok(ByteJump { number, multiplier, align, from, post_offset, result: None })
}

fn byte_extract(draft: &mut Draft, value: &str) -> Result<Extract, Complaint> {
    let parts = parts(value, 3, 10)?;
    let bytes = Operand::Number(decimal(parts[0], 0, TEXT_BYTES_MAX)?);
    let offset = Operand::Number(decimal(parts[1], i64::from(i16::MIN), i64::from(i16::MAX))?);
    let mut written = Written::new(Reader::Extract);
    let (mut multiplier, mut align, mut is_sliced) = (None, None, false);
    for part in &parts[3..] {
        if written.read(part)? {
            continue;
        }
        let is_new = match part.split_once(char::is_whitespace).unwrap_or((part, "")) {
            ("multiplier", number) => {
                multiplier.replace(decimal(number, 1, MULTIPLIER_MAX)? as u64).is_none()
            }
            ("align", "2") => align.replace(2).is_none(),
            ("align", "4") => align.replace(4).is_none(),
            // It never did anything.
            ("slice", "") => !std::mem::replace(&mut is_sliced, true),
            _ => return Err(unknown(part)),
        };
        if !is_new {
            return Err(Complaint::new(format!("'{part}' is said twice")));
        }
    }
    if is_sliced && written.is_text {
        return Err(Complaint::new("'slice' goes with no 'string'"));
    }
    let number = written.number(bytes, offset)?;
    let (multiplier, align) = (multiplier.unwrap_or(1), align.unwrap_or(0));
    Ok(Extract { number, multiplier, align, result: draft.keep(parts[2])? })
}

fn byte_math(draft: &mut Draft, value: &str) -> Result<ByteMath, Complaint> {
    let mut written = Written::new(Reader::Math);
    let (mut bytes, mut offset, mut operator, mut right, mut result) = (None, None, None, None, None);
    for part in parts(value, 5, 10)? {
        let (key, word) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        let word = word.trim();
        let is_new = match key {
            "bytes" => bytes.replace(draft.operand(word, 1, MATH_BYTES_MAX)?).is_none(),
            "offset" => offset.replace(Operand::Number(decimal(word, -OFFSET_MAX, OFFSET_MAX)?)).is_none(),
            "oper" => {
                let read = match word {
                    "+" => Operator::Plus,
                    "-" => Operator::Minus,
                    "*" => Operator::Times,
                    "/" => Operator::Divide,
                    "<<" => Operator::Left,
                    ">>" => Operator::Right,
                    other => {
                        return Err(Complaint::new(format!(
                            "'{other}' is no operator: expected + - * / << or >>"
                        )));
                    }
                };
                operator.replace(read).is_none()
            }
            "rvalue" => {
                let read = match draft.variable(word) {
                    Some(place) => Operand::Variable(place),
                    None => Operand::Number(decimal(word, 0, i64::from(u32::MAX))?),
                };
                right.replace(read).is_none()
            }
            "result" => result.replace(word).is_none(),
            _ if written.read(part)? => true,
            _ => return Err(unknown(part)),
        };
        if !is_new {
            return Err(Complaint::new(format!("'{key}' is said twice")));
        }
    }
    let missing = |what: &str| Complaint::new(format!("'{what}' is missing"));
    let right = right.ok_or_else(|| missing("rvalue"))?;
    let operator = operator.ok_or_else(|| missing("oper"))?;
    let bytes = bytes.ok_or_else(|| missing("bytes"))?;
    if operator == Operator::Divide && right == Operand::Number(0) {
        return Err(Complaint::new("division by 0"));
    }
    let shifts = matches!(operator, Operator::Left | Operator::Right);
    if shifts && matches!(bytes, Operand::Number(bytes) if bytes > SHIFTED_BYTES_MAX) {
        return Err(Complaint::new(format!("at most {SHIFTED_BYTES_MAX} bytes can be shifted")));
    }
    let number = written.number(bytes, offset.ok_or_else(|| missing("offset"))?)?;
    let result = draft.keep(result.ok_or_else(|| missing("result"))?)?;
    Ok(ByteMath { number, operator, right, result })
}

/// `bytes N, offset N, value >= 4.037`.
fn entropy(value: &str) -> Result<Link, Complaint> {
    let (mut from, mut bytes, mut test) = (None, None, None);
    for part in value.split(',').map(str::trim) {
        let (key, word) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        let is_new = match key {
            // What is below zero means the beginning, or all there is.
            "bytes" => bytes.replace(decimal(word, i64::from(i32::MIN), i64::from(i32::MAX))?).is_none(),
            "offset" => from.replace(decimal(word, -OFFSET_MAX, OFFSET_MAX)?).is_none(),
            "value" => test.replace(entropy_test(word.trim())?).is_none(),
            _ => return Err(unknown(part)),
        };
        if !is_new {
            return Err(Complaint::new(format!("'{key}' is said twice")));
        }
    }
    let test = test.ok_or_else(|| Complaint::new("'value' is missing"))?;
    let count = |number: Option<i64>| usize::try_from(number.unwrap_or(0)).unwrap_or(0);
    Ok(Link::Entropy { from: count(from), bytes: count(bytes), test })
}

/// `>4`, `>=4`, `<4`, `<=4`, `=4`, `4`, `!=4`, `4-5` and `4<>5` (between the two) or `!4-5`.
fn entropy_test(word: &str) -> Result<NumberTest, Complaint> {
    let number = |word: &str| {
        let number: Option<f64> = word.trim().parse().ok();
        let number = number
            .filter(|number| (0.0..=1e6).contains(number))
            .map(|number| (number * ENTROPY_UNIT).round() as u64);
        number.ok_or_else(|| Complaint::new(format!("'{word}' is no entropy")))
    };
    let (body, is_negated) = match word.strip_prefix('!').filter(|rest| !rest.starts_with('=')) {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    if let Some((low, high)) = body.split_once("<>").or_else(|| body.split_once('-')) {
        let (low, high) = (number(low)?, number(high)?);
        if low >= high {
            return Err(Complaint::new(format!(
                "'{word}': the first number of a range must be the smaller one"
            )));
        }
        return Ok(if is_negated {
            NumberTest::NotBetween(low, high)
        } else {
            NumberTest::Between(low, high)
        });
    }
    /// A sign, and the test that it means.
    type Sign = (&'static str, fn(u64) -> NumberTest);
    const SIGNS: &[Sign] = &[
        (">=", NumberTest::AtLeast),
        ("<=", NumberTest::AtMost),
        ("!=", NumberTest::NotEqual),
        (">", NumberTest::More),
        ("<", NumberTest::Less),
        ("=", NumberTest::Equal),
        ("", NumberTest::Equal),
    ];
    let found = SIGNS.iter().find_map(|(sign, make)| word.strip_prefix(sign).map(|rest| (rest, make)));
    let (rest, make) = found.ok_or_else(|| unknown(word))?;
    Ok(make(number(rest)?))
}

#[cfg(test)]
#[path = "byte_options_tests.rs"]
mod tests;
