//! Programs: of DOS and Windows, ELF, Mach-O, Java.

use super::view::View;

pub(super) fn describe(view: View<'_>) -> Option<String> {
    dos(view).or_else(|| elf(view)).or_else(|| apple(view)).or_else(|| java(view))
}

fn dos(view: View<'_>) -> Option<String> {
    if !view.has(0, b"MZ") {
        return None;
    }
    let head = view.place(0x3c, 0).unwrap_or(usize::MAX);
    if view.has(head, b"PE\0\0") {
        return Some(portable(view, head));
    }
    let kind = match view.part(head, 2) {
        b"NE" => return Some(new_executable(view, head)),
        b"LE" => ", LE executable",
        b"LX" => match view.le16(head.saturating_add(10)) {
            Some(1) => ", LX for OS/2",
            Some(2) => ", LX for MS Windows",
            Some(3) => ", LX for DOS",
            _ => ", LX (unknown OS)",
        },
        b"W3" => ", W3 for MS Windows",
        _ if view.le16(0x18).is_some_and(|relocations| relocations < 0x40) => ", MZ for MS-DOS",
        _ => "",
    };
    Some(format!("MS-DOS executable{kind}"))
}

fn new_executable(view: View<'_>, head: usize) -> String {
    let system = match view.u8(head.saturating_add(0x36)) {
        Some(0) => " for OS/2 1.0 or MS Windows 1-2",
        Some(1) => " for OS/2 1.x",
        Some(2) => " for MS Windows 3.x",
        Some(3) => " for MS-DOS",
        Some(4) => " for Windows 386",
        Some(5) => " for Borland Operating System Services",
        _ => "",
    };
    let version = |at: usize| view.u8(head.saturating_add(at)).unwrap_or(0);
    let kind = match view.le16(head.saturating_add(12)) {
        Some(flags) if flags & 0x8000 != 0 => "(DLL or font)",
        _ => "(EXE)",
    };
    format!("MS-DOS executable, NE{system} ({}.{}) {kind}", version(0x3f), version(0x3e))
}

const SUBSYSTEMS: &[(u16, &str)] = &[
    (0, "Control Panel Item"),
    (1, "native"),
    (2, "GUI"),
    (3, "console"),
    (5, "OS/2"),
    (7, "POSIX"),
    (8, "Win9x"),
    (9, "Windows CE"),
    (10, "EFI application"),
    (11, "EFI boot service driver"),
    (12, "EFI runtime driver"),
    (13, "EFI ROM"),
    (14, "XBOX"),
    (16, "Windows boot application"),
];

const MACHINES: &[(u16, &str)] = &[
    (0x14c, "Intel 80386"),
    (0x166, "MIPS R4000"),
    (0x168, "MIPS R10000"),
    (0x169, "MIPS WCE v2"),
    (0x184, "Alpha"),
    (0x1a2, "Hitachi SH3"),
    (0x1a3, "Hitachi SH3 DSP"),
    (0x1a6, "Hitachi SH4"),
    (0x1a8, "Hitachi SH5"),
    (0x1c0, "ARM"),
    (0x1c2, "ARM Thumb"),
    (0x1c4, "ARMv7 Thumb"),
    (0x1f0, "PowerPC"),
    (0x200, "Intel Itanium"),
    (0x266, "MIPS16"),
    (0x268, "Motorola 68000"),
    (0x290, "PA-RISC"),
    (0x366, "MIPSIV"),
    (0x466, "MIPS16 with FPU"),
    (0xebc, "EFI byte code"),
    (0x5032, "RISC-V 32-bit"),
    (0x5064, "RISC-V 64-bit"),
    (0x8664, "x86-64"),
    (0x9041, "Mitsubishi M32R"),
    (0xaa64, "Aarch64"),
    (0xc0ee, "MSIL"),
];

