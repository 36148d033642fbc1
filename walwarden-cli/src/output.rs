//! The only place that prints. A reader who has gone away (EPIPE) ends no command.

pub(crate) mod events;
pub(crate) mod neutral;
pub(crate) mod progress;
pub(crate) mod text;
pub(crate) mod view;
pub(crate) mod when;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use walwarden_contract::model::cli::{RestoreLine, RestoreLinePayload, RestoreLineState};
use walwarden_contract::{Envelope, Timestamp};

use self::view::View;
use crate::failure::Failure;

/// Prints one document in JSON, or short lines for a person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    /// Whether a program reads along: stdout is JSON, and stderr is silent.
    json: bool,
    /// Whether it reads lines while the command runs, of which the document is the last.
    events: bool,
    stdout: Stream,
    stderr: Stream,
}

/// What can be shown on a stream.
#[derive(Debug, Clone, Copy)]
struct Stream {
    terminal: bool,
    colour: bool,
}

impl Printer {
    pub(crate) fn new(json: bool, events: bool) -> Self {
        let wanted = wants_colour(|name| std::env::var_os(name));
        let stream = |terminal| Stream { terminal, colour: terminal && wanted };
        Self {
            json: json || events,
            events,
            stdout: stream(io::stdout().is_terminal()),
            stderr: stream(io::stderr().is_terminal()),
        }
    }

    /// How results are shown at this time.
    pub(crate) fn view(self, now: Timestamp, flags: Vec<String>) -> View {
        View::new(now, self.stdout.colour, flags)
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether a progress bar can be drawn.
    pub(crate) fn draws(self) -> bool {
        self.stderr.terminal && !self.json
    }

    /// The one document of a command.
    pub(crate) fn envelope(self, envelope: &Envelope) {
        if self.events {
            self.result(envelope);
        } else if self.json {
            to_stdout(&neutral::json(envelope));
        }
    }

    /// Whether the token's command writes lines for a program: with `--json`, and whenever no person sees its stdout.
    pub(crate) fn writes_lines(self) -> bool {
        self.json || !self.stdout.terminal
    }

    /// One line of the stream that the token's command writes.
    pub(crate) fn line(self, state: RestoreLineState, at: Timestamp, payload: RestoreLinePayload) {
        if self.writes_lines() {
            to_stdout(&neutral::json(&RestoreLine { state, at, payload }));
        }
    }

    /// A result, for a person.
    pub(crate) fn human(self, text: &str) {
        if !self.json && !text.is_empty() {
            to_stdout(&neutral::composed(text, self.stdout.colour));
        }
    }

    /// What happens on the way, for a person.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            to_stderr(&neutral::composed(text, false));
        }
    }

    /// A question for a person, who answers on the same line.
    pub(crate) fn question(self, text: &str) {
        if !self.json {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
        }
    }

    pub(crate) fn warning(self, text: &str) {
        if !self.json {
            to_stderr(&format!("{} {}", self.paint("33", "warning:"), neutral::block(text)));
        }
    }

    pub(crate) fn suggest(self, commands: &[Vec<String>]) {
        if self.draws() {
            for command in commands {
                to_stderr(&format!("next: {}", text::shell(command)));
            }
        }
    }

    /// What happened, what was left untouched, what to do next.
    pub(crate) fn failure(self, failure: &Failure) {
        let body = &failure.body;
        let (message, code) = (neutral::block(&body.message), neutral::line(&body.code.word()));
        let mut lines = vec![format!("{} {message} [{code}]", self.paint("31", "error:"))];
        lines.extend(failure.untouched.as_ref().map(|text| format!("  untouched: {}", neutral::line(text))));
        let scope = body.required_scope.as_ref();
        lines.extend(scope.map(|scope| format!("  required scope: {}", neutral::line(&scope.word()))));
        lines.push(format!("  next: {}", neutral::block(&body.next_action)));
        lines.extend(failure.next.iter().map(|command| format!("  next: {}", text::shell(command))));
        lines.extend(body.request_id.as_ref().map(|id| format!("  request: {}", neutral::line(id))));
        to_stderr(&lines.join("\n"));
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.stderr.colour { format!("\u{1b}[1;{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// What the environment says about colours: <https://no-color.org>, `CLICOLOR=0` and a terminal that has none.
fn wants_colour(environment: impl Fn(&str) -> Option<OsString>) -> bool {
    let is = |name, value| environment(name).is_some_and(|found| found == value);
    environment("NO_COLOR").is_none_or(|value| value.is_empty()) && !is("CLICOLOR", "0") && !is("TERM", "dumb")
}

/// Whether a result is lost, because the disk is full for one.
static LOST: AtomicBool = AtomicBool::new(false);

/// Whether something that was to be on stdout could not be written there. A reader who has gone away is none of that: it
/// has read what it wanted.
pub(crate) fn has_lost_output() -> bool {
    LOST.load(Ordering::Relaxed)
}

fn to_stdout(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    if written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_where_the_environment_asks_for_it() {
        let wants = |variables: &[(&str, &str)]| {
            wants_colour(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
        };
        assert!(wants(&[]) && wants(&[("NO_COLOR", ""), ("CLICOLOR", "1"), ("TERM", "xterm")]));
        for variable in [("NO_COLOR", "1"), ("NO_COLOR", "0"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            assert!(!wants(&[variable]), "{variable:?}");
        }
    }
}
