//! What clients ask for, and how long they think.

use crate::random::Random;
use crate::service::Operation;
use bytes::Bytes;
use core::time::Duration;

/// Registers that clients use: few, so that they meet.
const KEYS: u64 = 5;

/// A random operation. Half of them depend on what others did.
pub fn operation(random: &mut Random) -> Operation {
    let key = random.below(KEYS) as u8;
    let value = |random: &mut Random| {
        let bits = random.bits().to_le_bytes();
        Bytes::copy_from_slice(&bits[..1 + random.index(8)])
    };
    // Few values, so that a comparison now and then finds what it expects.
    let word = |random: &mut Random| Bytes::from_static(random.pick(&[b"" as &[u8], b"a", b"b"]));
    match random.below(8) {
        0 => Operation::Put { key, value: value(random) },
        1 => Operation::Put { key, value: word(random) },
        2 | 3 => Operation::Get { key },
        4 => Operation::Cas { key, expected: word(random), value: word(random) },
        5 => Operation::Append { key, value: value(random) },
        _ => Operation::Increment { key },
    }
}

/// How long a client thinks between two operations: often not at all, sometimes `longest`.
pub fn think(random: &mut Random, longest: Duration) -> Duration {
    if random.chance(300) { Duration::ZERO } else { random.duration(Duration::ZERO, longest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_operation_occurs() {
        let mut random = Random::new(1, Stream::Clients);
        let kinds: BTreeSet<_> = (0..100)
            .map(|_| core::mem::discriminant(&operation(&mut random)))
            .map(|kind| format!("{kind:?}"))
            .collect();
        assert_eq!(kinds.len(), 5);
    }
}
