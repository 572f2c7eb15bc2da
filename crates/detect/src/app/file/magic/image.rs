//! Images.

use super::view::View;

/// Types that are told by their first bytes alone.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\xd7\xcd\xc6\x9a", "Windows metafile"),
    (0, b"hsi1", "JPEG image data, HSI proprietary"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000 codestream"),
    (0, b"II\xbc", "JPEG-XR Image"),
    (0, b"gimp xcf", "GIMP XCF image data"),
    (0, b"icns", "Mac OS X icon"),
    (0, b"FLIF", "FLIF image data"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR image data"),
    (12, b"DJVM", "DjVu multiple page document"),
    (12, b"DJVU", "DjVu image or single page document"),
];

pub(super) fn describe(view: View<'_>) -> Option<String> {
    let signature = || {
        let found = SIGNATURES.iter().find(|(at, bytes, _)| view.has(*at, bytes));
        found.map(|(_, _, words)| (*words).to_owned())
    };
    jpeg(view)
        .or_else(|| png(view))
        .or_else(|| gif(view))
        .or_else(|| bitmap(view))
        .or_else(|| tiff(view, 0))
        .or_else(|| icon(view))
        .or_else(|| layered(view))
        .or_else(|| metafile(view))
        .or_else(|| jpeg_2000(view))
        .or_else(|| vector(view))
        .or_else(signature)
}

fn jpeg(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\xff\xd8") {
        return None;
    }
    // Two bytes alone say too little; what follows them is another mark.
    if view.u8(2).is_some_and(|mark| mark != 0xff) {
        return None;
    }
    let mut words = String::from("JPEG image data");
    if view.has(6, b"JFIF") {
        words.push_str(", JFIF standard");
        if let (Some(major), Some(minor)) = (view.u8(11), view.u8(12)) {
            words.push_str(&format!(" {major}.{minor:02}"));
        }
        words.push_str(match view.u8(13) {
            Some(0) => ", aspect ratio",
            Some(1) => ", resolution (DPI)",
            Some(2) => ", resolution (DPCM)",
            _ => "",
        });
        if let (Some(across), Some(down)) = (view.be16(14), view.be16(16)) {
            words.push_str(&format!(", density {across}x{down}"));
        }
        if let Some(length) = view.be16(4) {
            words.push_str(&format!(", segment length {length}"));
        }
        if let (Some(across @ 1..), Some(down)) = (view.u8(18), view.u8(19)) {
            words.push_str(&format!(", thumbnail {across}x{down}"));
        }
    }
    if view.has(6, b"Exif")
        && let Some(inner) = tiff(view, 12)
    {
        words.push_str(&format!(", Exif standard: [\\012- {inner}]"));
    }
    segments(view, &mut words);
    Some(words)
}

/// The segments behind the first: comments, and the frame that tells the size.
fn segments(view: View<'_>, words: &mut String) {
    /// Segments that are followed at most.
    const SEGMENTS_MAX: usize = 64;
    let Some(mut at) = view.be16(4).map(|length| usize::from(length) + 4) else { return };
    if !view.has(2, b"\xff\xe0") && !view.has(2, b"\xff\xe1") {
        at = 2;
    }
    for _ in 0..SEGMENTS_MAX {
        let (Some(0xff), Some(mark), Some(length)) = (view.u8(at), view.u8(at + 1), view.be16(at + 2)) else {
            return;
        };
        let frame = match mark {
            0xc0 => Some("baseline"),
            0xc1 => Some("extended sequential"),
            0xc2 => Some("progressive"),
            _ => None,
        };
        if let Some(frame) = frame {
            if let (Some(precision), Some(high), Some(wide), Some(parts)) =
                (view.u8(at + 4), view.be16(at + 5), view.be16(at + 7), view.u8(at + 9))
            {
                words.push_str(&format!(
                    ", {frame}, precision {precision}, {wide}x{high}, components {parts}"
                ));
            }
            return;
        }
        if mark == 0xfe {
            let text = view.letters(at + 4, usize::from(length).saturating_sub(2));
            words.push_str(&format!(", comment: \"{text}\""));
        }
        if mark == 0xda {
            return;
        }
        at += 2 + usize::from(length);
    }
}

