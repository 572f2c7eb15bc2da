//! In which language a text is written, told by its first line or by words that only this language has.

use super::view::View;

/// What follows the name of a language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// How the letters are written.
    Text,
    /// The same, and that it can be run.
    Executable,
    /// Nothing.
    Whole,
}

/// Letters in which words of a language are looked for.
const SEARCHED_LETTERS_MAX: usize = 4096;

pub(super) fn language(text: View<'_>) -> Option<(String, Kind)> {
    let is_path = text.from(2).iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'/');
    Some(text)
        .filter(|_| is_path)
        .and_then(interpreter)
        .or_else(|| markup(text))
        .or_else(|| batch(text))
        .or_else(|| beginning(text))
        .or_else(|| document(text))
        .or_else(|| source(text))
        .or_else(|| interpreter(text))
}

fn named(words: &str, kind: Kind) -> Option<(String, Kind)> {
    Some((words.to_owned(), kind))
}

/// Interpreters by the names of their programs.
const INTERPRETERS: &[(&str, &str, Kind)] = &[
    ("/bin/sh", "POSIX shell script", Kind::Executable),
    ("/bin/bash", "Bourne-Again shell script", Kind::Executable),
    ("/usr/bin/bash", "Bourne-Again shell script", Kind::Executable),
    ("/usr/local/bin/bash", "Bourne-Again shell script", Kind::Executable),
    ("/usr/bin/env bash", "Bourne-Again shell script", Kind::Executable),
    ("/bin/csh", "C shell script", Kind::Executable),
    ("/bin/ksh", "Korn shell script", Kind::Executable),
    ("/bin/tcsh", "Tenex C shell script", Kind::Executable),
    ("/bin/zsh", "Paul Falstad's zsh script", Kind::Executable),
    ("/usr/bin/zsh", "Paul Falstad's zsh script", Kind::Executable),
    ("/usr/bin/awk", "awk script", Kind::Executable),
    ("/bin/awk", "awk script", Kind::Executable),
    ("/usr/bin/perl", "Perl script text executable", Kind::Whole),
    ("/usr/local/bin/perl", "Perl script text executable", Kind::Whole),
    ("/bin/perl", "Perl script text executable", Kind::Whole),
    ("/usr/bin/env perl", "Perl script text executable", Kind::Whole),
    ("/usr/bin/env python", "Python script", Kind::Executable),
    ("/usr/bin/python", "Python script", Kind::Executable),
    ("/usr/local/bin/python", "Python script", Kind::Executable),
    ("/usr/bin/php", "PHP script", Kind::Executable),
    ("/usr/local/bin/php", "PHP script", Kind::Executable),
    ("/usr/bin/env ruby", "Ruby script", Kind::Executable),
    ("/usr/bin/ruby", "Ruby script", Kind::Executable),
    ("/usr/local/bin/ruby", "Ruby script", Kind::Executable),
    ("/usr/bin/env node", "Node.js script executable", Kind::Text),
    ("/usr/bin/node", "Node.js script executable", Kind::Text),
    ("/usr/bin/lua", "Lua script", Kind::Executable),
    ("/usr/bin/env lua", "Lua script", Kind::Executable),
    ("/usr/bin/tcl", "Tcl/Tk script", Kind::Executable),
    ("/usr/bin/wish", "Tcl/Tk script", Kind::Executable),
];

/// `#!` and who is to run it.
fn interpreter(text: View<'_>) -> Option<(String, Kind)> {
    const LINE_LETTERS_MAX: usize = 128;
    if !text.has(0, b"#!") {
        return None;
    }
    let line = text.part(2, LINE_LETTERS_MAX);
    let end = line.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(line.len());
    let line = String::from_utf8_lossy(&line[..end]);
    let line = line.trim();
    // A version may follow the name: python2.7.
    let is_this = |program: &str| {
        let may_have_version =
            ["python", "tcl", "perl", "php", "ruby", "lua"].iter().any(|name| program.ends_with(name));
        line.strip_prefix(program)
            .is_some_and(|rest| may_have_version || rest.is_empty() || rest.starts_with(' '))
    };
    if let Some((_, words, kind)) = INTERPRETERS.iter().find(|(program, ..)| is_this(program)) {
        return named(words, *kind);
    }
    let program = line.strip_prefix("/usr/bin/env ").unwrap_or(line);
    Some((format!("a {program} script"), Kind::Executable))
}

