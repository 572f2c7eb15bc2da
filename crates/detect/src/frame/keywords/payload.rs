//! What the payload of a packet is: its size, and a call of SUN RPC.

use super::super::Transport;
use super::{PacketTest, integer};
use crate::{Complaint, NumberTest};

/// Bytes of a call up to the number of its procedure.
const CALL_BYTES: usize = 24;
/// Bytes before a call in a stream: its length.
const RECORD_MARK_BYTES: usize = 4;

/// `dsize`: a condition on the number of bytes. A condition that asks for a payload, and "not so many", hold only
/// where there is one that is not shown as a packet of its own; "none" holds where there is none at all.
pub(super) fn size(text: &str) -> Result<PacketTest, Complaint> {
    let test = integer::parse(text, u64::from(u16::MAX))?;
    let needs_payload = match test {
        NumberTest::Equal(wanted) => wanted > 0,
        NumberTest::NotEqual(_) | NumberTest::More(_) | NumberTest::AtLeast(_) | NumberTest::Between(..) => {
            true
        }
        _ => false,
    };
    let most = match test {
        NumberTest::Equal(bytes) | NumberTest::Less(bytes) | NumberTest::AtMost(bytes) => Some(bytes),
        NumberTest::Between(_, bytes) => Some(bytes),
        _ => None,
    };
    let test = PacketTest::new(move |packet| {
        let has_payload = !packet.payload.is_empty() && !packet.hides_payload;
        (has_payload || !needs_payload) && test.holds(packet.payload.len() as u64)
    });
    Ok(test.with_payload_of_at_most(most))
}

/// `rpc`: a call of a program, perhaps of a version and a procedure; `*` is any.
pub(super) fn rpc(text: &str) -> Result<PacketTest, Complaint> {
    let mut parts = text.split(',').map(str::trim);
    let program = number(parts.next().unwrap_or(""))?;
    let mut optional = || parts.next().filter(|part| *part != "*").map(number).transpose();
    let version = optional()?;
    let procedure = optional()?;
    if parts.next().is_some() {
        return Err(Complaint::new(format!("'{text}': at most a program, a version and a procedure")));
    }
    Ok(PacketTest::new(move |packet| {
        let skipped = match packet.transport {
            Transport::Tcp(_) => RECORD_MARK_BYTES,
            Transport::Udp(_) => 0,
            _ => return false,
        };
        let call = packet.payload.get(skipped..).and_then(|rest| rest.first_chunk::<CALL_BYTES>());
        let Some(call) = call else { return false };
        let (words, _) = call.as_chunks::<4>();
        let [_, message, _, called, called_version, called_procedure] =
            words.iter().map(|word| u32::from_be_bytes(*word)).collect::<Vec<_>>()[..]
        else {
            return false;
        };
        message == 0
            && called == program
            && version.is_none_or(|version| version == called_version)
            && procedure.is_none_or(|procedure| procedure == called_procedure)
    }))
}

fn number(text: &str) -> Result<u32, Complaint> {
    let value = integer::decimal(text, u64::from(u32::MAX))?;
    u32::try_from(value).map_err(|_error| Complaint::new(format!("'{text}' is too large")))
}
