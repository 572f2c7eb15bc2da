//! `Authorization`: whether the scheme is one that is known.

use super::event::{Event, Events};
use super::head::Head;

/// The schemes that are known.
const SCHEMES: [&[u8]; 3] = [b"basic", b"digest", b"bearer"];

/// Notes a scheme that nobody knows.
pub(super) fn note(head: &Head, events: &mut Events) {
    let Some(value) = head.value(b"authorization") else { return };
    let is =
        |scheme: &&[u8]| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    events.set_if(!SCHEMES.iter().any(is), Event::AuthUnrecognized);
}
