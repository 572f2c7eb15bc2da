//! What rules ask of flows and remember of them: `flow`, `flowbits`, `flowint`, `xbits`, `threshold`, `dataset`, `app-layer-event`, …

use super::{Compiler, Draft, head};
use crate::app::table::PROTOCOLS;
use crate::app::{ProtocolId, Sides};
use crate::inspect::Link;
use crate::inspect::chain::Listed;
use crate::lists::{Ask, Kind, Text};
use crate::rule::compiled::What;
use crate::rule::reputation::ReputationTest;
use crate::rule::syntax::SourceOption;
use crate::state::{
    BitTest, Change, Filter, FlowTest, IntCompare, IntTest, IntValue, Late, LayerOf, Shared, SharedAsk,
    SizeOf, Threshold, ThresholdKind, Track,
};
use crate::{Complaint, Direction, NumberTest};

/// The names of the options that are read here.
pub(super) const NAMES: &[&str] = &[
    "flow",
    "flowbits",
    "flowint",
    "xbits",
    "hostbits",
    "threshold",
    "detection_filter",
    "dataset",
    "datarep",
    "app-layer-event",
    "app-layer-protocol",
    "stream-event",
    "stream_size",
    "flow.age",
    "flow.pkts",
    "flow.pkts_toserver",
    "flow.pkts_toclient",
    "flow.bytes",
    "flow.bytes_toserver",
    "flow.bytes_toclient",
    "tag",
    "iprep",
];

