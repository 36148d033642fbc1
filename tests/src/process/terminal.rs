//! A program on a terminal of its own: what a person would see, and what they type.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::{Output, Run, Running};
use crate::runtime::lock;
use crate::spawner;
use crate::wait::wait_for;

/// What Ctrl-C and Ctrl-D send.
pub const CTRL_C: &[u8] = b"\x03";
/// The end of the input.
pub const CTRL_D: &[u8] = b"\x04";

const SIZE: Winsize = Winsize { ws_row: 50, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 };

/// A program that was started on a terminal, which is its controlling one.
#[derive(Debug)]
pub struct Terminal {
    running: Running,
    /// Its own end of the terminal is the program's keyboard and screen.
    here: File,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Run {
    /// Starts it on a terminal. Standard output goes there too, or to a file when it is `piped`. [`Output::stderr`] is then all
    /// that was shown.
    pub fn on_terminal(self, piped: bool) -> Result<Terminal> {
        let (name, stem) = self.name();
        fs::create_dir_all(&self.output).with_context(|| format!("cannot create {}", self.output.display()))?;
        let (stdout, stderr) =
            (self.output.join(format!("{stem}.stdout")), self.output.join(format!("{stem}.terminal")));
        let here = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).context("no terminal")?;
        grantpt(&here)?;
        unlockpt(&here)?;
        tcsetwinsize(&here, SIZE)?;
        let path = ptsname(&here, Vec::new())?.into_string()?;
        let flags = i32::try_from(OFlags::NOCTTY.bits())?;
        let there = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        let mut command = spawner::command_on_terminal(&self.program);
        command.args(&self.args).envs(&self.env).env("TERM", "xterm-256color").current_dir(&self.directory);
        let stdout_file = File::create(&stdout)?;
        let shown = if piped { Stdio::from(stdout_file) } else { Stdio::from(there.try_clone()?) };
        command.stdin(there.try_clone()?).stdout(shown).stderr(there);
        let log = File::create(&stderr)?;
        let started = Instant::now();
        let child = spawner::spawn(command)?;
        let running = Running { name, child, stdout, stderr, started, status: None, documented: false, _silent: None };
        let here = File::from(here);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let reader = thread::spawn({
            let (screen, here) = (Arc::clone(&screen), here.try_clone()?);
            move || read(here, log, &screen)
        });
        Ok(Terminal { running, here, screen, reader: Some(reader) })
    }
}

/// Until nobody holds the program's end any more, which Linux tells by an error.
fn read(mut here: File, mut log: File, screen: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = here.read(&mut buffer) {
        lock(screen).extend_from_slice(&buffer[..count]);
        // Only for whoever reads the logs of a failed trial, and for the search for secrets.
        let _ = log.write_all(&buffer[..count]);
    }
}

impl Terminal {
    /// All that was shown up to now, escape sequences and the echo of what was typed included.
    #[must_use]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&lock(&self.screen)).into_owned()
    }

    /// What stands on the screen now, without empty lines.
    #[must_use]
    pub fn screen(&self) -> Vec<String> {
        let mut screen = vt100::Parser::new(SIZE.ws_row, SIZE.ws_col, 0);
        screen.process(&lock(&self.screen));
        let lines = screen.screen().rows(0, SIZE.ws_col).map(|line| line.trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// Waits until a text is shown.
    pub fn wait_shown(&mut self, text: &str, deadline: Duration) -> Result<()> {
        wait_for(&format!("{text:?} on the terminal"), deadline, || {
            let ended = self.running.try_status()?.is_some();
            let shown = self.shown();
            if ended && !shown.contains(text) {
                return Err(anyhow!("the program has ended; it showed\n{shown}"));
            }
            Ok(shown.contains(text).then_some(()))
        })
        .with_context(|| self.shown())
    }

    /// Types bytes as they are.
    pub fn type_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.here.write_all(bytes).context("nobody reads what is typed")
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) -> Result<()> {
        self.type_bytes(format!("{line}\r").as_bytes())
    }

    /// Whether what is typed now would be shown.
    pub fn echoes(&self) -> Result<bool> {
        Ok(tcgetattr(&self.here)?.local_modes.contains(LocalModes::ECHO))
    }

    /// Waits for its end.
    pub fn wait(mut self, deadline: Duration) -> Result<Output> {
        self.ended(deadline)?;
        self.running.wait(deadline)
    }

    /// Waits for its end, and keeps the terminal: how was it left?
    pub fn ended(&mut self, deadline: Duration) -> Result<()> {
        let waited = wait_for("the end of the program", deadline, || self.running.try_status());
        waited.with_context(|| self.shown())?;
        // Ends once nobody holds the program's end of the terminal.
        if let Some(reader) = self.reader.take() {
            reader.join().map_err(|_| anyhow!("the terminal's reader panicked"))?;
        }
        Ok(())
    }
}
