//! What a debug build does at a point: nothing, unless the environment names it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

use super::Failpoint;

/// The variable: `<name>[@<nth>]=<kill|pause>`.
const VARIABLE: &str = "WALWARDEN_FAILPOINT";

/// A point that is armed, and what happens there.
#[derive(Debug)]
struct Armed {
    point: Failpoint,
    /// At which passage it happens, from 1. Once: a process that was let go on is not stopped a second time.
    nth: u32,
    passages: AtomicU32,
    signal: Signal,
}

fn all() -> impl Iterator<Item = &'static Failpoint> {
    Failpoint::BACKUP.iter().chain(Failpoint::DELETION).chain(Failpoint::ROTATION)
}

fn parse(text: &str) -> Option<Armed> {
    let (place, what) = text.split_once('=')?;
    let (name, nth) = place.split_once('@').unwrap_or((place, "1"));
    let signal = match what {
        "kill" => Signal::KILL,
        "pause" => Signal::STOP,
        _ => return None,
    };
    let point = *all().find(|point| point.as_str() == name)?;
    let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
    Some(Armed { point, nth, passages: AtomicU32::new(0), signal })
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let read = || {
        let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
        let armed = parse(&text);
        if armed.is_none() {
            tracing::error!("{VARIABLE} is {text:?}, which names no failpoint: it is ignored");
        }
        armed
    };
    ARMED.get_or_init(read).as_ref()
}

/// Kills or stops this process, if the environment asks for it here and now.
pub(crate) fn reach(point: Failpoint) {
    let Some(armed) = armed().filter(|armed| armed.point == point) else { return };
    if armed.passages.fetch_add(1, Ordering::SeqCst) + 1 == armed.nth {
        tracing::warn!(failpoint = point.as_str(), "this process ends or stops here, as it was told");
        // Neither of the two can be blocked or fail.
        let _ = kill_process(getpid(), armed.signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failpoint_is_a_name_a_passage_and_what_happens() {
        for point in all() {
            let armed = parse(&format!("{}=kill", point.as_str())).expect("reads");
            assert_eq!((armed.point, armed.nth, armed.signal), (*point, 1, Signal::KILL));
        }
        let armed = parse("mid_dump@3=pause").expect("reads");
        assert_eq!((armed.point, armed.nth, armed.signal), (Failpoint::MidDump, 3, Signal::STOP));
        for wrong in
            ["", "mid_dump", "mid_dump=", "mid_dump@0=kill", "mid_dump@x=kill", "nowhere=kill", "mid_dump=exit"]
        {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