fn png(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\x89PNG\x0d\x0a\x1a\x0a\0\0\0\x0dIHDR") {
        return None;
    }
    let mut words = String::from("PNG image data");
    if let (Some(wide), Some(high)) = (view.be32(16), view.be32(20)) {
        words.push_str(&format!(", {wide} x {high}"));
    }
    if let Some(depth) = view.u8(24) {
        words.push_str(&format!(", {depth}-bit"));
    }
    words.push_str(match view.u8(25) {
        Some(0) => " grayscale,",
        Some(2) => "/color RGB,",
        Some(3) => " colormap,",
        Some(4) => " gray+alpha,",
        Some(6) => "/color RGBA,",
        _ => "",
    });
    words.push_str(match view.u8(28) {
        Some(0) => " non-interlaced",
        Some(1) => " interlaced",
        _ => "",
    });
    Some(words)
}

fn gif(view: View<'_>) -> Option<String> {
    if !view.has(0, b"GIF8") {
        return None;
    }
    let mut words = format!("GIF image data, version 8{},", view.letters(4, 2));
    if let (Some(wide), Some(high)) = (view.le16(6), view.le16(8)) {
        words.push_str(&format!(" {wide} x {high}"));
    }
    Some(words)
}

fn bitmap(view: View<'_>) -> Option<String> {
    if !view.has(0, b"BM") {
        return None;
    }
    let head = view.le32(14)?;
    let (format, is_short) = match head {
        12 => ("OS/2 1.x format", true),
        40 => ("Windows 3.x format", false),
        64 => ("OS/2 2.x format", false),
        108 => ("Windows 95/NT4 and newer format", false),
        124 => ("Windows 98/2000 and newer format", false),
        _ => return None,
    };
    let mut words = format!("PC bitmap, {format}");
    if is_short {
        words.push_str(&format!(", {} x {} x {}", view.le16(18)?, view.le16(20)?, view.le16(24)?));
    } else {
        words.push_str(&format!(
            ", {} x {} x {}",
            view.le32(18)? as i32,
            view.le32(22)? as i32,
            view.le16(28)?
        ));
    }
    if head == 40 {
        if let Some(compression @ 1..) = view.le32(30) {
            words.push_str(&format!(", {compression} compression"));
        }
        if let Some(size @ 1..) = view.le32(34) {
            words.push_str(&format!(", image size {size}"));
        }
        if let (Some(across @ 1..), Some(down)) = (view.le32(38), view.le32(42)) {
            words.push_str(&format!(", resolution {across} x {down} px/m"));
        }
    }
    words.push_str(&format!(", cbSize {}, bits offset {}", view.le32(2)?, view.le32(10)?));
    Some(words)
}

/// A TIFF that begins at `at`: what its first directory says, the last entry first.
fn tiff(view: View<'_>, at: usize) -> Option<String> {
    /// Entries that are told of at most.
    const ENTRIES_MAX: u16 = 64;
    let (is_big, order) = match view.part(at, 4) {
        b"II\x2a\0" => (false, "little-endian"),
        b"MM\0\x2a" => (true, "big-endian"),
        _ => return None,
    };
    let mut words = format!("TIFF image data, {order}");
    let directory = view.u32(at + 4, is_big).and_then(|offset| at.checked_add(offset as usize));
    let Some((directory, count)) = directory.and_then(|place| Some((place, view.u16(place, is_big)?))) else {
        return Some(words);
    };
    words.push_str(&format!(", direntries={count}"));
    let entries = (0..count.min(ENTRIES_MAX)).map_while(|index| {
        let place = directory + 2 + 12 * usize::from(index);
        Some((view.u16(place, is_big)?, view.u16(place + 2, is_big)?, place + 8))
    });
    let entries: Vec<(u16, u16, usize)> = entries.collect();
    for (tag, kind, place) in entries.iter().rev() {
        let short = view.u16(*place, is_big);
        let text =
            || view.u32(*place, is_big).map(|offset| view.letters(at.saturating_add(offset as usize), 64));
        let said = match tag {
            0x100 => short.map(|number| format!("width={number}")),
            0x101 => short.map(|number| format!("height={number}")),
            0x102 => short.map(|number| format!("bps={number}")),
            0x103 => short.and_then(compression).map(|name| format!("compression={name}")),
            0x106 => short.and_then(photometric).map(|name| format!("PhotometricIntepretation={name}")),
            0x10e if *kind == 2 => text().map(|text| format!("description={text}")),
            0x10f if *kind == 2 => text().map(|text| format!("manufacturer={text}")),
            0x110 if *kind == 2 => text().map(|text| format!("model={text}")),
            0x131 if *kind == 2 => text().map(|text| format!("software={text}")),
            0x132 if *kind == 2 => text().map(|text| format!("datetime={text}")),
            _ => None,
        };
        if let Some(said) = said {
            words.push_str(&format!(", {said}"));
        }
    }
    Some(words)
}

