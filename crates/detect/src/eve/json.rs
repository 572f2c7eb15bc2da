//! JSON, written in the order in which it is said.
//!
//! Text of strangers is bytes: what is printable ASCII stays, everything else becomes `\u00XX` of its byte, so that no line depends on how
//! somebody decodes it and every byte can be told from every other.

/// A JSON object that is being written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    text: String,
}

impl Default for Object {
    fn default() -> Self {
        Object::new()
    }
}

impl Object {
    /// An empty object.
    #[must_use]
    pub fn new() -> Self {
        Object { text: String::from("{") }
    }

    /// Whether nothing was said yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.len() == 1
    }

    /// A string of ours.
    pub fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        quoted(&mut self.text, value);
    }

    /// A string of strangers.
    pub fn bytes(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        quoted_bytes(&mut self.text, value);
    }

    /// A number.
    pub fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.text.push_str(&value.to_string());
    }

    /// A number that may be below zero.
    pub fn signed(&mut self, key: &str, value: i64) {
        self.key(key);
        self.text.push_str(&value.to_string());
    }

    /// Yes or no.
    pub fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.text.push_str(if value { "true" } else { "false" });
    }

    /// An object within.
    pub fn object(&mut self, key: &str, value: Object) {
        self.key(key);
        self.text.push_str(&value.finish());
    }

    /// What was written already: a whole JSON value.
    pub fn written(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text.push_str(value);
    }

    /// All that another object says, as if it were said here. `object`: as [`Object::finish`] leaves it.
    pub fn include(&mut self, object: &str) {
        let said = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        if !said.is_empty() {
            if !self.is_empty() {
                self.text.push(',');
            }
            self.text.push_str(said);
        }
    }

    /// How long the text is so far.
    #[must_use]
    pub(crate) fn written_bytes(&self) -> usize {
        self.text.len()
    }

    /// A list of objects.
    pub fn objects(&mut self, key: &str, values: impl IntoIterator<Item = Object>) {
        self.list(key, values, |text, value| text.push_str(&value.finish()));
    }

    /// A list of strings of ours.
    pub fn texts<'a>(&mut self, key: &str, values: impl IntoIterator<Item = &'a str>) {
        self.list(key, values, quoted);
    }

    /// A list of strings of strangers.
    pub fn byte_strings<'a>(&mut self, key: &str, values: impl IntoIterator<Item = &'a [u8]>) {
        self.list(key, values, quoted_bytes);
    }

    /// A list of numbers.
    pub fn numbers(&mut self, key: &str, values: impl IntoIterator<Item = u64>) {
        self.list(key, values, |text, value| text.push_str(&value.to_string()));
    }

    /// The text of the whole object.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn list<T>(&mut self, key: &str, values: impl IntoIterator<Item = T>, write: impl Fn(&mut String, T)) {
        self.key(key);
        self.text.push('[');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            write(&mut self.text, value);
        }
        self.text.push(']');
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty() {
            self.text.push(',');
        }
        quoted(&mut self.text, key);
        self.text.push(':');
    }
}

fn quoted(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            letter if (letter as u32) < 0x20 || letter as u32 == 0x7f => {
                text.push_str(&format!("\\u{:04x}", letter as u32))
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}

fn quoted_bytes(text: &mut String, value: &[u8]) {
    text.push('"');
    for byte in value {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x20..=0x7e => text.push(char::from(*byte)),
            byte => text.push_str(&format!("\\u{byte:04x}")),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_say_cannot_leave_its_string() {
        let mut object = Object::new();
        object.bytes("a\"b", b"x\",\"y\":1}\n\x00\xff");
        assert_eq!(object.finish(), r#"{"a\"b":"x\",\"y\":1}\n\u0000\u00ff"}"#);
    }

    #[test]
    fn fields_stand_in_the_order_in_which_they_were_said() {
        let mut inner = Object::new();
        inner.flag("b", true);
        let mut object = Object::new();
        object.number("z", 1);
        object.object("a", inner);
        object.texts("l", ["p", "q"]);
        object.objects("o", [Object::new()]);
        object.include("{}");
        object.include(r#"{"i":2}"#);
        assert_eq!(object.finish(), r#"{"z":1,"a":{"b":true},"l":["p","q"],"o":[{}],"i":2}"#);
    }
}
