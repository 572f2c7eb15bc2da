//! Files as rules ask for them.

use super::*;
use crate::app::{Keyword, Takes};
use crate::rule::{RuleFile, RuleSet, Variables};

const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const LIMITS: BodyLimits = BodyLimits { bytes_max: 100, first_bytes_min: 4, overlap_bytes: 4 };

fn everything() -> Settings {
    Settings {
        md5: true,
        sha1: true,
        sha256: true,
        wanted: [NAME, MAGIC, DATA].into(),
        ..Settings::default()
    }
}

fn test(name: &str, value: &str) -> FileTest {
    let read = |list: &str| match list {
        "abc.md5" => Ok(format!("{MD5}  abc.txt\n").into_bytes()),
        "abc.sha1" => Ok(format!("{SHA1}\n").into_bytes()),
        "abc.sha256" => Ok(SHA256.as_bytes().to_vec()),
        "other.md5" => Ok(b"00000000000000000000000000000000\n".to_vec()),
        _ => Err(String::from("there is none")),
    };
    let Some(Keyword { takes: Takes::File(parse), .. }) =
        KEYWORDS.iter().find(|keyword| keyword.name == name)
    else {
        panic!("{name} is no condition on files");
    };
    parse(value, &read).unwrap_or_else(|complaint| panic!("{name}:{value}: {complaint:?}"))
}

fn verdict(name: &str, value: &str, files: &Files) -> Verdict {
    test(name, value).check(&files.list()[0])
}

fn shown(files: &Files, field: Field) -> Vec<(String, u64, bool)> {
    let mut shown = Vec::new();
    files.visit(field, &mut |piece| {
        shown.push((String::from_utf8_lossy(piece.bytes).into_owned(), piece.start, piece.last));
    });
    shown
}

/// A file that came in one piece and ended so.
fn file(bytes: &[u8], ending: Ending) -> Files {
    let mut files = Files::default();
    let place = files.open(b"a.txt", FILE_LIMITS).unwrap_or(0);
    files.append(place, bytes);
    files.close(place, ending);
    files.prepare(&everything());
    files
}

#[test]
fn a_name_is_shown_at_once_and_content_when_there_is_enough() {
    let mut files = Files::default();
    let place = files.open(b"a.txt", LIMITS).unwrap_or(9);
    assert_eq!(files.ready(NAME), Ready::Part);
    assert_eq!(shown(&files, NAME), [("a.txt".to_owned(), 0, true)]);
    assert_eq!(files.ready(DATA), Ready::No);
    files.append(place, b"abcdef");
    assert_eq!(shown(&files, DATA), [("abcdef".to_owned(), 0, false)]);
    files.inspected();
    assert_eq!((files.ready(DATA), shown(&files, DATA)), (Ready::No, vec![]));
    files.append(place, b"gh");
    assert_eq!(shown(&files, DATA), [("efgh".to_owned(), 4, false)]);
    files.inspected();
    files.close(place, Ending::Closed);
    assert_eq!(shown(&files, DATA), [], "an end that brings nothing new shows nothing");
}

#[test]
fn without_limits_of_a_protocol_nothing_is_shown_twice_and_nothing_left_out() {
    let mut files = Files::default();
    let place = files.open(b"", FILE_LIMITS).unwrap_or(9);
    files.append(place, &[b'a'; 40_000]);
    assert_eq!(
        shown(&files, DATA).iter().map(|piece| (piece.0.len(), piece.1)).collect::<Vec<_>>(),
        [(40_000, 0)]
    );
    files.inspected();
    files.append(place, &[b'b'; 500_000]);
    assert_eq!(
        shown(&files, DATA).iter().map(|piece| (piece.0.len(), piece.1)).collect::<Vec<_>>(),
        [(500_000, 40_000)]
    );
}