/// HTML, XML and what looks like them.
fn markup(text: View<'_>) -> Option<(String, Kind)> {
    if text.has(0, b"<?xml version=\"") || text.has(0, b"<?xml version='") {
        return Some((format!("XML {} document", text.letters(15, 3)), Kind::Text));
    }
    if text.has_letters(0, b"<?xml") {
        return named("XML document", Kind::Text);
    }
    let mut is_sgml = false;
    for at in memchr::memchr_iter(b'<', text.part(0, SEARCHED_LETTERS_MAX)) {
        if is_html(text, at + 1) {
            return named("HTML document", Kind::Text);
        }
        is_sgml |= text.has(at, b"<!--") || text.has_letters(at, b"<!doctype");
    }
    if text.has_letters(0, b"<?php") || text.has(0, b"<?\n") || text.has(0, b"<?\r") {
        return named("PHP script", Kind::Text);
    }
    is_sgml.then(|| ("exported SGML document".to_owned(), Kind::Text))
}

/// Whether a tag that only HTML has begins there, behind its `<`.
fn is_html(text: View<'_>, at: usize) -> bool {
    const TAGS: &[&[u8]] = &[b"html", b"head", b"title", b"script", b"style", b"table"];
    let blank_or_end = |at: usize| text.u8(at).is_some_and(|byte| byte == b'>' || byte.is_ascii_whitespace());
    if TAGS.iter().any(|tag| text.has_letters(at, tag) && blank_or_end(at + tag.len())) {
        return true;
    }
    if text.has_letters(at, b"!doctype") {
        let blanks = text.from(at + 8).iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        return blanks > 0 && text.has_letters(at + 8 + blanks, b"html");
    }
    text.has_letters(at, b"a href=")
}

fn batch(text: View<'_>) -> Option<(String, Kind)> {
    let after_blank = usize::from(text.has(1, b" ")) + 1;
    let is_it = text.has(0, b"@")
        && (text.has_letters(after_blank, b"echo off")
            || [&b"rem"[..], b"set "].iter().any(|word| text.has_letters(1, word)));
    if is_it { named("DOS batch file", Kind::Text) } else { None }
}

/// Languages by what their texts begin with.
const BEGINNINGS: &[(&[u8], &str)] = &[
    (b"Relay-Version:", "old news"),
    (b"Delivered-To:", "SMTP mail"),
    (b"Return-Path:", "SMTP mail"),
    (b"Received:", "RFC 822 mail"),
    (b"MIME-Version:", "MIME entity"),
    (b"From:", "news or mail"),
    (b"Date:", "news or mail"),
    (b"Path:", "news"),
    (b"Xref:", "news"),
    (b"Article", "saved news"),
    (b"#EXTM3U", "M3U playlist"),
    (b"[playlist]", "PLS playlist"),
    (b"(This file must be converted with BinHex 4.0)", "BinHex binary text, version 4.0"),
    (b"\"use strict\"", "JavaScript source"),
    (b"'use strict'", "JavaScript source"),
    (b"(defun ", "Lisp/Scheme program"),
    (b"\\documentclass", "LaTeX 2e document"),
    (b"\\documentstyle", "LaTeX document"),
    (b"\\input", "TeX document"),
    (b".TH ", "troff or preprocessor input"),
    (b".\\\"", "troff or preprocessor input"),
    (b"diff ", "diff output"),
    (b"*** ", "diff output"),
    (b"Only in ", "diff output"),
    (b"#----------------------------------------------------------------- CLAM", "Clam AV database"),
];

