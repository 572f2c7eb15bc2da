//! Sound, and pictures that move.

use super::view::View;

/// Types that are told by their first bytes alone.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"FLV\x01", "Macromedia Flash Video"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c", "Microsoft ASF"),
    (0, b".RMF\0\0\0", "RealMedia file"),
    (0, b"#!AMR", "Adaptive Multi-Rate Codec (GSM telephony)"),
    (4, b"moov", "Apple QuickTime movie (fast start)"),
    (4, b"mdat", "Apple QuickTime movie (unoptimized)"),
    (0, b"\0\0\x01\xb3", "MPEG sequence"),
];

pub(super) fn describe(view: View<'_>) -> Option<String> {
    let signature = || {
        let found = SIGNATURES.iter().find(|(at, bytes, _)| view.has(*at, bytes));
        found.map(|(_, _, words)| (*words).to_owned())
    };
    riff(view)
        .or_else(|| flash(view))
        .or_else(|| iso(view))
        .or_else(|| ogg(view))
        .or_else(|| layered(view, 0))
        .or_else(|| tagged(view))
        .or_else(|| matroska(view))
        .or_else(|| stream(view))
        .or_else(|| sound(view))
        .or_else(signature)
}

fn riff(view: View<'_>) -> Option<String> {
    let (is_big, order) = match view.part(0, 4) {
        b"RIFF" => (false, "little-endian"),
        b"RIFX" => (true, "big-endian"),
        _ => return None,
    };
    let kind = match view.part(8, 4) {
        b"WAVE" => return Some(format!("RIFF ({order}) data, WAVE audio{}", wave(view, is_big))),
        b"AVI " => ", AVI".to_owned(),
        b"ACON" => ", animated cursor".to_owned(),
        b"RMID" => ", MIDI".to_owned(),
        b"PAL " => ", palette".to_owned(),
        b"WEBP" => {
            let coding = match view.part(12, 4) {
                b"VP8 " => ", VP8 encoding",
                _ => "",
            };
            let size = match (coding, view.le16(26), view.le16(28)) {
                (", VP8 encoding", Some(wide), Some(high)) => {
                    format!(", {}x{}", wide & 0x3fff, high & 0x3fff)
                }
                _ => String::new(),
            };
            format!(", Web/P image{coding}{size}")
        }
        _ => String::new(),
    };
    let mut words = format!("RIFF ({order}) data{kind}");
    if view.has(8, b"AVI ")
        && view.has(24, b"avih")
        && let (Some(wide), Some(high), Some(micros @ 1..)) = (view.le32(64), view.le32(68), view.le32(32))
    {
        words.push_str(&format!(", {wide} x {high}, {:.2} fps,", 1_000_000.0 / f64::from(micros)));
    }
    Some(words)
}

fn wave(view: View<'_>, is_big: bool) -> String {
    if !view.has(12, b"fmt ") {
        return String::new();
    }
    let coding = match view.u16(20, is_big) {
        Some(1) => ", Microsoft PCM",
        Some(2) => ", Microsoft ADPCM",
        Some(6) => ", ITU G.711 A-law",
        Some(7) => ", ITU G.711 mu-law",
        Some(17) => ", IMA ADPCM",
        Some(49) => ", GSM 6.10",
        Some(80) => ", MPEG",
        Some(85) => ", MPEG Layer 3",
        _ => "",
    };
    let depth =
        view.u16(34, is_big).filter(|depth| (1..1024).contains(depth)).map(|depth| format!(", {depth} bit"));
    let channels = match view.u16(22, is_big) {
        Some(1) => ", mono".to_owned(),
        Some(2) => ", stereo".to_owned(),
        Some(other) => format!(", {other} channels"),
        None => String::new(),
    };
    let rate = view.u32(24, is_big).map(|rate| format!(" {rate} Hz")).unwrap_or_default();
    format!("{coding}{}{channels}{rate}", depth.unwrap_or_default())
}

