//! Patterns for names of files, as a shell has them: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`. `*` and `?` match a `/` too,
//! case counts, and a `[` without its `]` is a `[`. There is no escape; `[*]` is a star.

/// The pattern of rule files that suricata-update leaves out unless it is told otherwise.
pub const IGNORED_BY_DEFAULT: &str = "*deleted.rules";

/// A pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    /// Any characters, or none.
    Many,
    /// Any character.
    One,
    /// This character.
    Exactly(char),
    /// A character in one of these ranges, or in none.
    Set { is_negated: bool, ranges: Vec<(char, char)> },
}

impl Part {
    /// Whether this takes that one character.
    fn takes(&self, found: char) -> bool {
        match self {
            Part::Many | Part::One => true,
            Part::Exactly(right) => *right == found,
            Part::Set { is_negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&found)) != *is_negated
            }
        }
    }
}

impl Glob {
    /// Reads a pattern. Every text is one.
    #[must_use]
    pub fn new(pattern: &str) -> Glob {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            parts.push(match first {
                // Two stars are one, and cost no more.
                '*' if parts.last() == Some(&Part::Many) => continue,
                '*' => Part::Many,
                '?' => Part::One,
                '[' => match set(rest) {
                    Some((part, behind)) => {
                        rest = behind;
                        part
                    }
                    None => Part::Exactly('['),
                },
                other => Part::Exactly(other),
            });
        }
        Glob(parts)
    }

    /// Whether all of `name` fits.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut part, mut at) = (0, 0);
        // Where to go on when it fails: behind the last star, which then takes one character more.
        let mut retry = None;
        while at < name.len() || part < self.0.len() {
            match (self.0.get(part), name.get(at)) {
                (Some(Part::Many), _) => {
                    retry = Some((part + 1, at));
                    part += 1;
                }
                (Some(one), Some(found)) if one.takes(*found) => {
                    part += 1;
                    at += 1;
                }
                _ => match retry {
                    Some((behind, taken)) if taken < name.len() => {
                        retry = Some((behind, taken + 1));
                        part = behind;
                        at = taken + 1;
                    }
                    _ => return false,
                },
            }
        }
        true
    }
}

/// The set behind a `[`, and what stands behind its `]`.
fn set(text: &str) -> Option<(Part, &str)> {
    let (is_negated, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
    // A `]` that stands first is a character of the set.
    let first = text.chars().next()?.len_utf8();
    let end = first + text.get(first..)?.find(']')?;
    let characters: Vec<char> = text.get(..end)?.chars().collect();
    let mut ranges = Vec::new();
    let mut rest = &characters[..];
    loop {
        rest = match rest {
            [from, '-', to, behind @ ..] => {
                ranges.push((*from, *to));
                behind
            }
            [one, behind @ ..] => {
                ranges.push((*one, *one));
                behind
            }
            [] => return Some((Part::Set { is_negated, ranges }, text.get(end + 1..)?)),
        };
    }
}

/// What stands behind the last `/` of a path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name without what stands behind its last dot, unless the name begins with that dot.
pub(crate) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.trim_start_matches('.').is_empty() => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::new(pattern).matches(name)
    }

    #[test]
    fn all_of_a_name_must_fit() {
        for (pattern, name) in [
            ("", ""),
            ("*", ""),
            ("*", "a/b.rules"),
            ("a*b*c", "a-b-b-c"),
            ("**a", "ba"),
            ("?b", "äb"),
            ("rules/*dos*", "rules/emerging-dos.rules"),
            ("*deleted.rules", "emerging-deleted.rules"),
        ] {
            assert!(matches(pattern, name), "{pattern} and {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("?", ""),
            ("a", "A"),
            ("a*b", "abc"),
            ("a*b*c", "a-c-b"),
            ("a", "ab"),
            ("*.rules", "a.rule"),
        ] {
            assert!(!matches(pattern, name), "{pattern} and {name}");
        }
    }

    #[test]
    fn a_set_is_one_character() {
        for (pattern, name) in [
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]a]", "]"),
            ("[!]]", "a"),
            ("[a-]", "-"),
            ("[*]", "*"),
            ("[a", "[a"),
        ] {
            assert!(matches(pattern, name), "{pattern} and {name}");
        }
        for (pattern, name) in [("[a-c]x", "dx"), ("[!a-c]x", "ax"), ("[!]]", "]"), ("[*]", "a"), ("[]", "[")]
        {
            assert!(!matches(pattern, name), "{pattern} and {name}");
        }
    }

    #[test]
    fn many_stars_do_not_take_forever() {
        let pattern = "*a".repeat(500);
        assert!(!matches(&pattern, &"a".repeat(499)));
        assert!(matches(&pattern, &"a".repeat(5_000)));
        assert!(!matches(&(pattern + "b"), &"a".repeat(5_000)));
    }

    #[test]
    fn a_name_has_a_base_and_a_stem() {
        assert_eq!(base("rules/emerging-dos.rules"), "emerging-dos.rules");
        assert_eq!(base("x"), "x");
        assert_eq!(stem("emerging-dos.rules"), "emerging-dos");
        assert_eq!(stem("a.b.rules"), "a.b");
        assert_eq!(stem(".rules"), ".rules");
        assert_eq!(stem("none"), "none");
    }
}
