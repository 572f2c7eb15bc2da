//! DCERPC's keywords, which look into DCERPC over TCP and UDP and into DCERPC that SMB carries.

use super::interface::{Interface, Uuid};
use super::pdu::kind;
use super::transaction::DcerpcTransaction;
use crate::app::smb::SmbTransaction;
use crate::app::{Buffer, Family, Field, Keyword, ProtocolId, Sides, Takes, Test, Transaction, Verdict};
use crate::{Complaint, Direction, NumberTest};
use std::any::Any;

/// What a call carries.
pub(crate) const STUB_DATA: Field = Field::new(Family::Dcerpc, 0);

pub(super) const FRAME_UNIT: &str = "dcerpc.pdu";
pub(super) const FRAME_HEADER: &str = "dcerpc.hdr";
pub(super) const FRAME_DATA: &str = "dcerpc.data";

const CARRIERS: &[ProtocolId] = &[ProtocolId::Dcerpc, ProtocolId::Smb];
const STUB_BUFFER: Takes =
    Takes::Buffer(Buffer { field: STUB_DATA, sides: Sides::Both, protocols: CARRIERS });

/// All of them, under both names.
pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword { name: "dcerpc.iface", takes: Takes::Test(interface_test) },
    Keyword { name: "dce_iface", takes: Takes::Test(interface_test) },
    Keyword { name: "dcerpc.opnum", takes: Takes::Test(operation_test) },
    Keyword { name: "dce_opnum", takes: Takes::Test(operation_test) },
    Keyword { name: "dcerpc.stub_data", takes: STUB_BUFFER },
    Keyword { name: "dce_stub_data", takes: STUB_BUFFER },
];

/// An interface as a rule asks for it.
struct Wanted {
    uuid: Uuid,
    version: Option<NumberTest>,
    any_fragment: bool,
}

impl Wanted {
    fn parse(text: &str) -> Result<Wanted, Complaint> {
        let mut parts = text.split(',').map(str::trim);
        let uuid = parts.next().and_then(Uuid::parse).ok_or_else(|| {
            Complaint::new(format!(
                "'{text}': a UUID first, then perhaps a version (=2, >1 …), then perhaps any_frag"
            ))
        })?;
        let mut wanted = Wanted { uuid, version: None, any_fragment: false };
        let mut part = parts.next();
        if let Some(version) = part.filter(|part| *part != "any_frag") {
            wanted.version = Some(NumberTest::parse(version, u64::from(u16::MAX), &[])?);
            part = parts.next();
        }
        match (part, parts.next()) {
            (None, _) => Ok(wanted),
            (Some("any_frag"), None) => Ok(Wanted { any_fragment: true, ..wanted }),
            _ => Err(Complaint::new(format!("'{text}': nothing but any_frag may follow the version"))),
        }
    }

    fn is(&self, interface: &Interface) -> bool {
        interface.is_accepted()
            && interface.uuid == self.uuid
            && self.version.is_none_or(|test| test.holds(u64::from(interface.version)))
    }

    /// Over SMB any accepted interface counts, whatever the context; over TCP the one that the request names.
    fn holds(&self, transaction: &dyn Any, direction: Direction) -> Verdict {
        if let Some(transaction) = transaction.downcast_ref::<DcerpcTransaction>() {
            let found = transaction.operation.is_some()
                && transaction.interfaces.iter().any(|interface| {
                    (self.any_fragment || interface.first_fragment)
                        && interface.context == transaction.context
                        && self.is(interface)
                });
            return verdict(found, transaction.is_complete(direction));
        }
        let Some(transaction) = transaction.downcast_ref::<SmbTransaction>() else {
            return Verdict::Fails;
        };
        let found = transaction.call().is_some_and(|call| {
            call.kinds[0] == kind::REQUEST && call.interfaces.iter().any(|interface| self.is(interface))
        });
        verdict(found, transaction.is_complete(direction))
    }
}

fn verdict(holds: bool, is_complete: bool) -> Verdict {
    match (holds, is_complete) {
        (true, _) => Verdict::Holds,
        (false, true) => Verdict::Fails,
        (false, false) => Verdict::Open,
    }
}

fn interface_test(text: &str) -> Result<Test, Complaint> {
    let wanted = Wanted::parse(text)?;
    Ok(Test::of_any(Sides::Both, CARRIERS, move |transaction, direction| {
        wanted.holds(transaction, direction)
    }))
}

/// Reads numbers and ranges, both ends included: `15,18,20-24`.
fn operations(text: &str) -> Result<Vec<(u32, u32)>, Complaint> {
    let complaint =
        || Complaint::new(format!("'{text}': operations are numbers and ranges, 1,4-9 for example"));
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| complaint());
    let mut list = Vec::new();
    for part in text.split(',') {
        let (low, high) = match part.split_once('-') {
            Some((low, high)) => (number(low)?, number(high)?),
            None => (number(part)?, number(part)?),
        };
        if high < low {
            return Err(complaint());
        }
        list.push((low, high));
    }
    Ok(list)
}

fn operation_test(text: &str) -> Result<Test, Complaint> {
    let list = operations(text)?;
    Ok(Test::of_any(Sides::Both, CARRIERS, move |transaction, direction| {
        let (operation, is_complete) =
            if let Some(transaction) = transaction.downcast_ref::<DcerpcTransaction>() {
                (transaction.operation, transaction.is_complete(direction))
            } else if let Some(transaction) = transaction.downcast_ref::<SmbTransaction>() {
                let call = transaction.call().filter(|call| call.kinds[0] == kind::REQUEST);
                (call.map(|call| call.operation), transaction.is_complete(direction))
            } else {
                return Verdict::Fails;
            };
        let is_meant =
            |number: u16| list.iter().any(|(low, high)| (*low..=*high).contains(&u32::from(number)));
        verdict(operation.is_some_and(is_meant), is_complete)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_asked_for_with_version_and_any_frag_or_without() {
        let uuid = "367abb81-9844-35f1-ad32-98f038001003";
        for (tail, version, any_fragment) in [
            ("", None, false),
            (",any_frag", None, true),
            (",=2", Some(NumberTest::Equal(2)), false),
            (", >1 , any_frag", Some(NumberTest::More(1)), true),
        ] {
            let wanted = Wanted::parse(&format!("{uuid}{tail}"));
            assert!(
                wanted.is_ok_and(|wanted| wanted.version == version && wanted.any_fragment == any_fragment),
                "{tail}"
            );
        }
        for text in
            ["", "x", &format!("{uuid},any_frag,=2"), &format!("{uuid},70000"), &format!("{uuid},1,x")]
        {
            assert!(Wanted::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn operations_are_numbers_and_ranges() {
        assert_eq!(operations("12,  20-24"), Ok(vec![(12, 12), (20, 24)]));
        for text in ["", "a", "5-3", "1-2-3", "1,,2"] {
            assert!(operations(text).is_err(), "{text}");
        }
    }
}
