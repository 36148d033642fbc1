//! What goes on, for a person: one live line on a terminal, below lines that stay. Elsewhere the lines that stay are all.

mod restore;

use std::io::Stderr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Printer;
use super::neutral::line;
use crate::terminal::Muted;

pub(crate) use self::restore::{Progress, Told};

/// How often a live line moves although nothing is heard.
const TICK: Duration = Duration::from_millis(120);
const WAITING: &str = "{spinner} {msg} ({elapsed})";
const MOVING: &str =
    "{spinner} {msg} [{bar:30}] {binary_bytes}/{binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";

/// The line at the bottom of the terminal, from the first thing there is to say. Dropped, it is gone, whatever the reason.
pub(crate) struct Live {
    printer: Printer,
    bar: ProgressBar,
    /// Set while there is a line.
    muted: Mutex<Option<Muted<Stderr>>>,
}

impl Live {
    pub(crate) fn new(printer: Printer) -> Self {
        let target = if printer.draws() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_style(style(WAITING));
        Self { printer, bar, muted: Mutex::new(None) }
    }

    /// What is being waited for, as it stands now.
    pub(crate) fn wait(&self, what: &str) {
        self.bar.set_style(style(WAITING));
        self.bar.set_message(line(what));
        self.begin();
    }

    /// The same for a new step, whose time begins now.
    pub(crate) fn step(&self, what: &str) {
        self.wait(what);
        self.bar.reset();
    }

    /// Bytes that move, with their rate and the time that is left.
    pub(crate) fn bytes(&self, what: &str, bytes: u64, total: u64) {
        if self.bar.length() != Some(total) {
            self.bar.set_length(total);
            self.bar.set_message(line(what));
            self.bar.set_style(style(MOVING));
            self.begin();
        }
        self.bar.set_position(bytes);
    }

    /// A line that stays.
    pub(crate) fn note(&self, text: &str) {
        let note = || self.printer.note(text);
        if self.muted.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            self.bar.suspend(note);
        } else {
            note();
        }
    }

    fn begin(&self) {
        let mut muted = self.muted.lock().unwrap_or_else(PoisonError::into_inner);
        if self.printer.draws() && muted.is_none() {
            *muted = Some(Muted::controls());
            self.bar.enable_steady_tick(TICK);
        }
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
        self.muted.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

/// In letters that every terminal has.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the templates above are well formed");
    style.tick_chars("-\\|/ ").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        for template in [WAITING, MOVING] {
            style(template);
        }
    }
}
