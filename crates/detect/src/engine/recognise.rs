//! What is spoken: found out by what each side says first.
//!
//! Upon the first bytes of a side: bytes that only one protocol begins with decide, on any port; else the protocols that are expected on
//! the ports are asked in turn. `Open` until enough was said; after [`BYTES_MAX`] bytes it is `Nothing`.

use crate::Direction;
use crate::app::table::PROTOCOLS;
use crate::app::{Looked, Probe, ProtocolId, Signature, Transport};
use crate::flow::Recognition;
use crate::inspect::search::find;

/// Bytes of one side that are looked at at most.
pub(crate) const BYTES_MAX: usize = 4096;

/// What came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) recognition: Recognition,
    /// The ends were mistaken for each other.
    pub(crate) reversed: bool,
}

impl Answer {
    fn of(recognition: Recognition) -> Self {
        Answer { recognition, reversed: false }
    }
}

/// What is spoken, by what one side said so far. `ports`: the client's and the server's.
pub(crate) fn recognise(
    transport: Transport,
    direction: Direction,
    ports: (u16, u16),
    said: &[u8],
) -> Answer {
    if said.is_empty() {
        return Answer::of(Recognition::Open);
    }
    let mut is_open = false;
    for protocol in PROTOCOLS {
        for signature in protocol.signatures.iter().filter(|signature| signature.transport == transport) {
            match sign(signature, direction, said) {
                Looked::Yes => return Answer::of(Recognition::Is(protocol.id)),
                Looked::Reversed => {
                    return Answer { recognition: Recognition::Is(protocol.id), reversed: true };
                }
                Looked::Unsure => is_open = true,
                Looked::No => {}
            }
        }
    }
    for protocol in PROTOCOLS {
        for probe in protocol.probes.iter().filter(|probe| probe.transport == transport) {
            if let Some(answer) = ask(protocol.id, probe, direction, ports, said, &mut is_open) {
                return answer;
            }
        }
    }
    if is_open && said.len() < BYTES_MAX && transport == Transport::Tcp {
        Answer::of(Recognition::Open)
    } else {
        Answer::of(Recognition::Nothing)
    }
}

fn sign(signature: &Signature, direction: Direction, said: &[u8]) -> Looked {
    if signature.direction != direction {
        return Looked::No;
    }
    let from = usize::from(signature.from);
    let until = usize::from(signature.until).min(said.len());
    let part = said.get(from..until.max(from)).unwrap_or_default();
    if find(part, signature.bytes, signature.nocase).is_some() {
        return signature.confirm.map_or(Looked::Yes, |confirm| confirm(said));
    }
    if said.len() >= usize::from(signature.until) {
        return Looked::No;
    }
    // What was said may be the beginning of the bytes: then more is needed. Where they may stand anywhere, that is so until the end.
    let beginning = said.get(from..).unwrap_or_default();
    let may_begin = if from + signature.bytes.len() == usize::from(signature.until) {
        let count = beginning.len().min(signature.bytes.len());
        let (left, right) = (&beginning[..count], &signature.bytes[..count]);
        if signature.nocase { left.eq_ignore_ascii_case(right) } else { left == right }
    } else {
        true
    };
    if may_begin { Looked::Unsure } else { Looked::No }
}

fn ask(
    id: ProtocolId,
    probe: &Probe,
    direction: Direction,
    ports: (u16, u16),
    said: &[u8],
    is_open: &mut bool,
) -> Option<Answer> {
    let expected = |port: u16| probe.ports.iter().any(|(low, high)| (*low..=*high).contains(&port));
    // The expected port may be the client's, if we saw only the second half of a conversation.
    if !expected(ports.1) && !expected(ports.0) {
        return None;
    }
    if probe.direction != direction {
        return None;
    }
    if said.len() < probe.least {
        *is_open = true;
        return None;
    }
    match (probe.look)(said) {
        Looked::Yes => Some(Answer::of(Recognition::Is(id))),
        Looked::Reversed => Some(Answer { recognition: Recognition::Is(id), reversed: true }),
        Looked::Unsure => {
            *is_open = true;
            None
        }
        Looked::No => None,
    }
}
