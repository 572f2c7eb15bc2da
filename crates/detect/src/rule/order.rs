//! Which rule is asked first.
//!
//! What lets pass before what raises alarms; what sets a bit or a number of a flow before what asks for it, so that one packet can do both; the
//! more severe before the less; then as they stand in the file.

use super::compiled::Rule;
use crate::state::{Change, Late, SharedAsk};

/// How a rule stands to a kind of variable: those with the larger number are asked first.
fn rank(sets: bool, asks: bool) -> u8 {
    match (sets, asks) {
        (true, false) => 3,
        (true, true) => 2,
        (false, true) => 1,
        (false, false) => 0,
    }
}

/// Puts rules in the order in which they are asked.
pub(super) fn sort(rules: &mut [Rule]) {
    rules.sort_by_cached_key(|rule| {
        let sets_bit = rule
            .changes
            .iter()
            .any(|change| matches!(change, Change::SetBit(_) | Change::UnsetBit(_) | Change::ToggleBit(_)));
        let sets_int = rule.changes.iter().any(|change| {
            matches!(change, Change::SetInt(..) | Change::AddInt(..) | Change::SubtractInt(..))
        });
        let asks_shared = |asks: bool| {
            rule.late.iter().any(|late| match late {
                Late::Shared(shared) => matches!(shared.ask, SharedAsk::IsSet | SharedAsk::IsNotSet) == asks,
                Late::Bit(_) | Late::Change(_) => false,
            })
        };
        let bits = rank(sets_bit, !rule.bits.is_empty());
        let ints = rank(sets_int, !rule.ints.is_empty());
        let shared = rank(asks_shared(false), asks_shared(true));
        (
            rule.meta.action,
            std::cmp::Reverse(bits),
            std::cmp::Reverse(ints),
            std::cmp::Reverse(shared),
            rule.meta.priority,
        )
    });
}
