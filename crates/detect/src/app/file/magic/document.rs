//! Documents, fonts, databases, captures: all that is neither program, archive, image nor sound.

use super::view::View;

/// Types that are told by their first bytes alone.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"-----BEGIN CERTIFICATE-----", "PEM certificate"),
    (0, b"-----BEGIN CERTIFICATE REQ", "PEM certificate request"),
    (0, b"-----BEGIN RSA PRIVATE", "PEM RSA private key"),
    (0, b"-----BEGIN DSA PRIVATE", "PEM DSA private key"),
    (0, b"-----BEGIN EC PRIVATE", "PEM EC private key"),
    (0, b"-----BEGIN OPENSSH PRIVATE KEY-----", "OpenSSH private key"),
    (0, b"-----BEGIN PGP MESSAGE-", "PGP message"),
    (0, b"-----BEGIN PGP PUBLIC KEY BLOCK-", "PGP public key block"),
    (0, b"-----BEGIN PGP PRIVATE KEY BLOCK-", "PGP private key block"),
    (0, b"-----BEGIN PGP SIGNATURE-", "PGP signature"),
    (0, b"-----BEGIN PGP SIGNED MESSAGE-", "PGP signed message"),
    (0, b"ssh-rsa ", "OpenSSH RSA public key"),
    (0, b"ssh-dss ", "OpenSSH DSA public key"),
    (0, b"ssh-ed25519 ", "OpenSSH ED25519 public key"),
    (0, b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR", "EICAR virus test files"),
    (0, b"d8:announce", "BitTorrent file"),
    (0, b"d13:announce-list", "BitTorrent file"),
    (0, b"ITSF", "MS Windows HtmlHelp Data"),
    (0, b"\xdb\xa5\x2d\0", "Microsoft Word 2.0 Document"),
    (0, b"\x09\x04\x06\0\0\0\x10\0", "Microsoft Excel Worksheet"),
    (0, b"!BDN", "Microsoft Outlook Personal Storage"),
    (4, b"Standard Jet DB", "Microsoft Access Database"),
    (4, b"Standard ACE DB", "Microsoft Access Database"),
    (0, b"HWP Document File", "Hangul (Korean) Word Processor File 3.0"),
    (0, b"\xffWPC", "WordPerfect document"),
    (0, b"Windows Registry Editor Version 5.00", "Windows Registry text (Win2K or above)"),
    (0, b"REGEDIT4", "Windows Registry text (Win95 or above)"),
    (0, b"regf", "MS Windows registry file, NT/2000 or above"),
    (0, b"ElfFile\0", "MS Windows Vista-8.1 Event Log"),
    (0, b"MDMP\x93\xa7", "Mini DuMP crash report"),
    (0, b"bplist", "Apple binary property list"),
    (0, b"AC1012", "DWG AutoDesk AutoCAD Release 13"),
    (0, b"AC1014", "DWG AutoDesk AutoCAD Release 14"),
    (0, b"AC1015", "DWG AutoDesk AutoCAD 2000"),
    (0, b"AC1018", "DWG AutoDesk AutoCAD 2004/2005/2006"),
    (0, b"AC1021", "DWG AutoDesk AutoCAD 2007/2008/2009"),
    (0, b"AC1024", "DWG AutoDesk AutoCAD 2010/2011/2012"),
    (0, b"AC1027", "DWG AutoDesk AutoCAD 2013-2017"),
    (0, b"AC1032", "DWG AutoDesk AutoCAD 2018/2019/2020"),
    (0, b"\x1bLuaQ", "Lua bytecode, version 5.1"),
    (0, b"\x1bLuaR", "Lua bytecode, version 5.2"),
    (0, b"\x1bLuaS", "Lua bytecode, version 5.3"),
    (0, b"\x1bLuaT", "Lua bytecode, version 5.4"),
    (0, b"\x03\xf3\r\n", "python 2.7 byte-compiled"),
    (0, b"BEGIN:VCALENDAR", "vCalendar calendar file"),
    (0, b"ID;P", "spreadsheet interchange document"),
    (0, b"OTTO", "OpenType font data"),
    (0, b"\x1f\xa0", "SCO compress -H (LZH) data"),
];

pub(super) fn describe(view: View<'_>) -> Option<String> {
    let signature = || {
        let found = SIGNATURES.iter().find(|(at, bytes, _)| view.has(*at, bytes));
        found.map(|(_, _, words)| (*words).to_owned())
    };
    portable(view)
        .or_else(|| compound(view))
        .or_else(|| rich_text(view))
        .or_else(|| postscript(view))
        .or_else(|| shortcut(view))
        .or_else(|| card(view))
        .or_else(signature)
        .or_else(|| database(view))
        .or_else(|| capture(view))
        .or_else(|| font(view))
}

