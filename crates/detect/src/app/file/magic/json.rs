//! JSON: whether a text is one object or list, or one after the other.

use super::view::View;

/// How deep objects and lists may stand in each other.
const DEPTH_MAX: usize = 500;

pub(super) fn describe(view: View<'_>) -> Option<String> {
    let mut reader = Reader { text: view.0, at: 0 };
    reader.skip_blanks();
    let first = reader.peek().filter(|byte| matches!(byte, b'{' | b'['))?;
    if !reader.value(0) {
        return None;
    }
    reader.skip_blanks();
    match reader.peek() {
        None => Some("JSON text data".to_owned()),
        // What follows the second value is not looked at.
        Some(next) if next == first && reader.value(0) => {
            Some("New Line Delimited JSON text data".to_owned())
        }
        Some(_) => None,
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> bool {
        self.skip_blanks();
        match self.next() {
            _ if depth > DEPTH_MAX => false,
            Some(b'{') => self.list(b'}', depth, true),
            Some(b'[') => self.list(b']', depth, false),
            Some(b'"') => self.string(),
            Some(b't') => self.word(b"rue"),
            Some(b'f') => self.word(b"alse"),
            Some(b'n') => self.word(b"ull"),
            Some(b'-' | b'0'..=b'9') => {
                self.at -= 1;
                self.number()
            }
            _ => false,
        }
    }

    fn list(&mut self, end: u8, depth: usize, has_names: bool) -> bool {
        loop {
            self.skip_blanks();
            // A comma before the end is let pass.
            if self.peek() == Some(end) {
                self.at += 1;
                return true;
            }
            if has_names {
                if self.next() != Some(b'"') || !self.string() {
                    return false;
                }
                self.skip_blanks();
                if self.next() != Some(b':') {
                    return false;
                }
            }
            if !self.value(depth + 1) {
                return false;
            }
            self.skip_blanks();
            match self.next() {
                Some(b',') => {}
                Some(byte) if byte == end => return true,
                _ => return false,
            }
        }
    }

    fn string(&mut self) -> bool {
        while let Some(byte) = self.next() {
            match byte {
                b'"' => return true,
                b'\\' => match self.next() {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                    Some(b'u')
                        if (0..4).all(|_| self.next().is_some_and(|digit| digit.is_ascii_hexdigit())) => {}
                    _ => return false,
                },
                0 => return false,
                _ => {}
            }
        }
        false
    }

    fn word(&mut self, rest: &[u8]) -> bool {
        rest.iter().all(|letter| self.next() == Some(*letter))
    }

    fn number(&mut self) -> bool {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        self.digits();
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits();
        }
        self.text.get(from..self.at).is_some_and(|number| number.iter().any(u8::is_ascii_digit))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}
