//! Tests of tool discovery and of reading what the tools say.

use super::*;

fn install(directory: &Path, name: &str, mode: u32) {
    let path = directory.join(name);
    std::fs::create_dir_all(directory).expect("creatable");
    std::fs::write(&path, "#!/bin/sh\n").expect("writable");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("settable");
}

#[test]
fn the_explicit_directory_wins_then_the_path_then_the_newest_system_version() {
    let root = tempfile::tempdir().expect("a directory");
    let (chosen, path) = (root.path().join("chosen"), root.path().join("path"));
    install(&chosen, "psql", 0o755);
    install(&path, "psql", 0o755);
    install(&path, "pg_dump", 0o755);
    for version in ["9.6", "10", "17"] {
        install(&root.path().join("system").join(version).join("bin"), "pg_restore", 0o755);
    }
    let mut tools = Tools::discover(Some(&chosen), Some(path.as_os_str()));
    let found = |tools: &Tools, tool| tools.locate(tool).ok();
    assert_eq!(found(&tools, ToolName::Psql), Some(chosen.join("psql")));
    assert_eq!(found(&tools, ToolName::PgDump), Some(path.join("pg_dump")));
    assert!(matches!(tools.locate(ToolName::PgRestore), Err(ToolError::NotFound { tool: ToolName::PgRestore })));
    tools.system = Some(root.path().join("system"));
    assert_eq!(found(&tools, ToolName::PgRestore), Some(root.path().join("system/17/bin/pg_restore")));
}

#[test]
fn a_file_which_cannot_be_run_and_a_relative_path_entry_are_not_tools() {
    let root = tempfile::tempdir().expect("a directory");
    install(root.path(), "psql", 0o644);
    let path = std::env::join_paths([root.path(), Path::new("."), Path::new("")]).expect("joinable");
    assert!(matches!(
        Tools::discover(None, Some(&path)).locate(ToolName::Psql),
        Err(ToolError::NotFound { tool: ToolName::Psql })
    ));
}

#[test]
fn versions_are_read_as_distributions_spell_them() {
    let cases = [
        ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, 18))),
        ("pg_restore (PostgreSQL) 17.6", Some((17, 6))),
        ("psql (PostgreSQL) 18beta1", Some((18, 0))),
        ("psql (PostgreSQL) 19devel", Some((19, 0))),
        ("pg_dump (PostgreSQL) 9.6.24", Some((9, 6))),
        ("pg_dump: error", None),
        ("", None),
    ];
    for (line, expected) in cases {
        assert_eq!(ToolVersion::parse(line).map(|version| (version.major, version.minor)), expected, "{line}");
    }
}

#[test]
fn vulnerable_versions_are_named_with_the_fixed_one() {
    let advisory = |major, minor| ToolVersion { major, minor, text: String::new() }.advisory();
    for (major, first, second) in [(15, 14, 18), (16, 10, 14), (17, 6, 10)] {
        assert_eq!(advisory(major, first - 1).expect("vulnerable").cves.len(), 3);
        assert_eq!(advisory(major, first).expect("vulnerable").cves, ["CVE-2026-6477"]);
        assert_eq!(advisory(major, second - 1).expect("vulnerable").fixed_in, (major, second));
        assert_eq!(advisory(major, second), None);
    }
    assert_eq!(advisory(18, 3).expect("vulnerable").to_string(), "upgrade to 18.4 or later: CVE-2026-6477");
    assert_eq!(advisory(18, 4), None);
}

#[test]
fn codec_probes_are_read_from_every_major_version() {
    let connection = "pg_dump: error: connection to server on socket \"/x/.s.PGSQL.5432\" failed: No such file";
    let cases = [
        (connection, Some(true)),
        ("pg_dump: error: invalid value \"zstd:3\" for option -Z/--compress", Some(false)),
        (
            "pg_dump: error: invalid compression specification: this build does not support compression with ZSTD",
            Some(false),
        ),
        ("pg_dump: error: this build does not support compression with zstd", Some(false)),
        ("pg_dump: error: unrecognized compression algorithm: \"zstd\"", Some(false)),
        ("pg_dump: [archiver (db)] connection to database \"none\" failed: could not connect to server", Some(true)),
        ("bash: something else", None),
    ];
    for (stderr, expected) in cases {
        assert_eq!(codec_answer(stderr), expected, "{stderr}");
    }
    let ignored = format!("pg_dump: warning: requested compression not available in this installation\n{connection}");
    assert_eq!(codec_answer(&ignored), Some(false));
}