impl Compiler<'_> {
    /// Reads an option of this kind; says whether it was one.
    pub(super) fn state_option(
        &mut self,
        draft: &mut Draft,
        option: &SourceOption<'_>,
    ) -> Result<bool, Complaint> {
        let value = option.value;
        let number = |max: u64| NumberTest::parse(value, max, &[]);
        match option.name {
            "flow" => flow(draft, value)?,
            "flowbits" => self.flowbits(draft, value)?,
            "flowint" => self.flowint(draft, value)?,
            "xbits" => self.xbits(draft, value)?,
            "hostbits" => self.hostbits(draft, value)?,
            "threshold" if draft.filter.is_some() => {
                return Err(Complaint::new("'threshold' does not go with 'detection_filter'"));
            }
            "detection_filter" if draft.threshold.is_some() => {
                return Err(Complaint::new("'detection_filter' does not go with 'threshold'"));
            }
            "threshold" => draft.threshold = Some(threshold(value)?),
            "detection_filter" => draft.filter = Some(filter(value)?),
            "dataset" => self.dataset(draft, value)?,
            "datarep" => self.datarep(draft, value)?,
            "app-layer-event" => app_layer_event(draft, value)?,
            "app-layer-protocol" => app_layer_protocol(draft, value)?,
            "stream-event" => {
                let event = crate::stream::event_named(value)
                    .ok_or_else(|| Complaint::lacking(format!("no stream event is called '{value}'")))?;
                draft.flow_tests.push(FlowTest::StreamEvent(event));
                draft.has_events = true;
            }
            "stream_size" => draft.flow_tests.push(stream_size(value)?),
            "flow.age" => draft.flow_tests.push(FlowTest::Age(number(u64::from(u32::MAX))?)),
            "flow.pkts_toserver" => {
                draft.flow_tests.push(FlowTest::Packets(Some(Direction::ToServer), number(u64::MAX)?))
            }
            "flow.pkts_toclient" => {
                draft.flow_tests.push(FlowTest::Packets(Some(Direction::ToClient), number(u64::MAX)?))
            }
            "flow.bytes_toserver" => {
                draft.flow_tests.push(FlowTest::Bytes(Some(Direction::ToServer), number(u64::MAX)?))
            }
            "flow.bytes_toclient" => {
                draft.flow_tests.push(FlowTest::Bytes(Some(Direction::ToClient), number(u64::MAX)?))
            }
            "flow.pkts" => {
                draft.flow_tests.push(of_side(value, FlowTest::Packets, FlowTest::PacketsOfEither)?)
            }
            "flow.bytes" => draft.flow_tests.push(of_side(value, FlowTest::Bytes, FlowTest::BytesOfEither)?),
            "iprep" => draft.reputation.push(ReputationTest::parse(value, self.variables.reputation())?),
            // Which packets are written down beside an alert does not change what is detected.
            "tag" => tag(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn flowbits(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let (verb, names) = value.split_once(',').unwrap_or((value, ""));
        let (verb, names) = (verb.trim(), names.trim());
        if verb == "noalert" {
            draft.is_silent = true;
            return Ok(());
        }
        if names.is_empty()
            || names.split('|').any(|name| name.trim().is_empty() || name.trim().contains(' '))
        {
            return Err(Complaint::new("expected a name after the comma, as in 'flowbits:set,name'"));
        }
        let list: Vec<u32> =
            names.split('|').map(|name| self.name(&format!("flowbit {}", name.trim()))).collect();
        let single = list[0];
        let is_single = list.len() == 1;
        match verb {
            "isset" => draft.bits.push(BitTest::AnySet(list)),
            "isnotset" => draft.bits.push(BitTest::NoneSet(list)),
            "set" if is_single => draft.changes.push(Change::SetBit(single)),
            "unset" if is_single => draft.changes.push(Change::UnsetBit(single)),
            "toggle" if is_single => draft.changes.push(Change::ToggleBit(single)),
            _ => {
                return Err(Complaint::new(format!(
                    "'{verb}': expected set, unset, toggle, isset, isnotset or noalert"
                )));
            }
        }
        Ok(())
    }

    fn flowint(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let parts: Vec<&str> = value.split(',').map(str::trim).collect();
        let name = parts
            .first()
            .copied()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Complaint::new("expected a name"))?;
        let name = self.name(&format!("flowint {name}"));
        let verb = *parts.get(1).ok_or_else(|| Complaint::new("expected an operator after the name"))?;
        match verb {
            "isset" => {
                draft.ints.push(IntTest { name, compare: IntCompare::Exists, value: IntValue::Number(0) })
            }
            "notset" | "isnotset" => {
                draft.ints.push(IntTest { name, compare: IntCompare::Missing, value: IntValue::Number(0) })
            }
            verb => {
                let word =
                    *parts.get(2).ok_or_else(|| Complaint::new("expected a value after the operator"))?;
                let value = match word.parse::<u32>() {
                    Ok(number) => IntValue::Number(number),
                    Err(_) => IntValue::Of(self.name(&format!("flowint {word}"))),
                };
                let test = |compare| IntTest { name, compare, value };
                match verb {
                    "=" => draft.changes.push(Change::SetInt(name, value)),
                    "+" => draft.changes.push(Change::AddInt(name, value)),
                    "-" => draft.changes.push(Change::SubtractInt(name, value)),
                    "<" => draft.ints.push(test(IntCompare::Less)),
                    "<=" => draft.ints.push(test(IntCompare::AtMost)),
                    "==" => draft.ints.push(test(IntCompare::Equal)),
                    "!=" => draft.ints.push(test(IntCompare::NotEqual)),
                    ">=" => draft.ints.push(test(IntCompare::AtLeast)),
                    ">" => draft.ints.push(test(IntCompare::More)),
                    other => return Err(Complaint::new(format!("'{other}' is no operator of 'flowint'"))),
                }
            }
        }
        Ok(())
    }

    fn xbits(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let mut parts = value.split(',').map(str::trim);
        let ask = shared_ask(parts.next().unwrap_or_default())?;
        let name = match (ask, parts.next()) {
            (None, _) => {
                draft.is_silent = true;
                return Ok(());
            }
            (Some(_), Some(name)) if !name.is_empty() => self.name(&format!("xbit {name}")),
            _ => return Err(Complaint::new("expected a name after the verb")),
        };
        let mut track = None;
        let mut expire = 30;
        for part in parts {
            match part.split_once(char::is_whitespace).map(|(key, word)| (key, word.trim())) {
                Some(("track", "ip_src")) => track = Some(Track::Source),
                Some(("track", "ip_dst")) => track = Some(Track::Destination),
                Some(("track", "ip_pair")) => track = Some(Track::Pair),
                Some(("expire", seconds)) => {
                    expire = seconds
                        .parse()
                        .ok()
                        .filter(|seconds| *seconds > 0)
                        .ok_or_else(|| Complaint::new(format!("'{seconds}' is no number of seconds")))?;
                }
                _ => {
                    return Err(Complaint::new(format!(
                        "'{part}': expected 'track ip_src|ip_dst|ip_pair' or 'expire N'"
                    )));
                }
            }
        }
        let track = track.ok_or_else(|| Complaint::new("'track' is missing"))?;
        if let Some(ask) = ask {
            draft.late.push(Late::Shared(Shared { name, ask, track, expire }));
        }
        Ok(())
    }

    fn hostbits(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let parts: Vec<&str> = value.split(',').map(str::trim).collect();
        let Some(ask) = shared_ask(parts.first().copied().unwrap_or_default())? else {
            draft.is_silent = true;
            return Ok(());
        };
        let name =
            parts.get(1).filter(|name| !name.is_empty()).ok_or_else(|| Complaint::new("expected a name"))?;
        let name = self.name(&format!("hostbit {name}"));
        let tracks: &[Track] = match parts.get(2).copied().unwrap_or("src") {
            "src" => &[Track::Source],
            "dst" => &[Track::Destination],
            "both" => &[Track::Source, Track::Destination],
            other => return Err(Complaint::new(format!("'{other}': expected src, dst or both"))),
        };
        for track in tracks {
            draft.late.push(Late::Shared(Shared { name, ask, track: *track, expire: 300 }));
        }
        Ok(())
    }

    fn dataset(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let mut parts = value.split(',').map(str::trim);
        let ask = match parts.next().unwrap_or_default() {
            "isset" => Ask::IsSet,
            "isnotset" => Ask::IsNotSet,
            "set" => Ask::Set,
            "unset" => Ask::Unset,
            other => {
                return Err(Complaint::new(format!("'{other}': expected isset, isnotset, set or unset")));
            }
        };
        self.listed(draft, ask, parts, false)
    }

    fn datarep(&mut self, draft: &mut Draft, value: &str) -> Result<(), Complaint> {
        let mut parts: Vec<&str> = value.split(',').map(str::trim).collect();
        if parts.len() < 3 {
            return Err(Complaint::new("expected 'datarep:name, >, value, …'"));
        }
        let test = NumberTest::parse(&format!("{}{}", parts[1], parts[2]), 65_535, &[])?;
        parts.drain(1..3);
        self.listed(draft, Ask::Reputation(test), parts.into_iter(), true)
    }

    fn listed<'v>(
        &mut self,
        draft: &mut Draft,
        ask: Ask,
        mut parts: impl Iterator<Item = &'v str>,
        has_reputation: bool,
    ) -> Result<(), Complaint> {
        let name = parts
            .next()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| Complaint::new("a list needs a name"))?;
        let (mut kind, mut file) = (None, None);
        let (mut format, mut array_key, mut value_key) = (None, "", "");
        for part in parts {
            let (key, word) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
            let word = word.trim();
            match key {
                "type" => {
                    kind = Some(
                        Kind::named(word)
                            .ok_or_else(|| Complaint::new(format!("no list has values of type '{word}'")))?,
                    )
                }
                "load" => file = Some(word),
                // What is kept from one run to the next is no part of the rules: a list begins with what they load.
                "state" | "save" | "memcap" | "hashsize" => {}
                "format" => format = Some(word),
                "array_key" => array_key = word,
                "value_key" => value_key = word,
                // What stands beside a value is for those who write alerts down.
                "context_key" | "remove_key" => {}
                _ => return Err(Complaint::new(format!("'{part}' is no part of this option"))),
            }
        }
        let text = match file {
            None => None,
            Some(path) => match (self.read)(path) {
                Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                Err(why) => {
                    return Err(Complaint::lacking(format!("the file '{path}' cannot be read: {why}")));
                }
            },
        };
        let kind = match kind.or_else(|| self.lists.kind(name)) {
            Some(kind) => kind,
            None => return Err(Complaint::new(format!("the type of the list '{name}' is missing"))),
        };
        let is_new = self.lists.kind(name).is_none();
        let text = match (text.as_deref().filter(|_| is_new), format) {
            (None, _) => None,
            (Some(text), _) if has_reputation => Some(Text::Reputations(text)),
            (Some(text), None | Some("csv")) => Some(Text::Lines(text)),
            (Some(text), Some("json")) => Some(Text::Json { text, by_line: false, array_key, value_key }),
            (Some(text), Some("ndjson" | "jsonl")) => {
                Some(Text::Json { text, by_line: true, array_key, value_key })
            }
            (Some(_), Some(other)) => {
                return Err(Complaint::new(format!(
                    "'{other}' is no format: expected csv, json, ndjson or jsonl"
                )));
            }
        };
        let list = self.lists.open(name, kind, text)?;
        self.lists.expect(list, ask);
        if draft.place_is_payload() {
            return Err(Complaint::new("it needs a sticky buffer before it"));
        }
        draft.add_link(Link::Listed(Listed { list, ask }), false);
        Ok(())
    }
}