fn flash(view: View<'_>) -> Option<String> {
    const VERSION_MAX: u8 = 64;
    let (words, is_packed) = match view.part(0, 3) {
        b"FWS" => ("Macromedia Flash data, version", false),
        b"CWS" => ("Macromedia Flash data (compressed), version", true),
        b"ZWS" => ("Macromedia Flash data (lzma compressed), version", true),
        _ => return None,
    };
    let version = view.u8(3).filter(|version| *version < VERSION_MAX)?;
    // The length is written there, and is more than this head.
    let is_it = view.le32(4).is_some_and(|length| length > 8) && (!is_packed || view.len() > 8);
    is_it.then(|| format!("{words} {version}"))
}

/// The brands of ISO's container.
const BRANDS: &[(&[u8], &str)] = &[
    (b"3ge", ", MPEG v4 system, 3GPP"),
    (b"3gg", ", MPEG v4 system, 3GPP"),
    (b"3gp", ", MPEG v4 system, 3GPP"),
    (b"3gs", ", MPEG v4 system, 3GPP"),
    (b"3g2a", ", MPEG v4 system, 3GPP2 C.S0050-0 V1.0"),
    (b"3g2", ", MPEG v4 system, 3GPP2"),
    (b"avc1", ", MPEG v4 system, 3GPP JVT AVC [ISO 14496-12:2005]"),
    (b"avif", ", AVIF Image"),
    (b"avis", ", AVIF Image Sequence"),
    (b"dash", ", MPEG v4 system, Dynamic Adaptive Streaming over HTTP"),
    (b"heic", ", HEIF Image HEVC Main or Main Still Picture Profile"),
    (b"heix", ", HEIF Image HEVC Main 10 Profile"),
    (b"hevc", ", HEIF Image Sequence HEVC Main or Main Still Picture Profile"),
    (b"mif1", ", HEIF Image"),
    (b"msf1", ", HEIF Image Sequence"),
    (b"iso2", ", MP4 Base Media v2 [ISO 14496-12:2005]"),
    (b"iso4", ", MP4 Base Media v4"),
    (b"iso5", ", MP4 Base Media v5"),
    (b"iso6", ", MP4 Base Media v6"),
    (b"isom", ", MP4 Base Media v1 [ISO 14496-12:2003]"),
    (b"jp2 ", ", JPEG 2000"),
    (b"M4A ", ", Apple iTunes ALAC/AAC-LC (.M4A) Audio"),
    (b"M4B ", ", Apple iTunes ALAC/AAC-LC (.M4B) Audio Book"),
    (b"M4P ", ", Apple iTunes ALAC/AAC-LC (.M4P) AES Protected Audio"),
    (b"M4V ", ", Apple iTunes Video (.M4V) Video"),
    (b"mmp4", ", MPEG-4/3GPP Mobile Profile (.MP4 / .3GP) (for NTT), MPEG v4 system, 3GPP Mobile"),
    (b"mp41", ", MP4 v1 [ISO 14496-1:ch13]"),
    (b"mp42", ", MP4 v2 [ISO 14496-14]"),
    (b"qt  ", ", Apple QuickTime movie, Apple QuickTime (.MOV/QT)"),
];

fn iso(view: View<'_>) -> Option<String> {
    if !view.has(4, b"ftyp") {
        return None;
    }
    let brand = BRANDS.iter().find(|(brand, _)| view.has(8, brand)).map_or("", |(_, words)| *words);
    Some(format!("ISO Media{brand}"))
}

fn ogg(view: View<'_>) -> Option<String> {
    if !view.has(0, b"OggS") {
        return None;
    }
    let content = match view.part(28, 7) {
        part if part.starts_with(b"OpusHea") => ", Opus audio,",
        b"\x01vorbis" => ", Vorbis audio,",
        b"\x80theora" => ", Theora video",
        b"\x7fFLAC\x01\0" => ", FLAC audio",
        b"Speex  " => ", Speex audio",
        _ => "",
    };
    Some(format!("Ogg data{content}"))
}

