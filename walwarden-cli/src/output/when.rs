//! Times and ages as people say them. What time it is now is handed in.

use walwarden_contract::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// An instant and how far it is from now: `2026-11-27 14:03:11 UTC, 3 min ago`.
pub(crate) fn time(at: Timestamp, now: Timestamp) -> String {
    let seconds = (at.as_millis() - now.as_millis()) / 1000;
    let away = seconds.unsigned_abs();
    // Nobody counts the seconds of minutes that are long gone.
    let distance = span(if away < MINUTE { away } else { away / MINUTE * MINUTE });
    let relative = match seconds {
        0 => "just now".to_owned(),
        1.. => format!("in {distance}"),
        _ => format!("{distance} ago"),
    };
    format!("{}, {relative}", at.as_jiff().strftime("%Y-%m-%d %H:%M:%S UTC"))
}

/// How long something takes or took: the two largest units, rounded down.
pub(crate) fn span(seconds: u64) -> String {
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => two(seconds / MINUTE, "min", if seconds < 10 * MINUTE { seconds % MINUTE } else { 0 }, "s"),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        _ => {
            let days = seconds / DAY;
            two(days, if days == 1 { "day" } else { "days" }, if days < 7 { seconds % DAY / HOUR } else { 0 }, "h")
        }
    }
}

/// The same of a step that may be short.
pub(crate) fn millis(millis: u64) -> String {
    if millis < 10_000 { format!("{}.{} s", millis / 1000, millis % 1000 / 100) } else { span(millis / 1000) }
}

/// A length of time that the API gives in minutes, rounded up by it.
pub(crate) fn minutes(minutes: u64) -> String {
    span(minutes.saturating_mul(MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn spans_are_said_in_at_most_two_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (10 * MINUTE + 59, "10 min"),
            (HOUR, "1 h"),
            (3 * HOUR + 20 * MINUTE + 9, "3 h 20 min"),
            (DAY, "1 day"),
            (2 * DAY + 3 * HOUR, "2 days 3 h"),
            (64 * DAY + HOUR, "64 days"),
            (u64::MAX, "213503982334601 days"),
        ];
        for (seconds, said) in cases {
            assert_eq!(span(seconds), said);
        }
        assert_eq!(
            [0, 99, 1234, 9999, 10_000, 61_000].map(millis),
            ["0.0 s", "0.0 s", "1.2 s", "9.9 s", "10 s", "1 min 1 s"]
        );
        assert_eq!((minutes(200).as_str(), minutes(u64::MAX).is_empty()), ("3 h 20 min", false));
    }

    #[test]
    fn a_time_says_how_far_away_it_is() {
        let now = at("2026-11-27T14:06:11.500Z");
        let cases = [
            ("2026-11-27T14:03:11.000Z", "2026-11-27 14:03:11 UTC, 3 min ago"),
            ("2026-11-27T14:06:11.500Z", "2026-11-27 14:06:11 UTC, just now"),
            ("2026-11-27T14:06:12.000Z", "2026-11-27 14:06:12 UTC, just now"),
            ("2026-11-27T14:06:10.000Z", "2026-11-27 14:06:10 UTC, 1 s ago"),
            ("2026-11-27T13:00:00.000Z", "2026-11-27 13:00:00 UTC, 1 h 6 min ago"),
            ("2026-11-27T14:03:05.000Z", "2026-11-27 14:03:05 UTC, 3 min ago"),
            ("2026-11-28T02:00:00.000Z", "2026-11-28 02:00:00 UTC, in 11 h 53 min"),
            ("-009999-02-01T00:00:00Z", "-9999-02-01 00:00:00 UTC, "),
        ];
        for (instant, said) in cases {
            assert!(time(at(instant), now).starts_with(said), "{}", time(at(instant), now));
        }
    }
}