fn shared_ask(verb: &str) -> Result<Option<SharedAsk>, Complaint> {
    Ok(Some(match verb {
        "set" => SharedAsk::Set,
        "unset" => SharedAsk::Unset,
        "toggle" => SharedAsk::Toggle,
        "isset" => SharedAsk::IsSet,
        "isnotset" => SharedAsk::IsNotSet,
        "noalert" => return Ok(None),
        other => {
            return Err(Complaint::new(format!(
                "'{other}': expected set, unset, toggle, isset, isnotset or noalert"
            )));
        }
    }))
}

fn flow(draft: &mut Draft, value: &str) -> Result<(), Complaint> {
    let wants = &mut draft.flow;
    if wants.exists {
        return Err(Complaint::new("'flow' stands there twice"));
    }
    wants.exists = true;
    let mut seen: Vec<&str> = Vec::new();
    for part in value.split(',').map(str::trim) {
        let part = part.to_ascii_lowercase();
        // What is said twice, or the other way round, was meant otherwise.
        let kind = match part.as_str() {
            "to_server" | "from_client" | "to_client" | "from_server" => "a direction",
            "established" | "not_established" | "stateless" => "a state",
            "only_stream" | "no_stream" => "a view",
            _ => "fragments",
        };
        if seen.contains(&kind) {
            return Err(Complaint::new(format!("'flow' says {kind} twice")));
        }
        seen.push(kind);
        match part.as_str() {
            "to_server" | "from_client" => wants.direction = Some(Direction::ToServer),
            "to_client" | "from_server" => wants.direction = Some(Direction::ToClient),
            "established" => wants.established = Some(true),
            "not_established" => wants.established = Some(false),
            "stateless" => wants.established = None,
            "only_stream" => wants.stream = Some(true),
            "no_stream" => wants.stream = Some(false),
            "only_frag" => wants.fragments = Some(true),
            "no_frag" => wants.fragments = Some(false),
            other => return Err(Complaint::new(format!("'{other}' is no part of 'flow'"))),
        }
    }
    Ok(())
}

