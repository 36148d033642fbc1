//! What users read: the help of every command.

mod support;

use support::walwarden;

#[test]
fn help_reads_as_reviewed() {
    let commands: &[&[&str]] = &[
        &[],
        &["profile"],
        &["profile", "validate"],
        &["database"],
        &["database", "list"],
        &["database", "get"],
        &["destination"],
        &["destination", "list"],
        &["destination", "get"],
        &["backup"],
        &["backup", "list"],
        &["backup", "trigger"],
        &["backup", "status"],
        &["evidence"],
        &["evidence", "list"],
        &["evidence", "get"],
        &["restore"],
        &["restore", "create"],
        &["restore", "execute"],
        &["restore", "status"],
        &["capabilities"],
        &["capabilities", "list"],
        &["capabilities", "describe"],
        &["verify-environment"],
        &["explain-error"],
        &["completions"],
        &["man"],
    ];
    for command in commands {
        let run = walwarden().args(*command).arg("--help").run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let name = if command.is_empty() { "walwarden".to_owned() } else { command.join("-") };
        insta::assert_snapshot!(name, run.stdout);
    }
}
