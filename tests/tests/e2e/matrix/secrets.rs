//! Secrets of every kind, planted where a command could come across them, and looked for in everything that it wrote.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Result, ensure};
use serde_json::json;
use walwarden_contract::{ErrorBody, ErrorCode, Problem};
use walwarden_tests::canary::{Canaries, Place, random_hex};
use walwarden_tests::fault_proxy::{Action, FaultProxy, Matcher, Rule};
use walwarden_tests::harness::TestContext;

use super::scene::{Manner, Scene};
use super::table::{Case, Cell, ROWS};

/// An answer that holds every secret that a server could know or be told.
fn chatty(secrets: &[(&str, String)]) -> String {
    let said: Vec<String> = secrets
        .iter()
        .map(|(kind, secret)| match *kind {
            "dsn" => format!("cannot reach postgresql://u:{secret}@h:5432/d, nor host=h password={secret}"),
            "url" => format!("GET https://b.example/k?X-Amz-Signature={secret}&X-Amz-Date=1 failed"),
            "bearer" => format!("refused authorization: Bearer {secret}"),
            _ => format!("no such key or token as {secret}"),
        })
        .collect();
    let mut body = ErrorBody::new(ErrorCode::InternalError, said.join("; "));
    body.request_id = Some(format!("req {}", said[0]));
    json!(Problem::from(body)).to_string()
}

/// Every command, for a program and for a person, at a sound server and at one that repeats secrets.
pub(super) fn none_is_repeated(context: &TestContext) -> Result<()> {
    let scene = Scene::new(context)?;
    let planted = Canaries::default();
    let plant = |label: &str| {
        let secret = random_hex(20);
        context.canaries().register(label, &secret);
        planted.register(label, &secret);
        secret
    };
    // A password that URLs treat specially, in a target that comes from the environment.
    let target = scene.setting.source.sibling("postgres");
    let dsn = format!("{}?application_name={}", target.dsn(), plant("an option of the target"));
    let config = context.directory().join("config.json");
    let profiles = json!({"profiles": {
        "default": {"baseUrl": scene.setting.server()?.url(), "apiKey": format!("wal_{}", plant("a profile's key"))},
        "other": {"apiKey": plant("another profile's key")},
    }});
    fs::write(&config, profiles.to_string())?;
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600))?;
    let secrets = [
        ("key", scene.setting.api_key.clone()),
        ("key", format!("wal_{}", plant("somebody else's key").repeat(2).split_at(64).0)),
        ("key", format!("wrt1.e30.{}", plant("somebody else's token"))),
        ("dsn", plant("a password in a server's error")),
        ("url", plant("a signature in a server's error")),
        ("bearer", plant("a bearer token in a server's error")),
    ];
    // Variables that are there, and no business of these commands.
    let (password, bystander) = (plant("PGPASSWORD"), plant("AWS_SECRET_ACCESS_KEY"));
    let document = chatty(&secrets);
    let error_file = context.directory().join("said.json");
    fs::write(&error_file, &document)?;

    let proxy = FaultProxy::start(scene.setting.server()?.url().trim_start_matches("http://").parse()?)?;
    for broken in [false, true] {
        proxy.clear();
        if broken {
            proxy.add(Rule::new(Matcher::any(), Action::Answer { status: 500, json: document.clone() }));
        }
        let mut running = Vec::new();
        for row in ROWS {
            for human in [false, true] {
                let case = Case { arguments: row.arguments, ends: Cell::Well };
                let manner = Manner { human, target: Some(&dsn) };
                let Some(call) = scene.call_as(row, &case, manner)? else { continue };
                let call = call
                    .at(&proxy.endpoint())
                    .env("WALWARDEN_CONFIG", &config.display().to_string())
                    .env("PGPASSWORD", &password)
                    .env("AWS_SECRET_ACCESS_KEY", &bystander);
                running.push((row.kind, call.spawn()?));
            }
        }
        for (kind, call) in running {
            let output = call.ended()?;
            // `restore create` hands a token out: that is what it is for.
            let text = [output.stdout.clone(), output.stderr.clone()].concat();
            let leaked = planted.find(kind, &text);
            ensure!(leaked.is_empty(), "{kind}: {leaked:?}\n{output}");
        }
    }
    let explained = scene.setting.json(&["explain-error", "--from-json", &error_file.display().to_string()])?;
    ensure!(planted.find("explain-error", &explained.stdout).is_empty(), "{explained}");
    let home = context.directory().join("home");
    planted.assert_nowhere(&[Place::Path(&home)])
}
