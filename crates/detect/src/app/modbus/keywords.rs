//! The keyword of Modbus.
//!
//! `modbus: function 8, subfunction 4`, `modbus: function user`, `modbus: access write holding, address 5, value >9`, and each
//! of them behind `unit 1<>9,`.
//! Ranges leave both ends out; addresses count from 1.

use super::ModbusTransaction;
use super::message::{
    ASSIGNED, COILS, DISCRETES, Data, HOLDING, INPUT, Message, READ, RESERVED, UNASSIGNED, USER, WRITE, code,
};
use crate::Complaint;
use crate::app::{Keyword, ProtocolId, Sides, Test, Verdict};
use core::ops::RangeInclusive;

pub(super) const KEYWORDS: &[Keyword] = &[Keyword::test("modbus", parse)];

/// Which numbers are meant: the same one, or those between two, without them. Nothing lies before 0 and behind the
/// largest number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    start: u16,
    end: u16,
}

impl Range {
    fn holds(self, value: u16) -> bool {
        self.meets(value..=value)
    }

    fn meets(self, values: RangeInclusive<u16>) -> bool {
        let (first, last) = (*values.start(), *values.end());
        match (self.start, self.end) {
            (start, end) if start == end => (first..=last).contains(&start),
            (0, end) => end > first,
            (start, u16::MAX) => start < last,
            (start, end) => start < last && first < end,
        }
    }
}

/// What is asked of a message beside its unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Anything,
    Function { code: u8, subfunction: Option<u16> },
    Category(u8),
    Access { kinds: u8, address: Option<Range>, value: Option<Range> },
}

/// A condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Condition {
    unit: Option<Range>,
    asked: Asked,
}

impl Condition {
    fn holds(&self, message: &Message) -> bool {
        if self.unit.is_some_and(|unit| !unit.holds(u16::from(message.unit))) {
            return false;
        }
        match self.asked {
            Asked::Anything => true,
            Asked::Category(categories) => message.category & categories != 0,
            Asked::Function { code, subfunction } => code == message.code
                && subfunction.is_none_or(
                    |wanted| matches!(message.data, Data::Diagnostic { function, .. } if function == wanted),
                ),
            Asked::Access { kinds, address, value } => {
                let things = kinds & !(READ | WRITE);
                message.access & kinds & (READ | WRITE) != 0
                    && (things == 0 || message.access & things != 0)
                    && address.is_none_or(|address| {
                        message.addresses().is_some_and(|addresses| address.meets(addresses))
                            && value.is_none_or(|value| {
                                message.written_to(address.start).is_some_and(|written| value.holds(written))
                            })
                    })
            }
        }
    }
}

fn parse(text: &str) -> Result<Test, Complaint> {
    let condition = Words(text.trim().trim_matches('"').trim()).condition()?;
    Ok(Test::new(Sides::ToServer, &[ProtocolId::Modbus], move |exchange: &ModbusTransaction, _| {
        // What is asked stands in the request; where there is none, the response has to do.
        let message = exchange.request.as_ref().or(exchange.response.as_ref());
        if message.is_some_and(|message| condition.holds(message)) { Verdict::Holds } else { Verdict::Open }
    }))
}