fn track(word: &str) -> Result<Track, Complaint> {
    Ok(match word {
        "by_src" => Track::Source,
        "by_dst" => Track::Destination,
        "by_both" => Track::Both,
        "by_rule" => Track::Rule,
        "by_flow" => Track::Flow,
        other => {
            return Err(Complaint::new(format!(
                "'{other}': expected by_src, by_dst, by_both, by_rule or by_flow"
            )));
        }
    })
}

/// Key and word of each part.
fn pairs(value: &str) -> Result<Vec<(&str, &str)>, Complaint> {
    value
        .split(',')
        .map(|part| {
            part.trim()
                .split_once(char::is_whitespace)
                .map(|(key, word)| (key, word.trim()))
                .ok_or_else(|| Complaint::new(format!("'{}': expected a key and a value", part.trim())))
        })
        .collect()
}

fn positive(word: &str) -> Result<u32, Complaint> {
    word.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| Complaint::new(format!("'{word}' is no number of at least 1")))
}

fn threshold(value: &str) -> Result<Threshold, Complaint> {
    let (mut kind, mut by, mut count, mut seconds, mut multiplier) = (None, None, None, None, None);
    for (key, word) in pairs(value)? {
        match key {
            "type" => kind = Some(word),
            "track" => by = Some(track(word)?),
            "count" => count = Some(positive(word)?),
            "seconds" => seconds = Some(u64::from(positive(word)?)),
            "multiplier" => multiplier = Some(positive(word)?),
            _ => return Err(Complaint::new(format!("'{key}' is no part of 'threshold'"))),
        }
    }
    let missing = |what: &str| Complaint::new(format!("'{what}' is missing"));
    let kind = match kind.ok_or_else(|| missing("type"))? {
        "limit" => ThresholdKind::Limit,
        "threshold" => ThresholdKind::Threshold,
        "both" => ThresholdKind::Both,
        "backoff" => ThresholdKind::Backoff { multiplier: multiplier.ok_or_else(|| missing("multiplier"))? },
        other => {
            return Err(Complaint::new(format!("'{other}': expected limit, threshold, both or backoff")));
        }
    };
    let is_backoff = matches!(kind, ThresholdKind::Backoff { .. });
    Ok(Threshold {
        kind,
        track: by.ok_or_else(|| missing("track"))?,
        count: count.ok_or_else(|| missing("count"))?,
        seconds: match seconds {
            Some(seconds) => seconds,
            None if is_backoff => 0,
            None => return Err(missing("seconds")),
        },
    })
}