fn named(table: &[(u16, &'static str)], number: u16) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

fn portable(view: View<'_>, head: usize) -> String {
    let at = |offset: usize| head.saturating_add(offset);
    let mut words = String::from("PE");
    let optional = view.le16(at(24));
    match optional {
        Some(0x10b) => words.push_str("32 executable"),
        Some(0x20b) => words.push_str("32+ executable"),
        Some(0x107) => words.push_str(" ROM image"),
        Some(other) => words.push_str(&format!(" Unknown PE signature {other:#x}")),
        None => words.push_str(" Unknown PE signature"),
    }
    let traits = view.le16(at(22)).unwrap_or(0);
    if traits & 0x2000 != 0 {
        words.push_str(" (DLL)");
    }
    if let Some(subsystem) = view.le16(at(92)) {
        match named(SUBSYSTEMS, subsystem) {
            Some(name) => words.push_str(&format!(" ({name})")),
            None => words.push_str(&format!(" (Unknown subsystem {subsystem})")),
        }
    }
    if let Some(machine) = view.le16(at(4)).and_then(|machine| named(MACHINES, machine)) {
        words.push_str(&format!(" {machine}"));
    }
    if traits & 0x0200 != 0 {
        words.push_str(" (stripped to external PDB)");
    }
    if traits & 0x1000 != 0 {
        words.push_str(" system file");
    }
    let runtime = match optional {
        Some(0x10b) => view.le32(at(232)),
        Some(0x20b) => view.le32(at(248)),
        _ => None,
    };
    if runtime.is_some_and(|size| size as i32 > 0) {
        words.push_str(" Mono/.Net assembly");
    }
    let stub = usize::from(view.le16(8).unwrap_or(0)) * 16;
    match view.part(stub, 6) {
        b"32STUB" => words.push_str(", 32rtm DOS extender"),
        there if there.len() == 6 => words.push_str(", for MS Windows"),
        _ => {}
    }
    words.push_str(packed(view, at(0xf8)));
    if let Some(sections) = view.le16(at(6)) {
        words.push_str(&format!(", {sections} sections"));
    }
    words
}

/// What the names of the sections say of who packed the program.
fn packed(view: View<'_>, sections: usize) -> &'static str {
    if view.has(sections, b"UPX0") {
        ", UPX compressed"
    } else if view.find(sections, 0x140, b"PEC2").is_some() {
        ", PECompact2 compressed"
    } else if view.find(sections, 0x140, b".petite\0").is_some() {
        ", Petite compressed"
    } else {
        ""
    }
}

const ELF_MACHINES: &[(u16, &str)] = &[
    (0, "no machine,"),
    (2, "SPARC,"),
    (3, "Intel 80386,"),
    (4, "Motorola m68k,"),
    (7, "Intel 80860,"),
    (10, "MIPS, MIPS (deprecated),"),
    (15, "PA-RISC,"),
    (18, "SPARC32PLUS,"),
    (20, "PowerPC or cisco 4500,"),
    (21, "64-bit PowerPC or cisco 7500, Unspecified or Power ELF V1 ABI,"),
    (22, "IBM S/390,"),
    (42, "Renesas SH,"),
    (43, "SPARC V9,"),
    (50, "IA-64,"),
    (62, "x86-64,"),
    (83, "Atmel AVR 8-bit,"),
    (94, "Tensilica Xtensa,"),
    (106, "Analog Devices Blackfin,"),
    (164, "QUALCOMM DSP6,"),
    (183, "ARM aarch64,"),
    (244, "Lanai 32-bit processor,"),
    (247, "eBPF,"),
    (258, "LoongArch,"),
];

const ELF_SYSTEMS: &[&str] = &[
    "SYSV",
    "HP-UX",
    "NetBSD",
    "GNU/Linux",
    "GNU/Hurd",
    "86Open",
    "Solaris",
    "Monterey",
    "IRIX",
    "FreeBSD",
    "Tru64",
    "Novell Modesto",
    "OpenBSD",
    "OpenVMS",
];

const MIPS: &[&str] =
    &["MIPS-I", "MIPS-II", "MIPS-III", "MIPS-IV", "MIPS-V", "MIPS32", "MIPS64", "MIPS32 rel2", "MIPS64 rel2"];

fn elf(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\x7fELF") {
        return None;
    }
    let class = match view.u8(4) {
        Some(1) => " 32-bit",
        Some(2) => " 64-bit",
        _ => "",
    };
    let (order, is_big) = match view.u8(5) {
        Some(1) => (" LSB", false),
        Some(2) => (" MSB", true),
        _ => return Some(format!("ELF{class}")),
    };
    let kind = match view.u16(16, is_big) {
        Some(0) => " no file type,",
        Some(1) => " relocatable,",
        Some(2) => " executable,",
        Some(3) if is_position_independent(view, is_big) => " pie executable,",
        Some(3) => " shared object,",
        Some(4) => " core file,",
        _ => "",
    };
    let mut words = format!("ELF{class}{order}{kind}");
    let is_64 = view.u8(4) == Some(2);
    let flags = view.u32(if is_64 { 48 } else { 36 }, is_big).unwrap_or(0);
    match view.u16(18, is_big) {
        Some(40) => {
            words.push_str(" ARM,");
            if flags >> 24 != 0 {
                words.push_str(&format!(" EABI{}", flags >> 24));
            }
        }
        Some(8) => {
            words.push_str(" MIPS,");
            if let Some(level) = MIPS.get((flags >> 28) as usize) {
                words.push_str(&format!(" {level}"));
            }
        }
        Some(243) => words.push_str(&risc_v(flags)),
        Some(machine) => match named(ELF_MACHINES, machine) {
            Some(name) => words.push_str(&format!(" {name}")),
            None => words.push_str(&format!(" *unknown arch {machine:#x}*")),
        },
        None => {}
    }
    if let Some(version) = view.u32(20, is_big) {
        words.push_str(&format!(" version {version}"));
    }
    if let Some(system) = view.u8(7).and_then(|number| ELF_SYSTEMS.get(usize::from(number))) {
        words.push_str(&format!(" ({system})"));
    }
    linked(view, is_big, is_64, &mut words);
    Some(words)
}

fn risc_v(flags: u32) -> String {
    let abi = match flags & 6 {
        0 => "soft-float",
        2 => "single-float",
        4 => "double-float",
        _ => "quad-float",
    };
    let compressed = if flags & 1 == 1 { " RVC," } else { "" };
    format!(" UCB RISC-V,{compressed} {abi} ABI,")
}

/// The segments of an ELF file: type, where the bytes are, and how many.
fn segments(view: View<'_>, is_big: bool, is_64: bool) -> Vec<(u32, usize, usize)> {
    /// Segments of a file that are looked at: as many as `libmagic` allows.
    const SEGMENTS_MAX: u16 = 2048;
    let low =
        |at: usize| view.u32(if is_64 && is_big { at + 4 } else { at }, is_big).map(|number| number as usize);
    let (table, size, count) = if is_64 { (32, 54, 56) } else { (28, 42, 44) };
    let (Some(table), Some(size), Some(count)) =
        (low(table), view.u16(size, is_big), view.u16(count, is_big))
    else {
        return Vec::new();
    };
    let mut segments = Vec::new();
    for index in 0..count.min(SEGMENTS_MAX) {
        let at = table.saturating_add(usize::from(index) * usize::from(size));
        let (offset, length) = if is_64 { (8, 32) } else { (4, 16) };
        let (Some(kind), Some(offset), Some(length)) =
            (view.u32(at, is_big), low(at.saturating_add(offset)), low(at.saturating_add(length)))
        else {
            break;
        };
        segments.push((kind, offset, length));
    }
    segments
}

const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;

/// A shared object that says of itself that it is a program.
fn is_position_independent(view: View<'_>, is_big: bool) -> bool {
    const FLAGS_1: u32 = 0x6fff_fffb;
    const PIE: u32 = 0x0800_0000;
    let is_64 = view.u8(4) == Some(2);
    let (entry, value) = if is_64 { (16, if is_big { 12 } else { 8 }) } else { (8, 4) };
    let low = if is_64 && is_big { 4 } else { 0 };
    segments(view, is_big, is_64).iter().filter(|segment| segment.0 == DYNAMIC).any(|(_, offset, length)| {
        (0..length / entry)
            .map_while(|index| offset.checked_add(index * entry))
            .map_while(|at| {
                let tag = view.u32(at.checked_add(low)?, is_big)?;
                Some((tag, view.u32(at.checked_add(value)?, is_big)?))
            })
            .take_while(|(tag, _)| *tag != 0)
            .any(|(tag, flags)| tag == FLAGS_1 && flags & PIE != 0)
    })
}

fn linked(view: View<'_>, is_big: bool, is_64: bool, words: &mut String) {
    let (Some(kind), Some(programs), Some(sections)) = (
        view.u16(16, is_big),
        view.u16(if is_64 { 56 } else { 44 }, is_big),
        view.u16(if is_64 { 60 } else { 48 }, is_big),
    ) else {
        return;
    };
    if matches!(kind, 2..=4) && programs == 0 {
        words.push_str(", no program header");
    } else if matches!(kind, 2 | 3) {
        let segments = segments(view, is_big, is_64);
        let is_dynamic = segments.iter().any(|segment| segment.0 == DYNAMIC);
        words.push_str(if is_dynamic { ", dynamically linked" } else { ", statically linked" });
        if let Some((_, offset, length)) = segments.iter().find(|segment| segment.0 == INTERPRETER) {
            words.push_str(&format!(", interpreter {}", view.letters(*offset, *length)));
        }
    }
    if matches!(kind, 1..=3) && sections == 0 {
        words.push_str(", no section header");
    }
}

fn processor(number: u32, sub: u32) -> String {
    match number & 0x00ff_ffff {
        7 if number >> 24 == 1 => "x86_64".to_owned(),
        7 => "i386".to_owned(),
        12 if number >> 24 == 1 => match sub & 0x00ff_ffff {
            0 => "arm64".to_owned(),
            1 => "arm64v8".to_owned(),
            2 => "arm64e".to_owned(),
            sub => format!("arm64 subarchitecture={sub}"),
        },
        12 => match sub & 0x00ff_ffff {
            0 => "arm".to_owned(),
            5 => "arm_v4t".to_owned(),
            6 => "arm_v6".to_owned(),
            7 => "arm_v5tej".to_owned(),
            8 => "arm_xscale".to_owned(),
            9 => "arm_v7".to_owned(),
            10 => "arm_v7f".to_owned(),
            11 => "arm_v7s".to_owned(),
            12 => "arm_v7k".to_owned(),
            sub => format!("arm subarchitecture={sub}"),
        },
        18 => {
            let family = if number >> 24 == 1 { "ppc64" } else { "ppc" };
            match sub & 0x00ff_ffff {
                0 => family.to_owned(),
                3 => format!("{family}_603"),
                9 => format!("{family}_750"),
                10 => format!("{family}_7400"),
                11 => format!("{family}_7450"),
                100 => format!("{family}_970"),
                sub => format!("{family} subarchitecture={sub}"),
            }
        }
        other => format!("architecture={other}"),
    }
}

const MACH_FLAGS: &[&str] = &[
    "NOUNDEFS",
    "INCRLINK",
    "DYLDLINK",
    "BINDATLOAD",
    "PREBOUND",
    "SPLIT_SEGS",
    "LAZY_INIT",
    "TWOLEVEL",
    "FORCE_FLAT",
    "NOMULTIDEFS",
    "NOFIXPREBINDING",
    "PREBINDABLE",
    "ALLMODSBOUND",
    "SUBSECTIONS_VIA_SYMBOLS",
    "CANONICAL",
    "WEAK_DEFINES",
    "BINDS_TO_WEAK",
    "ALLOW_STACK_EXECUTION",
    "ROOT_SAFE",
    "SETUID_SAFE",
    "NO_REEXPORTED_DYLIBS",
    "PIE",
];

fn apple(view: View<'_>) -> Option<String> {
    if view.has(0, b"\xca\xfe\xba\xbe") && view.be32(4).is_some_and(|count| (1..20).contains(&count)) {
        let count = view.be32(4).unwrap_or(0);
        let programs: Vec<String> = (0..count as usize)
            .map_while(|index| Some(processor(view.be32(8 + 20 * index)?, view.be32(12 + 20 * index)?)))
            .collect();
        let plural = if count == 1 { "" } else { "s" };
        return Some(format!(
            "Mach-O universal binary with {count} architecture{plural}: {}",
            format_args!("[{}]", programs.join("] [\\012- "))
        ));
    }
    let (is_big, bits) = match view.part(0, 4) {
        b"\xfe\xed\xfa\xce" => (true, ""),
        b"\xce\xfa\xed\xfe" => (false, ""),
        b"\xfe\xed\xfa\xcf" => (true, ""),
        b"\xcf\xfa\xed\xfe" => (false, " 64-bit"),
        _ => return None,
    };
    let kind = match view.u32(12, is_big)? {
        1 => " object",
        2 => " executable",
        3 => " fixed virtual memory shared library",
        4 => " core",
        5 => " preload executable",
        6 => " dynamically linked shared library",
        7 => " dynamic linker",
        8 => " bundle",
        9 => " dynamically linked shared library stub",
        10 => " dSYM companion file",
        11 => " kext bundle",
        _ => "",
    };
    let flags = view.u32(24, is_big).unwrap_or(0);
    let names: Vec<&str> = MACH_FLAGS
        .iter()
        .enumerate()
        .filter(|(bit, _)| flags >> bit & 1 == 1)
        .map(|(_, name)| *name)
        .collect();
    let flags = if names.is_empty() { String::new() } else { format!(", flags:<{}>", names.join("|")) };
    let processor = processor(view.u32(4, is_big)?, view.u32(8, is_big)?);
    Some(format!("Mach-O{bits} {processor}{kind}{flags}"))
}

fn java(view: View<'_>) -> Option<String> {
    if !view.has(0, b"\xca\xfe\xba\xbe") {
        return None;
    }
    let (minor, major) = (view.be16(4)?, view.be16(6)?);
    let name = match major {
        46..=52 => format!(" (Java 1.{})", major - 44),
        53.. => format!(" (Java SE {})", major - 44),
        _ => String::new(),
    };
    Some(format!("compiled Java class data, version {major}.{minor}{name}"))
}
