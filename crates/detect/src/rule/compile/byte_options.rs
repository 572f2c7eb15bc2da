//! Numbers within a buffer: `isdataat`, `bsize`, `urilen`, `byte_test`, `byte_jump`, `byte_extract`, `byte_math`, `entropy`.

use super::{Compiler, Draft, DraftPart, Where};
use crate::app::Takes;
use crate::inspect::Link;
use crate::inspect::bytes::{
    BINARY_BYTES_MAX, ByteJump, ByteMath, ByteTest, Compare, Extract, Form, JumpFrom, Number, Operator,
    Reach, TEXT_BYTES_MAX,
};
use crate::inspect::chain::{Operand, VARIABLES_MAX};
use crate::rule::syntax::SourceOption;
use crate::{Complaint, NumberTest};

/// The names of the options that are read here.
pub(super) const NAMES: &[&str] =
    &["isdataat", "bsize", "urilen", "byte_test", "byte_jump", "byte_extract", "byte_math", "entropy"];
/// What an offset can be at most, either way.
const OFFSET_MAX: i64 = 65_535;

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
            return Err(Complaint::new(format!("more than {VARIABLES_MAX} numbers are kept in one rule")));
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

/// What all of them can say of how a number is written.
struct Written {
    relative: bool,
    form: Option<Form>,
    is_text: bool,
    base: u32,
    mask: Option<u64>,
}

impl Written {
    fn new() -> Self {
        Written { relative: false, form: None, is_text: false, base: 0, mask: None }
    }

    /// Reads a word of this kind; says whether it was one.
    fn read(&mut self, word: &str) -> Result<bool, Complaint> {
        let mut words = word.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        match (first, second) {
            ("relative", None) => self.relative = true,
            ("big", None) | ("endian", Some("big")) => self.form = Some(Form::Big),
            ("little", None) | ("endian", Some("little")) => self.form = Some(Form::Little),
            ("dce", None) | ("endian", Some("dce")) => self.form = Some(Form::Dce),
            ("string", None) => self.is_text = true,
            ("hex", None) | ("string", Some("hex")) => (self.is_text, self.base) = (true, 16),
            ("dec", None) | ("string", Some("dec")) => (self.is_text, self.base) = (true, 10),
            ("oct", None) | ("string", Some("oct")) => (self.is_text, self.base) = (true, 8),
            ("bitmask", Some(mask)) => self.mask = Some(unsigned(mask)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn number(&self, bytes: Operand, offset: Operand) -> Result<Number, Complaint> {
        let form = if self.is_text { Form::Text(self.base) } else { self.form.unwrap_or(Form::Big) };
        let max = if self.is_text { TEXT_BYTES_MAX } else { BINARY_BYTES_MAX };
        if let Operand::Number(bytes) = bytes
            && bytes > max
        {
            return Err(Complaint::new(format!("a number of {bytes} bytes is too long: at most {max}")));
        }
        Ok(Number { bytes, offset, relative: self.relative, form, mask: self.mask.filter(|mask| *mask != 0) })
    }
}

fn unsigned(word: &str) -> Result<u64, Complaint> {
    let word = word.trim();
    let parsed = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => word.parse(),
    };
    parsed.map_err(|_| Complaint::new(format!("'{word}' is no number")))
}

fn unknown(word: &str) -> Complaint {
    Complaint::new(format!("'{word}' is no part of this option"))
}

fn parts(value: &str, least: usize) -> Result<Vec<&str>, Complaint> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    if parts.len() < least {
        return Err(Complaint::new(format!("expected at least {least} values parted by commas")));
    }
    Ok(parts)
}

fn byte_test(draft: &Draft, value: &str) -> Result<ByteTest, Complaint> {
    let parts = parts(value, 4)?;
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
        None => Operand::Number(unsigned(parts[2])? as i64),
    };
    let offset = draft.operand(parts[3], -OFFSET_MAX, OFFSET_MAX)?;
    let mut written = Written::new();
    for part in &parts[4..] {
        if !written.read(part)? {
            return Err(unknown(part));
        }
    }
    Ok(ByteTest { number: written.number(bytes, offset)?, compare, negated, value: wanted })
}

fn byte_jump(draft: &mut Draft, value: &str) -> Result<ByteJump, Complaint> {
    let parts = parts(value, 2)?;
    let bytes = draft.operand(parts[0], 0, TEXT_BYTES_MAX)?;
    let offset = draft.operand(parts[1], -OFFSET_MAX, OFFSET_MAX)?;
    let mut written = Written::new();
    let mut jump = ByteJump {
        number: written.number(bytes, offset).or_else(|_| written.number(Operand::Number(0), offset))?,
        multiplier: 1,
        align: false,
        from: JumpFrom::Here,
        post_offset: 0,
        result: None,
    };
    for part in &parts[2..] {
        if written.read(part)? {
            continue;
        }
        match part.split_once(char::is_whitespace).unwrap_or((part, "")) {
            ("align", "") => jump.align = true,
            ("from_beginning", "") => jump.from = JumpFrom::Beginning,
            ("from_end", "") => jump.from = JumpFrom::End,
            ("multiplier", number) => jump.multiplier = unsigned(number)?.clamp(1, 65_535),
            ("post_offset", number) => match draft.operand(number, -OFFSET_MAX, OFFSET_MAX)? {
                Operand::Number(number) => jump.post_offset = number,
                Operand::Variable(_) => return Err(Complaint::new("'post_offset' takes a number")),
            },
            _ => return Err(unknown(part)),
        }
    }
    jump.number = written.number(bytes, offset)?;
    Ok(jump)
}

