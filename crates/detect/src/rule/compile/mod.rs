//! From options to conditions.
//!
//! Options are read in their order. A sticky buffer decides what the options after it look into; a modifier of a content looks back to the last content.
//! After the last option: what was asked of one buffer is one chain, candidates get their fast pattern, and the rule gets its
//! [`Kind`]: when it is asked at all.
//!
//! An option that nobody knows refuses the whole rule, by its name. One whose value makes no sense makes the rule wrong, and so does a head that does:
//! which of the two it is stands in the [`Complaint`].

mod byte_options;
mod content_options;
mod expression;
mod failure;
mod head;
mod hook;
mod kind;
mod meta;
mod refusals;
mod state_options;

pub(crate) use expression::complaint as expression_complaint;
pub(crate) use failure::Failure;
pub use failure::{HEAD, RULE, Refusal};
pub(crate) use head::action;
pub(crate) use kind::directions;

use super::compiled::{Absent, BufferKey, FramePart, Meta, PacketPart, Part, Payload, Rule, View, What};
use super::syntax::{Arrow, Source, SourceOption};
use super::{AddressSet, PortSet, Variables};
use crate::Complaint;
use crate::app::{Buffer, Field, Keyword, Letters, Number, ProtocolId, Sides, Takes};
use crate::frame::keywords::PacketTest;
use crate::inspect::transform::Transform;
use crate::inspect::{Chain, Link};
use crate::lists::Lists;
use crate::state::{BitTest, Change, Filter, FlowTest, IntTest, Late, Threshold};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Buffers of one rule at most.
const PARTS_MAX: usize = 64;
/// Transformations of one buffer at most.
const TRANSFORMS_MAX: usize = 16;

