//! Archives and what is compressed.

use super::view::View;

/// The header of a file in an archive as `tar` writes it, where the checksum is right.
pub(super) fn tape(view: View<'_>) -> Option<String> {
    const BLOCK_BYTES: usize = 512;
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let block = view.0.get(..BLOCK_BYTES)?;
    let written = block.get(CHECKSUM)?;
    let digits: Vec<u32> = written
        .iter()
        .skip_while(|byte| **byte == b' ')
        .map_while(|byte| char::from(*byte).to_digit(8))
        .collect();
    if digits.is_empty() {
        return None;
    }
    let written = digits.iter().fold(0u32, |sum, digit| sum.wrapping_mul(8).wrapping_add(*digit));
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if CHECKSUM.contains(&at) { u32::from(b' ') } else { u32::from(*byte) })
        .sum();
    if sum != written {
        return None;
    }
    Some(match view.part(257, 8) {
        b"ustar  \0" => "POSIX tar archive (GNU)".to_owned(),
        magic if magic.starts_with(b"ustar\0") => "POSIX tar archive".to_owned(),
        _ => "tar archive".to_owned(),
    })
}

/// Types that are told by their first bytes alone.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x04\x22\x4d\x18", "LZ4 compressed data (v1.4+)"),
    (0, b"!<arch>\ndebian", "Debian binary package (format 2.0)"),
    (0, b"!<arch>\n", "current ar archive"),
    (0, b"070701", "ASCII cpio archive (SVR4 with no CRC)"),
    (0, b"070702", "ASCII cpio archive (SVR4 with CRC)"),
    (0, b"070707", "ASCII cpio archive (pre-SVR4 or odc)"),
    (0, b"\xed\xab\xee\xdb", "RPM"),
    (0, b"xar!", "xar archive"),
    (0, b"hsqs", "Squashfs filesystem, little endian"),
    (0, b"sqsh", "Squashfs filesystem, big endian"),
    (7, b"**ACE**", "ACE archive data"),
    (0, b"\x60\xea", "ARJ archive data"),
    (0, b"Cr24", "Google Chrome extension"),
    (0, b"dex\n035\0", "Dalvik dex file version 035"),
    (0, b"\0asm\x01\0\0\0", "WebAssembly (wasm) binary module version 0x1 (MVP)"),
    (0, b"\xac\xed\0\x05", "Java serialization data, version 5"),
    (0, b"KDMV", "VMware4 disk image"),
    (0, b"QFI\xfb", "QEMU QCOW Image"),
    (0, b"vhdxfile", "Microsoft Disk Image eXtended"),
    (0, b"conectix", "Microsoft Disk Image, Virtual Server or Virtual PC"),
];

pub(super) fn describe(view: View<'_>) -> Option<String> {
    let signature = || {
        let found = SIGNATURES.iter().find(|(at, bytes, _)| view.has(*at, bytes));
        found.map(|(_, _, words)| (*words).to_owned())
    };
    zip(view)
        .or_else(|| rar(view))
        .or_else(|| gzip(view))
        .or_else(|| compressed(view))
        .or_else(|| cabinet(view))
        .or_else(signature)
        .or_else(|| disc(view))
}

/// How the files of a zip archive are packed.
const METHODS: &[(u16, &str)] = &[
    (0, "store"),
    (1, "Shrinking"),
    (6, "Imploding"),
    (8, "deflate"),
    (9, "deflate64"),
    (12, "bzip2"),
    (14, "lzma"),
    (95, "xz"),
    (99, "AES Encrypted"),
];

/// Where the name of a zip archive's first file begins.
const NAME_AT: usize = 30;

fn zip(view: View<'_>) -> Option<String> {
    if view.has(0, b"PK\x05\x06") {
        return Some("Zip archive data (empty)".to_owned());
    }
    if view.has(0, b"PK\x07\x08PK\x03\x04") {
        return Some("Zip multi-volume archive data, at least PKZIP v2.50 to extract".to_owned());
    }
    if !view.has(0, b"PK\x03\x04") {
        return None;
    }
    if let Some(words) = package(view) {
        return Some(words);
    }
    let needs = view.le16(4)?;
    let method = view.le16(8)?;
    // Shorter than a file's head is no archive yet.
    view.u8(NAME_AT - 1)?;
    let known = METHODS.iter().find(|(number, _)| *number == method).map(|(_, name)| *name);
    let method = match known {
        Some(name) => format!(", compression method={name}"),
        None => format!(", compression method=[{method:#x}]"),
    };
    Some(format!(
        "Zip archive data, at least v{}.{} to extract{method}",
        (needs & 0xff) / 10,
        (needs & 0xff) % 10
    ))
}

