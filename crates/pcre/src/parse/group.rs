//! What a parenthesis opens.

use super::Parser;
use crate::NESTING_MAX;
use crate::error::{Cause, Error};
use crate::tree::{Condition, Look, Node};

/// The groups that are told by what follows `(?` alone.
enum Plain {
    Nothing,
    Reset,
    Atomic,
    Look { behind: bool, negative: bool },
}

impl Parser<'_> {
    /// The group here; whether it may be repeated. Options alone are no group, and leave no item.
    pub(super) fn group(&mut self, items: &mut Vec<Node>) -> Result<bool, Error> {
        let open = self.at;
        self.at += 1;
        if matches!(self.rest(), [b'*', b'a'..=b'z' | b'A'..=b'Z' | b':', ..]) {
            return Err(Error { at: open, cause: Cause::NotSupported("a verb, (*…),") });
        }
        let node = if !self.eat(b"?") {
            let group = if self.options.names_only { None } else { Some(self.new_group(None)?) };
            self.captured(group)?
        } else if let Some(plain) = self.plain() {
            self.plain_group(plain, open)?
        } else if self.eat(b"(") {
            self.conditional(open)?
        } else if let Some(node) = self.named(open)? {
            node
        } else if let Some(group) = self.called()? {
            Node::Call(self.refer(group))
        } else {
            let Some(node) = self.options(open)? else { return Ok(false) };
            node
        };
        items.push(node);
        Ok(true)
    }

    fn captured(&mut self, group: Option<u16>) -> Result<Node, Error> {
        let body = Node::alternate(self.inside(false)?);
        Ok(match group {
            Some(group) => Node::Capture { group, body: Box::new(body) },
            None => body,
        })
    }

    /// The branches up to the closing parenthesis. Options set inside end with it.
    fn inside(&mut self, reset: bool) -> Result<Vec<Node>, Error> {
        if self.depth >= NESTING_MAX {
            return self.error(Cause::TooDeep);
        }
        self.depth += 1;
        let options = self.options;
        let branches = self.branches(reset)?;
        self.options = options;
        self.depth -= 1;
        if !self.eat(b")") {
            return self.error(Cause::MissingParenthesis);
        }
        Ok(branches)
    }

    fn plain(&mut self) -> Option<Plain> {
        let kinds = [
            (&b":"[..], Plain::Nothing),
            (b"|", Plain::Reset),
            (b">", Plain::Atomic),
            (b"=", Plain::Look { behind: false, negative: false }),
            (b"!", Plain::Look { behind: false, negative: true }),
            (b"<=", Plain::Look { behind: true, negative: false }),
            (b"<!", Plain::Look { behind: true, negative: true }),
        ];
        kinds.into_iter().find_map(|(written, kind)| self.eat(written).then_some(kind))
    }

    fn plain_group(&mut self, plain: Plain, open: usize) -> Result<Node, Error> {
        Ok(match plain {
            Plain::Nothing => Node::alternate(self.inside(false)?),
            Plain::Reset => Node::alternate(self.inside(true)?),
            Plain::Atomic => Node::Atomic(Box::new(Node::alternate(self.inside(false)?))),
            Plain::Look { behind, negative } => Node::Look(self.look(behind, negative, open)?),
        })
    }

    fn look(&mut self, behind: bool, negative: bool, at: usize) -> Result<Look, Error> {
        self.looks += 1;
        let branches = self.inside(false)?;
        self.looks -= 1;
        // Only its own branches may differ in length: those of a group in it are kept apart from them.
        let is_group = matches!(&*branches, [Node::Alternate(_)]);
        let body = if is_group { Node::Concat(branches) } else { Node::alternate(branches) };
        Ok(Look { behind, negative, body: Box::new(body), at })
    }

    /// Groups with names, and references and calls by name.
    fn named(&mut self, open: usize) -> Result<Option<Node>, Error> {
        if self.eat(b"P=") {
            let name = self.name(b')')?;
            let group = self.group_named(&name)?;
            return Ok(Some(self.reference(group)));
        }
        if self.eat(b"P>") || self.eat(b"&") {
            let name = self.name(b')')?;
            let group = self.group_named(&name)?;
            return Ok(Some(Node::Call(self.refer(group))));
        }
        if self.rest().starts_with(b"<*") || self.rest().starts_with(b"*") {
            return Err(Error { at: open, cause: Cause::NotSupported("a look-around that is not atomic") });
        }
        let end = if self.eat(b"P<") || self.eat(b"<") {
            b'>'
        } else if self.eat(b"'") {
            b'\''
        } else {
            return Ok(None);
        };
        let name = self.name(end)?;
        let group = self.new_group(Some(name))?;
        self.captured(Some(group)).map(Some)
    }

    /// `R)`, `1)`, `+1)` or `-1)`: the group that is called.
    fn called(&mut self) -> Result<Option<u16>, Error> {
        let group = if self.eat(b"R") { Some(0) } else { self.group_number()? };
        match group {
            Some(_) if !self.eat(b")") => self.error(Cause::CallUnterminated),
            group => Ok(group),
        }
    }

    fn conditional(&mut self, open: usize) -> Result<Node, Error> {
        let condition = self.condition(open)?;
        let branches = self.inside(false)?;
        let most = if condition == Condition::Define { 1 } else { 2 };
        if branches.len() > most {
            return Err(Error { at: open, cause: Cause::ConditionBranches });
        }
        let mut branches = branches.into_iter();
        let yes = Box::new(branches.next().unwrap_or(Node::Empty));
        let no = Box::new(branches.next().unwrap_or(Node::Empty));
        Ok(Node::Conditional { condition, yes, no })
    }

    /// What stands after `(?(`, with the parenthesis that closes it.
    fn condition(&mut self, open: usize) -> Result<Condition, Error> {
        let at = self.at;
        if self.rest().starts_with(b"?C") {
            return Err(Error { at: open, cause: Cause::NotSupported("a callout, (?C…),") });
        }
        if self.rest().starts_with(b"*") || self.rest().starts_with(b"VERSION") {
            return Err(Error { at: open, cause: Cause::NotSupported("this kind of condition") });
        }
        if self.eat(b"?") {
            return match self.plain() {
                Some(Plain::Look { behind, negative }) => {
                    Ok(Condition::Look(self.look(behind, negative, open)?))
                }
                _ => Err(Error { at, cause: Cause::ConditionExpected }),
            };
        }
        if let Some(number) = self.group_number()? {
            return match (number, self.eat(b")")) {
                (0, true) => self.error(Cause::NoSuchGroup),
                (number, true) => Ok(Condition::Group(self.refer(number))),
                (_, false) => self.error(Cause::MissingParenthesis),
            };
        }
        for (written, end) in [(b"<", b'>'), (b"'", b'\'')] {
            if self.eat(written) {
                let name = self.name(end)?;
                let group = self.group_named(&name)?;
                return match self.eat(b")") {
                    true => Ok(Condition::Group(group)),
                    false => self.error(Cause::MissingParenthesis),
                };
            }
        }
        if self.eat(b"R&") {
            let name = self.name(b')')?;
            return Ok(Condition::Inside(Some(self.group_named(&name)?)));
        }
        let name = self.name(b')')?;
        self.bare_condition(&name)
    }

    /// `DEFINE`, `R`, `R1`, or a name without brackets; a group that is called `R` comes first.
    fn bare_condition(&mut self, name: &[u8]) -> Result<Condition, Error> {
        if let Some(group) = self.look_up(name) {
            return Ok(Condition::Group(group));
        }
        match name {
            b"DEFINE" => Ok(Condition::Define),
            b"R" => Ok(Condition::Inside(None)),
            [b'R', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
                match u16::try_from(super::scan::value(digits)) {
                    Ok(number) => Ok(Condition::Inside(Some(self.refer(number)))),
                    Err(_) => self.error(Cause::GroupNumberTooLarge),
                }
            }
            name => Ok(Condition::Group(self.group_named(name)?)),
        }
    }

    /// `(?i-s)`, which changes what follows, or `(?i-s:…)`, which is a group.
    fn options(&mut self, open: usize) -> Result<Option<Node>, Error> {
        let outside = self.options;
        let mut hyphens = 0;
        if self.eat(b"^") {
            hyphens = 1;
            let ungreedy = self.options.ungreedy;
            self.options = super::Options {
                caseless: false,
                multiline: false,
                dot_all: false,
                extended: false,
                extended_more: false,
                ungreedy,
                names_only: false,
            };
        }
        let caret = hyphens == 1;
        let mut on = true;
        loop {
            match self.next() {
                Some(b')') => return Ok(None),
                Some(b':') => {
                    let inner = Node::alternate(self.inside(false)?);
                    self.options = outside;
                    return Ok(Some(inner));
                }
                Some(b'-') if hyphens == 0 && !caret => {
                    hyphens = 1;
                    on = false;
                }
                Some(b'-') => return Err(Error { at: self.at - 1, cause: Cause::OptionHyphen }),
                Some(letter) => self.option(letter, on, open)?,
                None => return self.error(Cause::MissingParenthesis),
            }
        }
    }

    fn option(&mut self, letter: u8, on: bool, open: usize) -> Result<(), Error> {
        let options = &mut self.options;
        match letter {
            b'i' => options.caseless = on,
            b'm' => options.multiline = on,
            b's' => options.dot_all = on,
            b'n' => options.names_only = on,
            b'U' => options.ungreedy = on,
            // Groups of one name are refused where they stand; a permission alone does no harm.
            b'J' => {}
            b'x' => {
                options.extended = on;
                let more = self.eat(b"x");
                self.options.extended_more = on && more;
            }
            b'C' if self.at == open + 3 => {
                return Err(Error { at: open, cause: Cause::NotSupported("a callout, (?C…),") });
            }
            _ => return Err(Error { at: self.at - 1, cause: Cause::UnknownGroup }),
        }
        Ok(())
    }
}
