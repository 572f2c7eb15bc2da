//! Authentic: nothing is applied that a client did not ask for.
//!
//! Upon EXECUTED: each request applied was sent by that client before. Whether the *operation* is the one that it asked
//! for shows in `linearizable`, which applies the operations of the clients' own records.

use super::history::History;
use wire::{ClientId, Timestamp};

/// Whether clients asked for what `node` applied.
#[inline]
pub fn applied(history: &History, node: usize, applied: &[(ClientId, Timestamp)]) -> Result<(), String> {
    for (client, timestamp) in applied {
        if history.asked(*client, *timestamp).is_none() {
            return Err(format!("p{node} applied {client}{timestamp}, which {client} never sent"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use wire::Time;

    #[test]
    fn an_invented_request_is_found() {
        let mut history = History::new(crate::crew::Crew::together(1));
        history.invoked(Time(1), ClientId(1), Timestamp(1), Bytes::new());
        assert!(applied(&history, 0, &[(ClientId(1), Timestamp(1))]).is_ok());
        assert!(applied(&history, 0, &[(ClientId(1), Timestamp(2))]).is_err());
        assert!(applied(&history, 0, &[(ClientId(2), Timestamp(1))]).is_err());
        assert!(applied(&history, 0, &[(ClientId(0), Timestamp(0))]).is_err());
    }
}
