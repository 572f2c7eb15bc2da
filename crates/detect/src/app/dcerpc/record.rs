//! What EVE tells of a DCERPC exchange.

use super::interface::Interface;
use super::pdu::{kind, kind_name};
use super::stub::Stub;
use super::transaction::DcerpcTransaction;
use crate::eve::Object;

/// Writes an exchange over TCP or UDP.
pub(super) fn write(transaction: &DcerpcTransaction, record: &mut Object) {
    let [asked, answered] = transaction.kinds;
    if transaction.done[0] && !transaction.lost[0] {
        record.text("request", &kind_name(asked));
        if asked == kind::REQUEST {
            let mut request = Object::new();
            request.number("opnum", u64::from(transaction.operation.unwrap_or(0)));
            stub(&transaction.stubs[0], &mut request);
            record.object("req", request);
        }
        let is_meant = |interface: &&Interface| match asked {
            kind::REQUEST => interface.context == transaction.context,
            kind::BIND => interface.call_id == transaction.call_id,
            _ => false,
        };
        interfaces(transaction.interfaces.iter().filter(is_meant), record);
    } else {
        record.text("request", "REQUEST_LOST");
    }
    if transaction.done[1] && !transaction.lost[1] {
        record.text("response", &kind_name(answered));
        if answered == kind::RESPONSE {
            let mut response = Object::new();
            stub(&transaction.stubs[1], &mut response);
            record.object("res", response);
        }
    } else {
        record.text("response", "UNREPLIED");
    }
    match transaction.activity {
        Some(activity) => {
            record.text("activityuuid", &activity.uuid.text());
            record.number("seqnum", u64::from(activity.sequence));
            record.text("rpc_version", "4.0");
        }
        None => {
            record.number("call_id", u64::from(transaction.call_id));
            record.text("rpc_version", &format!("5.{}", transaction.minor));
        }
    }
}

/// How much a side carried.
pub(crate) fn stub(stub: &Stub, record: &mut Object) {
    record.number("frag_cnt", u64::from(stub.fragments));
    record.number("stub_data_size", stub.bytes().len() as u64);
}

fn interfaces<'a>(list: impl Iterator<Item = &'a Interface>, record: &mut Object) {
    let list: Vec<Object> = list
        .map(|interface| {
            let mut object = Object::new();
            object.text("uuid", &interface.uuid.text());
            object.text("version", &interface.version_text());
            if let Some(answer) = interface.answer {
                object.number("ack_result", u64::from(answer));
            }
            object
        })
        .collect();
    if !list.is_empty() {
        record.objects("interfaces", list);
    }
}
