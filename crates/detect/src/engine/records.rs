//! What is written down beside alerts: exchanges, files, oddities and flows.
//!
//! Upon an exchange that was looked at: what became odd about it since the last time (`anomaly`), files that are over (`fileinfo`), and the exchange itself once all
//! that is written down of it is there, each once.
//! Upon a flow that lets pass: the same, though no rule is asked; exchanges that are complete are forgotten.
//! Upon the end of a flow, or of a protocol within it: what is open is written down as it is; then the flow (`flow`).
//! Upon an odd packet: what was odd about it (`anomaly`).
//!
//! A line is written in full where it is found, on the worker, and goes the way of what rules found, so its place among all lines depends on
//! frames alone. Nothing of this costs anything unless it is wanted, but for a comparison.

use super::found::{Noted, What};
use super::holds::Scene;
use super::worker::Desk;
use crate::app::{AnyTransaction, Inspection, ProtocolId, file, table};
use crate::eve::{self, Head, Object};
use crate::flow::{Ending, Flow, Layer, layer_event_name};
use crate::frame::Packet;
use crate::stream::event_names;
use crate::{Direction, Time};

/// Files of one direction of an exchange that can be told from each other; there are no more.
const FILES_MAX: usize = 32;

impl Desk {
    /// Whether anything is written down beside alerts.
    pub(super) fn writes_records(&self) -> bool {
        self.kinds.has_records()
    }

    fn writes(&self, kind: &str) -> bool {
        self.kinds.has(kind)
    }

    fn write(&mut self, kind: &'static str, record: Object) {
        self.note(What::Record(Box::new(Noted { kind, line: record.finish(), alerted: None })));
    }
}

/// One exchange of a flow.
pub(super) struct Exchange<'a> {
    pub(super) protocol: ProtocolId,
    pub(super) id: u64,
    pub(super) transaction: &'a mut dyn AnyTransaction,
    pub(super) inspection: &'a mut Inspection,
}

/// Writes down what is new about an exchange. `is_over`: nothing more will be known of it.
pub(super) fn note_exchange(
    desk: &mut Desk,
    scene: &Scene<'_>,
    flow: &Flow,
    exchange: &mut Exchange<'_>,
    is_over: bool,
) {
    if desk.writes("anomaly") {
        note_events(desk, scene, flow, exchange);
    }
    if desk.writes("fileinfo") {
        for direction in [Direction::ToServer, Direction::ToClient] {
            note_files(desk, scene, flow, exchange, direction, is_over);
        }
    }
    let Some(written) = eve::written(exchange.protocol) else { return };
    if exchange.inspection.is_recorded
        || !desk.writes(written.kind)
        || !(is_over || exchange.transaction.is_told())
    {
        return;
    }
    exchange.inspection.is_recorded = true;
    let said = eve::said(exchange.protocol, exchange.transaction);
    if said == "{}" {
        return;
    }
    let direction = if written.by_packet { scene.direction } else { Direction::ToServer };
    let mut record = begun(desk, scene, flow, direction, written.kind);
    // DNS has its number among what was said.
    if exchange.protocol != ProtocolId::Dns {
        record.number("tx_id", exchange.id);
    }
    record.include(&said);
    desk.write(written.kind, record);
}

fn note_events(desk: &mut Desk, scene: &Scene<'_>, flow: &Flow, exchange: &mut Exchange<'_>) {
    let of = |direction| exchange.transaction.events(direction);
    let events = of(Direction::ToServer) | of(Direction::ToClient);
    let new = events & !exchange.inspection.events_recorded;
    exchange.inspection.events_recorded |= new;
    let Some(protocol) = table::protocol(exchange.protocol).filter(|_| new != 0) else { return };
    for (bit, name) in protocol.events.iter().enumerate().take(128) {
        if new >> bit & 1 == 1 {
            let mut record = begun(desk, scene, flow, scene.direction, "anomaly");
            record.number("tx_id", exchange.id);
            record.object("anomaly", layer_anomaly(protocol.name, name, "proto_parser"));
            desk.write("anomaly", record);
        }
    }
}

fn note_files(
    desk: &mut Desk,
    scene: &Scene<'_>,
    flow: &Flow,
    exchange: &mut Exchange<'_>,
    direction: Direction,
    is_over: bool,
) {
    let Some(files) = exchange.transaction.files_mut(direction) else { return };
    // What is to be told of them may be made only when they are looked at.
    files.prepare(&scene.set.settings);
    let done = exchange.inspection.files_recorded[direction.index()];
    let is_new = |place: usize, file: &file::File| {
        done >> place & 1 == 0 && (is_over || file.ending != file::Ending::Open)
    };
    let listed = files.list().iter().enumerate().take(FILES_MAX);
    let new: Vec<(usize, Object)> = listed
        .filter(|(place, file)| is_new(*place, file))
        .map(|(place, file)| (place, file::record(file, exchange.id)))
        .collect();
    for (place, object) in new {
        exchange.inspection.files_recorded[direction.index()] |= 1 << place;
        let mut record = begun(desk, scene, flow, direction, "fileinfo");
        record.include(&eve::said(exchange.protocol, exchange.transaction));
        if let Some(protocol) = table::protocol(exchange.protocol) {
            record.text("app_proto", protocol.name);
        }
        record.object("fileinfo", object);
        desk.write("fileinfo", record);
    }
}

/// Rules are asked no more of this flow: its exchanges are written down, and forgotten once they are complete.
pub(super) fn pass_over(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow) {
    each(desk, scene, flow, false);
}

/// Whatever is open is over now.
pub(super) fn note_rest(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow) {
    if desk.writes_records() {
        each(desk, scene, flow, true);
    }
}