fn beginning(text: View<'_>) -> Option<(String, Kind)> {
    let found = BEGINNINGS.iter().find(|(beginning, _)| text.has(0, beginning));
    found.and_then(|(_, words)| named(words, Kind::Text))
}

fn document(text: View<'_>) -> Option<(String, Kind)> {
    const MARK_WITHIN: usize = 256;
    if let Some(at) = text.find(0, MARK_WITHIN, b"%PDF-") {
        return Some((super::document::portable_at(text, at), Kind::Text));
    }
    if text.has(0, b"--- ") && text.find(0, SEARCHED_LETTERS_MAX, b"\n+++ ").is_some() {
        return named("unified diff output", Kind::Text);
    }
    if text.has_letters(0, b"[InternetShortcut]") {
        let url =
            text.find(0, SEARCHED_LETTERS_MAX, b"URL=").map(|at| line_at(text, at + 4)).unwrap_or_default();
        return Some((format!("MS Windows 95 Internet shortcut text (URL=<{url}>)"), Kind::Text));
    }
    if text.has_letters(0, b"[version]") {
        return named("Windows setup INFormation", Kind::Whole);
    }
    let is_encoded =
        text.has(0, b"begin ") && text.part(6, 3).iter().all(u8::is_ascii_digit) && text.has(9, b" ");
    if is_encoded {
        return Some((
            format!("uuencoded or xxencoded text, file name \"{}\"", line_at(text, 10)),
            Kind::Text,
        ));
    }
    None
}

/// What stands there up to the end of the line.
fn line_at(text: View<'_>, at: usize) -> String {
    let line = text.part(at, 256);
    let end = line.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(line.len());
    text.letters(at, end)
}

/// Program texts, by how their lines begin.
fn source(text: View<'_>) -> Option<(String, Kind)> {
    let part = text.part(0, SEARCHED_LETTERS_MAX);
    let lines = || part.split(|byte| *byte == b'\n');
    let is_import = |line: &[u8]| line.starts_with(b"import ") && line.trim_ascii_end().ends_with(b";");
    let begins = |words: &[&[u8]]| lines().any(|line| words.iter().any(|word| line.starts_with(word)));
    let is_function = |line: &[u8]| {
        line.starts_with(b"def ") && line.contains(&b'(') && line.trim_ascii_end().ends_with(b":")
    };
    let is_module = |line: &[u8]| {
        line.strip_prefix(b"import ")
            .is_some_and(|rest| !rest.trim_ascii_end().ends_with(b";") && !rest.contains(&b'"'))
            || (line.starts_with(b"from ") && memchr::memmem::find(line, b" import ").is_some())
    };
    let is_class = |line: &[u8]| line.starts_with(b"class ") && line.trim_ascii_end().ends_with(b":");
    let is_quoted = part.starts_with(b"\"\"\"") || part.starts_with(b"'''");
    if is_quoted || lines().any(|line| is_function(line) || is_module(line) || is_class(line)) {
        return named("Python script", Kind::Executable);
    }
    if begins(&[
        b"class ",
        b"namespace ",
        b"using namespace ",
        b"template <",
        b"template<",
        b"public:",
        b"private:",
    ]) && lines().any(|line| line.contains(&b'{') || line.ends_with(b";") || line.ends_with(b":"))
        && !begins(&[b"import ", b"package ", b"require "])
    {
        return named("C++ source", Kind::Text);
    }
    if lines().any(|line| line.starts_with(b"package ") && line.trim_ascii_end().ends_with(b";"))
        && !lines().any(is_import)
    {
        return named("Perl5 module source", Kind::Text);
    }
    if begins(&[b"#include"]) {
        return named("C source", Kind::Text);
    }
    if lines().any(is_import) {
        return named("Java source", Kind::Text);
    }
    None
}
