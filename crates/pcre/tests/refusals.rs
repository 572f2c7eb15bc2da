//! What is no pattern, and what is one but is not supported: why, and at which byte.

use pcre::{Cause, Error, Flags, GROUPS_MAX, NESTING_MAX, PATTERN_BYTES_MAX, Regex};

fn refusal(pattern: impl AsRef<[u8]>) -> Option<Error> {
    Regex::new(pattern, Flags::default()).err()
}

fn check(table: &[(&str, Cause, usize)]) {
    for (pattern, cause, at) in table {
        assert_eq!(refusal(pattern), Some(Error { at: *at, cause: *cause }), "{pattern}");
    }
}

#[test]
fn a_quantifier_needs_something_to_repeat() {
    check(&[
        ("*", Cause::NothingToRepeat, 0),
        ("a|+", Cause::NothingToRepeat, 2),
        ("(?)*", Cause::NothingToRepeat, 3),
        ("a**", Cause::NothingToRepeat, 2),
        ("a{2}{3}", Cause::NothingToRepeat, 4),
        ("^*", Cause::NothingToRepeat, 1),
        ("$+", Cause::NothingToRepeat, 1),
        ("\\b?", Cause::NothingToRepeat, 2),
        ("(?i)*", Cause::NothingToRepeat, 4),
        ("\\K{2}", Cause::NothingToRepeat, 2),
        ("{3}", Cause::NothingToRepeat, 0),
        ("a{3,2}", Cause::RepeatOutOfOrder, 1),
        ("a{65536}", Cause::RepeatTooLarge, 1),
        ("a{1,99999999999}", Cause::RepeatTooLarge, 1),
    ]);
    assert_eq!(refusal("a{65535}"), None);
}

#[test]
fn what_is_opened_is_closed() {
    check(&[
        ("(a", Cause::MissingParenthesis, 2),
        ("((a)", Cause::MissingParenthesis, 4),
        ("a)", Cause::UnmatchedParenthesis, 1),
        ("(?:a", Cause::MissingParenthesis, 4),
        ("(?i", Cause::MissingParenthesis, 3),
        ("(?", Cause::MissingParenthesis, 2),
        ("[a", Cause::MissingBracket, 2),
        ("[]", Cause::MissingBracket, 2),
        ("[^]", Cause::MissingBracket, 3),
        ("[a\\]", Cause::MissingBracket, 4),
        ("[\\Qa]", Cause::MissingBracket, 5),
        ("(?#a", Cause::UnterminatedComment, 0),
        ("a\\", Cause::TrailingBackslash, 2),
        ("(\\Qa)", Cause::MissingParenthesis, 5),
    ]);
}

#[test]
fn a_class_is_in_order() {
    check(&[
        ("[z-a]", Cause::RangeOutOfOrder, 3),
        ("[a-\\d]", Cause::RangeOfClass, 3),
        ("[\\d-z]", Cause::RangeOfClass, 3),
        ("[a-[:digit:]]", Cause::RangeOfClass, 3),
        ("[[:alpha:]-z]", Cause::RangeOfClass, 10),
        ("[[:letter:]]", Cause::UnknownPosixClass, 1),
        ("[:alpha:]", Cause::PosixOutsideClass, 0),
        ("a[.x.]", Cause::CollatingElement, 1),
        ("[[=x=]]", Cause::CollatingElement, 1),
        ("[\\R]", Cause::EscapeInClass(b'R'), 1),
        ("[\\A]", Cause::EscapeInClass(b'A'), 1),
        ("[\\N]", Cause::EscapeInClass(b'N'), 1),
    ]);
    for fine in ["[\\d-]", "[-\\d]", "[[:alpha:]-]", "[a-a]", "[:x]", "[[:x]"] {
        assert_eq!(refusal(fine), None, "{fine}");
    }
}

#[test]
fn an_escape_means_something() {
    check(&[
        ("\\i", Cause::UnknownEscape(b'i'), 0),
        ("a\\y", Cause::UnknownEscape(b'y'), 1),
        ("\\u0041", Cause::UnknownEscape(b'u'), 0),
        ("\\x{100}", Cause::NotAByte, 6),
        ("\\x{}", Cause::BadDigits, 3),
        ("\\x{4g}", Cause::BadDigits, 4),
        ("\\x{41", Cause::BadDigits, 5),
        ("\\400", Cause::NotAByte, 4),
        ("\\o{400}", Cause::NotAByte, 6),
        ("\\o{8}", Cause::BadDigits, 3),
        ("\\o101", Cause::BadDigits, 2),
        ("\\c", Cause::ControlCharacter, 2),
        ("\\c\u{1}", Cause::ControlCharacter, 3),
        ("\\g", Cause::GroupExpected(b'g'), 0),
        ("\\g{1", Cause::GroupExpected(b'g'), 0),
        ("\\k1", Cause::GroupExpected(b'k'), 0),
    ]);
}

#[test]
fn a_group_that_is_referred_to_is_there() {
    check(&[
        ("\\1", Cause::NoSuchGroup, 2),
        ("(a)\\2", Cause::NoSuchGroup, 5),
        ("\\k<n>", Cause::NoSuchGroup, 5),
        ("(a)\\g{-2}", Cause::NoSuchGroup, 8),
        ("\\g{0}", Cause::NoSuchGroup, 5),
        ("(?1)", Cause::NoSuchGroup, 4),
        ("(?-1)(a)", Cause::NoSuchGroup, 4),
        ("(?(1)a)", Cause::NoSuchGroup, 5),
        ("(?(0)a)", Cause::NoSuchGroup, 5),
        ("(?P=n)", Cause::NoSuchGroup, 6),
        ("(?&n)", Cause::NoSuchGroup, 5),
        ("\\99999", Cause::GroupNumberTooLarge, 6),
        ("(?|(a)|(b))\\2", Cause::NoSuchGroup, 13),
    ]);
}