/// Reads the file of this name, which a rule asks for; or says why it cannot be read.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Everything that rules of one set have in common.
pub(crate) struct Compiler<'a> {
    pub(crate) variables: &'a Variables,
    pub(crate) read: ReadFile<'a>,
    pub(crate) lists: Lists,
    /// Names of bits, numbers and shared bits, by their place.
    pub(crate) names: BTreeMap<String, u32>,
    /// Buffers with what is done to them, by their place.
    pub(crate) buffers: Vec<(BufferKey, Vec<Transform>)>,
    buffer_places: BTreeMap<BufferKey, u32>,
    keywords: BTreeMap<&'static str, Keyword>,
    addresses: BTreeMap<String, Arc<AddressSet>>,
    ports: BTreeMap<String, Arc<PortSet>>,
    expressions: BTreeMap<(Vec<u8>, u8), Arc<pcre::Regex>>,
    /// How often each keyword was read.
    pub(crate) used: BTreeMap<String, u64>,
    /// What is odd about the rule that was read last: at which byte of it, and what.
    pub(crate) warnings: Vec<(usize, String)>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(variables: &'a Variables, read: ReadFile<'a>) -> Self {
        let mut keywords = BTreeMap::new();
        for protocol in crate::app::table::PROTOCOLS {
            for keyword in protocol.keywords {
                keywords.entry(keyword.name).or_insert(*keyword);
            }
        }
        for keyword in crate::app::file::KEYWORDS {
            keywords.entry(keyword.name).or_insert(*keyword);
        }
        Compiler {
            variables,
            read,
            lists: Lists::default(),
            names: BTreeMap::new(),
            buffers: Vec::new(),
            buffer_places: BTreeMap::new(),
            keywords,
            addresses: BTreeMap::new(),
            ports: BTreeMap::new(),
            expressions: BTreeMap::new(),
            used: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// The number of a name.
    fn name(&mut self, name: &str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        *self.names.entry(name.to_owned()).or_insert(next)
    }

    fn keyword(&self, name: &str) -> Option<Keyword> {
        self.keywords.get(name).copied()
    }

    fn buffer(&mut self, key: BufferKey, transforms: Vec<Transform>) -> u32 {
        let next = u32::try_from(self.buffers.len()).unwrap_or(u32::MAX);
        if let Some(place) = self.buffer_places.get(&key) {
            return *place;
        }
        self.buffer_places.insert(key.clone(), next);
        self.buffers.push((key, transforms));
        next
    }

    /// Makes a rule of what was written.
    pub(crate) fn compile(&mut self, source: &Source<'_>) -> Result<Rule, Failure> {
        // One that says itself that it is not for us may be written in whatever language it likes.
        for option in source.options.iter().filter(|option| option.name.eq_ignore_ascii_case("requires")) {
            self.requires(option.value)
                .map_err(|complaint| Failure::new(option.value_at, "requires", complaint))?;
        }
        self.head_makes_sense(source)?;
        if !source.options.iter().any(|option| option.name.eq_ignore_ascii_case("sid")) {
            return Err(self.without_sid(source));
        }
        let mut draft = Draft::new(source);
        for option in &source.options {
            // Names of keywords may be written in any case.
            let name = option.name.to_ascii_lowercase();
            let option = &SourceOption { name: &name, ..*option };
            *self.used.entry(option.name.to_owned()).or_default() += 1;
            let parts_before = draft.parts.len();
            let read = self.option(&mut draft, option);
            let read = read.and_then(|()| draft.narrow_protocols(parts_before, option.name, option.value));
            read.map_err(|complaint| self.blame(option, complaint))?;
        }
        let rule = |complaint| Failure::new(0, RULE, complaint);
        let head = self.head(source, &mut draft)?;
        draft.contradictions(&head).map_err(rule)?;
        self.finish(draft, head).map_err(rule)
    }

    fn option(&mut self, draft: &mut Draft, option: &SourceOption<'_>) -> Result<(), Complaint> {
        let value = option.value;
        if self.meta_option(draft, option)?
            || self.content_option(draft, option)?
            || self.byte_option(draft, option)?
            || self.state_option(draft, option)?
        {
            return Ok(());
        }
        if let Some(transform) = Transform::parse(option.name, value) {
            return draft.add_transform(option.name, value, transform?);
        }
        if let Some(keyword) = crate::frame::keywords::keyword(option.name) {
            if option.name == "dsize" && std::mem::replace(&mut draft.has_dsize, true) {
                return Err(Complaint::new("a rule has one 'dsize'"));
            }
            draft.packet.push((keyword.parse)(value)?);
            draft.needs_packet |= keyword.needs_packet();
            return Ok(());
        }
        if let Some(field) = crate::frame::packet_buffer(option.name) {
            draft.needs_packet |= !matches!(option.name, "ip.src" | "ip.dst");
            return draft.look_into(Where::Packet(field));
        }
        match self.keyword(option.name).map(|keyword| keyword.takes) {
            Some(Takes::Buffer(buffer)) => {
                // In a rule on a whole exchange, which half is meant.
                let sides = match value {
                    "" => buffer.sides,
                    "to_server" if draft.exchange => Sides::ToServer,
                    "to_client" if draft.exchange => Sides::ToClient,
                    _ => return Err(Complaint::new(format!("'{}' takes no value", option.name))),
                };
                draft.look_into(Where::Layer(Buffer { sides, ..buffer }))
            }
            Some(Takes::Modifier(_)) if !value.is_empty() => {
                Err(Complaint::new(format!("'{}' takes no value", option.name)))
            }
            Some(Takes::Modifier(_)) if !draft.place_is_payload() => Err(Complaint::new(format!(
                "'{}' moves a content, and here contents go into a sticky buffer: 'pkt_data' ends that",
                option.name
            ))),
            Some(Takes::Modifier(buffer)) => draft.move_last_content(Where::Layer(buffer)),
            Some(Takes::Folded(buffer, letters)) => {
                draft.look_into(Where::Layer(buffer))?;
                draft.open().1.letters = Some(letters);
                Ok(())
            }
            Some(Takes::Number(number)) => draft.add_number(&number, value),
            Some(Takes::Test(parse)) => {
                let test = parse(value)?;
                draft.parts.push(DraftPart::Done(Part {
                    sides: test.sides,
                    protocols: test.protocols,
                    what: What::Test(test),
                }));
                Ok(())
            }
            Some(Takes::File(parse)) => {
                draft.files.push(parse(value, self.read)?);
                Ok(())
            }
            None => Err(Complaint::lacking(format!("{UNKNOWN}: '{}'", option.name))),
        }
    }

    fn finish(&mut self, mut draft: Draft, head: super::compiled::Head) -> Result<Rule, Complaint> {
        let mut parts = Vec::new();
        let (mut packet_parts, mut frames, mut payload) = (Vec::new(), Vec::new(), None);
        draft.join_what_is_relative();
        for part in std::mem::take(&mut draft.parts) {
            match part {
                DraftPart::Done(part) => parts.push(part),
                DraftPart::Open(mut open) => match open.at {
                    Where::Payload => payload = Some(open.chain),
                    Where::Packet(field) => {
                        refusals::chain_makes_sense(&open.chain, open.absent)?;
                        packet_parts.push(PacketPart {
                            field,
                            transforms: steps(open.transforms),
                            chain: open.chain,
                        });
                    }
                    Where::Frame(name) => {
                        refusals::chain_makes_sense(&open.chain, open.absent)?;
                        frames.push(FramePart {
                            name,
                            transforms: steps(open.transforms),
                            chain: open.chain,
                        });
                    }
                    Where::Layer(buffer) => {
                        if let Some(letters) = open.letters {
                            fold(&mut open.chain, letters);
                        }
                        refusals::chain_makes_sense(&open.chain, open.absent)?;
                        if open.transforms.is_empty() {
                            self.may_be_in(buffer.field, &open.chain)?;
                        }
                        let key = BufferKey {
                            field: buffer.field,
                            transforms: open
                                .transforms
                                .iter()
                                .map(|step| (step.0.clone(), step.1.clone()))
                                .collect(),
                        };
                        let place = self.buffer(key, steps(open.transforms));
                        let what = What::Buffer { buffer: place, chain: open.chain, absent: open.absent };
                        parts.push(Part { sides: buffer.sides, protocols: buffer.protocols, what });
                    }
                },
            }
        }
        let files = std::mem::take(&mut draft.files);
        if !files.is_empty() {
            parts.push(Part { sides: Sides::Both, protocols: &[], what: What::Files(files) });
        }
        if let (Some(chain), Some(most)) = (&payload, PacketTest::payload_bytes_max_of(&draft.packet)) {
            refusals::contents_fit(chain, most, "dsize")?;
        }
        let payload = payload.filter(|chain| !chain.is_empty()).map(|chain| {
            let positional = chain.links.iter().any(|link| match link {
                Link::Content(content) => content.depth.is_some() || content.offset.is_some(),
                _ => false,
            });
            // What a rule says of a packet's headers or of the stream's size is about the packet that brings the string.
            let needs_packet = draft.needs_packet
                || draft.flow_tests.iter().any(|test| matches!(test, FlowTest::StreamSize(..)));
            payload_view(chain, head.view, draft.flow.stream, positional, needs_packet)
        });
        kind::rule(draft, head, parts, packet_parts, frames, payload, &self.lists)
    }
}

/// Brings what is looked for into the case that the buffer has.
fn fold(chain: &mut Chain, letters: Letters) {
    for link in &mut chain.links {
        if let Link::Content(content) = link {
            match letters {
                Letters::Small => content.bytes.make_ascii_lowercase(),
                Letters::Capital => content.bytes.make_ascii_uppercase(),
            }
        }
    }
}

/// Where a payload rule looks: into the stream, into packets, or both.
fn payload_view(
    chain: Chain,
    view: Option<View>,
    wanted: Option<bool>,
    positional: bool,
    needs_packet: bool,
) -> Payload {
    match (view, wanted) {
        (Some(View::Packets), _) | (_, Some(false)) => {
            Payload { chain, stream: false, packet: true, loose: true }
        }
        (Some(View::Stream), _) | (_, Some(true)) => {
            Payload { chain, stream: true, packet: false, loose: false }
        }
        (None, None) if needs_packet => Payload { chain, stream: false, packet: true, loose: true },
        (None, None) => Payload { chain, stream: true, packet: positional, loose: true },
    }
}

fn steps(transforms: Vec<(String, String, Transform)>) -> Vec<Transform> {
    transforms.into_iter().map(|step| step.2).collect()
}

/// How the complaint about a keyword begins that nobody knows.
const UNKNOWN: &str = "the keyword is not supported";
/// How the complaint begins when `requires` is not met.
const UNMET: &str = "not for this engine";

/// What the options after a sticky buffer look into.
#[derive(Clone, Copy, Debug)]
enum Where {
    Payload,
    Packet(Field),
    Frame(&'static str),
    Layer(Buffer),
}

impl Where {
    fn same(&self, other: &Where) -> bool {
        match (self, other) {
            (Where::Payload, Where::Payload) => true,
            (Where::Packet(left), Where::Packet(right)) => left == right,
            (Where::Frame(left), Where::Frame(right)) => left == right,
            (Where::Layer(left), Where::Layer(right)) => {
                left.field == right.field && left.sides == right.sides
            }
            _ => false,
        }
    }
}

/// A buffer whose options are still being read.
struct OpenPart {
    at: Where,
    transforms: Vec<(String, String, Transform)>,
    chain: Chain,
    absent: Absent,
    /// The buffer's letters are all of one case: so are those of what is looked for.
    letters: Option<Letters>,
}

impl OpenPart {
    fn at(at: Where) -> Self {
        OpenPart { at, transforms: Vec::new(), chain: Chain::default(), absent: Absent::Fails, letters: None }
    }
}

enum DraftPart {
    Open(OpenPart),
    Done(Part),
}

/// A rule that is being read.
struct Draft {
    meta: Meta,
    /// `priority` was said: a class does not change it.
    has_priority: bool,
    exchange: bool,
    parts: Vec<DraftPart>,
    /// The place in `parts` that options look into.
    current: Option<usize>,
    /// What follows looks into what base64 stood for.
    in_base64: bool,
    /// Where the last content stands: part and link.
    last_content: Option<(usize, usize)>,
    last_in_base64: bool,
    /// The part with the last content or expression.
    last_match: Option<usize>,
    packet: Vec<PacketTest>,
    has_dsize: bool,
    /// A keyword is about packets, not about what was said in them.
    needs_packet: bool,
    flow: super::compiled::FlowWants,
    flow_tests: Vec<FlowTest>,
    /// `decode-event` or `stream-event` is asked for.
    has_events: bool,
    bits: Vec<BitTest>,
    ints: Vec<IntTest>,
    late: Vec<Late>,
    changes: Vec<Change>,
    threshold: Option<Threshold>,
    filter: Option<Filter>,
    files: Vec<crate::app::file::FileTest>,
    is_silent: bool,
    /// Names that `byte_extract` and its like gave to numbers.
    variables: Vec<String>,
    /// What is asked of the ends' reputation.
    reputation: Vec<crate::rule::reputation::ReputationTest>,
    layers: Vec<ProtocolId>,
    /// The protocols that the head names.
    head_layers: Vec<ProtocolId>,
    /// The protocols that what was read so far leaves open; none, if nothing was said of them.
    spoken: Vec<ProtocolId>,
    /// What `app-layer-protocol` asked for: whether it is unwanted, and its name.
    asked_protocols: Vec<(bool, String)>,
    /// The content, by its place, that stands at the buffer's beginning.
    starting_content: Option<(usize, usize)>,
    /// Options other than those that go with a rule on addresses alone.
    beyond_addresses: bool,
}

impl Draft {
    fn new(source: &Source<'_>) -> Self {
        let name = source.protocol.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let head_layers = head::layers(&name).unwrap_or_default();
        Draft {
            meta: meta::empty(),
            has_priority: false,
            exchange: source.arrow == Arrow::Exchange,
            parts: Vec::new(),
            current: None,
            in_base64: false,
            last_content: None,
            last_in_base64: false,
            last_match: None,
            packet: Vec::new(),
            has_dsize: false,
            needs_packet: false,
            flow: super::compiled::FlowWants::default(),
            flow_tests: Vec::new(),
            has_events: false,
            bits: Vec::new(),
            ints: Vec::new(),
            late: Vec::new(),
            changes: Vec::new(),
            threshold: None,
            filter: None,
            files: Vec::new(),
            is_silent: false,
            variables: Vec::new(),
            reputation: Vec::new(),
            layers: Vec::new(),
            spoken: refusals::head_protocols(&name, &head_layers),
            head_layers,
            asked_protocols: Vec::new(),
            starting_content: None,
            beyond_addresses: false,
        }
    }

    /// What follows looks into `at`. Options on the same buffer go to one chain, unless the buffer was transformed there.
    fn look_into(&mut self, at: Where) -> Result<(), Complaint> {
        self.in_base64 = false;
        if self.parts.len() >= PARTS_MAX {
            return Err(Complaint::lacking(format!("more than {PARTS_MAX} buffers in one rule")));
        }
        let is_last = self.current.and_then(|place| self.parts.get(place)).is_some_and(|part| {
            matches!(part, DraftPart::Open(open) if open.at.same(&at) && open.transforms.is_empty() && open.chain.is_empty())
        });
        if is_last {
            return Ok(());
        }
        self.parts.push(DraftPart::Open(OpenPart::at(at)));
        self.current = Some(self.parts.len() - 1);
        Ok(())
    }

    /// What begins with a link that depends on the last match goes on where the same buffer was looked into before.
    fn join_what_is_relative(&mut self) {
        for place in (1..self.parts.len()).rev() {
            let (before, from) = self.parts.split_at_mut(place);
            let Some(DraftPart::Open(open)) = from.first_mut() else { continue };
            let is_relative = match open.chain.links.first() {
                Some(Link::Content(content)) => content.is_relative(),
                Some(Link::Expression(expression)) => expression.relative,
                _ => false,
            };
            if !is_relative || !open.transforms.is_empty() {
                continue;
            }
            let earlier = before.iter_mut().rev().find_map(|part| match part {
                DraftPart::Open(earlier) if earlier.at.same(&open.at) && earlier.transforms.is_empty() => {
                    Some(earlier)
                }
                _ => None,
            });
            if let Some(earlier) = earlier {
                depend_on_last(&mut earlier.chain);
                earlier.chain.links.append(&mut open.chain.links);
                self.parts.remove(place);
            }
        }
    }

    fn place_is_payload(&self) -> bool {
        match self.current.and_then(|place| self.parts.get(place)) {
            None => true,
            Some(DraftPart::Open(open)) => matches!(open.at, Where::Payload),
            Some(DraftPart::Done(_)) => false,
        }
    }

    /// The place of the chain of the payload, made if there is none.
    fn payload(&mut self) -> usize {
        let found = self
            .parts
            .iter()
            .position(|part| matches!(part, DraftPart::Open(open) if matches!(open.at, Where::Payload)));
        found.unwrap_or_else(|| {
            self.parts.push(DraftPart::Open(OpenPart::at(Where::Payload)));
            self.parts.len() - 1
        })
    }

    fn open(&mut self) -> (usize, &mut OpenPart) {
        let place = match self.current {
            Some(place) => place,
            None => {
                let place = self.payload();
                self.current = Some(place);
                place
            }
        };
        match &mut self.parts[place] {
            DraftPart::Open(open) => (place, open),
            DraftPart::Done(_) => unreachable!("`current` only ever points at an open part"),
        }
    }

    /// The chain that options add to now.
    fn chain(&mut self) -> (usize, &mut Chain) {
        let in_base64 = self.in_base64;
        let (place, open) = self.open();
        let chain = &mut open.chain;
        if !in_base64 {
            return (place, chain);
        }
        let decode = chain.links.iter().rposition(|link| matches!(link, Link::Base64(_)));
        match decode {
            Some(at) => match &mut chain.links[at] {
                Link::Base64(base64) => (place, base64.chain.get_or_insert_default()),
                _ => unreachable!("the place was found by this very pattern"),
            },
            None => (place, chain),
        }
    }

    /// Adds a condition on the buffer. One that depends on where the last one was found makes that one worth another try.
    fn add_link(&mut self, link: Link, is_relative: bool) {
        let in_base64 = self.in_base64;
        // What is relative goes where the last match is, unless a sticky buffer says otherwise.
        if is_relative
            && !in_base64
            && self.place_is_payload()
            && let Some(place) = self.last_match
            && matches!(self.parts.get(place), Some(DraftPart::Open(_)))
        {
            let before = self.current;
            self.current = Some(place);
            self.push_link(link, true);
            self.current = before;
            return;
        }
        self.push_link(link, is_relative);
    }

    fn push_link(&mut self, link: Link, is_relative: bool) {
        let in_base64 = self.in_base64;
        let (place, chain) = self.chain();
        if is_relative {
            depend_on_last(chain);
        }
        let is_content = matches!(link, Link::Content(_));
        let is_match = is_content || matches!(link, Link::Expression(_));
        chain.links.push(link);
        let at = chain.links.len() - 1;
        if is_match {
            self.last_match = Some(place);
        }
        if is_content {
            self.last_content = Some((place, at));
            self.last_in_base64 = in_base64;
        }
    }

    fn add_transform(&mut self, name: &str, value: &str, transform: Transform) -> Result<(), Complaint> {
        let (_, open) = self.open();
        let at = open.at;
        if matches!(at, Where::Payload) {
            return Err(Complaint::new(format!("'{name}' needs a sticky buffer before it")));
        }
        // Once something was looked for, the buffer is looked into again, changed.
        if !open.chain.is_empty() {
            self.look_into(at)?;
        }
        let (_, open) = self.open();
        if open.transforms.len() >= TRANSFORMS_MAX {
            return Err(Complaint::lacking(format!(
                "more than {TRANSFORMS_MAX} transformations of one buffer"
            )));
        }
        open.transforms.push((name.to_owned(), value.to_owned(), transform));
        Ok(())
    }

    fn add_number(&mut self, number: &Number, value: &str) -> Result<(), Complaint> {
        let test = crate::NumberTest::parse(value, number.max, number.names)?;
        let what = What::Number { field: number.field, test };
        self.parts.push(DraftPart::Done(Part { sides: number.sides, protocols: number.protocols, what }));
        Ok(())
    }

    fn add_part(&mut self, sides: Sides, protocols: &'static [ProtocolId], what: What) {
        self.parts.push(DraftPart::Done(Part { sides, protocols, what }));
    }
}

/// The last content or expression of a chain is worth looking for at another place.
fn depend_on_last(chain: &mut Chain) {
    for link in chain.links.iter_mut().rev() {
        match link {
            Link::Content(content) => {
                content.next_depends = true;
                return;
            }
            Link::Expression(expression) => {
                expression.next_depends = true;
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod option_tests;
