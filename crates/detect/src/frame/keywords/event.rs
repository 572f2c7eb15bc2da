//! What the decoder found odd: `decode-event:ipv4.trunc_pkt`.

use super::super::Event;
use super::PacketTest;
use crate::Complaint;

/// An event by its name.
pub(super) fn decode_event(text: &str) -> Result<PacketTest, Complaint> {
    let name = text.trim();
    let event = Event::named(name)
        .ok_or_else(|| Complaint::lacking(format!("'{name}' is no event of the decoder")))?;
    Ok(PacketTest::new(move |packet| packet.events.has(event)))
}

/// The old form: with the word `decoder.` before it.
pub(super) fn engine_event(text: &str) -> Result<PacketTest, Complaint> {
    let name = text.trim();
    match name.split_at_checked("decoder.".len()) {
        Some((word, event)) if word.eq_ignore_ascii_case("decoder.") => decode_event(event),
        _ => Err(Complaint::lacking(format!("'{name}': only events of the decoder are known here"))),
    }
}
