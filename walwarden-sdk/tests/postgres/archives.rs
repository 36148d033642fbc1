//! Archives of a real `pg_dump`: proven whole, found truncated, and patched for parallel restores.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use tokio::io::AsyncReadExt as _;
use walwarden_sdk::postgres::{EphemeralCluster, LibpqEnv, ToolExit, ToolName};
use walwarden_sdk::restore::archive::{ArchiveError, ArchiveParser, ArchiveSummary, Compression, patch_offsets};

use crate::support::{DEADLINE, cluster, connection, sql, tools};

const SOURCE: &str = "shop";

async fn fill(server: &EphemeralCluster) -> LibpqEnv {
    let env = connection(&server.dsn("postgres"));
    sql(&env, &format!("CREATE DATABASE {SOURCE}")).await;
    let env = connection(&server.dsn(SOURCE));
    for statement in [
        "CREATE TABLE empty(id int PRIMARY KEY)",
        "CREATE TABLE numbers AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) AS n",
        "CREATE TABLE wide AS SELECT repeat(md5(n::text), 2000) AS text FROM generate_series(1, 40) AS n",
        "ALTER TABLE numbers ADD PRIMARY KEY (id)",
        "CREATE MATERIALIZED VIEW few AS SELECT * FROM numbers WHERE id < 10",
        "CREATE SEQUENCE counter START 7",
        "SELECT lo_from_bytea(4242, decode(repeat('ab', 50000), 'hex')), lo_from_bytea(0, '')",
    ] {
        sql(&env, statement).await;
    }
    env
}

/// Dumps through a pipe, parsing what passes by.
async fn dump(env: &LibpqEnv, args: &[&str]) -> (Vec<u8>, ArchiveSummary) {
    let spawn = tools().spawn(ToolName::PgDump).expect("installed");
    let mut tool = spawn.args(["--format=custom"]).args(args).connect(env).piped_stdout().spawn().expect("started");
    let mut stdout = tool.stdout().expect("piped");
    let (mut parser, mut bytes, mut buffer) = (ArchiveParser::new(), Vec::new(), vec![0; 64 << 10]);
    while let count @ 1.. = stdout.read(&mut buffer).await.expect("readable") {
        parser.push(&buffer[..count]).expect("well formed");
        bytes.extend(&buffer[..count]);
    }
    assert!(tool.wait().await.expect("awaited").success());
    (bytes, parser.finish().expect("whole"))
}

async fn restore(env: &LibpqEnv, file: &Path, args: &[&str]) -> ToolExit {
    let spawn = tools().spawn(ToolName::PgRestore).expect("installed").args(args).connect(env).arg(file);
    spawn.output(DEADLINE).await.expect("ran").exit
}

fn parse(bytes: &[u8]) -> Result<ArchiveSummary, ArchiveError> {
    let mut parser = ArchiveParser::new();
    parser.push(bytes)?;
    parser.finish()
}

async fn fingerprint(env: &LibpqEnv) -> Vec<Vec<String>> {
    let text = "SELECT (SELECT count(*) FROM empty), (SELECT md5(string_agg(text, '' ORDER BY id)) FROM numbers), \
                (SELECT md5(string_agg(text, '' ORDER BY text)) FROM wide), (SELECT count(*) FROM few), \
                md5(lo_get(4242)), (SELECT count(*) FROM pg_largeobject_metadata), nextval('counter')";
    sql(env, text).await
}

