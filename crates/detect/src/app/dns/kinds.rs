//! What records say, by their type; and the names of types and of codes.
//!
//! Not here: types of which only the bytes are shown anyway.

use super::message::Fault;
use super::name::{Names, Text};
use std::borrow::Cow;

/// What a record says. All text stands in its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Data {
    /// It is a question.
    Nothing,
    /// An address, of 4 or 16 bytes if it is none that lies.
    Address(Text),
    /// Another name.
    Name(Text),
    /// Strings, each with its length before it.
    Strings(Text),
    /// Bytes of no meaning.
    Bytes(Text),
    /// Who is responsible for a zone, and five numbers about it, of four bytes each.
    Soa {
        /// The first server.
        server: Text,
        /// Whom to write to.
        mailbox: Text,
        /// Serial number, refresh, retry, expire, minimum.
        numbers: Text,
    },
    /// Where a service is.
    Service {
        /// Priority, weight and port, of two bytes each.
        numbers: Text,
        /// At whom.
        target: Text,
    },
    /// The fingerprint of an SSH key, with two bytes before it: how the key and how the fingerprint was made.
    Fingerprint(Text),
    /// Options: for each two bytes that say which, two bytes for its length, the bytes.
    Options(Text),
    /// The bytes of a type that is not looked into.
    Other(Text),
}

/// Reads the data of a record of type `rrtype`.
pub(super) fn kind<'a>(rrtype: u16, data: &'a [u8], names: &mut Names<'a>) -> Result<Data, Fault> {
    Ok(match rrtype {
        1 | 28 => Data::Address(names.store(data)),
        2 | 5 | 12 => Data::Name(names.read(data)?.1),
        6 => {
            let (rest, server) = names.read(data)?;
            let (rest, mailbox) = names.read(rest)?;
            let numbers = rest.get(..20).ok_or(Fault)?;
            Data::Soa { server, mailbox, numbers: names.store(numbers) }
        }
        10 => Data::Bytes(names.store(data)),
        // The preference stands before the name.
        15 => Data::Name(names.read(data.get(2..).ok_or(Fault)?)?.1),
        16 => {
            strings(data).try_for_each(|string| string.map(|_| ()))?;
            Data::Strings(names.store(data))
        }
        33 => {
            let (numbers, target) = data.split_at_checked(6).ok_or(Fault)?;
            let numbers = names.store(numbers);
            Data::Service { numbers, target: names.read(target)?.1 }
        }
        41 => {
            options(data).try_for_each(|option| option.map(|_| ()))?;
            Data::Options(names.store(data))
        }
        44 if data.len() < 2 => return Err(Fault),
        44 => Data::Fingerprint(names.store(data)),
        _ => Data::Other(names.store(data)),
    })
}

/// The strings of [`Data::Strings`].
pub(in crate::app) fn strings(mut data: &[u8]) -> impl Iterator<Item = Result<&[u8], Fault>> {
    core::iter::from_fn(move || {
        let (length, rest) = data.split_first()?;
        let Some((string, rest)) = rest.split_at_checked(usize::from(*length)) else {
            data = &[];
            return Some(Err(Fault));
        };
        data = rest;
        Some(Ok(string))
    })
}

/// The options of [`Data::Options`].
pub(super) fn options(mut data: &[u8]) -> impl Iterator<Item = Result<(u16, &[u8]), Fault>> {
    core::iter::from_fn(move || {
        if data.is_empty() {
            return None;
        }
        let option = data.split_first_chunk::<4>().and_then(|([code, code_low, length, low], rest)| {
            let length = usize::from(u16::from_be_bytes([*length, *low]));
            let (value, rest) = rest.split_at_checked(length)?;
            Some((u16::from_be_bytes([*code, *code_low]), value, rest))
        });
        let Some((code, value, rest)) = option else {
            data = &[];
            return Some(Err(Fault));
        };
        data = rest;
        Some(Ok((code, value)))
    })
}

/// The types that have a name.
pub(super) const TYPES: &[(&str, u64)] = &[
    ("A", 1),
    ("NS", 2),
    ("MD", 3),
    ("MF", 4),
    ("CNAME", 5),
    ("SOA", 6),
    ("MB", 7),
    ("MG", 8),
    ("MR", 9),
    ("NULL", 10),
    ("WKS", 11),
    ("PTR", 12),
    ("HINFO", 13),
    ("MINFO", 14),
    ("MX", 15),
    ("TXT", 16),
    ("RP", 17),
    ("AFSDB", 18),
    ("X25", 19),
    ("ISDN", 20),
    ("RT", 21),
    ("NSAP", 22),
    ("NSAPPTR", 23),
    ("SIG", 24),
    ("KEY", 25),
    ("PX", 26),
    ("GPOS", 27),
    ("AAAA", 28),
    ("LOC", 29),
    ("NXT", 30),
    ("SRV", 33),
    ("ATMA", 34),
    ("NAPTR", 35),
    ("KX", 36),
    ("CERT", 37),
    ("A6", 38),
    ("DNAME", 39),
    ("OPT", 41),
    ("APL", 42),
    ("DS", 43),
    ("SSHFP", 44),
    ("IPSECKEY", 45),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("DHCID", 49),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("HIP", 55),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("HTTPS", 65),
    ("SPF", 99),
    ("TKEY", 249),
    ("TSIG", 250),
    ("MAILA", 254),
    ("ANY", 255),
    ("URI", 256),
];

/// The codes of answers that have a name.
pub(super) const CODES: &[(&str, u64)] = &[
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
    ("BADVERS", 16),
    ("BADKEY", 17),
    ("BADTIME", 18),
    ("BADMODE", 19),
    ("BADNAME", 20),
    ("BADALG", 21),
    ("BADTRUNC", 22),
];

/// The name of a type or a code, or its number.
pub(super) fn name_of(names: &[(&'static str, u64)], value: u16) -> Cow<'static, str> {
    match names.iter().find(|(_, number)| *number == u64::from(value)) {
        Some((name, _)) => (*name).into(),
        None => value.to_string().into(),
    }
}
