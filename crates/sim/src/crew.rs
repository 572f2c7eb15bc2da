//! Who the clients of a run are: sessions of stations, each station a peer of the network.
//!
//! Client number `i` of a run is a session of station `i / sessions`; so with one session each every client is a process of its own,
//! and with as many as there are clients all of them share links, bundles and what their station has heard.

use wire::ClientId;

/// The clients of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Crew {
    /// Clients of all stations.
    pub clients: usize,
    /// Sessions of each station; the last one may have fewer.
    pub sessions: usize,
}

impl Crew {
    /// So many clients of one station: 1, 2, 3, …
    #[must_use]
    pub fn together(clients: usize) -> Crew {
        Crew { clients, sessions: clients.max(1) }
    }

    /// How many stations there are.
    #[must_use]
    pub fn stations(self) -> usize {
        self.clients.div_ceil(self.sessions)
    }

    /// The clients of a station, by index.
    #[must_use]
    pub fn of_station(self, station: usize) -> core::ops::Range<usize> {
        let first = station * self.sessions;
        first..(first + self.sessions).min(self.clients)
    }

    /// The name of the client with this index.
    #[must_use]
    pub fn client(self, index: usize) -> ClientId {
        let session = index % self.sessions + 1;
        ClientId(station(index / self.sessions).0 + session as u64)
    }

    /// The index of a client, if there is such a client.
    #[must_use]
    pub fn index(self, client: ClientId) -> Option<usize> {
        let session = usize::try_from(client.0 - client.station().0).ok()?.checked_sub(1)?;
        let index = station_index(client)?.checked_mul(self.sessions)?.checked_add(session)?;
        (session < self.sessions && index < self.clients).then_some(index)
    }
}

/// The name of the station with this index.
#[must_use]
pub fn station(index: usize) -> ClientId {
    ClientId((index as u64) << ClientId::SESSION_BITS)
}

/// The index of the station of a client.
#[must_use]
pub fn station_index(client: ClientId) -> Option<usize> {
    usize::try_from(client.0 >> ClientId::SESSION_BITS).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_a_name_and_every_name_a_client() {
        for sessions in 1..=4 {
            let crew = Crew { clients: 7, sessions };
            for index in 0..7 {
                assert_eq!(crew.index(crew.client(index)), Some(index));
                let of = station_index(crew.client(index)).expect("few stations");
                assert!(of < crew.stations() && crew.of_station(of).contains(&index));
                assert_eq!(crew.client(index).station(), station(of));
            }
            assert_eq!((0..crew.stations()).map(|of| crew.of_station(of).len()).sum::<usize>(), 7);
        }
        let crew = Crew::together(3);
        assert_eq!(crew.client(2), ClientId(3));
        for strange in [0, 4, 1 << 16, u64::MAX] {
            assert_eq!(crew.index(ClientId(strange)), None);
        }
    }
}