/// Documents and programs that are zip archives with certain files in front.
fn package(view: View<'_>) -> Option<String> {
    if view.has(NAME_AT, b"mimetype") {
        let name = view.part(NAME_AT + 8, 80);
        const KINDS: &[(&[u8], &str)] = &[
            (b"application/epub+zip", "EPUB document"),
            (b"application/vnd.oasis.opendocument.text-template", "OpenDocument Text Template"),
            (b"application/vnd.oasis.opendocument.text", "OpenDocument Text"),
            (b"application/vnd.oasis.opendocument.spreadsheet", "OpenDocument Spreadsheet"),
            (b"application/vnd.oasis.opendocument.presentation", "OpenDocument Presentation"),
            (b"application/vnd.oasis.opendocument.graphics", "OpenDocument Drawing"),
            (b"application/vnd.oasis.opendocument.chart", "OpenDocument Chart"),
            (b"application/vnd.oasis.opendocument.formula", "OpenDocument Formula"),
        ];
        return KINDS.iter().find(|(kind, _)| name.starts_with(kind)).map(|(_, words)| (*words).to_owned());
    }
    if view.has(NAME_AT, b"AndroidManifest.xml") {
        return Some("Android package (APK), with AndroidManifest.xml".to_owned());
    }
    let is_archive_of_classes =
        view.le16(26).is_some_and(|length| view.le16(NAME_AT + usize::from(length)) == Some(0xcafe));
    if is_archive_of_classes {
        return Some("Java archive data (JAR)".to_owned());
    }
    office(view)
}

/// Documents of Microsoft Office since 2007: the third file's folder says of which program.
fn office(view: View<'_>) -> Option<String> {
    let is_first =
        [&b"[Content_Types].xml"[..], b"_rels/.rels", b"docProps"].iter().any(|name| view.has(NAME_AT, name));
    if !is_first {
        return program_of(view, NAME_AT);
    }
    let packed = usize::try_from(view.le32(18)?).ok()?;
    let second = view.find(packed.checked_add(49)?, 6000, b"PK\x03\x04")?;
    let third = view.find(second + 26, 6000, b"PK\x03\x04")?;
    program_of(view, third + NAME_AT)
}

fn program_of(view: View<'_>, at: usize) -> Option<String> {
    const PROGRAMS: &[(&[u8], &str)] = &[
        (b"word/", "Microsoft Word 2007+"),
        (b"ppt/", "Microsoft PowerPoint 2007+"),
        (b"xl/", "Microsoft Excel 2007+"),
        (b"visio/", "Microsoft Visio 2013+"),
        (b"AppManifest.xaml", "Microsoft Silverlight Application"),
    ];
    PROGRAMS.iter().find(|(folder, _)| view.has(at, folder)).map(|(_, words)| (*words).to_owned())
}

fn rar(view: View<'_>) -> Option<String> {
    if view.has(0, b"Rar!\x1a\x07\x01\0") {
        return Some("RAR archive data, v5".to_owned());
    }
    if !view.has(0, b"Rar!\x1a\x07\0") {
        return None;
    }
    let mut words = String::from("RAR archive data");
    if let Some(version) = view.u8(44).filter(|version| (11..=36).contains(version)) {
        words.push_str(&format!(", v{:x}", version));
    }
    let system = match view.u8(35) {
        Some(0) => ", os: MS-DOS",
        Some(1) => ", os: OS/2",
        Some(2) => ", os: Win32",
        Some(3) => ", os: Unix",
        _ => "",
    };
    words.push_str(system);
    const FLAGS: &[(u16, &str)] = &[
        (0x01, "ArchiveVolume"),
        (0x02, "Commented"),
        (0x04, "Locked"),
        (0x10, "NewVolumeNaming"),
        (0x08, "Solid"),
        (0x20, "Authenticated"),
        (0x40, "RecoveryRecordPresent"),
        (0x80, "EncryptedBlockHeader"),
        (0x100, "FirstVolume"),
    ];
    let flags = view.le16(10).unwrap_or(0);
    let names: Vec<&str> =
        FLAGS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| *name).collect();
    if !names.is_empty() {
        words.push_str(&format!(", flags: {}", names.join(" ")));
    }
    Some(words)
}

