//! The interfaces that a client bound to: which, in which version, under which context, and whether the server agreed.

/// A UUID, the high byte of each part first, as people write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Uuid(pub(crate) [u8; 16]);

impl Uuid {
    /// The UUID that stands on the wire as these bytes: its first three parts turned round if `little`.
    #[must_use]
    pub(crate) fn from_wire(bytes: [u8; 16], little: bool) -> Self {
        if !little {
            return Uuid(bytes);
        }
        let [a, b, c, d, e, f, g, h, tail @ ..] = bytes;
        let [i, j, k, l, m, n, o, p] = tail;
        Uuid([d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p])
    }

    /// Reads the usual form, with or without hyphens.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let hyphens_stand_right = text.len() == 32
            || (text.len() == 36
                && [8, 13, 18, 23].iter().all(|place| text.as_bytes().get(*place) == Some(&b'-')));
        if !hyphens_stand_right {
            return None;
        }
        let mut bytes = [0u8; 16];
        let mut digits = text.bytes().filter(|byte| *byte != b'-').map(|byte| char::from(byte).to_digit(16));
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Uuid(bytes))
    }

    /// The usual form.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(36);
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }
}

/// An interface that a client asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Interface {
    /// Which.
    pub(crate) uuid: Uuid,
    /// Its version, the major part.
    pub(crate) version: u16,
    /// Its version, the minor part.
    pub(crate) version_minor: u16,
    /// The number by which requests name it.
    pub(crate) context: u16,
    /// Its place in the bind that asked for it.
    pub(crate) place: u16,
    /// The call that asked for it.
    pub(crate) call_id: u32,
    /// Whether the bind was a first fragment.
    pub(crate) first_fragment: bool,
    /// What the server answered: 0 is yes.
    pub(crate) answer: Option<u16>,
}

impl Interface {
    /// Whether the server agreed.
    #[must_use]
    pub(crate) fn is_accepted(&self) -> bool {
        self.answer == Some(0)
    }

    /// Its version as records tell it.
    #[must_use]
    pub(crate) fn version_text(&self) -> String {
        format!("{}.{}", self.version, self.version_minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_read_as_it_is_written() {
        let text = "367abb81-9844-35f1-ad32-98f038001003";
        let uuid = Uuid::parse(text);
        assert_eq!(uuid.map(|uuid| uuid.text()).as_deref(), Some(text));
        assert_eq!(Uuid::parse(&text.replace('-', "")), uuid);
        assert_eq!(Uuid::parse("367abb81-9844-35f1-ad32-98f03800100"), None);
        assert_eq!(Uuid::parse("367abb8-19844-35f1-ad32-98f038001003"), None);
        assert_eq!(Uuid::parse("367abb81-9844-35f1-ad32-98f03800100g"), None);
    }

    #[test]
    fn on_the_wire_its_first_parts_may_be_turned_round() {
        let wire =
            [0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35, 0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03];
        assert_eq!(Uuid::from_wire(wire, true).text(), "367abb81-9844-35f1-ad32-98f038001003");
        assert_eq!(Uuid::from_wire(wire, false).0, wire);
    }
}
