//! Types of files, told by bytes that are built here.

use super::describe;

/// Bytes, and zeros behind them.
fn padded(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = parts.concat();
    bytes.resize(bytes.len() + 600, 0);
    bytes
}

fn windows(machine: u16, optional: u16, subsystem: u16, flags: u16) -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    put(0, b"MZ");
    put(0x3c, &0x80u32.to_le_bytes());
    put(0x80, b"PE\0\0");
    put(0x84, &machine.to_le_bytes());
    put(0x86, &3u16.to_le_bytes());
    put(0x80 + 22, &flags.to_le_bytes());
    put(0x80 + 24, &optional.to_le_bytes());
    put(0x80 + 92, &subsystem.to_le_bytes());
    bytes
}

#[test]
fn programs_of_windows_say_for_what_they_are() {
    assert_eq!(
        describe(&windows(0x14c, 0x10b, 2, 0x102)),
        "PE32 executable (GUI) Intel 80386, for MS Windows, 3 sections"
    );
    assert_eq!(
        describe(&windows(0x8664, 0x20b, 3, 0x2102)),
        "PE32+ executable (DLL) (console) x86-64, for MS Windows, 3 sections"
    );
    let mut assembly = windows(0x14c, 0x10b, 3, 0x102);
    assembly[0x80 + 232] = 8;
    assert_eq!(
        describe(&assembly),
        "PE32 executable (console) Intel 80386 Mono/.Net assembly, for MS Windows, 3 sections"
    );
    assert_eq!(describe(&padded(&[b"MZ"])), "MS-DOS executable, MZ for MS-DOS");
}

#[test]
fn programs_of_others_are_told() {
    let elf = [&b"\x7fELF\x02\x01\x01\0"[..], &[0; 8], &[2, 0, 62, 0, 1, 0, 0, 0]].concat();
    assert_eq!(
        describe(&padded(&[&elf])),
        "ELF 64-bit LSB executable, x86-64, version 1 (SYSV), no program header, no section header"
    );
    assert_eq!(
        describe(&padded(&[b"\xca\xfe\xba\xbe\0\0\0\x34"])),
        "compiled Java class data, version 52.0 (Java 1.8)"
    );
    let apple = b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
    assert_eq!(describe(&padded(&[apple])), "Mach-O 64-bit x86_64 executable, flags:<NOUNDEFS>");
}

#[test]
fn documents_are_told_with_their_versions() {
    assert_eq!(describe(b"%PDF-1.6\r%\xe2\xe3\xcf\xd3\r\n1 0 obj"), "PDF document, version 1.6");
    assert_eq!(describe(b"%PDF-1.4\n<</Type /Pages /Count 12>>"), "PDF document, version 1.4, 12 pages");
    assert_eq!(
        describe(b"{\\rtf1\\ansi\\ansicpg1252\\deff0\\deflang1033 x}"),
        "Rich Text Format data, version 1, ANSI, code page 1252, default language ID 1033"
    );
    assert_eq!(
        describe(&padded(&[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])),
        "Composite Document File V2 Document, Can't read SAT"
    );
    assert_eq!(describe(b"-----BEGIN CERTIFICATE-----\nMIIB\n"), "PEM certificate");
}

#[test]
fn archives_are_told_with_what_is_in_front_of_them() {
    let zip = |name: &[u8]| {
        let head = [b"PK\x03\x04\x14\0\0\0\x08\0", &[0; 16][..], &[name.len() as u8, 0, 0, 0], name].concat();
        describe(&padded(&[&head]))
    };
    assert_eq!(zip(b"a.txt"), "Zip archive data, at least v2.0 to extract, compression method=deflate");
    assert_eq!(zip(b"word/document.xml"), "Microsoft Word 2007+");
    assert_eq!(zip(b"mimetypeapplication/epub+zip"), "EPUB document");
    assert_eq!(describe(&padded(&[b"Rar!\x1a\x07\x01\0"])), "RAR archive data, v5");
    assert_eq!(describe(&padded(&[b"7z\xbc\xaf\x27\x1c\0\x04"])), "7-zip archive data, version 0.4");
    assert!(
        describe(&padded(&[b"\x1f\x8b\x08\0\0\0\0\0\0\x03"])).starts_with("gzip compressed data, from Unix")
    );
    assert_eq!(describe(&padded(&[b"BZh9"])), "bzip2 compressed data, block size = 900k");
}

