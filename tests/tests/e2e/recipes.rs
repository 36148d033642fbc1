//! The scripts of the guides, run by bash as they stand there, with the real binaries, real servers and the real jq.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use walwarden_contract::model::RestoreMode;
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::{Suite, TestContext};
use walwarden_tests::paths::{repository, workspace_binary};
use walwarden_tests::postgres::free_port;
use walwarden_tests::process::{Run, signal_descendants};
use walwarden_tests::walwarden::Store;

use crate::SOON;
use crate::restore::stage::{Session, Stage};
use crate::setting::{Options, Setting};

pub(crate) fn register(suite: Suite) -> Suite {
    suite
        .trial("recipe_of_the_agent_quickstart_runs_as_shown", agent_quickstart)
        .trial("recipes_for_ci_run_as_shown", ci)
        .trial("recipe_for_exit_codes_tells_the_ends_of_a_restore_apart", exit_codes)
}

/// The code blocks of a page that a shell runs, in their order.
fn blocks(page: &str) -> Result<Vec<String>> {
    let path = repository().join("docs").join(page);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let blocks = text.split("```bash\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    Ok(blocks.map(|(block, _)| block.to_owned()).collect())
}

/// bash with the built binary on its `PATH`, and in its environment what a reader of the guides has in theirs.
fn shell(setting: &Setting<'_>, script: &str) -> Result<Run> {
    let binaries = workspace_binary("walwarden")?;
    let run = setting.context.run("/bin/bash").path_first(setting.context.postgres().bin());
    let run = run.path_first(binaries.parent().context("a directory")?);
    let run = run.env("WALWARDEN_BASE_URL", setting.server()?.url()).env("WALWARDEN_API_KEY", &setting.api_key);
    Ok(run.env("WALWARDEN_DATABASE_ID", setting.database_id.to_string()).args(["-c", script]))
}

fn agent_quickstart(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let script = blocks("guides/agent-quickstart.md")?.remove(0);
    let output = shell(&setting, &script)?.output()?.success()?;
    ensure!(output.stderr.is_empty(), "{output}");
    let documents = output.json_lines()?;
    let kinds: Vec<_> = documents.iter().map(|document| document["kind"].as_str().unwrap_or_default()).collect();
    let expected = ["profile.validate", "database.list", "destination.list", "backup.trigger", "evidence.list"];
    ensure!(kinds == expected && documents.iter().all(|document| document["ok"] == true), "{output}");
    let (completed, evidence) = (&documents[3]["data"]["completed"], &documents[4]["data"]["evidence"][0]);
    ensure!(completed["state"] == "completed" && evidence["backupJobId"] == completed["id"], "{output}");
    ensure!(evidence["integrityVerification"]["result"] == "passed", "{output}");
    Ok(())
}

fn ci(context: &TestContext) -> Result<()> {
    let setting = Setting::new(context, Store::Sqlite, Options::default())?;
    let [back_up, restore, evidence, clean_up] = &blocks("guides/ci.md")?[..] else {
        anyhow::bail!("the guide has other recipes than this test knows");
    };
    // The pipeline's own server, on which the source's owner exists: roles are not in a backup.
    let ephemeral = context.own_postgres()?;
    let job = ephemeral.create_database(context.canaries())?.sibling("postgres");
    ephemeral.psql("postgres", &format!("CREATE ROLE {}; ALTER ROLE {} SUPERUSER", setting.source.user, job.user))?;
    let database = |run: Run| {
        let dsn = format!("postgresql://{}@127.0.0.1:{}/ephemeral", job.user, ephemeral.port());
        run.env("EPHEMERAL_DATABASE_NAME", "ephemeral")
            .env("EPHEMERAL_DATABASE_URL", dsn)
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", ephemeral.port().to_string())
            .env("PGUSER", &job.user)
            .env("PGPASSWORD", &job.password)
    };
    let open = "walwarden --json restore create --backup \"$backup_id\" --target \"$EPHEMERAL_DATABASE_URL\" --mode new_database";
    let session = format!(
        "session=\"$({open})\"\nWALWARDEN_RESTORE_TOKEN=\"$(jq -r .data.token <<<\"$session\")\"\n\
         WALWARDEN_RESTORE_MANIFEST_SHA256=\"$(jq -r .data.manifestHash <<<\"$session\")\""
    );
    let script = [back_up, session.as_str(), restore, evidence, "echo passed", clean_up].join("\n");
    let output = database(shell(&setting, &script)?).output()?.success()?;
    let lines: Vec<String> = output.stdout_text().lines().map(str::to_owned).collect();
    ensure!(
        lines.first().is_some_and(|line| line == "true") && lines.last().is_some_and(|line| line == "passed"),
        "{output}"
    );
    let mut states = lines
        .iter()
        .rev()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok()?["state"].as_str().map(str::to_owned));
    ensure!(states.next().is_some_and(|state| state == "completed"), "{output}");
    let digests = context.postgres().table_digests(&setting.source.name)?;
    ensure!(ephemeral.table_digests(&setting.source.name)? == digests, "the restored database differs from its source");
    let home = context.directory().join("home");
    ensure!(!ephemeral.database_exists("ephemeral")? && !home.join("evidence.json").exists(), "it is not cleaned up");

    // No evidence of this backup, or none that passed: the gate stays shut.
    let strange = format!("set -euo pipefail\nbackup_id=bkp_{}\n{evidence}\necho passed", "0".repeat(32));
    let output = shell(&setting, &strange)?.output()?;
    ensure!(output.code() != Some(0) && !output.stdout_text().contains("passed"), "{output}");
    let tampered = evidence.split_once('\n').context("two commands")?.1;
    let document = r#"{"data":{"evidence":[{"backupJobId":"b","integrityVerification":{"result":"not_verifiable"}}]}}"#;
    fs::write(home.join("evidence.json"), document)?;
    let output = shell(&setting, &format!("set -e\nbackup_id=b\n{tampered}\necho passed"))?.output()?;
    ensure!(output.code() != Some(0) && !output.stdout_text().contains("passed"), "{output}");
    Ok(())
}

