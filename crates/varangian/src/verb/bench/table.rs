//! A table, for people: aligned columns on a terminal, or Markdown.

/// Rows of text below a head.
pub(super) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one. A column whose name begins with `<` is aligned to the left.
    pub(super) fn new(head: &[&'static str]) -> Self {
        Table { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.head.len());
        self.rows.push(row);
    }

    /// As text.
    pub(super) fn text(&self, markdown: bool) -> String {
        let is_left: Vec<bool> = self.head.iter().map(|name| name.starts_with('<')).collect();
        let head: Vec<String> =
            self.head.iter().map(|name| name.trim_start_matches('<').to_string()).collect();
        if markdown {
            let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
            let rule: Vec<String> =
                is_left.iter().map(|is_left| if *is_left { "---" } else { "---:" }.to_string()).collect();
            return line(&head) + &line(&rule) + &self.rows.iter().map(|row| line(row)).collect::<String>();
        }
        let width = |column: usize| {
            let cells = core::iter::once(&head).chain(&self.rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let line = |cells: &Vec<String>| {
            let pad = |((cell, width), is_left): ((&String, &usize), &bool)| match is_left {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            };
            let cells: Vec<String> = cells.iter().zip(&widths).zip(&is_left).map(pad).collect();
            format!("{}\n", cells.join("  ").trim_end())
        };
        core::iter::once(&head).chain(&self.rows).map(line).collect()
    }
}

/// `186,138`.
pub(super) fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with as many digits as mean something: `0.52`, `8.7`, `1,352`.
pub(super) fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => thousands(number),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_markdown_is_markdown() {
        let mut table = Table::new(&["<system", "a second"]);
        table.add(vec!["byzid".to_string(), thousands(1_234_567.4)]);
        table.add(vec!["paxos".to_string(), thousands(999.0)]);
        assert_eq!(table.text(false), "system   a second\nbyzid   1,234,567\npaxos         999\n");
        assert_eq!(
            table.text(true),
            "| system | a second |\n| --- | ---: |\n| byzid | 1,234,567 |\n| paxos | 999 |\n"
        );
    }

    #[test]
    fn digits_are_those_that_mean_something() {
        assert_eq!([0.519, 8.66, 43.21, 1352.4, 100.0].map(short), ["0.52", "8.66", "43.2", "1,352", "100"]);
        assert_eq!([0.0, 100.0, 1000.0, 12_345.0].map(thousands), ["0", "100", "1,000", "12,345"]);
    }
}
