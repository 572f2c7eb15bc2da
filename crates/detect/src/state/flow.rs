//! What rules remember of one flow: `flowbits`, `flowint`; and what they ask of it.

use crate::app::ProtocolId;
use crate::{Direction, NumberTest};

/// Bits and numbers of one flow at most; what is set beyond that is not remembered.
const VARIABLES_OF_A_FLOW_MAX: usize = 256;

/// A question about bits, by their numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BitTest {
    /// One of them is set.
    AnySet(Vec<u32>),
    /// None of them is set.
    NoneSet(Vec<u32>),
}

impl BitTest {
    pub(crate) fn names(&self) -> &[u32] {
        match self {
            BitTest::AnySet(names) | BitTest::NoneSet(names) => names,
        }
    }
}

/// How a flow's number is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntCompare {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    More,
    Exists,
    Missing,
}

/// What it is compared with or changed by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntValue {
    Number(u32),
    Of(u32),
}

/// A question about a number of the flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct IntTest {
    pub(crate) name: u32,
    pub(crate) compare: IntCompare,
    pub(crate) value: IntValue,
}

/// What a match changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    SetBit(u32),
    UnsetBit(u32),
    ToggleBit(u32),
    SetInt(u32, IntValue),
    AddInt(u32, IntValue),
    SubtractInt(u32, IntValue),
}

/// Which side's stream `stream_size` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SizeOf {
    Client,
    Server,
    Both,
    Either,
}

/// A question about the flow itself.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum FlowTest {
    /// Seconds since it began.
    Age(NumberTest),
    /// Packets, in one direction or both.
    Packets(Option<Direction>, NumberTest),
    /// Either direction's packets.
    PacketsOfEither(NumberTest),
    /// Bytes, in one direction or both.
    Bytes(Option<Direction>, NumberTest),
    /// Either direction's bytes.
    BytesOfEither(NumberTest),
    /// Bytes of the TCP stream.
    StreamSize(SizeOf, NumberTest),
    /// What is spoken: one of these; `failed` counts as one where asked for.
    Layer { protocols: Vec<ProtocolId>, unknown: bool, failed: bool, negated: bool, of: LayerOf },
    /// Something odd happened to the stream, by its number.
    StreamEvent(u8),
    /// Something odd happened when it was found out what is spoken, by its number.
    LayerEvent(u8),
}

/// Whose protocol is meant: `app-layer-protocol:http,to_server`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LayerOf {
    Flow,
    ToServer,
    ToClient,
}

/// Bits and numbers of one flow.
#[derive(Clone, Default, Debug)]
pub(crate) struct FlowVariables {
    /// Ascending.
    bits: Vec<u32>,
    /// Ascending by name.
    ints: Vec<(u32, u32)>,
}

impl FlowVariables {
    pub(crate) fn holds(&self, test: &BitTest) -> bool {
        let is_set = |name: &u32| self.bits.binary_search(name).is_ok();
        match test {
            BitTest::AnySet(names) => names.iter().any(is_set),
            BitTest::NoneSet(names) => !names.iter().any(is_set),
        }
    }

    pub(crate) fn int(&self, name: u32) -> Option<u32> {
        self.ints.binary_search_by_key(&name, |int| int.0).ok().map(|place| self.ints[place].1)
    }

    pub(crate) fn int_holds(&self, test: &IntTest) -> bool {
        let Some(left) = self.int(test.name) else { return test.compare == IntCompare::Missing };
        let right = match test.value {
            IntValue::Number(number) => number,
            IntValue::Of(name) => match self.int(name) {
                Some(number) => number,
                None => return false,
            },
        };
        match test.compare {
            IntCompare::Less => left < right,
            IntCompare::AtMost => left <= right,
            IntCompare::Equal => left == right,
            IntCompare::NotEqual => left != right,
            IntCompare::AtLeast => left >= right,
            IntCompare::More => left > right,
            IntCompare::Exists => true,
            IntCompare::Missing => false,
        }
    }

    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::SetBit(name) => self.set_bit(name),
            Change::UnsetBit(name) => {
                if let Ok(place) = self.bits.binary_search(&name) {
                    self.bits.remove(place);
                }
            }
            Change::ToggleBit(name) => match self.bits.binary_search(&name) {
                Ok(place) => {
                    self.bits.remove(place);
                }
                Err(_) => self.set_bit(name),
            },
            Change::SetInt(name, value) => {
                if let Some(value) = self.value(value) {
                    self.set_int(name, value);
                }
            }
            Change::AddInt(name, value) => {
                if let Some(value) = self.value(value) {
                    let old = self.int(name).unwrap_or(0);
                    self.set_int(name, old.wrapping_add(value));
                }
            }
            Change::SubtractInt(name, value) => {
                if let Some(value) = self.value(value) {
                    let old = self.int(name).unwrap_or(0);
                    self.set_int(name, old.wrapping_sub(value));
                }
            }
        }
    }

    fn value(&self, value: IntValue) -> Option<u32> {
        match value {
            IntValue::Number(number) => Some(number),
            IntValue::Of(name) => self.int(name),
        }
    }

    fn set_bit(&mut self, name: u32) {
        if let Err(place) = self.bits.binary_search(&name)
            && self.bits.len() < VARIABLES_OF_A_FLOW_MAX
        {
            self.bits.insert(place, name);
        }
    }

    fn set_int(&mut self, name: u32, value: u32) {
        match self.ints.binary_search_by_key(&name, |int| int.0) {
            Ok(place) => self.ints[place].1 = value,
            Err(place) if self.ints.len() < VARIABLES_OF_A_FLOW_MAX => self.ints.insert(place, (name, value)),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_asked_and_unset() {
        let mut flow = FlowVariables::default();
        flow.apply(Change::SetBit(3));
        flow.apply(Change::SetBit(1));
        assert!(flow.holds(&BitTest::AnySet(vec![9, 3])));
        assert!(!flow.holds(&BitTest::NoneSet(vec![9, 3])));
        flow.apply(Change::ToggleBit(3));
        assert!(flow.holds(&BitTest::NoneSet(vec![9, 3])));
        flow.apply(Change::UnsetBit(1));
        assert!(!flow.holds(&BitTest::AnySet(vec![1])));
    }

    #[test]
    fn a_number_that_is_missing_is_neither_more_nor_less() {
        let mut flow = FlowVariables::default();
        let test = |compare, value| IntTest { name: 1, compare, value: IntValue::Number(value) };
        assert!(flow.int_holds(&test(IntCompare::Missing, 0)));
        assert!(!flow.int_holds(&test(IntCompare::Less, 5)));
        flow.apply(Change::AddInt(1, IntValue::Number(2)));
        assert!(flow.int_holds(&test(IntCompare::Less, 5)));
        flow.apply(Change::AddInt(1, IntValue::Of(1)));
        assert!(flow.int_holds(&test(IntCompare::Equal, 4)));
        assert!(flow.int_holds(&test(IntCompare::Exists, 0)));
    }
}
