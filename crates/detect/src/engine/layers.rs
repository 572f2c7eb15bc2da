//! From bytes in order to exchanges: what is spoken is found out, and its parser is fed.
//!
//! Upon bytes of a side of which nothing is known: [`recognise`]. Once one side is known, both sides are fed to the same parser, what was said first
//! first. When neither side is understood, nobody looks again.
//! Upon what a parser asks for: what follows is another protocol, is to be recognised anew, or cannot be read.
//! Upon the end of a side: the parser is told.

use super::holds::Scene;
use super::packets::ask_frame;
use super::recognise::{self, recognise};
use super::worker::Desk;
use crate::Direction;
use crate::app::table::protocol;
use crate::app::{
    Broken, Context, Expectation, Input, Next, ProtocolId, Taken, Transport, UNTAKEN_BYTES_MAX,
};
use crate::flow::{
    Flow, LAYER_MISMATCH, LAYER_NO_TLS, LAYER_ONE_SIDE, LAYER_SKIPPED, LAYER_UNEXPECTED, Layer,
    ProtocolChange, Recognition,
};
use crate::rule::RuleSet;
use crate::stream::Supply;

/// What feeding brought.
#[derive(Default)]
pub(super) struct Fed {
    /// Something may have changed in this direction.
    pub(super) changed: [bool; 2],
    /// An exchange was completed by what was fed last.
    understood: bool,
    /// Flows that were announced.
    pub(super) expected: Vec<Expectation>,
    /// What was understood before the protocol changed has to be looked at before that.
    pub(super) switch: Option<Next>,
}

/// What a parser was shown of a stream.
enum Shown {
    /// So many bytes are lost.
    Gap(u64),
    /// Bytes, of which it took so many; nothing if it gave up.
    Taken(Option<usize>),
    Nothing,
}

/// Feeds what a stream has in `direction`. With `all` also what was not acknowledged: nothing more will come.
pub(super) fn feed_stream(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    all: bool,
    fed: &mut Fed,
) {
    // Each turn takes bytes or ends: no stream has more than this.
    for _ in 0..u16::MAX {
        if fed.switch.is_some() || flow.layer == Layer::Failed || flow.is_opaque || flow.is_broken {
            break;
        }
        // The bytes belong to the session, and the session to the flow that is being changed: it is taken out meanwhile.
        let Some(session) = flow.session.take() else { break };
        let is_enough = |bytes: &[u8]| all || bytes.len() as u64 >= flow.wanted[direction.index()];
        let shown = match session.for_app(direction, all) {
            Supply::Bytes(bytes, offset) if is_enough(bytes) => {
                Shown::Taken(bytes_of_stream(desk, base, flow, direction, bytes, offset, all, fed))
            }
            Supply::Bytes(..) => Shown::Taken(Some(0)),
            Supply::Gap(bytes) => Shown::Gap(bytes),
            Supply::Nothing => Shown::Nothing,
        };
        let session = flow.session.insert(session);
        match shown {
            Shown::Nothing => break,
            Shown::Gap(bytes) => gap(desk, base, flow, direction, (0, bytes), fed),
            Shown::Taken(taken) => {
                if std::mem::take(&mut fed.understood) {
                    session.flush(direction);
                }
                match taken {
                    Some(taken @ 1..) => session.app_took(direction, taken as u64),
                    Some(0) if give_up_on_rest(desk, base, flow, direction, all, fed) => {}
                    Some(0) | None => break,
                }
            }
        }
    }
    settle(flow);
}

/// The parser waits for the rest of something, and the rest is lost: it is told so. True if it was.
fn give_up_on_rest(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    all: bool,
    fed: &mut Fed,
) -> bool {
    let hole = flow.session.as_ref().and_then(|session| session.hole_behind(direction, all));
    let (Some(lost), true, None) = (hole, flow.parser.is_some(), fed.switch) else { return false };
    gap(desk, base, flow, direction, lost, fed);
    true
}

/// Nobody needs bytes that nobody will be shown.
fn settle(flow: &mut Flow) {
    let done = flow.layer == Layer::Failed || flow.is_opaque || flow.is_broken;
    if done && let Some(session) = &mut flow.session {
        session.app_is_done(Direction::ToServer);
        session.app_is_done(Direction::ToClient);
    }
}