/// PDF and its forms: the version, the pages that the first count in sight tells of, and whether the beginning is packed.
fn portable(view: View<'_>) -> Option<String> {
    if view.has(0, b"%FDF-") {
        return Some(format!("FDF document, version {}", view.letters(5, 3)));
    }
    let at = if view.has(0, b"%PDF-") {
        0
    } else if view.has(0, b"\n%PDF-") {
        1
    } else if view.has(0, b"\xef\xbb\xbf%PDF-") {
        3
    } else {
        return None;
    };
    Some(portable_at(view, at))
}

/// What is said of a PDF whose first mark stands at `at`.
pub(super) fn portable_at(view: View<'_>, at: usize) -> String {
    const PACKED_WITHIN: usize = 512;
    let mut words = String::from(if at == 3 { "PDF document (UTF-8)" } else { "PDF document" });
    if let (Some(major), Some(minor)) = (view.u8(at + 5), view.u8(at + 7)) {
        words.push_str(&format!(", version {}.{}", letter(major), letter(minor)));
    }
    let count = view.find(at + 8, view.len(), b"/Count").map(|found| view.part(found + 6, 4096));
    if let Some(pages) = count.and_then(digits) {
        words.push_str(&format!(", {pages} pages"));
    }
    if view.find(at + 8, PACKED_WITHIN, b"/Filter/FlateDecode/").is_some() {
        words.push_str(" (zip deflate encoded)");
    }
    words
}

fn letter(byte: u8) -> char {
    if (32..127).contains(&byte) { char::from(byte) } else { '?' }
}

/// The first number in `text`.
fn digits(text: &[u8]) -> Option<&str> {
    let begin = text.iter().position(u8::is_ascii_digit)?;
    let rest = text.get(begin..)?;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end).and_then(|digits| core::str::from_utf8(digits).ok())
}

/// OLE2: documents of Microsoft Office before 2007, installers, mails of Outlook.
fn compound(view: View<'_>) -> Option<String> {
    const SECTOR_BYTES: usize = 512;
    if !view.has(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return None;
    }
    // Its table of sectors stands anywhere, and mostly has not come yet.
    let table = view.place(0x4c, 1).and_then(|sector| sector.checked_add(1)?.checked_mul(SECTOR_BYTES));
    let has_table = table.is_some_and(|end| end <= view.len());
    let table = if has_table { "" } else { ", Can't read SAT" };
    Some(format!("Composite Document File V2 Document{table}"))
}

fn rich_text(view: View<'_>) -> Option<String> {
    const ANSI_WITHIN: usize = 502;
    const PAGE_WITHIN: usize = 500;
    if !view.has(0, b"{\\rtf") {
        return None;
    }
    let version = view.u8(5).filter(|version| *version != b'\\' && *version != 0xab)?;
    let mut words = String::from("Rich Text Format data");
    if version != b'{' {
        words.push_str(&format!(", version {}", letter(version)));
    }
    if view.has(6, b"\\mac") {
        words.push_str(", Apple Macintosh");
    } else if view.has(6, b"\\pca") {
        words.push_str(", IBM PS/2, code page 850");
    } else if view.has(6, b"\\pc") {
        words.push_str(", IBM PC, code page 437");
    }
    if view.find(6, ANSI_WITHIN, b"\\ansi").is_some() {
        words.push_str(", ANSI");
    }
    let number = |at: usize| {
        digits(view.part(at, 5)).filter(|_| view.u8(at).is_some_and(|byte| byte.is_ascii_digit()))
    };
    let page = view
        .find(5, PAGE_WITHIN, b"\\ansicpg")
        .and_then(|at| number(at + 8))
        .filter(|page| !page.starts_with('0'));
    if let Some(page) = page {
        words.push_str(&format!(", code page {page}"));
    }
    if let Some(language) = view.find(6, PAGE_WITHIN, b"\\adeflang").and_then(|at| number(at + 9)) {
        words.push_str(&format!(", default middle east language ID {language}"));
    } else if let Some(language) = view.find(6, PAGE_WITHIN, b"\\deflang").and_then(|at| number(at + 8)) {
        words.push_str(&format!(", default language ID {language}"));
    }
    Some(words)
}

fn postscript(view: View<'_>) -> Option<String> {
    if !view.has(0, b"%!") {
        return None;
    }
    let mut words = String::from("PostScript document text");
    if view.has(2, b"PS-Adobe-") {
        words.push_str(&format!(" conforming DSC level {}", view.letters(11, 3)));
        if view.has(15, b"EPS") {
            words.push_str(", type EPS");
        }
    }
    Some(words)
}

