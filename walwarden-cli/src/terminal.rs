//! Asking a person at the terminal: on stderr, with the answer from stdin, and never while a program reads along.

use std::io::{self, IsTerminal, Stderr, Stdin};
use std::os::fd::AsFd;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Printer;

/// Whether there is somebody to ask.
pub(crate) fn is_there(printer: Printer) -> bool {
    !printer.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line; none when the input ends instead.
pub(crate) async fn ask(context: &Context, question: &str) -> Result<Option<String>, Failure> {
    context.printer.question(question);
    let answer = tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(Failure::cancelled()),
        line = next_line() => Ok(line),
    };
    if !matches!(answer, Ok(Some(_))) {
        // Whoever answers ends the line; nobody else does.
        context.printer.note("");
    }
    answer
}

/// Asks for a line that is not shown while it is typed.
pub(crate) async fn ask_hidden(context: &Context, question: &str) -> Result<Option<SecretString>, Failure> {
    // Held here and not by whoever reads: a signal must not leave the terminal mute.
    let muted = Muted::answers();
    let answer = ask(context, question).await;
    drop(muted);
    Ok(answer?.map(SecretString::from))
}

/// The next line of stdin, without its end. Reading cannot be called off, so a thread does it that nobody waits for.
async fn next_line() -> Option<String> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).ok().filter(|bytes| *bytes > 0);
        // Nobody waits any more when a signal came first.
        let _ = sender.send(read.map(|_| line.trim_end_matches(['\n', '\r']).to_owned()));
    });
    receiver.await.ok().flatten()
}

/// A terminal that shows less of what is typed, until this is dropped.
pub(crate) struct Muted<F: AsFd> {
    terminal: F,
    before: Option<Termios>,
}

impl Muted<Stdin> {
    /// Shows nothing but the end of the line. What was typed ahead was shown already: it is no secret, and no answer.
    fn answers() -> Self {
        Self::new(io::stdin(), OptionalActions::Flush, |modes| {
            modes.remove(LocalModes::ECHO);
            modes.insert(LocalModes::ECHONL);
        })
    }
}

impl Muted<Stderr> {
    /// Shows no `^C`, which would push a live line up to where it cannot be cleared away.
    pub(crate) fn controls() -> Self {
        Self::new(io::stderr(), OptionalActions::Now, |modes| modes.remove(LocalModes::ECHOCTL))
    }
}

impl<F: AsFd> Muted<F> {
    fn new(terminal: F, when: OptionalActions, change: impl FnOnce(&mut LocalModes)) -> Self {
        let before = tcgetattr(&terminal).ok();
        if let Some(before) = &before {
            let mut muted = before.clone();
            change(&mut muted.local_modes);
            // One that cannot be muted shows more than it should: no reason to ask nothing.
            let _ = tcsetattr(&terminal, when, &muted);
        }
        Self { terminal, before }
    }
}

impl<F: AsFd> Drop for Muted<F> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, before);
        }
    }
}