/// The script for exit codes as the reference shows it, and as it stands in pipelines that run the command line through npx.
fn exit_code_scripts(context: &TestContext) -> Result<[String; 2]> {
    let shown = blocks("reference/exit-codes.md")?.pop().context("a script")?;
    let through = context.directory().join("bin");
    fs::create_dir_all(&through)?;
    let npx = through.join("npx");
    fs::write(&npx, "#!/bin/sh\n[ \"$1 $2\" = '--yes walwarden-cli' ] || exit 99\nshift 2\nexec walwarden \"$@\"\n")?;
    fs::set_permissions(&npx, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let npx = shown.replace(" walwarden restore", " npx --yes walwarden-cli restore");
    ensure!(npx != shown, "the script calls no restore");
    Ok([shown, npx])
}

fn exit_codes(context: &TestContext) -> Result<()> {
    let stage =
        Stage::with(context, Store::Sqlite, Options { object_lock: false, lock_mode: "none", ..Options::proxied() })?;
    let scripts = exit_code_scripts(context)?;
    // The script names no database to create, so the source's own has to give way.
    let target = context.own_postgres()?.create_database(context.canaries())?.sibling("postgres");
    let owner = &stage.setting.source.user;
    let sql = format!("CREATE ROLE {owner}; ALTER ROLE {} SUPERUSER", target.user);
    context.own_postgres()?.psql("postgres", &sql)?;
    let run = |script: &str, session: &Session| {
        let run = shell(&stage.setting, script)?.path_first(&context.directory().join("bin"));
        let dsn = format!("postgresql://{}@127.0.0.1:{}/postgres", target.user, context.own_postgres()?.port());
        let run = run.env("WALWARDEN_RESTORE_TOKEN", &session.token).env("PGPASSWORD", &target.password);
        anyhow::Ok(run.env("WALWARDEN_RESTORE_MANIFEST_SHA256", &session.manifest_hash).env("TARGET_DATABASE_URL", dsn))
    };
    let open = || stage.open(RestoreMode::NewDatabase, None);
    for (script, round) in scripts.iter().zip(1..) {
        if round > 1 {
            let drop = format!("DROP DATABASE {}", stage.setting.source.name);
            context.own_postgres()?.psql("postgres", &drop)?;
        }
        let session = open()?;
        let nobody = format!("http://127.0.0.1:{}", free_port()?);
        let unreachable = run(script, &session)?.env("WALWARDEN_BASE_URL", nobody).output()?.success()?;
        ensure!(unreachable.stdout_text().contains("Transient failure"), "{unreachable}");

        let get = Matcher::get_object(".dump");
        stage.setting.proxy()?.add(Rule::new(get.clone(), Action::CorruptResponse(100)));
        let corrupt = run(script, &session)?.output()?.success()?;
        ensure!(corrupt.stdout_text().contains("Terminal failure"), "{corrupt}");
        stage.setting.proxy()?.clear();

        let used = run(script, &session)?.output()?.success()?;
        ensure!(used.stdout_text().contains("Bad input or refused token"), "{used}");

        let gate = stage.setting.proxy()?.add(Rule::new(get, Action::Hold));
        let running = run(script, &open()?)?.spawn()?;
        gate.wait_hit(SOON)?;
        ensure!(signal_descendants(running.pid(), "walwarden", rustix::process::Signal::INT)? == 1, "it does not run");
        let cancelled = running.wait(SOON)?.success()?;
        ensure!(cancelled.stdout_text().contains("Cancelled"), "{cancelled}");
        stage.setting.proxy()?.clear();

        let completed = run(script, &open()?)?.output()?.success()?;
        ensure!(completed.stdout_text().contains("Restore completed"), "{completed}");
    }
    Ok(())
}
