//! JSON that two readers might read in two ways, or that no reader should read to its end.

use super::Content;
use crate::bundle::Files;
use crate::setting::backup;

const B: usize = backup::NEWEST;
const MANIFEST: &str = "manifest.json";
const EVENTS: &str = "audit_events.json";
const STATEMENTS: &str = "key_events.json";
const PROOF: &str = "proof.json";
const NOT_CANONICAL: &str = "json_not_canonical";

fn insert(files: &mut Files, name: &str, at: usize, text: &str) {
    files.file(name).splice(at..at, text.bytes());
}

/// Puts a value into the payload of the first event.
fn payload(files: &mut Files, value: &str) {
    files.replace(EVENTS, "\"payload\":{", &format!("\"payload\":{{\"a\":{value},"));
}

pub(super) const CONTENTS: &[Content] = &[
    Content::new("JSON: a space", B, |_, files| files.replace(MANIFEST, "\":", "\": "), NOT_CANONICAL),
    Content::new("JSON: a line feed at the end", B, |_, files| files.file(EVENTS).push(b'\n'), NOT_CANONICAL),
    Content::new(
        "JSON: a needless escape",
        B,
        |_, files| files.replace(EVENTS, "attempt", "\\u0061ttempt"),
        NOT_CANONICAL,
    ),
    Content::new(
        "JSON: a character escaped that stands for itself",
        B,
        |_, files| {
            files.replace(MANIFEST, "zürich", "z\\u00fcrich");
        },
        NOT_CANONICAL,
    ),
    Content::new("JSON: an escaped solidus", B, |_, files| files.replace(MANIFEST, "org/", "org\\/"), NOT_CANONICAL),
    Content::new("JSON: an escape in upper case", B, |_, files| payload(files, "\"\\u001F\""), NOT_CANONICAL),
    Content::new(
        "JSON: keys in another order",
        B,
        |_, files| {
            files.replace(MANIFEST, "\"encryption\":null,", "");
            insert(files, MANIFEST, 1, "\"encryption\":null,");
        },
        NOT_CANONICAL,
    ),
    Content::new("JSON: 1.0", B, |_, files| files.replace(EVENTS, "\"seq\":1}", "\"seq\":1.0}"), "number_out_of_range"),
    Content::new("JSON: 1e0", B, |_, files| files.replace(EVENTS, "\"seq\":1}", "\"seq\":1e0}"), "number_out_of_range"),
    Content::new(
        "JSON: -0",
        B,
        |_, files| files.replace(PROOF, "\"leaf\":", "\"leaf\":-0,\"lead\":"),
        "number_out_of_range",
    ),
    Content::new(
        "JSON: a fraction",
        B,
        |_, files| {
            payload(files, "0.10000000000000000555");
        },
        "number_out_of_range",
    ),
    Content::new(
        "JSON: a key twice, with another value",
        B,
        |_, files| {
            files.replace(MANIFEST, "\"encryption\":null", "\"encryption\":null,\"encryption\":{}");
        },
        "duplicate_json_key",
    ),
    Content::new(
        "JSON: a key twice, with the same value",
        B,
        |_, files| {
            files.replace(EVENTS, "\"seq\":1}", "\"seq\":1,\"seq\":1}");
        },
        "duplicate_json_key",
    ),
    Content::new(
        "JSON: a key twice, once escaped",
        B,
        |_, files| {
            files.replace(STATEMENTS, "\"seq\":", "\"s\\u0065q\":1,\"seq\":");
        },
        "duplicate_json_key",
    ),
    Content::new(
        "JSON: a key twice, deep down",
        B,
        |_, files| payload(files, "{\"b\":[{\"c\":1,\"c\":2}]}"),
        "duplicate_json_key",
    ),
    Content::new(
        "JSON: a hundred thousand brackets",
        B,
        |_, files| {
            *files.file(EVENTS) = vec![b'['; 100_000];
        },
        "json_too_deep",
    ),
    Content::new(
        "JSON: two hundred objects in one another",
        B,
        |_, files| {
            payload(files, &format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200)));
        },
        "json_too_deep",
    ),
    Content::new("JSON: 2^53", B, |_, files| payload(files, "9007199254740992"), "number_out_of_range"),
    Content::new("JSON: -2^64", B, |_, files| payload(files, "-18446744073709551616"), "number_out_of_range"),
    Content::new(
        "JSON: a number of a hundred thousand digits",
        B,
        |_, files| payload(files, &"9".repeat(100_000)),
        "number_out_of_range",
    ),
    Content::new("JSON: 1e400", B, |_, files| payload(files, "1e400"), "number_out_of_range"),
    Content::new(
        "JSON: a seq of 2^63",
        B,
        |_, files| {
            files.replace(EVENTS, "\"seq\":1}", "\"seq\":9223372036854775808}");
        },
        "number_out_of_range",
    ),
    Content::new("JSON: a byte order mark", B, |_, files| insert(files, MANIFEST, 0, "\u{feff}"), "malformed_json"),
    Content::new("JSON: half of a surrogate pair", B, |_, files| payload(files, "\"\\ud800\""), "malformed_json"),
    Content::new(
        "JSON: bytes that are no UTF-8",
        B,
        |_, files| {
            files.file(EVENTS).splice(1..1, *b"\"\xff\xfe\",");
        },
        "malformed_json",
    ),
    Content::new("JSON: NaN", B, |_, files| payload(files, "NaN"), "malformed_json"),
    Content::new("JSON: a comment", B, |_, files| insert(files, EVENTS, 1, "/**/"), "malformed_json"),
    Content::new("JSON: cut in the middle", B, |_, files| files.file(PROOF).truncate(200), "malformed_json"),
    Content::new("JSON: something behind the end", B, |_, files| files.file(PROOF).extend(b"{}"), "malformed_json"),
    Content::new("JSON: empty", B, |_, files| files.file(PROOF).clear(), "malformed_json"),
    Content::new("JSON: a control character as it is", B, |_, files| payload(files, "\"\u{1}\""), "malformed_json"),
];
