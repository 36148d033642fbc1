//! Throw-away servers leave nothing behind; installed tools tell what they can do.

use std::path::Path;
use std::time::{Duration, Instant};

use walwarden_sdk::postgres::{ClusterError, ClusterOptions, EphemeralCluster, ToolName};

use crate::support::{DEADLINE, cluster, connection, sql, tools};

fn is_running(process: u32) -> bool {
    Path::new(&format!("/proc/{process}")).exists()
}

#[tokio::test]
async fn a_stopped_and_a_dropped_server_leave_nothing_behind() {
    let server = cluster().await;
    let (process, directory) = (server.server_id().expect("running"), server.directory().to_owned());
    let env = connection(&server.dsn("postgres"));
    assert_eq!(sql(&env, "SHOW listen_addresses").await, [["127.0.0.1"]]);
    assert_eq!(sql(&env, "SHOW max_connections").await, [["20"]]);
    assert!(server.stop(DEADLINE).await.expect("stopped").success());
    assert!(!is_running(process) && !directory.exists());

    let server = cluster().await;
    let (process, directory) = (server.server_id().expect("running"), server.directory().to_owned());
    drop(server);
    assert!(!directory.exists());
    // The reaper of the runtime collects it.
    let started = Instant::now();
    while is_running(process) && started.elapsed() < DEADLINE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!is_running(process));
}

#[tokio::test]
async fn a_server_which_cannot_start_says_why() {
    let nowhere = EphemeralCluster::start(Path::new("/nonexistent"), &ClusterOptions::default()).await;
    assert!(matches!(nowhere.err(), Some(ClusterError::ServerMissing { program: "initdb" })));
    let settings = vec![("shared_buffers".to_owned(), "nonsense".to_owned())];
    let options = ClusterOptions { settings, die_with_parent: true, ..ClusterOptions::default() };
    let error = EphemeralCluster::start(&crate::support::server_directory(), &options).await.err();
    assert!(matches!(&error, Some(ClusterError::StartFailed { stderr, .. }) if stderr.contains("shared_buffers")));
}

#[tokio::test]
async fn installed_tools_tell_their_version_and_codecs() {
    let tools = tools();
    let dump = tools.version(ToolName::PgDump).await.expect("installed");
    for tool in [ToolName::PgRestore, ToolName::Psql] {
        assert_eq!(tools.version(tool).await.expect("installed"), dump);
    }
    let support = tools.codec_support().await.expect("probed");
    assert!(support.gzip);
    // pg_dump learned both with version 16.
    if dump.major < 16 {
        assert!(!support.lz4 && !support.zstd);
    }
}