/// What is left of the text.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn wrong(&self) -> Complaint {
        Complaint::new(format!("'{}' is nothing that is asked of Modbus", self.0))
    }

    /// Passes over a word, if it stands here.
    fn word(&mut self, word: &str) -> bool {
        match self.0.strip_prefix(word) {
            Some(rest) => {
                self.0 = rest.trim_start();
                true
            }
            None => false,
        }
    }

    /// Passes over a comma and the word behind it.
    fn further(&mut self, word: &str) -> bool {
        let rest = self.0.strip_prefix(',').map(str::trim_start).and_then(|rest| rest.strip_prefix(word));
        match rest {
            Some(rest) if rest.starts_with(char::is_whitespace) => {
                self.0 = rest.trim_start();
                true
            }
            _ => false,
        }
    }

    fn digits(&mut self) -> &'a str {
        let end = self.0.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits
    }

    fn number(&mut self) -> Result<u16, Complaint> {
        let wrong = self.wrong();
        self.digits().parse().map_err(|_| wrong)
    }

    /// `5`, `>5`, `<5` or `5<>9`.
    fn range(&mut self) -> Result<Range, Complaint> {
        let range = if let Some(rest) = self.0.strip_prefix('<') {
            self.0 = rest;
            Range { start: 0, end: self.number()? }
        } else if let Some(rest) = self.0.strip_prefix('>') {
            self.0 = rest;
            Range { start: self.number()?, end: u16::MAX }
        } else {
            let start = self.number()?;
            match self.0.strip_prefix("<>") {
                Some(rest) => {
                    self.0 = rest;
                    Range { start, end: self.number()? }
                }
                None => Range { start, end: start },
            }
        };
        self.0 = self.0.trim_start();
        Ok(range)
    }

    fn condition(&mut self) -> Result<Condition, Complaint> {
        let mut unit = None;
        if self.word("unit") {
            unit = Some(self.range()?);
            if self.0.is_empty() {
                return Ok(Condition { unit, asked: Asked::Anything });
            }
            if !self.word(",") {
                return Err(self.wrong());
            }
            if self.0.is_empty() {
                return Err(self.wrong());
            }
        }
        let asked = if self.word("function") {
            self.function()?
        } else if self.word("access") {
            self.access()?
        } else {
            return Err(self.wrong());
        };
        if self.0.is_empty() { Ok(Condition { unit, asked }) } else { Err(self.wrong()) }
    }

    fn function(&mut self) -> Result<Asked, Complaint> {
        let end = self.0.find([',', ' ', '\t']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        let wrong = self.wrong();
        self.0 = rest.trim_start();
        let subfunction = if self.further("subfunction") { Some(self.number()?) } else { None };
        self.0 = self.0.trim_start();
        if let Ok(number) = word.parse::<u8>() {
            return if number == 0 {
                Err(wrong)
            } else {
                Ok(Asked::Function { code: code(number), subfunction })
            };
        }
        let categories = match word.trim_start_matches('!') {
            "assigned" => ASSIGNED,
            "unassigned" => UNASSIGNED,
            "public" => ASSIGNED | UNASSIGNED,
            "user" => USER,
            "reserved" => RESERVED,
            "all" => ASSIGNED | UNASSIGNED | USER | RESERVED,
            _ => return Err(wrong),
        };
        Ok(Asked::Category(if word.starts_with('!') { !categories } else { categories }))
    }

    fn access(&mut self) -> Result<Asked, Complaint> {
        let mut kinds = if self.word("read") {
            READ
        } else if self.word("write") {
            WRITE
        } else {
            return Err(self.wrong());
        };
        let things = [("discretes", DISCRETES), ("coils", COILS), ("input", INPUT), ("holding", HOLDING)];
        if let Some((name, thing)) = things.into_iter().find(|(name, _)| self.word(name)) {
            if kinds == WRITE && thing & (DISCRETES | INPUT) != 0 {
                return Err(Complaint::new(format!("'{name}' can only be read")));
            }
            kinds |= thing;
        }
        let (mut address, mut value) = (None, None);
        if self.further("address") {
            let range = self.range()?;
            address = Some(range);
            if self.further("value") {
                if range.start != range.end {
                    return Err(Complaint::new("a value needs one address"));
                }
                if kinds == READ {
                    return Err(Complaint::new("only what is written has a value"));
                }
                value = Some(self.range()?);
            }
        }
        Ok(Asked::Access { kinds, address, value })
    }
}

#[cfg(test)]
pub(super) fn holds(text: &str, message: &Message) -> Result<bool, Complaint> {
    Words(text).condition().map(|condition| condition.holds(message))
}