const SYSTEMS: &[&str] = &[
    "FAT filesystem (MS-DOS, OS/2, NT)",
    "Amiga",
    "VMS",
    "Unix",
    "VM/CMS",
    "Atari TOS",
    "HPFS filesystem (OS/2, NT)",
    "Macintosh",
    "Z-System",
    "CP/M",
    "TOPS/20",
    "NTFS filesystem (NT)",
    "QDOS",
    "Acorn RISCOS",
];

fn gzip(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\x1f\x8b") {
        return None;
    }
    let mut words = String::from("gzip compressed data");
    let mut add = |said: &str| words.push_str(said);
    match view.u8(2) {
        Some(8) => {}
        Some(_) => add(", reserved method"),
        None => {}
    }
    let flags = view.u8(3).unwrap_or(0);
    for (flag, said) in [(1, ", ASCII"), (2, ", has CRC"), (4, ", extra field")] {
        if flags & flag != 0 {
            add(said);
        }
    }
    if flags & 0x0c == 8 {
        add(&format!(", was \"{}\"", view.letters(10, 128)));
    }
    if flags & 0x10 != 0 {
        add(", has comment");
    }
    if flags & 0x20 != 0 {
        add(", encrypted");
    }
    if let Some(seconds) = view.le32(4).filter(|seconds| *seconds != 0) {
        add(&format!(", last modified: {}", super::view::date(u64::from(seconds))));
    }
    match view.u8(8) {
        Some(2) => add(", max compression"),
        Some(4) => add(", max speed"),
        _ => {}
    }
    if let Some(system) = view.u8(9).and_then(|number| SYSTEMS.get(usize::from(number))) {
        add(&format!(", from {system}"));
    }
    let size = view.len().checked_sub(4).and_then(|at| view.le32(at));
    if let Some(size) = size {
        add(&format!(", original size modulo 2^32 {size}"));
    }
    Some(words)
}

fn compressed(view: View<'_>) -> Option<String> {
    if view.has(0, b"BZh") {
        let level = view.u8(3).filter(u8::is_ascii_digit)?;
        return Some(format!("bzip2 compressed data, block size = {}00k", char::from(level)));
    }
    if view.has(0, b"\xfd7zXZ\0") {
        let check = match view.u8(7) {
            Some(0) => ", no checksum",
            Some(1) => ", checksum CRC32",
            Some(4) => ", checksum CRC64",
            Some(10) => ", checksum SHA-256",
            _ => "",
        };
        return Some(format!("XZ compressed data{check}"));
    }
    if view.has(0, b"7z\xbc\xaf\x27\x1c") {
        return Some(format!("7-zip archive data, version {}.{}", view.u8(6)?, view.u8(7)?));
    }
    if view.has(0, b"\x28\xb5\x2f\xfd") {
        return Some("Zstandard compressed data (v0.8+)".to_owned());
    }
    if view.has(0, b"\x1f\x9d") {
        return Some(format!("compress'd data {} bits", view.u8(2)? & 0x1f));
    }
    if view.has(0, b"\x5d\0\0") && view.le32(1).is_some_and(u32::is_power_of_two) {
        let size = view.part(5, 8);
        let is_streamed = size.iter().all(|byte| *byte == 0xff);
        let known = size.iter().rev().fold(0u64, |size, byte| size << 8 | u64::from(*byte));
        let said = if is_streamed { "streamed".to_owned() } else { format!("non-streamed, size {known}") };
        return Some(format!("LZMA compressed data, {said}"));
    }
    let is_zlib = view.u8(0).is_some_and(|first| first & 0x8f == 8)
        && view.be16(0).is_some_and(|head| head % 31 == 0 && head & 0x20 == 0);
    if is_zlib && view.len() > 8 {
        return Some("zlib compressed data".to_owned());
    }
    None
}

fn cabinet(view: View<'_>) -> Option<String> {
    if !view.has(0, b"MSCF\0\0\0\0") {
        return None;
    }
    let files = view.le16(28)?;
    let plural = if files == 1 { "" } else { "s" };
    Some(format!("Microsoft Cabinet archive data, {} bytes, {files} file{plural}", view.le32(8)?))
}

fn disc(view: View<'_>) -> Option<String> {
    const DESCRIPTOR: usize = 32_769;
    view.has(DESCRIPTOR, b"CD001").then(|| {
        let name = view.letters(DESCRIPTOR + 39, 32);
        format!("ISO 9660 CD-ROM filesystem data '{}'", name.trim_end())
    })
}
