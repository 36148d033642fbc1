//! A clock that tests set wrong while the process runs.

use std::path::PathBuf;

use crate::system::System;

/// The variable: the path of a file that holds how many milliseconds the clock is ahead, or with a minus sign behind.
const VARIABLE: &str = "WALWARDEN_CLOCK_OFFSET_FILE";

/// The same system, unless the environment names a file: then its clock is off by what stands there at each look.
pub(crate) fn skewed(system: System) -> System {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return system;
    };
    // A file that is not there yet, or half written, sets nothing.
    let offset = move || std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    system.shifted(offset)
}