fn compression(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "none",
        2 => "huffman",
        3 => "bi-level group 3",
        4 => "bi-level group 4",
        5 => "LZW",
        6 => "JPEG (old)",
        7 => "JPEG",
        8 => "deflate",
        32773 => "PackBits (Macintosh RLE)",
        _ => return None,
    })
}

fn photometric(number: u16) -> Option<&'static str> {
    Some(match number {
        0 => "WhiteIsZero",
        1 => "BlackIsZero",
        2 => "RGB",
        3 => "RGB Palette",
        4 => "Transparency Mask",
        5 => "CMYK",
        6 => "YCbCr",
        8 => "CIELab",
        _ => return None,
    })
}

/// Icons and cursors of Windows: how many, and the first two.
fn icon(view: View<'_>) -> Option<String> {
    let is_cursor = match view.part(0, 4) {
        b"\0\0\x01\0" => false,
        b"\0\0\x02\0" => true,
        _ => return None,
    };
    let count = view.le16(4).filter(|count| (1..=100).contains(count))?;
    // The first entry says where its picture is, and there is one.
    let picture = view.le32(18)? as usize;
    let is_icon = view.u8(9) == Some(0)
        && picture >= 22
        && (view.le32(picture) == Some(40) || view.has(picture, b"\x89PNG"));
    if !is_icon {
        return None;
    }
    let plural = if count == 1 { "" } else { "s" };
    let kind = if is_cursor { "cursor" } else { "icon" };
    let mut words = format!("MS Windows {kind} resource - {count} icon{plural}");
    for index in 0..usize::from(count.min(2)) {
        let at = 6 + 16 * index;
        let size = |at: usize| view.u8(at).map(|size| if size == 0 { 256 } else { u16::from(size) });
        let (Some(wide), Some(high)) = (size(at), size(at + 1)) else { break };
        words.push_str(&format!(", {wide}x{high}"));
        if let Some(colours @ 1..) = view.u8(at + 2) {
            words.push_str(&format!(", {colours} colors"));
        }
        match (is_cursor, view.le16(at + 4), view.le16(at + 6)) {
            (true, Some(across), Some(down)) => words.push_str(&format!(", hotspot @{across}x{down}")),
            (false, _, Some(bits @ 1..)) => words.push_str(&format!(", {bits} bits/pixel")),
            _ => {}
        }
    }
    Some(words)
}

fn layered(view: View<'_>) -> Option<String> {
    if !view.has(0, b"8BPS") {
        return None;
    }
    let mode = match view.be16(24) {
        Some(0) => " bitmap",
        Some(1) => " grayscale",
        Some(2) => " indexed",
        Some(3) => " RGB",
        Some(4) => " CMYK",
        Some(9) => " lab",
        _ => "",
    };
    let (high, wide, channels, depth) = (view.be32(14)?, view.be32(18)?, view.be16(12)?, view.be16(22)?);
    Some(format!("Adobe Photoshop Image, {wide} x {high},{mode}, {channels}x {depth}-bit channels"))
}

fn metafile(view: View<'_>) -> Option<String> {
    let is_it = view.has(0, b"\x01\0\0\0") && view.has(40, b" EMF");
    is_it.then(|| {
        format!("Windows Enhanced Metafile (EMF) image data version {:#x}", view.le32(44).unwrap_or(0))
    })
}

fn jpeg_2000(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\0\0\0\x0cjP  \x0d\x0a\x87\x0a") {
        return None;
    }
    let part = match view.part(20, 4) {
        b"jp2 " => " Part 1 (JP2)",
        b"jpx " => " Part 2 (JPX)",
        b"jpm " => " Part 6 (JPM)",
        b"mjp2" => " Part 3 (MJ2)",
        _ => "",
    };
    Some(format!("JPEG 2000{part}"))
}

/// Images that are XML.
fn vector(view: View<'_>) -> Option<String> {
    const WITHIN: usize = 4096;
    let is_it =
        view.has(0, b"<svg") || (view.has(0, b"<?xml version=") && view.find(19, WITHIN, b"<svg").is_some());
    is_it.then(|| "SVG Scalable Vector Graphics image".to_owned())
}
