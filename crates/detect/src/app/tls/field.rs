//! The fields that TLS has; QUIC answers those of fingerprints too.

use crate::app::{Family, Field};

const fn field(number: u8) -> Field {
    Field::new(Family::Tls, number)
}

/// The server that the client names.
pub(in crate::app) const SERVER_NAME: Field = field(0);
/// The protocols that could be spoken above.
pub(in crate::app) const NAMES_ABOVE: Field = field(1);
/// The random bytes of a hello.
pub(in crate::app) const RANDOM: Field = field(2);
/// The first four of them, which were a time once.
pub(in crate::app) const RANDOM_TIME: Field = field(3);
/// The others.
pub(in crate::app) const RANDOM_BYTES: Field = field(4);
/// JA3 of the client, hashed.
pub(in crate::app) const JA3_HASH: Field = field(5);
/// JA3 of the client.
pub(in crate::app) const JA3_TEXT: Field = field(6);
/// JA3 of the server, hashed.
pub(in crate::app) const JA3S_HASH: Field = field(7);
/// JA3 of the server.
pub(in crate::app) const JA3S_TEXT: Field = field(8);
/// JA4 of the client.
pub(in crate::app) const JA4: Field = field(9);
/// The first field that a certificate carries; all later ones are carried by certificates as well.
pub(in crate::app) const FIRST_OF_CERTIFICATE: u8 = 16;
/// Whom the certificate is for.
pub(in crate::app) const SUBJECT: Field = field(16);
/// Who issued it.
pub(in crate::app) const ISSUER: Field = field(17);
/// Its number.
pub(in crate::app) const SERIAL: Field = field(18);
/// Its SHA-1.
pub(in crate::app) const FINGERPRINT: Field = field(19);
/// Other names of whom it is for.
pub(in crate::app) const OTHER_NAMES: Field = field(20);
/// The certificates as they came.
pub(in crate::app) const CERTIFICATES: Field = field(21);
/// How many there are.
pub(in crate::app) const CHAIN_LENGTH: Field = field(22);
