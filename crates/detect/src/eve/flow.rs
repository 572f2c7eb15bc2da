//! What EVE has of a flow that ended: `flow`, and `tcp` beside it.

use super::{Object, timestamp};
use crate::Time;
use crate::app::table::protocol;
use crate::flow::{Ending, Flow, Layer, Recognition};
use crate::stream::session::State;

/// The flags of TCP by EVE's names, from the lowest bit.
const FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];

/// Writes what is spoken.
pub(crate) fn spoken(flow: &Flow, record: &mut Object) {
    let name = |id| protocol(id).map_or("", |protocol| protocol.name);
    match (flow.layer, flow.protocol_spoken()) {
        (_, Some(id)) => record.text("app_proto", name(id)),
        (Layer::Failed, None) => record.text("app_proto", "failed"),
        (_, None) => return,
    }
    for (key, said) in ["app_proto_ts", "app_proto_tc"].into_iter().zip(flow.recognition) {
        if let Recognition::Is(id) = said
            && flow.protocol_spoken() != Some(id)
        {
            record.text(key, name(id));
        }
    }
}

/// The object `flow`, and where in it has to be written whether the flow alerted.
pub(crate) fn flow(flow: &Flow, ending: Ending) -> (Object, usize) {
    let mut object = Object::new();
    object.number("pkts_toserver", flow.packets[0]);
    object.number("pkts_toclient", flow.packets[1]);
    object.number("bytes_toserver", flow.bytes[0]);
    object.number("bytes_toclient", flow.bytes[1]);
    object.text("start", &timestamp(flow.began));
    object.text("end", &timestamp(flow.last));
    object.number("age", age(flow.began, flow.last));
    object.text("state", state(flow));
    object.text(
        "reason",
        match ending {
            Ending::Silent => "timeout",
            Ending::NoRoom => "forced",
            Ending::BegunAnew => "tcp_reuse",
            Ending::CaptureOver => "shutdown",
        },
    );
    object.written("alerted", "");
    let alerted = object.written_bytes();
    if flow.parser.is_some() || flow.exchanges > 0 {
        let opened = flow.parser.as_ref().map_or(0, |parser| parser.opened());
        object.number("tx_cnt", flow.exchanges + opened);
    }
    (object, alerted)
}

/// Whole seconds of the calendar, as others count them.
fn age(began: Time, last: Time) -> u64 {
    last.seconds().saturating_sub(began.seconds())
}

fn state(flow: &Flow) -> &'static str {
    match &flow.session {
        Some(session) if session.is_done() => "closed",
        _ if flow.is_established() => "established",
        _ => "new",
    }
}

/// The object `tcp`.
pub(crate) fn tcp(flow: &Flow) -> Object {
    let [to_server, to_client] = flow.tcp_flags;
    let all = to_server | to_client;
    let mut object = Object::new();
    object.text("tcp_flags", &format!("{all:02x}"));
    object.text("tcp_flags_ts", &format!("{to_server:02x}"));
    object.text("tcp_flags_tc", &format!("{to_client:02x}"));
    for place in [1, 0, 2, 3, 4, 5, 6, 7] {
        if all >> place & 1 == 1 {
            object.flag(FLAGS[place], true);
        }
    }
    if let Some(session) = &flow.session {
        object.text(
            "state",
            match session.state() {
                State::SynSent => "syn_sent",
                State::SynReceived => "syn_recv",
                State::Established => "established",
                State::FinWait1 => "fin_wait1",
                State::FinWait2 => "fin_wait2",
                State::TimeWait => "time_wait",
                State::LastAck => "last_ack",
                State::CloseWait => "close_wait",
                State::Closing => "closing",
                State::Closed => "closed",
            },
        );
    }
    object
}
