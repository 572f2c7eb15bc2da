//! VLAN tags.

use super::super::VLAN_LAYERS_MAX;
use super::{PacketTest, integer};
use crate::{Complaint, NumberTest};

/// The largest identifier of a tag.
const ID_MAX: u64 = 0xfff;

/// Which of the tags a condition is about.
#[derive(Clone, Copy)]
enum Layer {
    Any,
    All,
    /// From the outside, 0 the outermost.
    Outer(usize),
    /// From the inside, 1 the innermost.
    Inner(usize),
}

/// `vlan.id`: a condition on an identifier, and perhaps of which tag: a number from the outside, a negative one from
/// the inside, `any` or `all`.
pub(super) fn id(text: &str) -> Result<PacketTest, Complaint> {
    let (condition, layer) = match text.split_once(',') {
        Some((condition, layer)) => (condition, layer_of(layer)?),
        None => (text, Layer::Any),
    };
    let test = integer::parse(condition, u64::from(u16::MAX))?;
    if largest(test) > ID_MAX {
        return Err(Complaint::new(format!("'{text}': an identifier has 12 bits")));
    }
    Ok(PacketTest::new(move |packet| {
        let ids = packet.vlan.ids();
        let mut holding = ids.iter().map(|id| test.holds((*id).into()));
        match layer {
            _ if ids.is_empty() => false,
            Layer::Any => holding.any(|holds| holds),
            Layer::All => holding.all(|holds| holds),
            // The place just behind the innermost tag counts as a tag of identifier 0.
            Layer::Outer(at) => {
                at <= ids.len() && packet.vlan.places().get(at).is_some_and(|id| test.holds((*id).into()))
            }
            Layer::Inner(at) => ids
                .len()
                .checked_sub(at)
                .and_then(|at| ids.get(at))
                .is_some_and(|id| test.holds((*id).into())),
        }
    }))
}

fn layer_of(text: &str) -> Result<Layer, Complaint> {
    let complaint = || Complaint::new(format!("'{text}': a tag is -3 to 2, any or all"));
    match text {
        "any" => Ok(Layer::Any),
        "all" => Ok(Layer::All),
        _ => match text.parse::<i8>().map_err(|_error| complaint())? {
            at @ 0..=2 => Ok(Layer::Outer(usize::from(at.unsigned_abs()))),
            at @ -3..=-1 => Ok(Layer::Inner(usize::from(at.unsigned_abs()))),
            _ => Err(complaint()),
        },
    }
}

/// `vlan.layers`: a condition on the number of tags.
pub(super) fn layers(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u8::MAX))?;
    if largest(test) > VLAN_LAYERS_MAX as u64 {
        return Err(Complaint::new(format!("'{text}': there are {VLAN_LAYERS_MAX} tags at most")));
    }
    Ok(PacketTest::new(move |packet| test.holds(packet.vlan.count().into())))
}

/// The largest number in a condition.
fn largest(test: NumberTest) -> u64 {
    match test {
        NumberTest::Equal(one)
        | NumberTest::NotEqual(one)
        | NumberTest::Less(one)
        | NumberTest::AtMost(one)
        | NumberTest::More(one)
        | NumberTest::AtLeast(one)
        | NumberTest::AnyBit(one)
        | NumberTest::NoBit(one) => one,
        NumberTest::Between(one, other)
        | NumberTest::NotBetween(one, other)
        | NumberTest::Masked(one, other)
        | NumberTest::NotMasked(one, other) => one.max(other),
    }
}