fn filter(value: &str) -> Result<Filter, Complaint> {
    let (mut by, mut count, mut seconds) = (None, None, None);
    for (key, word) in pairs(value)? {
        match key {
            "track" => by = Some(track(word)?),
            "count" => count = Some(positive(word)?),
            "seconds" => seconds = Some(u64::from(positive(word)?)),
            "unique_on" => return Err(Complaint::lacking("'unique_on' is not supported")),
            _ => return Err(Complaint::new(format!("'{key}' is no part of 'detection_filter'"))),
        }
    }
    match (by, count, seconds) {
        (Some(track), Some(count), Some(seconds)) => Ok(Filter { track, count, seconds }),
        _ => Err(Complaint::new("expected 'track …, count N, seconds N'")),
    }
}

fn app_layer_event(draft: &mut Draft, value: &str) -> Result<(), Complaint> {
    if let Some(event) = crate::flow::layer_event_named(value) {
        draft.flow_tests.push(FlowTest::LayerEvent(event));
        draft.has_events = true;
        return Ok(());
    }
    let (name, event) =
        value.split_once('.').ok_or_else(|| Complaint::lacking(format!("no event is called '{value}'")))?;
    for protocol in PROTOCOLS
        .iter()
        .filter(|protocol| protocol.name == name || (name == "ikev2" && protocol.name == "ike"))
    {
        if let Some(bit) = protocol.events.iter().position(|known| *known == event) {
            let bit = bit as u8;
            draft.add_part(Sides::Both, &[], What::Event { protocol: protocol.id, bit });
            draft.layers = match protocol.id {
                ProtocolId::Http2 => vec![ProtocolId::Http2, ProtocolId::Doh2],
                id => vec![id],
            };
            return Ok(());
        }
    }
    Err(Complaint::lacking(format!("no event is called '{value}'")))
}

