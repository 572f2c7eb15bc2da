//! Where one is in the pattern; numbers and names.

use super::Parser;
use crate::GROUPS_MAX;
use crate::error::{Cause, Error};
use crate::set::WORD;

/// How long the name of a group may be, as in PCRE2.
const NAME_BYTES_MAX: usize = 32;

/// The value of decimal digits; too large a number is as good as any other that is too large.
pub(super) fn value(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |value, digit| {
        value.saturating_mul(10).saturating_add(u32::from(digit.wrapping_sub(b'0')))
    })
}

impl Parser<'_> {
    pub(super) fn error<T>(&self, cause: Cause) -> Result<T, Error> {
        Err(Error { at: self.at, cause })
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// The decimal number here, if there is one.
    pub(super) fn number(&mut self) -> Option<u32> {
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = value(self.rest().get(..length)?);
        self.at += length;
        (length > 0).then_some(number)
    }

    /// The number of a group: `3`, or, counted from here, `-1` or `+1`. Nothing if there is no number here; then nothing is read.
    pub(super) fn group_number(&mut self) -> Result<Option<u16>, Error> {
        let at = self.at;
        let sign = self.peek().filter(|sign| matches!(sign, b'+' | b'-'));
        if sign.is_some() {
            self.at += 1;
        }
        let Some(number) = self.number() else {
            self.at = at;
            return Ok(None);
        };
        let here = u32::from(self.groups);
        let number = match sign {
            Some(_) if number == 0 => return self.error(Cause::NoSuchGroup),
            Some(b'-') => match here.checked_add(1).and_then(|next| next.checked_sub(number)) {
                None | Some(0) => return self.error(Cause::NoSuchGroup),
                Some(number) => number,
            },
            Some(_) => here.saturating_add(number),
            None => number,
        };
        match u16::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => self.error(Cause::GroupNumberTooLarge),
        }
    }

    /// Notes that the group is referred to; whether there is such a group shows at the end.
    pub(super) fn refer(&mut self, group: u16) -> u16 {
        if group > self.referred.0 {
            self.referred = (group, self.at);
        }
        group
    }

    /// A name and the `end` after it.
    pub(super) fn name(&mut self, end: u8) -> Result<Vec<u8>, Error> {
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.error(Cause::NameBeginsWithDigit);
        }
        let length = self.rest().iter().take_while(|byte| WORD.contains(**byte)).count();
        let name = self.rest().get(..length).unwrap_or_default().to_vec();
        if name.is_empty() {
            return self.error(Cause::NameExpected);
        }
        if length > NAME_BYTES_MAX {
            return self.error(Cause::NameTooLong);
        }
        self.at += length;
        if !self.eat(&[end]) {
            return self.error(Cause::NameUnterminated);
        }
        Ok(name)
    }

    /// The group of that name, as far as names are known yet.
    pub(super) fn look_up(&self, name: &[u8]) -> Option<u16> {
        let known = self.known.unwrap_or_default();
        self.names.iter().chain(known).find(|(known, _)| known == name).map(|(_, group)| *group)
    }

    /// The group of that name. On the first reading it may be any, since it may come later.
    pub(super) fn group_named(&mut self, name: &[u8]) -> Result<u16, Error> {
        match self.look_up(name) {
            Some(group) => Ok(group),
            None if self.known.is_none() => {
                self.forward = true;
                Ok(0)
            }
            None => self.error(Cause::NoSuchGroup),
        }
    }

    /// Opens a capturing group, named or not.
    pub(super) fn new_group(&mut self, name: Option<Vec<u8>>) -> Result<u16, Error> {
        let Some(group) = self.groups.checked_add(1).filter(|group| *group <= GROUPS_MAX) else {
            return self.error(Cause::TooManyGroups);
        };
        self.groups = group;
        let Some(name) = name else { return Ok(group) };
        match self.names.iter().find(|(known, number)| *known == name || *number == group) {
            Some((known, number)) if *known == name && *number == group => {}
            Some(_) => return self.error(Cause::NameTwice),
            None => self.names.push((name, group)),
        }
        Ok(group)
    }
}
