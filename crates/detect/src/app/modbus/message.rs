//! One Modbus message (Modbus application protocol 1.1b), and what is wrong with it.
//!
//! A message whose bytes do not fit its function is still one: its errors say so.

use crate::app::bytes::Reader;
use core::ops::RangeInclusive;

/// Bytes before the unit: numbers of the exchange and the protocol, and the length of what follows.
pub(super) const HEADER_BYTES: usize = 6;
/// What follows has a unit and a function at least.
const LENGTH_MIN: u16 = 2;
const LENGTH_MAX: u16 = 254;
/// Coils or discretes of one message at most.
const BITS_MAX: u16 = 2000;
/// Registers of one message at most.
const REGISTERS_MAX: u16 = 125;
/// Bytes that a response to a read can have.
const READ_BYTES: RangeInclusive<u8> = 1..=250;
/// The bit that tells an exception from a response.
const EXCEPTION: u8 = 0x80;

// What a function does, and to what.
pub(super) const READ: u8 = 1;
pub(super) const WRITE: u8 = 2;
pub(super) const DISCRETES: u8 = 4;
pub(super) const COILS: u8 = 8;
pub(super) const INPUT: u8 = 16;
pub(super) const HOLDING: u8 = 32;
pub(super) const SINGLE: u8 = 64;
pub(super) const MULTIPLE: u8 = 128;

// What kind of function it is.
pub(super) const ASSIGNED: u8 = 1;
pub(super) const UNASSIGNED: u8 = 2;
pub(super) const USER: u8 = 4;
pub(super) const RESERVED: u8 = 8;

// What is wrong.
pub(super) const ERROR_VALUE: u8 = 1;
pub(super) const ERROR_LENGTH: u8 = 2;
pub(super) const ERROR_EXCEPTION: u8 = 4;
pub(super) const ERROR_CODE: u8 = 8;
pub(super) const ERROR_PROTOCOL: u8 = 16;

const DIAGNOSTIC: u8 = 8;
const MASK_WRITE: u8 = 22;
const READ_WRITE: u8 = 23;
const INTERFACE: u8 = 43;
/// Stands for all functions that are not known.
pub(super) const UNKNOWN: u8 = 44;

/// Who says a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Said {
    Client,
    Server,
    Either,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Several {
        address: u16,
        quantity: u16,
        data: Vec<u8>,
    },
    Mask {
        address: u16,
        and: u16,
        or: u16,
    },
    /// One value; in the response to several, how many they were.
    One {
        address: u16,
        data: u16,
    },
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Empty,
    Exception(u8),
    Diagnostic { function: u16, data: Vec<u8> },
    Interface { kind: u8, data: Vec<u8> },
    Read { address: u16, quantity: u16 },
    WasRead(Vec<u8>),
    Written(Write),
    ReadAndWritten { address: u16, quantity: u16, write: Write },
    Bytes(Vec<u8>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) number: u16,
    pub(super) protocol: u16,
    length: u16,
    pub(super) unit: u8,
    /// As it stands there.
    pub(super) raw: u8,
    /// Without the bit of exceptions; [`UNKNOWN`] if nobody knows it.
    pub(super) code: u8,
    pub(super) access: u8,
    pub(super) category: u8,
    pub(super) data: Data,
    pub(super) errors: u8,
}

/// The function of this number.
pub(super) fn code(number: u8) -> u8 {
    match number {
        1..=24 | INTERFACE => number,
        _ => UNKNOWN,
    }
}

fn access(code: u8) -> u8 {
    match code {
        1 => COILS | READ,
        2 => DISCRETES | READ,
        3 => HOLDING | READ,
        4 => INPUT | READ,
        5 => COILS | WRITE | SINGLE,
        6 => HOLDING | WRITE | SINGLE,
        15 => COILS | WRITE | MULTIPLE,
        16 => HOLDING | WRITE | MULTIPLE,
        MASK_WRITE => HOLDING | WRITE,
        READ_WRITE => HOLDING | READ | WRITE | MULTIPLE,
        _ => 0,
    }
}

/// Whether a diagnostic function is known.
pub(super) fn diagnostic_is_known(function: u16) -> bool {
    matches!(function, 0..=4 | 10..=21)
}