#[test]
fn images_are_told_with_their_sizes() {
    let png = padded(&[b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0"]);
    assert_eq!(describe(&png), "PNG image data, 640 x 480, 8-bit/color RGBA, non-interlaced");
    assert_eq!(describe(&padded(&[b"GIF89a\x0a\0\x14\0"])), "GIF image data, version 89a, 10 x 20");
    let jpeg = padded(&[
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\x01\0\x48\0\x48\0\0",
        b"\xff\xc0\0\x11\x08\x01\xe0\x02\x80\x03",
    ]);
    assert_eq!(
        describe(&jpeg),
        "JPEG image data, JFIF standard 1.01, resolution (DPI), density 72x72, segment length 16, baseline, precision 8, \
         640x480, components 3"
    );
}

#[test]
fn sound_and_films_are_told() {
    assert_eq!(
        describe(&padded(&[b"\0\0\0\x18ftypisom"])),
        "ISO Media, MP4 Base Media v1 [ISO 14496-12:2003]"
    );
    assert_eq!(
        describe(&padded(&[b"CWS\x0a\xb0\x04\0\0\x78"])),
        "Macromedia Flash data (compressed), version 10"
    );
    assert_eq!(
        describe(&padded(&[b"\xff\xfb\x90\x64"])),
        "MPEG ADTS, layer III, v1, 128 kbps, 44.1 kHz, JntStereo"
    );
}

#[test]
fn texts_are_told_by_letters_and_lines() {
    assert_eq!(describe(b"hello world\nagain\n"), "ASCII text");
    assert_eq!(describe(b"a\r\nb\nc\rd"), "ASCII text, with CRLF, CR, LF line terminators");
    assert_eq!(describe(&[&[b'x'; 301][..], b"\n"].concat()), "ASCII text, with very long lines (301)");
    assert_eq!(describe("é\n".as_bytes()), "Unicode text, UTF-8 text");
    assert_eq!(describe(b"\xff\xfeh\0i\0\n\0"), "Unicode text, UTF-16, little-endian text");
    assert_eq!(describe(b"h\xe9llo\n"), "ISO-8859 text");
    assert_eq!(describe(b"h\x92llo\n"), "Non-ISO extended-ASCII text");
    assert_eq!(describe(b"hello\x01\n"), "data");
    assert_eq!(describe(b"hello"), "ASCII text, with no line terminators");
    assert_eq!(describe(b"{\"a\": [1, true]}\n"), "JSON text data");
    assert_eq!(describe(b"a,b\n1,2\n3,4\n"), "CSV ASCII text");
}

#[test]
fn languages_are_told_by_their_first_words() {
    assert_eq!(describe(b"#!/bin/sh\necho\n"), "POSIX shell script, ASCII text executable");
    assert_eq!(describe(b"#! /usr/bin/env foo\n"), "a foo script, ASCII text executable");
    assert_eq!(describe(b"<!DOCTYPE html>\r\n"), "HTML document, ASCII text, with CRLF line terminators");
    assert_eq!(describe(b"<?xml version=\"1.0\"?>\n<a/>\n"), "XML 1.0 document, ASCII text");
    assert_eq!(describe(b"@echo off\r\n"), "DOS batch file, ASCII text, with CRLF line terminators");
}

#[test]
fn nothing_and_hardly_anything_are_told() {
    assert_eq!(describe(b""), "empty");
    assert_eq!(describe(b"a"), "very short file (no magic)");
    assert_eq!(describe(&[0; 600]), "data");
}

#[test]
fn every_beginning_of_every_type_is_told_without_harm() {
    let whole: &[&[u8]] = &[
        &windows(0x14c, 0x10b, 2, 0x102),
        b"MZ\0\0\0\0\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xca\xfe\xba\xbe\0\0\0\x02\0\0\0\x07\xff\xff\xff\xff",
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\xff\xff\0\0[Content_Types].xml",
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0MM\0\x2a\xff\xff\xff\xff\xff\xff",
        b"II\x2a\0\x08\0\0\0\xff\xff\x0e\x01\x02\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"ID3\x03\0\0\x7f\x7f\x7f\x7f",
        b"{\\rtf1\\ansi\\ansicpg\\adeflang",
        b"begin 644 ",
        b"[InternetShortcut]\nURL=",
        b"{\"a\":[[[[\"\\u00",
        b"\x1a\x45\xdf\xa3\x42\x82",
    ];
    for bytes in whole {
        for end in 0..bytes.len() {
            assert!(!describe(&bytes[..end]).is_empty());
        }
    }
}