#[test]
fn digests_are_of_all_bytes_however_they_come_and_whatever_is_looked_at() {
    let wanted = file(&[b'x'; 5000], Ending::Closed);
    for (piece, look) in [(1, 1), (7, 3), (1000, 1), (1000, 100)] {
        let mut files = Files::default();
        let place = files.open(b"", LIMITS).unwrap_or(9);
        for (turn, part) in [b'x'; 5000].chunks(piece).enumerate() {
            files.append(place, part);
            if turn % look == 0 {
                files.prepare(&everything());
                files.inspected();
            }
        }
        files.close(place, Ending::Closed);
        files.prepare(&everything());
        assert!(wanted.list()[0].md5().is_some());
        assert_eq!(files.list()[0].md5(), wanted.list()[0].md5(), "{piece} {look}");
        assert_eq!(files.list()[0].sha256(), wanted.list()[0].sha256(), "{piece} {look}");
    }
}

#[test]
fn digests_that_nobody_asks_for_are_not_made() {
    let mut files = Files::default();
    let place = files.open(b"", LIMITS).unwrap_or(9);
    files.append(place, &[0; 1000]);
    files.prepare(&Settings::default());
    files.close(place, Ending::Closed);
    files.prepare(&Settings::default());
    assert_eq!(files.list()[0].md5(), None);
}

#[test]
fn a_digest_is_looked_up_when_the_file_is_whole() {
    let whole = file(b"abc", Ending::Closed);
    assert_eq!(verdict("filemd5", "abc.md5", &whole), Verdict::Holds);
    assert_eq!(verdict("filesha1", "abc.sha1", &whole), Verdict::Holds);
    assert_eq!(verdict("filesha256", "\"abc.sha256\"", &whole), Verdict::Holds);
    assert_eq!(verdict("filemd5", "!abc.md5", &whole), Verdict::Fails);
    assert_eq!(verdict("filemd5", "other.md5", &whole), Verdict::Fails);
    assert_eq!(verdict("filemd5", "!other.md5", &whole), Verdict::Holds);
    for list in ["abc.md5", "!other.md5"] {
        assert_eq!(verdict("filemd5", list, &file(b"abc", Ending::Truncated)), Verdict::Fails);
        assert_eq!(verdict("filemd5", list, &file(b"abc", Ending::Open)), Verdict::Open);
    }
}

#[test]
fn a_size_is_judged_at_the_end_and_of_what_is_cut_off_only_that_it_is_large() {
    let whole = file(&[0; 50], Ending::Closed);
    for (value, holds) in [
        ("50", true),
        ("<51", true),
        (">50", false),
        ("49<>51", true),
        ("50<>60", false),
        ("!50", false),
        (">1kb", false),
    ] {
        assert_eq!(verdict("filesize", value, &whole) == Verdict::Holds, holds, "{value}");
    }
    let cut = file(&[0; 50], Ending::Truncated);
    assert_eq!(verdict("filesize", ">40", &cut), Verdict::Holds);
    for value in ["<100", "50", ">60", "40<>60"] {
        assert_eq!(verdict("filesize", value, &cut), Verdict::Fails, "{value}");
    }
    assert_eq!(verdict("filesize", ">1", &file(&[0; 50], Ending::Open)), Verdict::Open);
}

#[test]
fn the_type_is_told_of_512_bytes_or_of_the_whole() {
    let mut files = Files::default();
    let place = files.open(b"", FILE_LIMITS).unwrap_or(9);
    files.append(place, b"%PDF-1.5\n");
    files.prepare(&everything());
    assert_eq!((files.ready(MAGIC), files.list()[0].magic()), (Ready::No, None));
    files.append(place, &[0xe2; 600]);
    files.prepare(&everything());
    assert_eq!(shown(&files, MAGIC), [("PDF document, version 1.5".to_owned(), 0, true)]);
    assert_eq!(file(b"abc\n", Ending::Closed).list()[0].magic(), Some("ASCII text"));
    assert_eq!(file(b"", Ending::Closed).list()[0].magic(), None);
}