fn each(desk: &mut Desk, scene: &Scene<'_>, flow: &mut Flow, is_over: bool) {
    let Layer::Known(protocol) = flow.layer else { return };
    let Some(mut parser) = flow.parser.take() else { return };
    let mut place = 0;
    while let Some((id, transaction, inspection)) = parser.at_mut(place) {
        let is_complete = [Direction::ToServer, Direction::ToClient]
            .into_iter()
            .all(|direction| transaction.is_complete(direction) || !transaction.concerns(direction));
        let mut exchange = Exchange { protocol, id, transaction, inspection };
        note_exchange(desk, scene, flow, &mut exchange, is_over || is_complete);
        if is_complete && !is_over {
            parser.remove(place);
        } else {
            place += 1;
        }
    }
    flow.parser = Some(parser);
}

/// Writes down that a flow ended.
pub(super) fn note_flow(desk: &mut Desk, flow: &Flow, now: Time, ending: Ending) {
    if !desk.writes("flow") {
        return;
    }
    let vlan: Vec<u16> = flow.key.vlan().collect();
    let mut record = eve::head(&Head {
        time: now,
        flow: Some(flow.id),
        frame: None,
        kind: "flow",
        vlan: &vlan,
        source: flow.client,
        destination: flow.server,
        protocol: flow.protocol,
        icmp: flow.icmp[0].or(flow.icmp[1]),
        is_of_packets: false,
    });
    if let [Some(_), Some((kind, code))] = flow.icmp {
        record.number("response_icmp_type", u64::from(kind));
        record.number("response_icmp_code", u64::from(code));
    }
    eve::spoken(flow, &mut record);
    let (object, within) = eve::flow(flow, ending);
    // The comma, the name and the colon before the object.
    let place = record.written_bytes() + r#","flow":"#.len() + within;
    record.object("flow", object);
    if flow.protocol == 6 {
        record.object("tcp", eve::tcp(flow));
    }
    let noted = Noted { kind: "flow", line: record.finish(), alerted: Some((place, flow.id)) };
    desk.note(What::Record(Box::new(noted)));
}

/// Writes down what was odd about a packet by itself.
pub(super) fn note_packet(desk: &mut Desk, packet: &Packet<'_>, flow: Option<&Flow>) {
    if packet.events.is_empty() || !desk.writes("anomaly") {
        return;
    }
    for event in packet.events.iter() {
        let mut record = of_packet(desk, packet, flow);
        let mut anomaly = Object::new();
        anomaly.text("type", "decode");
        anomaly.text("event", &format!("decoder.{}", event.name()));
        record.object("anomaly", anomaly);
        desk.write("anomaly", record);
    }
}

/// Writes down what was odd about a packet in its conversation, and about what is spoken there.
pub(super) fn note_conversation(desk: &mut Desk, scene: &Scene<'_>, flow: &Flow) {
    if (scene.stream_events.is_empty() && scene.layer_events == 0) || !desk.writes("anomaly") {
        return;
    }
    for name in event_names(scene.stream_events) {
        let mut record = begun(desk, scene, flow, scene.direction, "anomaly");
        let mut anomaly = Object::new();
        anomaly.text("type", "stream");
        anomaly.text("event", &format!("stream.{name}"));
        record.object("anomaly", anomaly);
        desk.write("anomaly", record);
    }
    let spoken = flow.protocol_spoken().and_then(table::protocol).map_or("failed", |protocol| protocol.name);
    for name in (0..8).filter(|bit| scene.layer_events >> bit & 1 == 1).filter_map(layer_event_name) {
        let mut record = begun(desk, scene, flow, scene.direction, "anomaly");
        record.object("anomaly", layer_anomaly(spoken, name, "proto_detect"));
        desk.write("anomaly", record);
    }
}

fn layer_anomaly(protocol: &str, event: &str, layer: &str) -> Object {
    let mut anomaly = Object::new();
    anomaly.text("app_proto", protocol);
    anomaly.text("type", "applayer");
    anomaly.text("event", event);
    anomaly.text("layer", layer);
    anomaly
}

/// The beginning of an event about a flow, told as what goes this way.
fn begun(desk: &Desk, scene: &Scene<'_>, flow: &Flow, direction: Direction, kind: &str) -> Object {
    let (source, destination) = flow.ends_of(direction);
    let vlan: Vec<u16> = flow.key.vlan().collect();
    eve::head(&Head {
        time: scene.time,
        flow: Some(flow.id),
        frame: scene.packet.map(|_| desk.place.frame),
        kind,
        vlan: &vlan,
        source,
        destination,
        protocol: flow.protocol,
        icmp: flow.icmp[direction.index()],
        is_of_packets: true,
    })
}

/// The beginning of an event about a packet, which may have no addresses.
fn of_packet(desk: &Desk, packet: &Packet<'_>, flow: Option<&Flow>) -> Object {
    if packet.ip.is_none() {
        let mut record = Object::new();
        record.text("timestamp", &eve::timestamp(packet.time));
        record.number("pcap_cnt", desk.place.frame);
        record.text("event_type", "anomaly");
        record.text("pkt_src", "wire/pcap");
        return record;
    }
    eve::head(&Head {
        time: packet.time,
        flow: flow.map(|flow| flow.id),
        frame: Some(desk.place.frame),
        kind: "anomaly",
        vlan: packet.vlan.ids(),
        source: (packet.source, packet.source_port),
        destination: (packet.destination, packet.destination_port),
        protocol: packet.protocol,
        icmp: packet.transport.icmp(),
        is_of_packets: true,
    })
}