/// How many bytes were taken.
#[allow(clippy::too_many_arguments)] // They are what there is to know of the bytes.
fn bytes_of_stream(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    bytes: &[u8],
    offset: u64,
    all: bool,
    fed: &mut Fed,
) -> Option<usize> {
    if flow.layer == Layer::Unknown && !learn(base.set, flow, direction, Transport::Tcp, bytes, fed) {
        return None;
    }
    let input = Input { bytes, offset: offset - flow.switched_at[direction.index()].min(offset), last: all };
    let taken = feed(desk, base, flow, direction, input, fed);
    // The change is through once what follows was shown to who reads it.
    flow.change = None;
    let taken = taken?;
    let rest = bytes.len() - taken.bytes.min(bytes.len());
    flow.wanted[direction.index()] = if rest == 0 { 0 } else { (taken.wanted as u64).max(rest as u64 + 1) };
    if rest > UNTAKEN_BYTES_MAX {
        flow.is_broken = true;
    }
    Some(taken.bytes.min(bytes.len()))
}

/// Finds out what is spoken. True if it is known now.
fn learn(
    set: &RuleSet,
    flow: &mut Flow,
    direction: Direction,
    transport: Transport,
    said: &[u8],
    fed: &mut Fed,
) -> bool {
    let side = direction.index();
    if flow.recognition[side] == Recognition::Open {
        let answer = recognise(transport, direction, (flow.client.1, flow.server.1), said);
        flow.recognition[side] = answer.recognition;
        if answer.reversed {
            flow.reverse();
            // Who fed us goes on as it was, with the ends as they are.
        }
    }
    match flow.recognition {
        [Recognition::Is(protocol), _] | [_, Recognition::Is(protocol)] => {
            begin(set, flow, protocol);
            if let Some(wanted) =
                flow.change.and_then(|change| change.to).filter(|wanted| *wanted != protocol)
            {
                flow.layer_events |= 1 << LAYER_UNEXPECTED;
                if wanted == ProtocolId::Tls {
                    flow.layer_events |= 1 << LAYER_NO_TLS;
                }
            }
            fed.changed = [true; 2];
            true
        }
        [Recognition::Nothing, Recognition::Nothing] => {
            flow.layer = Layer::Failed;
            flow.layer_events |= 1 << LAYER_SKIPPED;
            false
        }
        _ => {
            // One side that says much and means nothing is not waited for.
            if flow.recognition[side] == Recognition::Nothing && said.len() > 8 * recognise::BYTES_MAX {
                flow.layer = Layer::Failed;
            }
            false
        }
    }
}

/// What the other side says first is compared with what is spoken.
fn compare(flow: &mut Flow, direction: Direction, transport: Transport, said: &[u8]) {
    let side = direction.index();
    let (Recognition::Open, Layer::Known(spoken)) = (flow.recognition[side], flow.layer) else { return };
    let answer = recognise(transport, direction, (flow.client.1, flow.server.1), said);
    flow.recognition[side] = answer.recognition;
    match answer.recognition {
        Recognition::Is(other) if other != spoken && flow.switched_at == [0, 0] => {
            flow.layer_events |= 1 << LAYER_MISMATCH
        }
        Recognition::Nothing if flow.switched_at == [0, 0] => flow.layer_events |= 1 << LAYER_ONE_SIDE,
        _ => {}
    }
}

/// From here on this is spoken.
pub(super) fn begin(set: &RuleSet, flow: &mut Flow, spoken: ProtocolId) {
    flow.layer = Layer::Known(spoken);
    flow.parser = protocol(spoken).map(|protocol| (protocol.begin)(&set.settings));
    flow.is_broken = flow.parser.is_none();
    flow.ended = [false; 2];
    flow.wanted = [0; 2];
}

fn feed(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    input: Input<'_>,
    fed: &mut Fed,
) -> Option<Taken> {
    let transport = flow.ends().transport;
    compare(flow, direction, transport, input.bytes);
    if flow.parser.as_ref().is_none_or(|parser| parser.live() == 0) {
        flow.shown = 0;
    }
    let taken = with_parser(desk, base, flow, direction, fed, |parser, context| {
        parser.feed(direction, input, context)
    })?;
    flow.shown = flow.shown.saturating_add(taken.bytes);
    Some(taken)
}

/// So many bytes were left by the parser, and so many behind them are lost.
fn gap(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    (left, bytes): (u64, u64),
    fed: &mut Fed,
) {
    if flow.layer == Layer::Unknown {
        // The beginning is lost: what follows says nothing for certain.
        flow.recognition[direction.index()] = Recognition::Nothing;
        if flow.recognition == [Recognition::Nothing; 2]
            || flow.recognition[direction.reversed().index()] == Recognition::Open
        {
            flow.layer = Layer::Failed;
        }
    } else {
        with_parser(desk, base, flow, direction, fed, |parser, context| {
            parser.gap(direction, bytes, context).map(|()| Taken { bytes: 0, wanted: 0 })
        });
    }
    flow.wanted[direction.index()] = 0;
    if let Some(session) = &mut flow.session {
        session.app_took(direction, left + bytes);
    }
}