const RATES_V1: [u16; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
const RATES_V2: [u16; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];

/// A frame of MPEG audio, layer III, or of AAC.
fn layered(view: View<'_>, at: usize) -> Option<String> {
    let head = view.be32(at)?;
    match head >> 16 & 0xfffe {
        0xfff0 | 0xfff8 => return Some("MPEG ADTS, AAC".to_owned()),
        _ => {}
    }
    let (version, rates, scale) = match head >> 16 & 0xfffe {
        0xfffa => ("v1", RATES_V1, 1),
        0xfff2 => ("v2", RATES_V2, 2),
        0xffe2 => ("v2.5", RATES_V2, 4),
        _ => return None,
    };
    let rate = *rates.get((head >> 12 & 15) as usize).filter(|rate| **rate > 0)?;
    let frequency = match head >> 10 & 3 {
        0 => 44_100,
        1 => 48_000,
        2 => 32_000,
        _ => return None,
    } / scale;
    let channels = match head >> 6 & 3 {
        0 => "Stereo",
        1 => "JntStereo",
        2 => "2x Monaural",
        _ => "Monaural",
    };
    let (whole, rest) = (frequency / 1000, frequency % 1000);
    let frequency = if rest == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{}", format!("{rest:03}").trim_end_matches('0'))
    };
    Some(format!("MPEG ADTS, layer III, {version}, {rate:3} kbps, {frequency} kHz, {channels}"))
}

fn tagged(view: View<'_>) -> Option<String> {
    if !view.has(0, b"ID3") {
        return None;
    }
    let size = view.part(6, 4).iter().fold(0usize, |size, byte| size << 7 | usize::from(byte & 0x7f));
    let inner = layered(view, 10 + size).map(|inner| format!(", contains: {inner}")).unwrap_or_default();
    Some(format!("Audio file with ID3 version 2.{}.{}{inner}", view.u8(3)?, view.u8(4)?))
}

fn matroska(view: View<'_>) -> Option<String> {
    const WITHIN: usize = 4096;
    if !view.has(0, b"\x1a\x45\xdf\xa3") {
        return None;
    }
    let kind = view.find(4, WITHIN, b"\x42\x82").map(|at| view.part(at + 2, 9)).unwrap_or_default();
    Some(if kind.get(1..).is_some_and(|kind| kind.starts_with(b"webm")) {
        "WebM".to_owned()
    } else if kind.get(1..).is_some_and(|kind| kind.starts_with(b"matroska")) {
        "Matroska data".to_owned()
    } else {
        "EBML file".to_owned()
    })
}

fn stream(view: View<'_>) -> Option<String> {
    const PACKET_BYTES: usize = 188;
    if view.has(0, b"\0\0\x01\xba") {
        let version = match view.u8(4)? {
            first if first & 0xc0 == 0x40 => ", v2, program multiplex",
            _ => ", v1, system multiplex",
        };
        return Some(format!("MPEG sequence{version}"));
    }
    let is_transport = view.be32(0).is_some_and(|head| head & 0xff5f_ff10 == 0x4740_0010)
        && view.u8(PACKET_BYTES) == Some(0x47)
        && view.u8(2 * PACKET_BYTES) == Some(0x47);
    is_transport.then(|| "MPEG transport stream data".to_owned())
}

fn sound(view: View<'_>) -> Option<String> {
    if view.has(0, b"MThd") {
        let (format, tracks, unit) = (view.be16(8)?, view.be16(10)?, view.be16(12)?);
        return Some(format!("Standard MIDI data (format {format}) using {tracks} tracks at 1/{unit}"));
    }
    if view.has(0, b"fLaC") {
        return Some("FLAC audio bitstream data".to_owned());
    }
    if view.has(0, b".snd") {
        return Some("Sun/NeXT audio data".to_owned());
    }
    None
}
