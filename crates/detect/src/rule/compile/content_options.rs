//! `content` and what says where it may stand; `pkt_data`, `base64_data`, `frame`, `absent`.

use super::{Compiler, Draft, DraftPart, Where, depend_on_last};
use crate::Complaint;
use crate::app::{Takes, file};
use crate::inspect::Link;
use crate::inspect::chain::{Base64, Operand};
use crate::inspect::content::Content;
use crate::rule::compiled::Absent;
use crate::rule::syntax::SourceOption;

/// Bytes of a content at most.
const CONTENT_BYTES_MAX: usize = 8192;
/// What offsets and depths can be at most.
const OFFSET_MAX: i64 = 65_535;
/// How far `distance` and `within` reach at most.
const DISTANCE_MAX: i64 = 1 << 20;

/// The names of the options that are read here.
pub(super) const NAMES: &[&str] = &[
    "content",
    "uricontent",
    "nocase",
    "offset",
    "depth",
    "distance",
    "within",
    "startswith",
    "endswith",
    "fast_pattern",
    "rawbytes",
    "pkt_data",
    "base64_decode",
    "base64_data",
    "frame",
    "absent",
    "pcre",
    "filename",
    "fileext",
    "filemagic",
];

impl Draft {
    /// `replace`: what a sensor that lets packets through would put in the last content's place. The rule holds as it would without.
    pub(super) fn replace(&mut self, value: &str) -> Result<(), Complaint> {
        let (bytes, negated) = content(value)?;
        if negated {
            return Err(Complaint::new("what is put in a content's place cannot be negated"));
        }
        self.modify(|content, _| {
            if content.bytes.len() != bytes.len() {
                return Err(Complaint::new("what is put in a content's place must be as long"));
            }
            Ok(())
        })
    }
}

