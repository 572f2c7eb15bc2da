//! DCERPC over UDP: one fragment in each datagram.

use super::pdu::{DATAGRAM_HEADER_BYTES, DatagramHeader, kind};
use super::transaction::{Activity, DcerpcTransaction};
use crate::app::bytes::Reader;
use crate::app::{Broken, Looked, Transactions};

/// The datagram is the last of several.
const LAST_FRAGMENT: u8 = 2;
/// The datagram is one of several.
const FRAGMENT: u8 = 4;

/// Whether a datagram begins a conversation. The signature saw that it is a request.
pub(super) fn looks_right(bytes: &[u8]) -> Looked {
    let mut reader = Reader::new(bytes);
    let Some(header) = DatagramHeader::read(&mut reader) else {
        return Looked::No;
    };
    let is_plausible = header.version == 4
        && header.fragment == 0
        && reader.len() >= usize::from(header.length)
        && header.more_flags & 0xfc == 0
        && header.representation[0] & 0xee == 0
        && header.representation[1] <= 3;
    if is_plausible { Looked::Yes } else { Looked::No }
}

/// Takes a datagram.
pub(super) fn feed(transactions: &mut Transactions<DcerpcTransaction>, bytes: &[u8]) -> Result<(), Broken> {
    if bytes.len() < DATAGRAM_HEADER_BYTES {
        return Err(Broken);
    }
    let mut reader = Reader::new(bytes);
    let header = DatagramHeader::read(&mut reader).filter(|header| header.version == 4).ok_or(Broken)?;
    let body = reader.take(usize::from(header.length)).ok_or(Broken)?;
    let side = match header.kind {
        kind::REQUEST => 0,
        kind::RESPONSE => 1,
        _ => return Err(Broken),
    };
    let activity = Activity { uuid: header.activity, sequence: header.sequence };
    let open = transactions
        .iter()
        .find(|live| live.transaction.activity == Some(activity) && !live.transaction.done[side]);
    let id = match open.map(|live| live.id) {
        Some(id) => id,
        None => {
            let mut transaction = DcerpcTransaction::new(0);
            transaction.is_little = header.representation[0] & 0x10 != 0;
            transaction.activity = Some(activity);
            transactions.open(transaction)
        }
    };
    if let Some(transaction) = transactions.get_mut(id) {
        transaction.stubs[side].append(body);
        transaction.stubs[side].count_fragment();
        transaction.done[side] = header.flags & FRAGMENT == 0 || header.flags & LAST_FRAGMENT != 0;
    }
    Ok(())
}