#[test]
fn a_file_with_gaps_is_not_whole() {
    let mut files = Files::default();
    let place = files.open(b"", FILE_LIMITS).unwrap_or(9);
    files.note_gap(place);
    files.append(place, &[0; 10]);
    files.close(place, Ending::Closed);
    assert_eq!(files.list()[0].ending, Ending::Truncated);
}

#[test]
fn every_form_of_filestore_holds_and_others_are_refused() {
    let open = file(b"", Ending::Open);
    for value in ["", "request", "to_server", "response,file", "to_client, tx", "both,ssn", "BOTH , flow"] {
        assert_eq!(verdict("filestore", value, &open), Verdict::Holds, "{value}");
    }
    let Some(Keyword { takes: Takes::File(parse), .. }) =
        KEYWORDS.iter().find(|keyword| keyword.name == "filestore")
    else {
        panic!("there is a filestore");
    };
    for value in ["server", "both,all", "both,flow,more", ","] {
        assert!(parse(value, &|_| Err(String::new())).is_err(), "{value}");
    }
}

#[test]
fn more_files_than_a_transaction_may_carry_are_left_out() {
    let mut files = Files::default();
    let opened = (0..100).filter(|_| files.open(b"", FILE_LIMITS).is_some()).count();
    assert_eq!(opened, FILES_MAX);
}

#[test]
fn rules_on_files_are_read_in_all_their_forms() {
    let load = |options: &str| {
        let text = format!("alert http any any -> any any ({options} sid:1;)");
        let list = |name: &str| (name == "list").then(|| MD5.as_bytes().to_vec());
        let set = RuleSet::load(&[RuleFile { name: "test", text: &text }], &Variables::default(), &list);
        set.report().loaded == 1
    };
    for options in [
        "filename:\"a.exe\";",
        "filename:!a.exe;",
        "fileext:\"exe\"; filename:\"a\";",
        "fileext:!\"exe\";",
        "filemagic:\"PE32 \"; filestore;",
        "filemagic:!\"PDF\";",
        "filename:\"|41|b\"; endswith;",
        "file.name; content:\"a\"; nocase; endswith;",
        "file.name; pcre:\"/a/\";",
        "file.magic; content:\"PDF\";",
        "file.data; content:\"a\";",
        "file_data; to_md5; content:\"a\";",
        "file_data; to_lowercase; content:\"a\";",
        "filemd5:list;",
        "filemd5:!\"list\";",
        "filesize:>1MB;",
        "filesize:100<>200;",
        "filestore:both,flow;",
    ] {
        assert!(load(options), "{options}");
    }
    for options in [
        "file.data: somewhere; content:\"a\";",
        "file_data; to_lowercase; content:\"A\";",
        "filemd5:missing;",
        "filesize:x;",
        "filename:;",
        "file.name;",
        "filestore:nowhere;",
    ] {
        assert!(!load(options), "{options}");
    }
}

#[test]
fn what_rules_want_of_files_is_what_is_worked_out() {
    let mut settings = Settings::default();
    wanted(&mut settings, &[test("filesize", "1"), test("filemd5", "abc.md5")]);
    assert_eq!((settings.md5, settings.sha1, settings.sha256), (true, false, false));
    wanted(&mut settings, &[test("filesha1", "abc.sha1"), test("filesha256", "abc.sha256")]);
    assert_eq!((settings.md5, settings.sha1, settings.sha256), (true, true, true));
}

#[test]
fn a_record_tells_what_is_known() {
    let files = file(b"abc", Ending::Closed);
    let written = record(&files.list()[0], 7).finish();
    assert_eq!(
        written,
        format!(
            "{{\"filename\":\"a.txt\",\"magic\":\"ASCII text, with no line terminators\",\"gaps\":false,\"state\":\"CLOSED\",\
             \"md5\":\"{MD5}\",\"sha1\":\"{SHA1}\",\"sha256\":\"{SHA256}\",\"stored\":false,\"size\":3,\"tx_id\":7}}"
        )
    );
}
