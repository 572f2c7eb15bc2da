//! The last step: when a rule is asked, and by which string its candidates are found.

use super::Draft;
use crate::frame::keywords::PacketTest;
use crate::inspect::chain::Operand;
use crate::inspect::content::Content;
use crate::inspect::{Chain, Link};
use crate::lists::Lists;
use crate::rule::compiled::{
    Absent, Fast, FlowWants, FramePart, Head, Kind, PacketPart, Part, Payload, Place, Rule, What,
};
use crate::state::{Change, FlowTest};
use crate::{Complaint, Direction};

/// Beyond so many bytes a longer string finds no fewer candidates.
const LENGTH_THAT_COUNTS_MAX: usize = 16;

/// Puts the rule together.
pub(super) fn rule(
    draft: Draft,
    head: Head,
    parts: Vec<Part>,
    packet_parts: Vec<PacketPart>,
    frames: Vec<FramePart>,
    payload: Option<Payload>,
    lists: &Lists,
) -> Result<Rule, Complaint> {
    let kind = kind(&draft, &head, &parts, &packet_parts, &frames, payload.as_ref());
    if kind == Kind::Transaction && !draft.exchange && directions(&draft.flow, &parts).is_empty() {
        return Err(Complaint::new(
            "it looks at both the request and the response, which never go the same way",
        ));
    }
    let has_late_lists = parts.iter().any(|part| match &part.what {
        What::Buffer { chain, .. } => asks_late(chain, lists),
        _ => false,
    }) || packet_parts.iter().any(|part| asks_late(&part.chain, lists));
    let payload_bytes_max = PacketTest::payload_bytes_max_of(&draft.packet);
    let fast = fast(&parts, payload.as_ref(), payload_bytes_max);
    let mut meta = draft.meta;
    meta.metadata.shrink_to_fit();
    Ok(Rule {
        meta,
        kind,
        head,
        flow: draft.flow,
        packet: draft.packet,
        packet_parts,
        payload,
        frames,
        parts,
        flow_tests: draft.flow_tests,
        bits: draft.bits,
        ints: draft.ints,
        late: draft.late,
        changes: draft.changes,
        threshold: draft.threshold,
        filter: draft.filter,
        is_silent: draft.is_silent,
        exchange: draft.exchange,
        fast,
        has_late_lists,
    })
}

/// In which directions all of a rule's parts can be there.
pub(crate) fn directions(flow: &FlowWants, parts: &[Part]) -> Vec<Direction> {
    [Direction::ToServer, Direction::ToClient]
        .into_iter()
        .filter(|direction| flow.direction.is_none_or(|wanted| wanted == *direction))
        .filter(|direction| parts.iter().all(|part| part.sides.include(*direction)))
        .collect()
}

fn kind(
    draft: &Draft,
    head: &Head,
    parts: &[Part],
    packet_parts: &[PacketPart],
    frames: &[FramePart],
    payload: Option<&Payload>,
) -> Kind {
    if !parts.is_empty() {
        return Kind::Transaction;
    }
    if !frames.is_empty() {
        return Kind::Frames;
    }
    let only_head = payload.is_none() && packet_parts.is_empty();
    if draft.has_events && only_head {
        return Kind::Events;
    }
    let changes_only = draft.bits.is_empty()
        && draft.ints.is_empty()
        && draft.changes.iter().all(|change| matches!(change, Change::SetBit(_)));
    let is_bare = only_head && draft.packet.is_empty() && changes_only && draft.flow.established.is_none();
    let asks_layer = draft.flow_tests.iter().any(|test| matches!(test, FlowTest::Layer { .. }));
    if is_bare && asks_layer && draft.flow_tests.len() == 1 && head.layers.is_empty() {
        return Kind::Recognised;
    }
    let by_address = is_bare
        && draft.flow_tests.is_empty()
        && !draft.beyond_addresses
        && !draft.flow.exists
        && head.layers.is_empty()
        && !head.from.has_negation()
        && !head.to.has_negation()
        && !head.flow_start
        && !head.broken;
    if by_address { Kind::Addresses } else { Kind::Packet }
}