#[test]
fn names_are_names_and_belong_to_one_group() {
    check(&[
        ("(?<>a)", Cause::NameExpected, 3),
        ("(?<1a>b)", Cause::NameBeginsWithDigit, 3),
        ("(?<a-b>c)", Cause::NameUnterminated, 4),
        ("(?P<a", Cause::NameUnterminated, 5),
        ("(?<n>a)(?<n>b)", Cause::NameTwice, 12),
        ("(?|(?<n>a)|(?<m>b))", Cause::NameTwice, 16),
    ]);
    assert_eq!(refusal("(?|(?<n>a)|(?<n>b))"), None);
    let name = "n".repeat(32);
    assert_eq!(refusal(format!("(?<{name}>a)")), None);
    assert_eq!(refusal(format!("(?<{name}n>a)")), Some(Error { at: 3, cause: Cause::NameTooLong }));
}

#[test]
fn what_follows_a_parenthesis_means_something() {
    check(&[
        ("(?z)", Cause::UnknownGroup, 2),
        ("(?Px)", Cause::UnknownGroup, 2),
        ("(?i-m-s)", Cause::OptionHyphen, 5),
        ("(?^-i)", Cause::OptionHyphen, 3),
        ("(?(?:a)b)", Cause::ConditionExpected, 3),
        ("(?()a)", Cause::NameExpected, 3),
        ("()(?(1)a|b|c)", Cause::ConditionBranches, 2),
        ("(?(DEFINE)a|b)", Cause::ConditionBranches, 0),
        ("(?R", Cause::CallUnterminated, 3),
        ("(?12a)", Cause::CallUnterminated, 4),
    ]);
}

#[test]
fn a_look_behind_has_a_length() {
    check(&[
        ("(?<=a*)b", Cause::LookBehindNotFixed, 0),
        ("x(?<!a|b+)", Cause::LookBehindNotFixed, 1),
        ("(?<=a{2,3})", Cause::LookBehindNotFixed, 0),
        ("(?<=(a|bc))", Cause::LookBehindNotFixed, 0),
        ("(?<=(?:a|bc))", Cause::LookBehindNotFixed, 0),
        ("(?<=\\R)", Cause::LookBehindNotFixed, 0),
        ("(?<=(?1))(a(?1)?)", Cause::LookBehindNotFixed, 0),
        ("(?:(?<=a+)){0}", Cause::LookBehindNotFixed, 3),
        ("(?<=a{65535}b)", Cause::LookBehindTooLong, 0),
        ("(?<=a\\Kb)", Cause::KeepInLook, 5),
        ("(?=\\K)", Cause::KeepInLook, 3),
    ]);
    for fine in ["(?<=a|bc)", "(?<=(a)\\1)", "(?<=(?1))(ab)", "(?<=(?=a+)b)", "(?<=a{65535})", "(?<!)"] {
        assert_eq!(refusal(fine), None, "{fine}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_its_name() {
    let table = [
        ("a(*FAIL)", "a verb, (*…),", 1),
        ("(*UTF)a", "a verb, (*…),", 0),
        ("(?C1)a", "a callout, (?C…),", 0),
        ("(?(?C1)(?=a)b)", "a callout, (?C…),", 0),
        ("(?(VERSION>=10)a)", "this kind of condition", 0),
        ("(?*a)", "a look-around that is not atomic", 0),
        ("(?<*a)", "a look-around that is not atomic", 0),
        ("a\\X", "\\X", 1),
        ("\\p{L}", "\\p", 0),
        ("[\\PL]", "\\p", 1),
        ("\\N{U+41}", "\\N{…}", 2),
    ];
    for (pattern, what, at) in table {
        let error = refusal(pattern).unwrap_or_else(|| panic!("{pattern} is accepted"));
        assert_eq!(error, Error { at, cause: Cause::NotSupported(what) }, "{pattern}");
        assert!(error.to_string().starts_with(what), "{error}");
    }
}

#[test]
fn a_pattern_that_is_too_large_is_refused() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(refusal(nested(NESTING_MAX)), None);
    let too_deep = refusal(nested(NESTING_MAX + 1)).map(|error| error.cause);
    assert_eq!(too_deep, Some(Cause::TooDeep));
    let looks = format!("{}a{}", "(?=".repeat(NESTING_MAX + 1), ")".repeat(NESTING_MAX + 1));
    assert_eq!(refusal(looks).map(|error| error.cause), Some(Cause::TooDeep));

    assert_eq!(refusal("a".repeat(PATTERN_BYTES_MAX)), None);
    let too_long = Error { at: PATTERN_BYTES_MAX, cause: Cause::PatternTooLong };
    assert_eq!(refusal("a".repeat(PATTERN_BYTES_MAX + 1)), Some(too_long));

    let groups = usize::from(GROUPS_MAX);
    assert_eq!(refusal("()".repeat(groups)), None);
    assert_eq!(refusal("()".repeat(groups + 1)).map(|error| error.cause), Some(Cause::TooManyGroups));
    // Every bar is two instructions.
    assert_eq!(refusal("|".repeat(40_000)).map(|error| error.cause), Some(Cause::ProgramTooLarge));
}
