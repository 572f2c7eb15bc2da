//! Takes the text of a rule file apart.
//!
//! A rule is `action protocol source ports arrow target ports (option; option:value; …)` on one line, or on several that end in `\`. Empty
//! lines and lines that begin with `#` are left out. Inside the brackets `\;` is a semicolon that ends nothing; all other escapes are
//! the option's business.
//!
//! What is wrong is told with the line and the column at which reading stopped, both from 1.

/// Options of one rule at most.
const OPTIONS_MAX: usize = 1024;

/// What is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// What was wrong, and what would be right.
    pub words: String,
}

/// Whom the arrow binds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrow {
    /// `->`: from left to right.
    Right,
    /// `<>`: either way.
    Either,
    /// `=>`: one exchange, its request from left to right and its response back.
    Exchange,
}

/// A rule as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source<'a> {
    /// What to do: `alert`.
    pub action: &'a str,
    /// `tcp`, `http`, …
    pub protocol: &'a str,
    /// Addresses on the left.
    pub from: &'a str,
    /// Ports on the left.
    pub from_ports: &'a str,
    /// How the two sides are bound.
    pub arrow: Arrow,
    /// Addresses on the right.
    pub to: &'a str,
    /// Ports on the right.
    pub to_ports: &'a str,
    /// What stands in the brackets.
    pub options: Vec<SourceOption<'a>>,
    /// Where the seven words of the head begin in the rule, in bytes from 0.
    pub words_at: [usize; 7],
    /// Where the closing bracket stands.
    pub end: usize,
}

/// An option as it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SourceOption<'a> {
    /// Before the colon.
    pub name: &'a str,
    /// After the colon, without blanks around it; empty if there is none.
    pub value: &'a str,
    /// Where its name begins in the rule, in bytes from 0.
    pub at: usize,
    /// Where its value begins; where it ends, if it has none.
    pub value_at: usize,
}

/// One rule's text, lines that were split joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The first line's number, from 1.
    pub number: usize,
    /// The text.
    pub text: String,
    /// Where the lines after the first begin in the text, in bytes from 0.
    pub joints: Vec<usize>,
}

/// The mark that some editors put before a text; it says nothing.
const MARK: char = '\u{feff}';

/// The rules of a file: each with its line, comments left out.
pub(crate) fn lines(text: &str) -> Vec<Line> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    for (index, raw) in text.lines().enumerate() {
        let raw = raw.trim_end_matches('\r');
        if open.is_none() && (raw.trim().is_empty() || raw.trim_start().starts_with('#')) {
            continue;
        }
        let line = match &mut open {
            Some(line) => {
                line.joints.push(line.text.len());
                line
            }
            None => open.insert(Line { number: index + 1, text: String::new(), joints: Vec::new() }),
        };
        match raw.trim_end().strip_suffix('\\') {
            Some(part) => line.text.push_str(part),
            None => {
                line.text.push_str(raw);
                lines.extend(open.take());
            }
        }
    }
    lines.extend(open);
    lines
}

impl Line {
    /// What is wrong at this byte of the rule.
    pub(crate) fn problem(&self, at: usize, words: String) -> Problem {
        let before = self.joints.partition_point(|joint| *joint <= at);
        let begin = before.checked_sub(1).and_then(|last| self.joints.get(last)).copied().unwrap_or(0);
        Problem { line: self.number + before, column: at - begin + 1, words }
    }

    /// Takes the rule apart.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn parse(&self) -> Result<Source<'_>, Problem> {
        self.parse_to_bytes().map_err(|(at, words)| self.problem(at, words))
    }

    /// The same; what is wrong is told by the byte of the rule at which it shows.
    pub(crate) fn parse_to_bytes(&self) -> Result<Source<'_>, (usize, String)> {
        let text = self.text.trim_end();
        let problem = |at: usize, words: String| (at, words);
        let open = text
            .find('(')
            .ok_or_else(|| problem(text.len(), "the rule has no options: expected '('".to_owned()))?;
        let head = words(&text[..open])
            .map_err(|at| problem(at, "a list that is not closed: expected ']'".to_owned()))?;
        let [action, protocol, from, from_ports, arrow, to, to_ports] = head[..] else {
            return Err(problem(
                0,
                format!(
                    "the head has {} words: expected seven, as in 'alert tcp any any -> any 80'",
                    head.len()
                ),
            ));
        };
        let arrow_at = arrow.0;
        let arrow = match arrow.1 {
            "->" => Arrow::Right,
            "<>" => Arrow::Either,
            "=>" => Arrow::Exchange,
            other => {
                return Err(problem(
                    arrow.0,
                    format!("'{other}' is no direction: expected '->', '<>' or '=>'"),
                ));
            }
        };
        if !text.ends_with(')') {
            return Err(problem(
                text.len(),
                "the options are not closed: expected ')' at the end".to_owned(),
            ));
        }
        let end = text.len() - 1;
        let options = options(text, open + 1, end)?;
        Ok(Source {
            action: action.1,
            protocol: protocol.1,
            from: from.1,
            from_ports: from_ports.1,
            arrow,
            to: to.1,
            to_ports: to_ports.1,
            options,
            words_at: [action.0, protocol.0, from.0, from_ports.0, arrow_at, to.0, to_ports.0],
            end,
        })
    }
}