fn byte_extract(draft: &mut Draft, value: &str) -> Result<Extract, Complaint> {
    let parts = parts(value, 3)?;
    let bytes = draft.operand(parts[0], 1, TEXT_BYTES_MAX)?;
    let offset = draft.operand(parts[1], -OFFSET_MAX, OFFSET_MAX)?;
    let mut written = Written::new();
    let (mut multiplier, mut align) = (1, 0);
    for part in &parts[3..] {
        if written.read(part)? {
            continue;
        }
        match part.split_once(char::is_whitespace) {
            Some(("multiplier", number)) => multiplier = unsigned(number)?.clamp(1, 65_535),
            Some(("align", "2")) => align = 2,
            Some(("align", "4")) => align = 4,
            _ => return Err(unknown(part)),
        }
    }
    let number = written.number(bytes, offset)?;
    Ok(Extract { number, multiplier, align, result: draft.keep(parts[2])? })
}

fn byte_math(draft: &mut Draft, value: &str) -> Result<ByteMath, Complaint> {
    let mut written = Written::new();
    let (mut bytes, mut offset, mut operator, mut right, mut result) = (None, None, None, None, None);
    for part in parts(value, 5)? {
        let (key, word) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        let word = word.trim();
        match key {
            "bytes" => bytes = Some(draft.operand(word, 1, TEXT_BYTES_MAX)?),
            "offset" => offset = Some(draft.operand(word, -OFFSET_MAX, OFFSET_MAX)?),
            "oper" => {
                operator = Some(match word {
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
                });
            }
            "rvalue" => {
                right = Some(match draft.variable(word) {
                    Some(place) => Operand::Variable(place),
                    None => Operand::Number(unsigned(word)? as i64),
                });
            }
            "result" => result = Some(word),
            _ if written.read(part)? => {}
            _ => return Err(unknown(part)),
        }
    }
    let missing = |what: &str| Complaint::new(format!("'{what}' is missing"));
    let right = right.ok_or_else(|| missing("rvalue"))?;
    let operator = operator.ok_or_else(|| missing("oper"))?;
    if operator == Operator::Divide && right == Operand::Number(0) {
        return Err(Complaint::new("division by 0"));
    }
    let number =
        written.number(bytes.ok_or_else(|| missing("bytes"))?, offset.ok_or_else(|| missing("offset"))?)?;
    let result = draft.keep(result.ok_or_else(|| missing("result"))?)?;
    Ok(ByteMath { number, operator, right, result })
}

/// `bytes N, offset N, value >= 4.037`: thousandths are enough.
fn entropy(value: &str) -> Result<Link, Complaint> {
    let (mut from, mut bytes, mut test) = (0, 0, None);
    for part in value.split(',').map(str::trim) {
        let (key, word) = part.split_once(char::is_whitespace).unwrap_or(("value", part));
        let word = word.trim();
        match key {
            "bytes" => bytes = unsigned(word)? as usize,
            "offset" => from = unsigned(word)? as usize,
            "value" => test = Some(entropy_test(word)?),
            _ => return Err(unknown(part)),
        }
    }
    let test = test.ok_or_else(|| Complaint::new("'value' is missing"))?;
    Ok(Link::Entropy { from, bytes, test })
}

fn entropy_test(word: &str) -> Result<NumberTest, Complaint> {
    let (body, negated) = word.strip_prefix('!').map_or((word, false), |rest| (rest, true));
    if let Some((low, high)) = body.split_once('-') {
        let (low, high) = (thousandths(low)?, thousandths(high)?);
        return Ok(if negated { NumberTest::NotBetween(low, high) } else { NumberTest::Between(low, high) });
    }
    let digits = word.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let sign = word[..word.len() - digits.len()].trim();
    let thousandths = thousandths(digits)?;
    Ok(match sign {
        "" | "=" => NumberTest::Equal(thousandths),
        "!" | "!=" => NumberTest::NotEqual(thousandths),
        "<" => NumberTest::Less(thousandths),
        "<=" => NumberTest::AtMost(thousandths),
        ">" => NumberTest::More(thousandths),
        ">=" => NumberTest::AtLeast(thousandths),
        other => return Err(Complaint::new(format!("'{other}' is no comparison"))),
    })
}

fn thousandths(digits: &str) -> Result<u64, Complaint> {
    let number: f64 =
        digits.trim().parse().map_err(|_| Complaint::new(format!("'{digits}' is no entropy")))?;
    if !(0.0..=8.0).contains(&number) {
        return Err(Complaint::new("an entropy is between 0 and 8"));
    }
    Ok((number * 1000.0).round() as u64)
}