fn asks_late(chain: &Chain, lists: &Lists) -> bool {
    chain.links.iter().any(|link| match link {
        Link::Listed(listed) => lists.is_changed(listed.list),
        Link::Base64(base64) => base64.chain.as_ref().is_some_and(|chain| asks_late(chain, lists)),
        _ => false,
    })
}

/// The string by which candidates are found: the one that the rule asks for, or the best.
fn fast(parts: &[Part], payload: Option<&Payload>, payload_bytes_max: Option<u64>) -> Option<Fast> {
    let payload_bytes_max = payload_bytes_max.and_then(|bytes| usize::try_from(bytes).ok());
    let chains = parts.iter().enumerate().filter_map(|(place, part)| match &part.what {
        What::Buffer { chain, absent: Absent::Fails, .. } => Some((Place::Part(place), chain)),
        _ => None,
    });
    let chains = chains.chain(payload.map(|payload| (Place::Payload, &payload.chain)));
    let mut best: Option<(u64, Fast)> = None;
    for (place, chain) in chains {
        let bound = payload_bytes_max.filter(|_| place == Place::Payload);
        for (content, reach) in contents(chain) {
            // Nothing ends behind the end.
            let reach = [reach, bound].into_iter().flatten().min();
            let score = score(content, place != Place::Payload);
            if best.as_ref().is_none_or(|best| score > best.0) {
                let fast =
                    Fast { place: place.clone(), bytes: beginning(content), nocase: content.nocase, reach };
                best = Some((score, fast));
            }
        }
    }
    best.map(|best| best.1)
}

/// The beginning of a long string finds it as well.
fn beginning(content: &Content) -> Vec<u8> {
    content.bytes[..content.bytes.len().min(pattern::PATTERN_BYTES_MAX)].to_vec()
}

/// The contents that must be in the buffer itself, each with where it ends at the latest.
fn contents(chain: &Chain) -> Vec<(&Content, Option<usize>)> {
    let mut found = Vec::new();
    // Where the last match ended at the latest.
    let mut last = Some(0);
    for link in &chain.links {
        match link {
            Link::Content(content) if content.negated => {}
            Link::Content(content) => {
                last = reach(content, last);
                found.push((content, last.and_then(|last| usize::try_from(last).ok())));
            }
            Link::Size(_) | Link::Length(_) | Link::IsDataAt(_) | Link::ByteTest(_) => {}
            _ => last = None,
        }
    }
    found
}

/// Where a content ends at the latest, if the last match ended at `last` at the latest.
fn reach(content: &Content, last: Option<i64>) -> Option<i64> {
    let number = |operand: Option<Operand>| match operand {
        None => Some(0),
        Some(Operand::Number(number)) => Some(number),
        Some(Operand::Variable(_)) => None,
    };
    if content.is_relative() {
        content.within?;
        Some(last? + number(content.distance)?.max(0) + number(content.within)?)
    } else {
        content.depth?;
        Some(number(content.offset)? + number(content.depth)?)
    }
}

/// What the rule's author says counts most; then a buffer of a layer before the payload, and length.
fn score(content: &Content, in_buffer: bool) -> u64 {
    let distinct = {
        let mut seen = [false; 256];
        for byte in &content.bytes {
            seen[usize::from(byte.to_ascii_lowercase())] = true;
        }
        seen.iter().filter(|seen| **seen).count()
    };
    let length = content.bytes.len().min(LENGTH_THAT_COUNTS_MAX);
    let said = u64::from(content.fast) << 32;
    // A short string in a buffer finds more candidates than a long one in the payload.
    let place = u64::from(in_buffer && length >= 3) << 16;
    said + place + (length * 2 + distinct.min(LENGTH_THAT_COUNTS_MAX)) as u64
}
