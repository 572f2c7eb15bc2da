//! The settings of a client: its screen, its keyboard, its build, its channels.

use crate::app::bytes::Reader;

/// What the client's blocks stand behind.
const KEY: &[u8] = b"Duca";
const CORE: u16 = 0xc001;
const CHANNELS: u16 = 0xc003;
/// Channels that are kept.
const CHANNELS_MAX: usize = 64;

/// The settings.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientData {
    pub(super) core: Option<Core>,
    pub(super) channels: Vec<Vec<u8>>,
}

/// What the client is.
#[derive(Clone, Debug, Default)]
pub(super) struct Core {
    pub(super) version: u32,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) color_depth: u16,
    pub(super) keyboard_layout: u32,
    pub(super) build: u32,
    pub(super) name: String,
    pub(super) keyboard_type: u32,
    pub(super) keyboard_subtype: u32,
    pub(super) function_keys: u32,
    pub(super) ime: String,
    pub(super) more: More,
}

/// What newer clients add, each only if all before it is there.
#[derive(Clone, Debug, Default)]
pub(super) struct More {
    pub(super) color_depth_2: Option<u16>,
    pub(super) product_id: Option<u16>,
    pub(super) serial_number: Option<u32>,
    pub(super) high_color_depth: Option<u16>,
    pub(super) capabilities: Option<u16>,
    pub(super) id: Option<String>,
    pub(super) connection_hint: Option<u8>,
    /// Width and height in millimetres.
    pub(super) physical: [Option<u32>; 2],
    pub(super) orientation: Option<u16>,
    /// Of the desktop and of the device, in per cent.
    pub(super) scale: [Option<u32>; 2],
}

/// Reads the settings; nothing if there are none.
pub(super) fn settings(bytes: &[u8]) -> Option<ClientData> {
    let place = bytes.windows(KEY.len()).position(|window| window == KEY)?;
    let mut reader = Reader::new(bytes.get(place.checked_add(KEY.len())?..)?);
    let length = length(&mut reader)?;
    let mut reader = Reader::new(reader.take(length)?);
    let mut data = ClientData::default();
    while !reader.is_empty() {
        let (kind, length) = (reader.le16()?, reader.le16()?);
        let block = reader.take(usize::from(length).checked_sub(4)?)?;
        match kind {
            CORE => data.core = core(block),
            CHANNELS => data.channels = channels(block)?,
            _ => {}
        }
    }
    Some(data)
}

/// A length of the packed encoding: seven bits, or fourteen behind a bit that says so.
fn length(reader: &mut Reader<'_>) -> Option<usize> {
    let first = reader.u8()?;
    match first >> 6 {
        0 | 1 => Some(usize::from(first)),
        2 => Some(usize::from(first & 0x3f) << 8 | usize::from(reader.u8()?)),
        _ => None,
    }
}

fn channels(block: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader::new(block);
    let count = reader.le32()?;
    let mut list = Vec::new();
    for _ in 0..count {
        let name = reader.take(8)?;
        reader.skip(4)?;
        if list.len() < CHANNELS_MAX {
            list.push(name.iter().copied().take_while(|byte| *byte != 0).collect());
        }
    }
    Some(list)
}

fn core(block: &[u8]) -> Option<Core> {
    let mut reader = Reader::new(block);
    let version = reader.le32()?;
    let (width, height) = (reader.le16()?, reader.le16()?);
    let color_depth = reader.le16()?;
    reader.skip(2)?;
    let (keyboard_layout, build) = (reader.le32()?, reader.le32()?);
    let name = wide(reader.take(32)?)?;
    let (keyboard_type, keyboard_subtype, function_keys) = (reader.le32()?, reader.le32()?, reader.le32()?);
    let ime = wide(reader.take(64)?)?;
    let mut more = More::default();
    more_of_core(&mut reader, &mut more);
    Some(Core {
        version,
        width,
        height,
        color_depth,
        keyboard_layout,
        build,
        name,
        keyboard_type,
        keyboard_subtype,
        function_keys,
        ime,
        more,
    })
}

/// Reads on until something is missing or out of its range.
fn more_of_core(reader: &mut Reader<'_>, more: &mut More) -> Option<()> {
    more.color_depth_2 = Some(reader.le16().filter(|depth| matches!(depth, 0 | 0xca00..=0xca04))?);
    more.product_id = Some(reader.le16()?);
    more.serial_number = Some(reader.le32()?);
    more.high_color_depth = Some(reader.le16().filter(|depth| matches!(depth, 0 | 4 | 8 | 15 | 16 | 24))?);
    reader.le16().filter(|supported| supported & !0xf == 0)?;
    more.capabilities = Some(reader.le16().filter(|flags| flags & !0x7ff == 0)?);
    more.id = Some(wide(reader.take(64)?)?);
    more.connection_hint = Some(reader.u8().filter(|hint| *hint <= 7)?);
    reader.skip(1)?;
    reader.le32().filter(|protocols| protocols & !0xf == 0)?;
    for size in &mut more.physical {
        *size = Some(reader.le32().filter(|size| (10..=10_000).contains(size))?);
    }
    more.orientation = Some(reader.le16().filter(|angle| matches!(angle, 0 | 90 | 180 | 270))?);
    more.scale[0] = Some(reader.le32().filter(|scale| (100..=500).contains(scale))?);
    more.scale[1] = Some(reader.le32().filter(|scale| matches!(scale, 100 | 140 | 180))?);
    Some(())
}

/// UTF-16 up to a zero.
fn wide(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).ok()
}