impl Compiler<'_> {
    /// Reads an option of this kind; says whether it was one.
    pub(super) fn content_option(
        &mut self,
        draft: &mut Draft,
        option: &SourceOption<'_>,
    ) -> Result<bool, Complaint> {
        let value = option.value;
        match option.name {
            "content" => {
                let (bytes, negated) = content(value)?;
                draft.may_be_shown(&bytes)?;
                draft.add_link(Link::Content(Content::anywhere(bytes, negated)), false);
            }
            "uricontent" => {
                let (bytes, negated) = content(value)?;
                let Some(Takes::Buffer(buffer)) = self.keyword("http.uri").map(|keyword| keyword.takes)
                else {
                    return Err(Complaint::new("there is no 'http.uri' to look into"));
                };
                let before = draft.current;
                draft.current = None;
                draft.add_link(Link::Content(Content::anywhere(bytes, negated)), false);
                draft.move_last_content(Where::Layer(buffer))?;
                draft.current = before;
            }
            "filename" | "fileext" | "filemagic" => {
                let named =
                    file::named(option.name).ok_or_else(|| Complaint::new("it looks into nothing"))?;
                draft.file_content(&named, value)?;
            }
            "nocase" | "startswith" | "endswith" | "rawbytes" | "pkt_data" | "base64_data"
                if !value.is_empty() =>
            {
                return Err(Complaint::new(format!("'{}' takes no value", option.name)));
            }
            "nocase" => draft.modify(|content, _| {
                if std::mem::replace(&mut content.nocase, true) {
                    return Err(Complaint::new("'nocase' is said twice of one content"));
                }
                Ok(())
            })?,
            "offset" if draft.last_content.is_some() && draft.last_content == draft.starting_content => {
                return Err(Complaint::new("'startswith' goes with no other place"));
            }
            "offset" => {
                let operand = draft.operand(value, 0, OFFSET_MAX)?;
                draft.modify(|content, _| {
                    is_absolute(content)?;
                    put(&mut content.offset, operand, "offset")
                })?;
            }
            "depth" => {
                let operand = draft.operand(value, 0, OFFSET_MAX)?;
                draft.modify(|content, _| {
                    is_absolute(content)?;
                    fits(content, operand, "depth")?;
                    put(&mut content.depth, operand, "depth")
                })?;
            }
            "distance" => {
                let operand = draft.operand(value, -DISTANCE_MAX, DISTANCE_MAX)?;
                draft.modify(|content, _| {
                    is_relative(content)?;
                    put(&mut content.distance, operand, "distance")
                })?;
                draft.last_depends_on_before();
            }
            "within" => {
                let operand = draft.operand(value, 0, DISTANCE_MAX)?;
                draft.modify(|content, _| {
                    is_relative(content)?;
                    fits(content, operand, "within")?;
                    put(&mut content.within, operand, "within")
                })?;
                draft.last_depends_on_before();
            }
            "startswith" => {
                draft.modify(|content, _| {
                    if content.is_relative() || content.offset.is_some() || content.depth.is_some() {
                        return Err(Complaint::new("'startswith' goes with no other place"));
                    }
                    content.depth = Some(Operand::Number(content.bytes.len() as i64));
                    Ok(())
                })?;
                draft.starting_content = draft.last_content;
            }
            "endswith" => draft.modify(|content, _| {
                if std::mem::replace(&mut content.ends, true) {
                    return Err(Complaint::new("'endswith' is said twice of one content"));
                }
                Ok(())
            })?,
            "fast_pattern" => {
                let value = value.to_owned();
                if value.is_empty() && draft.has_fast_pattern() {
                    return Err(Complaint::new("a rule has one 'fast_pattern'"));
                }
                draft.modify(|content, _| {
                    let is_placed =
                        content.is_relative() || content.offset.is_some() || content.depth.is_some();
                    if value == "only" && is_placed {
                        return Err(Complaint::new(FAST_ONLY));
                    }
                    if content.negated && (value == "only" || is_placed) {
                        return Err(Complaint::new(
                            "a negated content that has a place cannot be a fast pattern",
                        ));
                    }
                    match value.as_str() {
                        "" => {}
                        "only" => content.fast_only = true,
                        chop => chopped(chop, content.bytes.len())?,
                    }
                    content.fast = true;
                    Ok(())
                })?;
            }
            // We never change a payload before it is looked into.
            "rawbytes" if !draft.place_is_payload() => {
                return Err(Complaint::new("'rawbytes' does not go with a sticky buffer"));
            }
            "rawbytes" => draft.modify(|_, _| Ok(()))?,
            "pkt_data" => {
                draft.in_base64 = false;
                draft.current = Some(draft.payload());
            }
            "pcre" => self.expression(draft, value)?,
            "base64_decode" => {
                let base64 = base64(value)?;
                let is_relative = base64.relative;
                draft.add_link(Link::Base64(base64), is_relative);
            }
            "base64_data" => {
                let has_decode = draft.chain().1.links.iter().any(|link| matches!(link, Link::Base64(_)));
                if !has_decode && !draft.find_base64() {
                    return Err(Complaint::new("'base64_data' needs a 'base64_decode' before it"));
                }
                draft.in_base64 = true;
            }
            "frame" if stream_of(value).is_some() => {
                // All that a side says in a protocol: its stream, where that is spoken.
                if let Some(layers) = stream_of(value).filter(|layers| !layers.is_empty()) {
                    draft.layers = layers;
                }
                draft.flow.stream = Some(true);
                draft.in_base64 = false;
                draft.current = Some(draft.payload());
            }
            "frame" => {
                let name = crate::app::table::frame_name(value, &draft.head_layers)
                    .ok_or_else(|| Complaint::lacking(format!("no frame is called '{value}'")))?;
                draft.look_into(Where::Frame(name))?;
            }
            "absent" => {
                let absent = match value {
                    "" => Absent::Only,
                    "or_else" => Absent::Or,
                    _ => return Err(Complaint::new("expected 'absent' or 'absent: or_else'")),
                };
                let (_, open) = draft.open();
                if !matches!(open.at, Where::Layer(_)) {
                    return Err(Complaint::new("'absent' needs a sticky buffer before it"));
                }
                open.absent = absent;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Whose whole stream a frame's name means, if it means one: `stream` (of whatever is spoken), `smtp.stream`.
fn stream_of(name: &str) -> Option<Vec<crate::app::ProtocolId>> {
    if name == "stream" {
        return Some(Vec::new());
    }
    super::head::layers(name.strip_suffix(".stream")?)
}

impl Draft {
    /// Whether what is done to the buffer leaves such a content in it at all.
    fn may_be_shown(&mut self, content: &[u8]) -> Result<(), Complaint> {
        let in_base64 = self.in_base64;
        let (_, open) = self.open();
        match open.transforms.iter().find(|(_, _, transform)| !in_base64 && !transform.may_show(content)) {
            Some((name, ..)) => Err(Complaint::new(format!("after '{name}' such a content is never there"))),
            None => Ok(()),
        }
    }

    /// A content of a file's own: what follows looks into the payload again.
    fn file_content(&mut self, named: &file::Named, value: &str) -> Result<(), Complaint> {
        let (value, sign) = match value.trim().strip_prefix('!') {
            Some(rest) => (rest.trim(), "!"),
            None => (value.trim(), ""),
        };
        let (bytes, negated) = content(&format!("{sign}\"{}{}\"", named.prefix, value.trim_matches('"')))?;
        let content = Content { nocase: true, ends: named.ends, ..Content::anywhere(bytes, negated) };
        (self.current, self.in_base64) = (None, false);
        self.add_link(Link::Content(content), false);
        self.move_last_content(Where::Layer(named.buffer))?;
        (self.current, self.in_base64) = (None, false);
        Ok(())
    }

    pub(super) fn last_content(&mut self) -> Option<&mut Content> {
        let (place, at) = self.last_content?;
        let in_base64 = self.last_in_base64;
        let DraftPart::Open(open) = self.parts.get_mut(place)? else { return None };
        let mut links = &mut open.chain.links;
        if in_base64 {
            links = links.iter_mut().rev().find_map(|link| match link {
                Link::Base64(base64) => base64.chain.as_mut().map(|chain| &mut chain.links),
                _ => None,
            })?;
        }
        match links.get_mut(at)? {
            Link::Content(content) => Some(content),
            _ => None,
        }
    }

    fn modify(
        &mut self,
        change: impl FnOnce(&mut Content, ()) -> Result<(), Complaint>,
    ) -> Result<(), Complaint> {
        // Within a sticky buffer it is about a content of that buffer.
        let is_elsewhere = (!self.place_is_payload() || self.in_base64)
            && (self.last_content.map(|content| content.0) != self.current
                || self.last_in_base64 != self.in_base64);
        match self.last_content().filter(|_| !is_elsewhere) {
            Some(content) => change(content, ()),
            None => Err(Complaint::new("it says something about a content, but there is none before it")),
        }
    }

    /// The last content depends on where what stands before it was found.
    fn last_depends_on_before(&mut self) {
        let Some((place, at)) = self.last_content else { return };
        let before = self.current;
        self.current = Some(place);
        let (_, chain) = self.chain();
        let mut earlier = crate::inspect::Chain { links: std::mem::take(&mut chain.links) };
        let rest = earlier.links.split_off(at.min(earlier.links.len()));
        depend_on_last(&mut earlier);
        earlier.links.extend(rest);
        chain.links = earlier.links;
        self.current = before;
    }

    /// Moves the last content from the payload to another buffer: the old way of writing.
    pub(super) fn move_last_content(&mut self, to: Where) -> Result<(), Complaint> {
        let (place, at) = self.last_content.ok_or_else(|| Complaint::new("there is no content before it"))?;
        let Some(DraftPart::Open(open)) = self.parts.get_mut(place) else {
            return Err(Complaint::new("there is no content before it"));
        };
        if at + 1 != open.chain.links.len() {
            return Err(Complaint::new("it must follow its content at once"));
        }
        let Some(link) = open.chain.links.pop() else {
            return Err(Complaint::new("there is no content before it"));
        };
        let target = self.parts.iter().position(
            |part| matches!(part, DraftPart::Open(open) if open.at.same(&to) && open.transforms.is_empty()),
        );
        let target = match target {
            Some(target) => target,
            None => {
                let before = self.current;
                self.look_into(to)?;
                let target = self.current.unwrap_or(0);
                self.current = before;
                target
            }
        };
        if let Some(DraftPart::Open(open)) = self.parts.get_mut(target) {
            if matches!(&link, Link::Content(content) if content.is_relative()) {
                depend_on_last(&mut open.chain);
            }
            open.chain.links.push(link);
            self.last_content = Some((target, open.chain.links.len() - 1));
            self.last_match = Some(target);
            self.last_in_base64 = false;
        }
        Ok(())
    }

    /// A number, or the name of one that was kept.
    pub(super) fn operand(&self, value: &str, min: i64, max: i64) -> Result<Operand, Complaint> {
        let value = value.trim();
        if let Ok(number) = value.parse::<i64>() {
            if number < min || number > max {
                return Err(Complaint::new(format!("{number} is not between {min} and {max}")));
            }
            return Ok(Operand::Number(number));
        }
        self.variable(value).map(Operand::Variable).ok_or_else(|| {
            Complaint::new(format!("'{value}' is neither a number nor the name of one that was kept before"))
        })
    }

    /// The place of a kept number.
    pub(super) fn variable(&self, name: &str) -> Option<u8> {
        self.variables.iter().position(|known| known == name).and_then(|place| u8::try_from(place).ok())
    }

    /// Looks for the part that decodes base64, and goes there.
    fn find_base64(&mut self) -> bool {
        let found = self.parts.iter().rposition(
            |part| matches!(part, DraftPart::Open(open) if open.chain.links.iter().any(|link| matches!(link, Link::Base64(_)))),
        );
        if let Some(place) = found {
            self.current = Some(place);
        }
        found.is_some()
    }
}

fn put(place: &mut Option<Operand>, operand: Operand, name: &str) -> Result<(), Complaint> {
    if place.is_some() {
        return Err(Complaint::new(format!("'{name}' is said twice of one content")));
    }
    *place = Some(operand);
    Ok(())
}

/// How the complaint goes when a content's place is said both ways.
const BOTH_WAYS: &str = "a place in the buffer does not go with a place behind the last match";

/// How the complaint goes when a content that only finds candidates has a place.
const FAST_ONLY: &str =
    "a content with 'fast_pattern:only' stands anywhere: say 'fast_pattern', or leave its place out";

fn is_absolute(content: &Content) -> Result<(), Complaint> {
    if content.is_relative() { Err(Complaint::new(BOTH_WAYS)) } else { may_be_placed(content) }
}

fn is_relative(content: &Content) -> Result<(), Complaint> {
    let is_placed = content.offset.is_some() || content.depth.is_some();
    if is_placed { Err(Complaint::new(BOTH_WAYS)) } else { may_be_placed(content) }
}

fn may_be_placed(content: &Content) -> Result<(), Complaint> {
    if content.fast_only {
        return Err(Complaint::new(FAST_ONLY));
    }
    if content.fast && content.negated {
        return Err(Complaint::new("a negated content that has a place cannot be a fast pattern"));
    }
    Ok(())
}

fn fits(content: &Content, operand: Operand, name: &str) -> Result<(), Complaint> {
    match operand {
        Operand::Number(room) if room < content.bytes.len() as i64 => Err(Complaint::new(format!(
            "the content is {} bytes long and does not fit into a {name} of {room}",
            content.bytes.len()
        ))),
        _ => Ok(()),
    }
}

fn chopped(value: &str, length: usize) -> Result<(), Complaint> {
    let wrong =
        || Complaint::new(format!("'fast_pattern:{value}': expected 'offset,length' within the content"));
    let (offset, count) = value.split_once(',').ok_or_else(wrong)?;
    let (offset, count): (usize, usize) =
        (offset.trim().parse().map_err(|_| wrong())?, count.trim().parse().map_err(|_| wrong())?);
    if count == 0 || offset.checked_add(count).is_none_or(|end| end > length) { Err(wrong()) } else { Ok(()) }
}

/// The bytes of a content, and whether it is negated: `!"a|20 41|b"`.
pub(super) fn content(value: &str) -> Result<(Vec<u8>, bool), Complaint> {
    let (value, negated) = match value.strip_prefix('!') {
        Some(rest) => (rest.trim_start(), true),
        None => (value, false),
    };
    let inner = super::meta::inner_of(value, "expected a content in quotation marks")?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut letters = inner.bytes();
    while let Some(letter) = letters.next() {
        match letter {
            b'|' => hexadecimal(&mut letters, &mut bytes)?,
            b'\\' => match letters.next() {
                Some(escaped @ (b';' | b'"' | b':' | b'\\')) => bytes.push(escaped),
                _ => {
                    return Err(Complaint::new(
                        "a backslash stands before one of ; : \" \\ only: write |5C| for itself",
                    ));
                }
            },
            b'"' => return Err(Complaint::new("a quotation mark within a content is written \\\" or |22|")),
            letter => bytes.push(letter),
        }
    }
    if bytes.is_empty() {
        return Err(Complaint::new("the content is empty"));
    }
    if bytes.len() > CONTENT_BYTES_MAX {
        return Err(Complaint::lacking(format!("the content has more than {CONTENT_BYTES_MAX} bytes")));
    }
    Ok((bytes, negated))
}

fn hexadecimal(letters: &mut impl Iterator<Item = u8>, bytes: &mut Vec<u8>) -> Result<(), Complaint> {
    let mut high = None;
    for letter in letters {
        match (letter, high) {
            (b'|', None) => return Ok(()),
            (b' ' | b'\t', None) => {}
            (letter, _) => {
                let digit = char::from(letter).to_digit(16).ok_or_else(|| {
                    Complaint::new(format!("'{}' is no hexadecimal digit", char::from(letter)))
                })?;
                match high.take() {
                    Some(first) => bytes.push((first << 4 | digit) as u8),
                    None => high = Some(digit),
                }
            }
        }
    }
    Err(Complaint::new("hexadecimal bytes are not closed: expected '|'"))
}

fn base64(value: &str) -> Result<Base64, Complaint> {
    let mut base64 = Base64 { bytes: 0, offset: 0, relative: false, chain: None };
    for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let wrong = || Complaint::new(format!("'{part}': expected 'bytes N', 'offset N' or 'relative'"));
        match part.split_once(char::is_whitespace) {
            Some(("bytes", number)) => {
                base64.bytes =
                    number.trim().parse().ok().filter(|number| *number <= 65_535).ok_or_else(wrong)?
            }
            Some(("offset", number)) => {
                base64.offset =
                    number.trim().parse().ok().filter(|number| *number <= 65_535).ok_or_else(wrong)?
            }
            None if part == "relative" => base64.relative = true,
            _ => return Err(wrong()),
        }
    }
    Ok(base64)
}

#[cfg(test)]
mod tests {
    use super::content;

    #[test]
    fn contents_are_read_to_the_byte() {
        let read = |text| content(text).ok();
        assert_eq!(read("\"abc\""), Some((b"abc".to_vec(), false)));
        assert_eq!(read("!\"a|20 41|b|5c|\""), Some((b"a Ab\\".to_vec(), true)));
        assert_eq!(read(r#""a\;\"\\\:""#), Some((b"a;\"\\:".to_vec(), false)));
        for wrong in ["abc", "\"\"", "\"|2|\"", "\"|20\"", "\"|zz|\"", "\"\\n\"", "\"a\"b\""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