impl Message {
    /// The message at the front of `bytes` and how many bytes it takes; nothing if it has not come in full.
    pub(super) fn read(bytes: &[u8], said: Said) -> Option<(Message, usize)> {
        let mut reader = Reader::new(bytes);
        let (number, protocol, length) = (reader.be16()?, reader.be16()?, reader.be16()?);
        let mut message = Message {
            number,
            protocol,
            length,
            unit: 0,
            raw: 0,
            code: UNKNOWN,
            access: 0,
            category: 0,
            data: Data::Empty,
            errors: if protocol == 0 { 0 } else { ERROR_PROTOCOL },
        };
        if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
            message.errors |= ERROR_LENGTH;
            return Some((message, HEADER_BYTES + usize::from(length)));
        }
        let mut body = Reader::new(reader.take(usize::from(length))?);
        message.unit = body.u8()?;
        message.raw = body.u8()?;
        message.code = code(message.raw & !EXCEPTION);
        message.access = access(message.code);
        message.body(body, said);
        message.category = message.category();
        Some((message, bytes.len() - reader.len()))
    }

    /// Whether its function is known.
    pub(super) fn is_known(&self) -> bool {
        self.code != UNKNOWN
    }

    /// Bytes behind the function.
    fn data_bytes(&self) -> usize {
        usize::from(self.length.saturating_sub(LENGTH_MIN))
    }

    fn body(&mut self, body: Reader<'_>, said: Said) {
        let mut rest = body;
        let is_whole = match said {
            Said::Client => self.request(&mut rest),
            Said::Server => self.response(&mut rest),
            Said::Either => self.either(&mut rest),
        };
        if is_whole.is_none() {
            self.errors |= ERROR_LENGTH;
            if self.data == Data::Empty {
                self.data = Data::Bytes(body.rest().to_vec());
            }
        } else if !rest.is_empty() {
            self.errors |= ERROR_LENGTH;
        }
    }

    fn request(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let length = self.data_bytes();
        let is_odd = match self.code {
            DIAGNOSTIC => return self.diagnostic_request(body),
            INTERFACE => return self.interface(body),
            20 | 21 => length == 0,
            7 | 11 | 12 | 17 => length > 0,
            24 => length != 2,
            _ => false,
        };
        if is_odd {
            self.errors |= ERROR_LENGTH;
        } else {
            if self.raw == 0 || self.raw >= EXCEPTION {
                self.errors |= ERROR_CODE;
            }
            if self.access & READ != 0 {
                self.read_request(body)?;
                return if self.access & WRITE != 0 { self.write_request(body) } else { Some(()) };
            }
            if self.access & WRITE != 0 {
                return self.write_request(body);
            }
        }
        self.any_bytes(body)
    }

    fn response(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let length = self.data_bytes();
        match self.code {
            _ if self.raw >= EXCEPTION => return self.exception(body),
            DIAGNOSTIC => return self.diagnostic(body),
            INTERFACE => return self.interface(body),
            7 if length != 1 => self.errors |= ERROR_LENGTH,
            11 if length != 4 => self.errors |= ERROR_LENGTH,
            _ if self.access & READ != 0 => return self.read_response(body),
            _ if self.access & WRITE != 0 => return self.write_response(body),
            _ => {}
        }
        self.any_bytes(body)
    }

    fn either(&mut self, body: &mut Reader<'_>) -> Option<()> {
        match self.code {
            _ if self.raw >= EXCEPTION => self.exception(body),
            DIAGNOSTIC => self.diagnostic(body),
            INTERFACE => self.interface(body),
            _ => self.any_bytes(body),
        }
    }

    fn any_bytes(&mut self, body: &mut Reader<'_>) -> Option<()> {
        self.data = Data::Bytes(body.take(self.data_bytes())?.to_vec());
        Some(())
    }

    fn exception(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let exception = body.u8()?;
        let is_known = matches!(exception, 1..=8 | 10 | 11);
        // Parity errors are for files alone.
        if !is_known || (exception == 8 && !matches!(self.code, 20 | 21)) {
            self.errors |= ERROR_EXCEPTION;
        }
        self.data = Data::Exception(exception);
        Some(())
    }

    fn diagnostic(&mut self, body: &mut Reader<'_>) -> Option<()> {
        if self.data_bytes() < 2 {
            self.errors |= ERROR_LENGTH;
            return Some(());
        }
        let function = body.be16()?;
        let data = body.take(self.data_bytes() - 2)?.to_vec();
        self.data = Data::Diagnostic { function, data };
        Some(())
    }

    fn diagnostic_request(&mut self, body: &mut Reader<'_>) -> Option<()> {
        if self.data_bytes() != 4 {
            self.errors |= ERROR_LENGTH;
        }
        self.diagnostic(body)?;
        if let Data::Diagnostic { function, data } = &self.data
            && let [high, low] = data[..]
        {
            let is_odd = match function {
                1 => low != 0 || (high != 0 && high != 0xff),
                3 => low != 0,
                0 | 4 => false,
                function if diagnostic_is_known(*function) => high != 0 || low != 0,
                _ => false,
            };
            if is_odd {
                self.errors |= ERROR_VALUE;
            }
        }
        Some(())
    }

    fn interface(&mut self, body: &mut Reader<'_>) -> Option<()> {
        if self.data_bytes() < 1 {
            self.errors |= ERROR_LENGTH;
            return Some(());
        }
        let kind = body.u8()?;
        let data = body.take(self.data_bytes() - 1)?.to_vec();
        self.data = Data::Interface { kind, data };
        Some(())
    }

    fn read_request(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let (address, quantity) = (body.be16()?, body.be16()?);
        if self.code != READ_WRITE && self.data_bytes() > 4 {
            self.errors |= ERROR_LENGTH;
        }
        if quantity == 0 || quantity > self.quantity_max() {
            self.errors |= ERROR_VALUE;
        }
        self.data = Data::Read { address, quantity };
        Some(())
    }

    fn quantity_max(&self) -> u16 {
        if self.access & (COILS | DISCRETES) != 0 { BITS_MAX } else { REGISTERS_MAX }
    }

    fn read_response(&mut self, body: &mut Reader<'_>) -> Option<()> {
        if self.data_bytes() < 1 {
            self.errors |= ERROR_LENGTH;
            return Some(());
        }
        let count = body.u8()?;
        let follow = self.data_bytes() - 1;
        if !READ_BYTES.contains(&count) || follow != usize::from(count) {
            self.errors |= ERROR_VALUE;
        }
        self.data = Data::WasRead(body.take(follow)?.to_vec());
        Some(())
    }

    fn write_request(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let address = body.be16()?;
        if self.access & SINGLE != 0 {
            let data = body.be16()?;
            if self.access & COILS != 0 && data != 0 && data != 0xff00 {
                self.errors |= ERROR_VALUE;
            }
            self.data = Data::Written(Write::One { address, data });
        } else if self.access & MULTIPLE != 0 {
            self.write_several(address, body)?;
        } else {
            self.data = Data::Written(Write::Mask { address, and: body.be16()?, or: body.be16()? });
        }
        Some(())
    }

    fn write_several(&mut self, address: u16, body: &mut Reader<'_>) -> Option<()> {
        let quantity = body.be16()?;
        let count = body.u8()?;
        let before = if self.code == READ_WRITE { 11 } else { 7 };
        // A length that has no room for what stands before the data fits no count and no data.
        let follow = usize::from(self.length).checked_sub(before);
        if quantity == 0 || follow != Some(usize::from(count)) {
            self.errors |= ERROR_LENGTH;
        }
        let needed = if self.access & (COILS | DISCRETES) != 0 {
            usize::from(quantity.div_ceil(8))
        } else {
            2 * usize::from(quantity)
        };
        if quantity > self.quantity_max() || usize::from(count) != needed {
            self.errors |= ERROR_VALUE;
        }
        let data = body.take(follow?)?.to_vec();
        let write = Write::Several { address, quantity, data };
        self.data = match self.data {
            Data::Read { address, quantity } => Data::ReadAndWritten { address, quantity, write },
            _ => Data::Written(write),
        };
        Some(())
    }

    fn write_response(&mut self, body: &mut Reader<'_>) -> Option<()> {
        let address = body.be16()?;
        if self.access & SINGLE != 0 {
            self.data = Data::Written(Write::One { address, data: body.be16()? });
        } else if self.access & MULTIPLE != 0 {
            let quantity = body.be16()?;
            // That the limits of bits and registers stand for each other here is what rules are tested with.
            let max = if self.access & (COILS | DISCRETES) != 0 { REGISTERS_MAX } else { BITS_MAX };
            if quantity == 0 || quantity > max {
                self.errors |= ERROR_VALUE;
            }
            self.data = Data::Written(Write::One { address, data: quantity });
        } else {
            self.data = Data::Written(Write::Mask { address, and: body.be16()?, or: body.be16()? });
        }
        Some(())
    }

    fn category(&self) -> u8 {
        match (self.code, &self.data) {
            (DIAGNOSTIC, Data::Diagnostic { function, .. }) if diagnostic_is_known(*function) => ASSIGNED,
            (INTERFACE, Data::Interface { kind: 0x0d | 0x0e, .. }) => ASSIGNED,
            (DIAGNOSTIC, Data::Diagnostic { .. }) | (INTERFACE, Data::Interface { .. }) => RESERVED,
            (DIAGNOSTIC | INTERFACE, _) => 0,
            (UNKNOWN, _) => match self.raw {
                0 | 128.. => 0,
                9..=14 | 41 | 42 | 90 | 91 | 125..=127 => RESERVED,
                65..=72 | 100..=110 => USER,
                _ => UNASSIGNED,
            },
            _ => ASSIGNED,
        }
    }

    /// Whether this message and the other one belong together. What they say may differ: that is an error of this one.
    pub(super) fn fits(&mut self, other: &Message) -> bool {
        let same = |message: &Message| (message.number, message.unit, message.code, message.access);
        if same(self) != same(other) {
            return false;
        }
        if self.category != ASSIGNED {
            return true;
        }
        let differs = match (&self.data, &other.data) {
            (Data::Exception(_), _) | (_, Data::Exception(_)) | (Data::Bytes(_), Data::Bytes(_)) => false,
            (Data::Bytes(_), _) => return self.errors & ERROR_LENGTH != 0,
            (_, Data::Bytes(_)) => return other.errors & ERROR_LENGTH != 0,
            // Registers are counted as if they were bits: that is what rules are tested with.
            (Data::WasRead(data), Data::Read { quantity, .. })
            | (Data::Read { quantity, .. }, Data::WasRead(data)) => {
                data.len() != usize::from(quantity.div_ceil(8))
            }
            (Data::WasRead(data), Data::ReadAndWritten { quantity, .. })
            | (Data::ReadAndWritten { quantity, .. }, Data::WasRead(data)) => {
                data.len() != 2 * usize::from(*quantity)
            }
            (Data::Written(this), Data::Written(other)) => match (this, other) {
                (Write::One { address, data }, Write::One { address: other, data: wanted })
                | (Write::One { address, data }, Write::Several { address: other, quantity: wanted, .. })
                | (Write::Several { address: other, quantity: wanted, .. }, Write::One { address, data }) => {
                    (address, data) != (other, wanted)
                }
                (Write::Mask { .. }, Write::Mask { .. }) => this != other,
                _ => return false,
            },
            (Data::Diagnostic { function, .. }, Data::Diagnostic { function: other, .. }) => {
                return function == other;
            }
            (Data::Interface { kind, .. }, Data::Interface { kind: other, .. }) => return kind == other,
            _ => return false,
        };
        if differs {
            self.errors |= ERROR_VALUE;
        }
        true
    }

    /// The addresses that it is about, from 1.
    pub(super) fn addresses(&self) -> Option<RangeInclusive<u16>> {
        match &self.data {
            Data::Written(Write::One { address, .. } | Write::Mask { address, .. }) => {
                let address = address.wrapping_add(1);
                Some(address..=address)
            }
            Data::Read { address, quantity }
            | Data::Written(Write::Several { address, quantity, .. })
            | Data::ReadAndWritten { write: Write::Several { address, quantity, .. }, .. } => {
                let last = address.checked_add(*quantity).filter(|_| *quantity > 0)?;
                Some(address.checked_add(1)?..=last)
            }
            _ => None,
        }
    }

    /// The value that it writes to this address, which counts from 1.
    pub(super) fn written_to(&self, address: u16) -> Option<u16> {
        if self.addresses().is_some_and(|addresses| !addresses.contains(&address)) {
            return None;
        }
        let is_bits = self.access & COILS != 0;
        match &self.data {
            Data::Written(Write::One { data, .. }) if self.access & SINGLE != 0 => {
                Some(if is_bits { u16::from(*data != 0) } else { *data })
            }
            Data::Written(Write::Several { address: start, data, .. })
            | Data::ReadAndWritten { write: Write::Several { address: start, data, .. }, .. }
                if self.access & MULTIPLE != 0 =>
            {
                let place = address.checked_sub(start.checked_add(1)?)?;
                let offset = if is_bits { usize::from(place) * 2 / 8 } else { usize::from(place) * 2 };
                let value = u16::from(*data.get(offset)?) << 8 | u16::from(*data.get(offset + 1)?);
                Some(if is_bits { value >> (place & 7) & 1 } else { value })
            }
            _ => None,
        }
    }
}
