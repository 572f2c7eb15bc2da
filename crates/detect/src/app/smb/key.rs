//! By what a request and its response are matched.

/// What a key is for: keys for different things never match.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Purpose {
    /// A command without a life of its own.
    Command,
    /// A command with one: session setup, ioctl, what goes through pipes, trees that are connected.
    Header,
    /// A tree that is being connected.
    Tree,
}

/// The key of an exchange. The tree is told and not compared: responses that come later do not have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) purpose: Purpose,
    pub(super) session: u64,
    pub(super) message: u64,
    pub(super) tree: u32,
}

impl Key {
    /// Whether both are of the same exchange.
    pub(super) fn matches(&self, other: &Key) -> bool {
        (self.purpose, self.session, self.message) == (other.purpose, other.session, other.message)
    }
}

/// A message within a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct MessageKey {
    pub(super) session: u64,
    pub(super) tree: u32,
    pub(super) message: u64,
}

/// A tree within a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TreeKey {
    pub(super) session: u64,
    pub(super) tree: u32,
}

/// A file, as its protocol names it: sixteen bytes in SMB2; two in SMB1, with the session's user behind them where it must be
/// told from other sessions' files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Handle {
    bytes: [u8; 16],
    length: u8,
}

impl Handle {
    /// SMB2's.
    pub(super) fn of_v2(bytes: [u8; 16]) -> Self {
        Handle { bytes, length: 16 }
    }

    /// SMB1's, as it is on the wire.
    pub(super) fn of_v1(file: [u8; 2]) -> Self {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&file);
        Handle { bytes, length: 2 }
    }

    /// SMB1's, of a session.
    pub(super) fn of_v1_user(file: [u8; 2], user: u16) -> Self {
        let mut handle = Handle::of_v1(file);
        handle.bytes[2..6].copy_from_slice(&u32::from(user).to_be_bytes());
        handle.length = 6;
        handle
    }

    /// SMB1's, as it is on the wire.
    pub(super) fn file(self) -> [u8; 2] {
        [self.bytes[0], self.bytes[1]]
    }

    /// SMB1's without the session's user.
    pub(super) fn without_user(self) -> Self {
        Handle::of_v1(self.file())
    }

    /// As records have it.
    pub(super) fn text(&self) -> String {
        match self.length {
            16 => guid_text(&self.bytes),
            2 | 6 => format!("{:02x}{:02x}", self.bytes[1], self.bytes[0]),
            _ => String::new(),
        }
    }
}

/// A GUID as records have it: the parts turned round, the last one byte by byte.
pub(super) fn guid_text(bytes: &[u8; 16]) -> String {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 9, 8, 11, 10, 15, 14, 13, 12];
    let mut text = String::with_capacity(36);
    for (place, from) in ORDER.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{:02x}", bytes[*from]));
    }
    text
}
