//! `Authorization`: whether the scheme is one that is known.

use super::event::{Event, Events};
use super::head::Head;

/// The schemes that are known.
const SCHEMES: [&[u8]; 3] = [b"basic", b"digest", b"bearer"];

/// Notes a scheme that nobody knows.
pub(super) fn note(head: &Head, events: &mut Events) {
    let has_one = head.value(b"authorization").is_some();
    events.set_if(has_one && !is_known(head), Event::AuthUnrecognized);
}

/// Whether there is one whose scheme is known.
pub(super) fn is_known(head: &Head) -> bool {
    let Some(value) = head.value(b"authorization") else { return false };
    let is =
        |scheme: &&[u8]| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().any(is)
}