fn app_layer_protocol(draft: &mut Draft, value: &str) -> Result<(), Complaint> {
    let (value, negated) = match value.strip_prefix('!') {
        Some(rest) => (rest, true),
        None => (value, false),
    };
    let (name, mode) = value.split_once(',').unwrap_or((value, ""));
    let of = match mode.trim() {
        "" | "final" | "original" | "either" => LayerOf::Flow,
        "to_server" | "toserver" => LayerOf::ToServer,
        "to_client" | "toclient" => LayerOf::ToClient,
        other => {
            return Err(Complaint::new(format!("'{other}': expected to_server, to_client, final or either")));
        }
    };
    let name = name.trim();
    let (protocols, failed, unknown) = match name {
        "failed" => (Vec::new(), true, false),
        "unknown" => (Vec::new(), false, true),
        name => (head::known_layers(name)?, false, false),
    };
    draft.may_ask_protocol(negated, name)?;
    draft.asked_protocols.push((negated, name.to_owned()));
    draft.flow_tests.push(FlowTest::Layer { protocols, unknown, failed, negated, of });
    Ok(())
}

fn stream_size(value: &str) -> Result<FlowTest, Complaint> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let [side, operator, number] = parts[..] else {
        return Err(Complaint::new("expected 'stream_size:client, >, 5'"));
    };
    let side = match side {
        "client" => SizeOf::Client,
        "server" => SizeOf::Server,
        "both" => SizeOf::Both,
        "either" => SizeOf::Either,
        other => return Err(Complaint::new(format!("'{other}': expected client, server, both or either"))),
    };
    Ok(FlowTest::StreamSize(
        side,
        NumberTest::parse(&format!("{operator}{number}"), u64::from(u32::MAX), &[])?,
    ))
}

/// `toserver,>5`, `toclient,…`, `both,…`, `either,…`, or the number alone for both together.
fn of_side(
    value: &str,
    one: fn(Option<Direction>, NumberTest) -> FlowTest,
    either: fn(NumberTest) -> FlowTest,
) -> Result<FlowTest, Complaint> {
    let (side, test) = value
        .split_once(',')
        .ok_or_else(|| Complaint::new("expected a side and a condition, as in 'toserver,>5'"))?;
    let test = NumberTest::parse(test, u64::MAX, &[])?;
    Ok(match side.trim() {
        "toserver" => one(Some(Direction::ToServer), test),
        "toclient" => one(Some(Direction::ToClient), test),
        "both" => one(None, test),
        "either" => either(test),
        other => {
            return Err(Complaint::new(format!("'{other}': expected toserver, toclient, both or either")));
        }
    })
}

/// `session` or `host`, then perhaps a number and its unit, then, for a host, which end.
fn tag(value: &str) -> Result<(), Complaint> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let wrong = || Complaint::new("expected 'tag:session, 10, packets' or 'tag:host, 60, seconds, src'");
    let (first, rest) = parts.split_first().ok_or_else(wrong)?;
    if !matches!(*first, "session" | "host") {
        return Err(wrong());
    }
    let end = match rest {
        [] => return Ok(()),
        [count, unit, end @ ..] => {
            let is_count = count.parse::<u32>().is_ok_and(|count| count > 0);
            if !is_count || !matches!(*unit, "packets" | "seconds" | "bytes") {
                return Err(wrong());
            }
            end
        }
        _ => return Err(wrong()),
    };
    match (end, *first) {
        ([], _) | (["src" | "dst"], "host") => Ok(()),
        _ => Err(wrong()),
    }
}