/// A link of Windows, with what its flags say.
fn shortcut(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46") {
        return None;
    }
    const FLAGS: &[(u32, &str)] = &[
        (1, ", Item id list present"),
        (2, ", Points to a file or directory"),
        (4, ", Has Description string"),
        (8, ", Has Relative path"),
        (16, ", Has Working directory"),
        (32, ", Has command line arguments"),
        (64, ", Icon"),
    ];
    let flags = view.le32(20).unwrap_or(0);
    let said: String = FLAGS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, words)| *words).collect();
    Some(format!("MS Windows shortcut{said}"))
}

fn card(view: View<'_>) -> Option<String> {
    if !view.has_letters(0, b"BEGIN:VCARD") {
        return None;
    }
    let version = view.find(12, 14_000, b"VERSION:").map(|at| view.letters(at + 8, 3));
    Some(match version {
        Some(version) => format!("vCard visiting card, version {version}"),
        None => "vCard visiting card".to_owned(),
    })
}

fn database(view: View<'_>) -> Option<String> {
    if !view.has(0, b"SQLite format 3\0") {
        return None;
    }
    let written = view
        .be32(96)
        .map(|version| format!(", last written using SQLite version {version}"))
        .unwrap_or_default();
    Some(format!("SQLite 3.x database{written}"))
}

/// Captured frames.
fn capture(view: View<'_>) -> Option<String> {
    if view.has(0, b"\x0a\x0d\x0d\x0a")
        && (view.has(8, b"\x4d\x3c\x2b\x1a") || view.has(8, b"\x1a\x2b\x3c\x4d"))
    {
        let is_big = view.has(8, b"\x1a\x2b\x3c\x4d");
        let (major, minor) = (view.u16(12, is_big)?, view.u16(14, is_big)?);
        return Some(format!("pcapng capture file - version {major}.{minor}"));
    }
    let (is_big, words) = match view.part(0, 4) {
        b"\xd4\xc3\xb2\xa1" => (false, "pcap capture file, microsecond ts (little-endian)"),
        b"\xa1\xb2\xc3\xd4" => (true, "pcap capture file, microseconds ts (big-endian)"),
        b"\x4d\x3c\xb2\xa1" => (false, "pcap capture file, nanosecond ts (little-endian)"),
        b"\xa1\xb2\x3c\x4d" => (true, "pcap capture file, nanosecond ts (big-endian)"),
        _ => return None,
    };
    let (major, minor) = (view.u16(4, is_big)?, view.u16(6, is_big)?);
    let link = match view.u32(20, is_big)? & 0x03ff_ffff {
        0 => "No link-layer encapsulation".to_owned(),
        1 => "Ethernet".to_owned(),
        101 => "Raw IPv4".to_owned(),
        113 => "Linux cooked v1".to_owned(),
        other => format!("linktype#{other}"),
    };
    Some(format!("{words} - version {major}.{minor} ({link}, capture length {})", view.u32(16, is_big)?))
}

fn font(view: View<'_>) -> Option<String> {
    if view.has(34, b"LP") && matches!(view.be32(8), Some(0x0000_0100 | 0x0100_0200 | 0x0200_0200)) {
        return Some("Embedded OpenType (EOT)".to_owned());
    }
    if view.has(0, b"ttcf") {
        return Some(format!("TrueType font collection data, {}.{}", view.be16(4)?, view.be16(6)?));
    }
    for (magic, words) in [(b"wOFF", "Web Open Font Format"), (b"wOF2", "Web Open Font Format (Version 2)")] {
        if view.has(0, magic) {
            let kind = match view.part(4, 4) {
                b"OTTO" => ", CFF",
                b"\0\x01\0\0" => ", TrueType",
                b"true" => ", TrueType",
                _ => "",
            };
            let at = if magic == b"wOFF" { 20 } else { 24 };
            let version = match (view.be16(at), view.be16(at + 2)) {
                (Some(major), Some(minor)) => format!(", version {major}.{minor}"),
                _ => String::new(),
            };
            return Some(format!("{words}{kind}, length {}{version}", view.be32(8)?));
        }
    }
    let tables = view.be16(4).filter(|tables| (1..=100).contains(tables))?;
    let is_font = view.has(0, b"\0\x01\0\0")
        && view.part(12, 4).iter().all(|letter| letter.is_ascii_graphic() || *letter == b' ');
    if !is_font || view.len() < 16 {
        return None;
    }
    let signed = if view.has(12, b"DSIG") { ", digitally signed" } else { "" };
    Some(format!("TrueType Font data{signed}, {tables} tables, 1st \"{}\"", view.letters(12, 4)))
}
