//! Results for a person, at a certain time and with or without colour: tables, details, states, totals.

use unicode_width::UnicodeWidthStr;
use walwarden_contract::{Open, Timestamp};

use super::neutral::line;
use super::{text, when};

/// What human output depends on beside the answer that it shows.
#[derive(Debug, Clone)]
pub(crate) struct View {
    now: Timestamp,
    colour: bool,
    /// The flags without which a command would reach another API than this one.
    flags: Vec<String>,
}

/// What a state means to whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Good,
    Busy,
    Doubtful,
    Bad,
}

/// A text of one line in a table or in details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self { text: line(text), tone: Tone::Plain }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Cell {
    /// A state, in the colour of its meaning.
    pub(crate) fn state(word: &str) -> Self {
        let tone = match word {
            "completed" | "passed" | "locked" | "drilled" | "available" => Tone::Good,
            "queued" | "claimed" | "running" | "finalizing" => Tone::Busy,
            "token_issued" | "triggered" | "downloading" | "verifying" | "manifest_verified" | "restoring" => {
                Tone::Busy
            }
            "failed_retryable" | "cancelled" | "expired" | "not_verifiable" => Tone::Doubtful,
            "failed_terminal" | "failed" | "timed_out" => Tone::Bad,
            _ => Tone::Plain,
        };
        Self { tone, ..Self::from(word) }
    }

    /// The same of an answer's word, which this version may not know.
    pub(crate) fn word<T: serde::Serialize>(word: &Open<T>) -> Self {
        Self::state(&word.word())
    }

    /// The same with more to say about it.
    pub(crate) fn and(self, more: &str) -> Self {
        Self { text: format!("{}{}", self.text, line(more)), ..self }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

impl View {
    pub(crate) fn new(now: Timestamp, colour: bool, flags: Vec<String>) -> Self {
        Self { now, colour, flags }
    }

    /// An instant and how far it is from now.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        when::time(at, self.now)
    }

    /// The same, or a dash.
    pub(crate) fn time_or_dash(&self, at: Option<Timestamp>) -> String {
        text::or_dash(at.map(|at| self.time(at)))
    }

    /// A command that reaches the same API, as one would type it.
    pub(crate) fn shell(&self, command: &[String]) -> String {
        text::shell(&reaching(&self.flags, command.to_vec()))
    }

    /// Rows under a header, every column as wide as its widest cell. Nothing is wrapped: ids stay whole.
    pub(crate) fn table<const COLUMNS: usize>(&self, header: [&str; COLUMNS], rows: &[[Cell; COLUMNS]]) -> String {
        let header = header.map(Cell::from);
        let mut widths = header.each_ref().map(Cell::width);
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let line = |row: &[Cell; COLUMNS]| {
            let cells: Vec<String> = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{}{}", self.paint(cell), " ".repeat(width - cell.width())))
                .collect();
            cells.join("  ").trim_end().to_owned()
        };
        std::iter::once(&header).chain(rows).map(line).collect::<Vec<_>>().join("\n")
    }

    /// `name: value` lines.
    pub(crate) fn fields(&self, pairs: &[(&str, Cell)]) -> String {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
        let line = |(name, cell): &(&str, Cell)| format!("{:width$} {}", format!("{name}:"), self.paint(cell));
        pairs.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The same of plain texts.
    pub(crate) fn texts(&self, pairs: Vec<(&str, String)>) -> String {
        let cells: Vec<_> = pairs.into_iter().map(|(name, text)| (name, Cell::from(text))).collect();
        self.fields(&cells)
    }

    fn paint(&self, cell: &Cell) -> String {
        let colour = match cell.tone {
            Tone::Good => "32",
            Tone::Busy => "36",
            Tone::Doubtful => "33",
            Tone::Bad => "31",
            Tone::Plain => return cell.text.clone(),
        };
        if self.colour { format!("\u{1b}[{colour}m{}\u{1b}[0m", cell.text) } else { cell.text.clone() }
    }
}

/// The end of a list: how many there are, and where it goes on.
pub(crate) struct Total<'a> {
    /// What one of them is called, and several.
    pub(crate) nouns: [&'a str; 2],
    /// How many are shown.
    pub(crate) shown: usize,
    /// Whether others came before these.
    pub(crate) continued: bool,
    /// The command that shows the next ones.
    pub(crate) more: Option<&'a [String]>,
}

impl Total<'_> {
    pub(crate) fn line(&self, view: &View) -> String {
        let [one, many] = self.nouns;
        let counted = format!("{} {}", self.shown, if self.shown == 1 { one } else { many });
        match self.more {
            Some(more) => format!("{counted} shown, more: continue with\n  {}", view.shell(more)),
            None if self.continued => format!("{counted}, the last of the list"),
            None => counted,
        }
    }
}

/// A command with the flags that make it reach the same API.
pub(crate) fn reaching(flags: &[String], mut command: Vec<String>) -> Vec<String> {
    if command.first().is_some_and(|program| program == "walwarden") {
        command.splice(1..1, flags.iter().cloned());
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(colour: bool) -> View {
        View::new("2026-01-31T02:00:00Z".parse().expect("a time"), colour, vec!["--profile".into(), "a b".into()])
    }

    #[test]
    fn columns_line_up_whatever_is_in_them_and_rows_stay_rows() {
        let rows = [
            [Cell::from("1"), Cell::state("completed"), Cell::from("x")],
            [Cell::from("数据库"), Cell::state("failed"), Cell::from("a\nb\u{1b}[2J")],
        ];
        let table = view(false).table(["ID", "STATE", "NAME"], &rows);
        assert_eq!(table, "ID      STATE      NAME\n1       completed  x\n数据库  failed     a b\u{fffd}[2J");
        let painted = view(true).table(["ID", "STATE", "NAME"], &rows);
        assert!(painted.contains("\u{1b}[32mcompleted\u{1b}[0m  x"), "{painted:?}");
        assert_eq!(painted.replace("\u{1b}[32m", "").replace("\u{1b}[31m", "").replace("\u{1b}[0m", ""), table);
    }

    #[test]
    fn a_list_says_how_many_and_how_to_go_on() {
        let more: Vec<String> = ["walwarden", "database", "list", "--cursor", "c"].map(str::to_owned).into();
        let total = |shown, continued, more| Total { nouns: ["database", "databases"], shown, continued, more };
        assert_eq!(total(1, false, None).line(&view(false)), "1 database");
        assert_eq!(total(3, false, None).line(&view(false)), "3 databases");
        assert_eq!(total(3, true, None).line(&view(false)), "3 databases, the last of the list");
        assert_eq!(
            total(50, false, Some(&more)).line(&view(false)),
            "50 databases shown, more: continue with\n  walwarden --profile 'a b' database list --cursor c"
        );
    }
}
