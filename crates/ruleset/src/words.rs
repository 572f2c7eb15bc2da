//! Splits a line into words as a shell does, and knows where each begins.
//!
//!   - Blanks part words; quotes keep them together, and several quoted pieces without a blank between them are one word.
//!   - Between single quotes everything is as it stands. Between double quotes a backslash before `"` or `\` goes away,
//!     and any other stays. Outside of quotes a backslash goes away and what follows it stays.
//!   - A `#` behind a blank begins a comment, but not between quotes.

use crate::Fault;

/// A word, and at which byte of the line it begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// The words of a line, or at which byte something is wrong.
pub(crate) fn split(line: &str) -> Result<Vec<Word>, (usize, Fault)> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        if character == '#' && word.is_none() && at > 0 {
            break;
        }
        let text = &mut word.get_or_insert_with(|| Word { text: String::new(), at }).text;
        match character {
            '\'' | '"' => quoted(character, &mut characters, text).map_err(|fault| (at, fault))?,
            '\\' => match characters.next() {
                Some((_, escaped)) => text.push(escaped),
                None => return Err((at, Fault::Backslash)),
            },
            plain => text.push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes what follows up to the same quote.
fn quoted(
    quote: char,
    characters: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    text: &mut String,
) -> Result<(), Fault> {
    while let Some((_, character)) = characters.next() {
        let is_escape = quote == '"' && character == '\\';
        if character == quote {
            return Ok(());
        }
        match characters.next_if(|(_, next)| is_escape && (*next == '"' || *next == '\\')) {
            Some((_, escaped)) => text.push(escaped),
            None => text.push(character),
        }
    }
    Err(Fault::Quote { quote })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line).expect("it is well quoted").into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_keep_blanks_and_go_away() {
        assert_eq!(words(r#"31 "seconds \d+" "seconds 90""#), ["31", r"seconds \d+", "seconds 90"]);
        assert_eq!(words(r#"re:"SOME STREAM" '' x"#), ["re:SOME STREAM", "", "x"]);
        assert_eq!(words("re:. ^alert drop"), ["re:.", "^alert", "drop"]);
        assert_eq!(words("  \t "), [""; 0]);
    }

    #[test]
    fn a_backslash_means_what_it_means_in_a_shell() {
        assert_eq!(words(r#""drop\\2" "a\"b" "\d" "\$""#), [r"drop\2", r#"a"b"#, r"\d", r"\$"]);
        assert_eq!(words(r#"a\ b\\ '\\ \"'"#), [r"a b\", r#"\\ \""#]);
    }

    #[test]
    fn a_comment_begins_behind_a_blank_and_outside_of_quotes() {
        assert_eq!(words("1 a b # and so on \""), ["1", "a", "b"]);
        assert_eq!(words(r#"1 "^# alert" "x # y""#), ["1", "^# alert", "x # y"]);
        assert_eq!(words("1 a#b c"), ["1", "a#b", "c"]);
    }

    #[test]
    fn what_does_not_end_is_told_where_it_begins() {
        assert_eq!(split(r#"1 "a b"#), Err((2, Fault::Quote { quote: '"' })));
        assert_eq!(split("1 ä'b"), Err((4, Fault::Quote { quote: '\'' })));
        assert_eq!(split(r"1 a\"), Err((3, Fault::Backslash)));
        assert_eq!(split("ä b").expect("it is well quoted")[1].at, 3);
    }
}