/// A datagram.
pub(super) fn feed_datagram(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    payload: &[u8],
    fed: &mut Fed,
) {
    let direction = base.direction;
    if payload.is_empty() || flow.layer == Layer::Failed || flow.is_opaque || flow.is_broken {
        return;
    }
    let mut direction = direction;
    if flow.layer == Layer::Unknown {
        let client = flow.client;
        if !learn(base.set, flow, direction, Transport::Udp, payload, fed) {
            return;
        }
        if flow.client != client {
            direction = direction.reversed();
        }
    }
    let input = Input { bytes: payload, offset: 0, last: false };
    feed(desk, base, flow, direction, input, fed);
}

/// A side will say nothing more.
pub(super) fn end(desk: &mut Desk, base: &Scene<'_>, flow: &mut Flow, direction: Direction, fed: &mut Fed) {
    if flow.ended[direction.index()] || flow.parser.is_none() {
        return;
    }
    flow.ended[direction.index()] = true;
    with_parser(desk, base, flow, direction, fed, |parser, context| {
        parser.end(direction, context);
        Ok(Taken { bytes: 0, wanted: 0 })
    });
}

/// Lets the parser work, and does what it asks for.
fn with_parser(
    desk: &mut Desk,
    base: &Scene<'_>,
    flow: &mut Flow,
    direction: Direction,
    fed: &mut Fed,
    work: impl FnOnce(&mut dyn crate::app::AnyParser, &mut Context<'_>) -> Result<Taken, Broken>,
) -> Option<Taken> {
    let mut parser = flow.parser.take()?;
    let mut context = Context::new(base.time, flow.ends(), &base.set.settings);
    context.changing = flow.change.is_some();
    let announced = flow.announced.take();
    if let Some((note, name)) = &announced {
        context.announced = Some(*note);
        context.announced_name = name;
    }
    let complete = parser.complete(direction);
    let taken = work(&mut *parser, &mut context);
    fed.understood |= parser.complete(direction) > complete;
    flow.parser = Some(parser);
    fed.changed = [true; 2];
    fed.expected.append(&mut context.expectations);
    flow.watch.refusals = flow.watch.refusals.saturating_add(context.refused_logins);
    let (frames, next, told) = (context.frames, context.next, context.told);
    flow.announced = if told.is_empty() { announced } else { Some((0, told)) };
    for frame in frames {
        // Frames belong to what is spoken, also if it was learnt a moment ago.
        let scene = Scene { layer: flow.protocol_spoken(), ..base.towards(frame.direction) };
        ask_frame(desk, &scene, flow, frame.name, &frame.bytes);
    }
    match next {
        Some(Next::Opaque) => (flow.is_opaque, flow.becomes_encrypted) = (true, true),
        Some(Next::Encrypted) => flow.becomes_encrypted = true,
        Some(Next::Rename(protocol)) => rename(flow, protocol),
        next => fed.switch = next,
    }
    match taken {
        Ok(taken) => Some(taken),
        Err(Broken) => {
            flow.is_broken = true;
            None
        }
    }
}

/// The flow is called something else from now on. Other rules may concern its exchanges, so all of them are looked at anew.
fn rename(flow: &mut Flow, protocol: ProtocolId) {
    if flow.layer == Layer::Known(protocol) {
        return;
    }
    flow.layer = Layer::Known(protocol);
    flow.recognition = [Recognition::Is(protocol); 2];
    if let Some(parser) = &mut flow.parser {
        for place in 0..parser.live() {
            if let Some((_, _, inspection)) = parser.at_mut(place) {
                for side in &mut inspection.sides {
                    (side.scanned, side.begun) = (0, false);
                }
            }
        }
    }
}

/// What is said next is recognised anew.
fn await_change(flow: &mut Flow, to: Option<ProtocolId>) {
    flow.change = flow.protocol_spoken().map(|from| ProtocolChange { from, to });
    flow.layer = Layer::Unknown;
    flow.parser = None;
    flow.recognition = [Recognition::Open; 2];
    flow.told_layer = [false; 2];
}

/// What follows is something else.
pub(super) fn switch(set: &RuleSet, flow: &mut Flow, next: Next) {
    match next {
        // Whether it is TLS that follows is seen by what is said.
        Next::Switch(ProtocolId::Tls) => await_change(flow, Some(ProtocolId::Tls)),
        Next::Switch(protocol) => {
            begin(set, flow, protocol);
            flow.recognition = [Recognition::Is(protocol); 2];
        }
        Next::Recognise => await_change(flow, None),
        Next::Opaque => (flow.is_opaque, flow.becomes_encrypted) = (true, true),
        Next::Encrypted => flow.becomes_encrypted = true,
        Next::Rename(protocol) => rename(flow, protocol),
    }
    if let Some(session) = &flow.session {
        flow.switched_at = [session.app_at(Direction::ToServer), session.app_at(Direction::ToClient)];
    }
}
