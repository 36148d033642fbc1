//! The catalog of error codes holds no code that nothing can fail with. The other way round the compiler sees to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use walwarden_contract::ErrorCode;

/// What ships, the contract left out: it lists codes, and fails with none of them.
const SHIPPED: [&str; 3] = ["walwarden-sdk/src", "walwarden-cli/src", "walwarden-api/src"];

/// Collects the names that stand behind `ErrorCode::`, outside of tests.
fn collect(path: &Path, named: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("readable") {
            let path = entry.expect("readable").path();
            let tests = path.file_stem().is_some_and(|stem| stem == "tests");
            if !tests {
                collect(&path, named);
            }
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        let text = fs::read_to_string(path).expect("readable");
        let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let name =
            |rest: &str| rest.split(|character: char| !character.is_ascii_alphanumeric()).next().map(str::to_owned);
        named.extend(shipped.split("ErrorCode::").skip(1).filter_map(name));
    }
}

#[test]
fn every_code_is_one_that_something_can_fail_with() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = BTreeSet::new();
    for folder in SHIPPED {
        let before = named.len();
        collect(&root.join(folder), &mut named);
        assert!(named.len() > before, "{folder} names no code of its own: was it moved?");
    }
    let dead: Vec<String> =
        ErrorCode::ALL.iter().map(|code| format!("{code:?}")).filter(|name| !named.contains(name)).collect();
    assert!(dead.is_empty(), "nothing fails with {dead:?}: use them, or take them out of the catalog");
}