/// The words of the head with their places; blanks within `[…]` do not part words.
fn words(head: &str) -> Result<Vec<(usize, &str)>, usize> {
    let mut words = Vec::new();
    let (mut begin, mut depth) = (None, 0usize);
    for (at, letter) in head.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if letter.is_whitespace() && depth == 0 {
            if let Some(begin) = begin.take() {
                words.push((begin, &head[begin..at]));
            }
        } else if begin.is_none() {
            begin = Some(at);
        }
    }
    if depth > 0 {
        return Err(head.len());
    }
    if let Some(begin) = begin {
        words.push((begin, &head[begin..]));
    }
    Ok(words)
}

fn options(text: &str, from: usize, until: usize) -> Result<Vec<SourceOption<'_>>, (usize, String)> {
    let mut options = Vec::new();
    let mut at = from;
    while !text[at..until].trim().is_empty() {
        let blanks = text[at..until].len() - text[at..until].trim_start().len();
        at += blanks;
        let end = end_of_option(text, at, until).ok_or_else(|| {
            (until, format!("option '{}' is not closed: expected ';'", short(&text[at..until])))
        })?;
        let (name, value, value_at) = match text[at..end].split_once(':') {
            Some((name, value)) => (name.trim(), value.trim(), end - value.trim_start().len()),
            None => (text[at..end].trim(), "", end),
        };
        if let Some((first, second)) = name.split_once(char::is_whitespace) {
            let (first, second) = (short(first), short(second.trim_start()));
            return Err((
                at,
                format!("'{first} {second}' is no option: is a ';' missing before '{second}'?"),
            ));
        }
        if name.is_empty() {
            return Err((
                at,
                format!("'{}' is no option: expected 'name;' or 'name:value;'", short(&text[at..end])),
            ));
        }
        if options.len() >= OPTIONS_MAX {
            return Err((at, format!("the rule has more than {OPTIONS_MAX} options")));
        }
        options.push(SourceOption { name, value, at, value_at });
        at = end + 1;
    }
    Ok(options)
}

/// Where the `;` stands that ends the option at `at`.
fn end_of_option(text: &str, at: usize, until: usize) -> Option<usize> {
    let mut is_escaped = false;
    for (offset, byte) in text.as_bytes()[at..until].iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b';' => return Some(at + offset),
            _ => {}
        }
    }
    None
}

fn short(text: &str) -> String {
    text.chars().take(30).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, String)>, Problem> {
        let line = Line { number: 7, text: text.to_owned(), joints: Vec::new() };
        let source = line.parse()?;
        Ok(source.options.iter().map(|option| (option.name.to_owned(), option.value.to_owned())).collect())
    }

    #[test]
    fn a_rule_is_taken_apart() {
        let line = &lines(
            "# no\n\nalert tcp [10.0.0.1, !10.0.0.2] any -> any 80:90 (msg:\"a\\; b: c\"; nocase ; sid:1;)\n",
        )[0];
        let source = line.parse().unwrap_or_else(|problem| panic!("{problem:?}"));
        assert_eq!((line.number, source.action, source.from), (3, "alert", "[10.0.0.1, !10.0.0.2]"));
        assert_eq!((source.to_ports, source.arrow), ("80:90", Arrow::Right));
        let options: Vec<_> = source.options.iter().map(|option| (option.name, option.value)).collect();
        assert_eq!(options, [("msg", "\"a\\; b: c\""), ("nocase", ""), ("sid", "1")]);
    }

    #[test]
    fn a_mark_before_the_text_is_no_part_of_the_first_rule() {
        let lines = lines("\u{feff}alert tcp any any -> any any (sid:1;)");
        assert_eq!(lines[0].parse().map(|source| source.action), Ok("alert"));
    }

    #[test]
    fn lines_that_were_split_are_joined() {
        let lines =
            lines("alert tcp any any \\\n  -> any any \\\n (sid:1;)\nalert udp any any -> any any (sid:2;)");
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 4]);
        assert!(lines[0].parse().is_ok());
    }

    #[test]
    fn a_place_in_a_rule_of_several_lines_is_told_by_the_line_on_which_it_stands() {
        let lines = lines("\n alert tcp any any \\\n  -> any any (sid:1;\\\n rev : 2;)\n");
        let source = lines[0].parse().unwrap_or_else(|problem| panic!("{problem:?}"));
        let place = |at| {
            let problem = lines[0].problem(at, String::new());
            (problem.line, problem.column)
        };
        assert_eq!(source.words_at.map(place), [(2, 2), (2, 8), (2, 12), (2, 16), (3, 3), (3, 6), (3, 10)]);
        let options: Vec<_> =
            source.options.iter().map(|option| (place(option.at), place(option.value_at))).collect();
        assert_eq!(options, [((3, 15), (3, 19)), ((4, 2), (4, 8))]);
        assert_eq!(place(source.end), (4, 10));
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_column() {
        let place = |text: &str| parse(text).err().map(|problem| (problem.line, problem.column));
        assert_eq!(place("alert tcp any any -> any any"), Some((7, 29)));
        assert_eq!(place("alert tcp any any >> any any (sid:1;)"), Some((7, 19)));
        assert_eq!(place("alert tcp any any -> any any (sid:1;"), Some((7, 37)));
        assert_eq!(place("alert tcp any any -> any any (sid:1; msg:\"x)"), Some((7, 44)));
        assert_eq!(place("alert tcp any any -> any any (sid:1; msg:\"x\")"), Some((7, 45)));
        assert_eq!(place("alert tcp any any -> any any (a b:1;)"), Some((7, 31)));
        assert_eq!(place("alert tcp any -> any any (sid:1;)"), Some((7, 1)));
    }
}
