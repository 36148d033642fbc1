//! What the demo says: titles, commands as a user would type them, and their results.

use std::io::{self, IsTerminal, Write};

use anyhow::Context;

pub(super) struct Narrator {
    out: io::Stdout,
    colour: bool,
}

impl Narrator {
    pub(super) fn to_stdout() -> Self {
        let allowed = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { out: io::stdout(), colour: allowed && io::stdout().is_terminal() }
    }

    /// Writes one line at once, so that a watcher sees it when it happens.
    pub(super) fn line(&self, text: &str) -> anyhow::Result<()> {
        let mut out = self.out.lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).context("cannot write to standard output")
    }

    pub(super) fn title(&self, text: &str) -> anyhow::Result<()> {
        self.line("")?;
        if self.colour { self.line(&format!("\x1b[1m{text}\x1b[0m")) } else { self.line(text) }
    }

    /// A command line, quoted where a shell would need it.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let mut text = format!("$ {program}");
        for argument in arguments {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@=".contains(&byte);
            text.push(' ');
            if !argument.is_empty() && argument.bytes().all(plain) {
                text.push_str(argument);
            } else {
                text.push('\'');
                text.push_str(&argument.replace('\'', r"'\''"));
                text.push('\'');
            }
        }
        self.line(&text)
    }
}