#[tokio::test]
async fn a_piped_archive_is_proven_whole_and_restores_in_parallel_once_patched() {
    let server = cluster().await;
    let source = fill(&server).await;
    let directory = tempfile::tempdir().expect("a directory");
    for (number, level) in ["0", "1"].into_iter().enumerate() {
        let (bytes, summary) = dump(&source, &["--compress", level]).await;
        assert_eq!(summary.database_name, SOURCE);
        assert_eq!(summary.compression, if level == "0" { Compression::None } else { Compression::Gzip });
        assert_eq!(summary.size_bytes, bytes.len() as u64);
        assert!(summary.data_entries.len() >= 4, "{summary:?}");
        assert!(bytes.len() > 1 << 17, "several pipe reads, not {}", bytes.len());

        // What the parser finds is what a seekable pg_dump writes itself.
        let path = directory.path().join(format!("seekable-{level}"));
        let path_argument = path.to_str().expect("text");
        let spawn = tools().spawn(ToolName::PgDump).expect("installed");
        let spawn = spawn.args(["--format=custom", "--compress", level, "--file", path_argument]).connect(&source);
        assert!(spawn.output(DEADLINE).await.expect("ran").exit.success());
        let seekable = parse(&std::fs::read(&path).expect("written")).expect("whole, with offsets which agree");
        assert_eq!(seekable.data_entries, summary.data_entries);

        for length in [0, 4, 60, 400, bytes.len() / 2, bytes.len() - 5, bytes.len() - 1] {
            let error = parse(&bytes[..length]).expect_err("cut");
            let expected = matches!(error, ArchiveError::Truncated { .. } | ArchiveError::MissingData { .. });
            assert!(expected, "{length}: {error}");
        }

        let path = directory.path().join(format!("piped-{level}"));
        let mut file = File::options().read(true).write(true).create_new(true).open(&path).expect("created");
        file.write_all(&bytes).expect("written");
        let patched = patch_offsets(&file, &summary).expect("patched");
        assert_eq!(patched, summary.data_entries.len() as u64);
        let again = parse(&std::fs::read(&path).expect("readable")).expect("whole, with offsets which agree");
        assert_eq!(again, summary);

        let list = tools().spawn(ToolName::PgRestore).expect("installed").arg("--list").arg(&path);
        let list = list.output(DEADLINE).await.expect("ran");
        let text = String::from_utf8_lossy(&list.stdout);
        assert!(list.exit.success() && text.contains("TABLE DATA public wide"), "{text}");
        assert!(text.contains(&format!("TOC Entries: {}", summary.toc_entries)), "{text}");

        let target = format!("target{number}");
        sql(&source, &format!("CREATE DATABASE {target}")).await;
        let target = connection(&server.dsn(&target));
        let exit = restore(&target, &path, &["--jobs=2", "--exit-on-error"]).await;
        assert!(exit.success(), "{}", exit.stderr);
        let source_again = connection(&server.dsn(SOURCE));
        let (restored, original) = (fingerprint(&target).await, fingerprint(&source_again).await);
        assert_eq!(restored[0][..6], original[0][..6]);
    }
    server.stop(DEADLINE).await.expect("stopped");
}

#[tokio::test]
async fn a_dump_whose_backend_dies_is_not_taken_for_whole() {
    let server = cluster().await;
    let env = fill(&server).await;
    let spawn = tools().spawn(ToolName::PgDump).expect("installed");
    let spawn = spawn.args(["--format=custom", "--compress=0"]).connect(&env).piped_stdout();
    let mut tool = spawn.spawn().expect("started");
    let mut stdout = tool.stdout().expect("piped");
    let mut parser = ArchiveParser::new();
    let mut buffer = vec![0; 1 << 10];
    let count = stdout.read(&mut buffer).await.expect("readable");
    parser.push(&buffer[..count]).expect("well formed");
    // The tables do not fit into the pipe, so a COPY begins and waits for us to read on.
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'";
    let started = Instant::now();
    while sql(&env, kill).await != [["t"]] {
        assert!(started.elapsed() < DEADLINE, "no COPY began");
    }
    while let count @ 1.. = stdout.read(&mut buffer).await.expect("readable") {
        parser.push(&buffer[..count]).expect("well formed as far as it goes");
    }
    let exit = tool.wait().await.expect("awaited");
    assert!(!exit.success());
    let error = parser.finish().expect_err("cut");
    assert!(matches!(error, ArchiveError::Truncated { .. } | ArchiveError::MissingData { .. }), "{error}");
}
