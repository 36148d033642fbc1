//! Destinations as flags name them, and what preflight makes of a command.

use super::*;

#[tokio::test]
async fn choices_are_shown_with_underscores_and_taken_with_hyphens_too() {
    let installation = Installation::new().await;
    let add = ["admin", "destination", "add", "--bucket", "backups", "--access-key-id", "A", "--region", "us-west-004"];
    for (name, provider, addressing) in
        [("new", "backblaze_b2", "virtual_host"), ("old", "backblaze-b2", "virtual-host")]
    {
        let more = ["--name", name, "--provider", provider, "--addressing", addressing, "--skip-preflight"];
        let added = installation.run(&[add.as_slice(), &more].concat(), &[SECRET]).await.expect("adds");
        assert_eq!(added.data["provider"], "backblaze_b2");
        assert_eq!(added.data["addressing"], "virtual_host");
    }
    let Failure(error) = installation.run(&["admin", "destination", "add", "--help"], &[]).await.expect_err("help");
    assert!(error.message.contains("s3_compatible") && !error.message.contains("s3-compatible"), "{}", error.message);
}

#[tokio::test]
async fn a_key_is_a_services_unless_it_is_said_to_be_an_agents() {
    let installation = Installation::new().await;
    let issue = ["admin", "key", "issue", "--name", "ci", "--scope", "databases:read"];
    for (more, kind) in [(&[][..], "service"), (&["--client-kind", "mcp_external"], "mcp_external")] {
        let issued = installation.run(&[issue.as_slice(), more].concat(), &[]).await.expect("issues");
        assert_eq!(issued.data["clientKind"], kind);
    }
    let listed = installation.run(&["admin", "key", "list"], &[]).await.expect("lists");
    assert_eq!(listed.data["keys"][1]["clientKind"], "mcp_external");
    assert!(listed.text.contains("mcp_external"), "{}", listed.text);
    let unknown = [issue.as_slice(), &["--client-kind", "robot"]].concat();
    assert_eq!(installation.code(&unknown, &[]).await, ErrorCode::UsageError);
}

#[tokio::test]
async fn a_refusal_names_the_flag() {
    let installation = Installation::new().await;
    let words = ["admin", "destination", "add", "--name", "x", "--bucket", "No", "--access-key-id", "A"];
    let more = ["--provider", "aws", "--region", "eu-central-1"];
    let Failure(error) = installation.run(&[words.as_slice(), &more].concat(), &[SECRET]).await.expect_err("refuses");
    assert!(error.message.starts_with("--bucket has 3 to 63"), "{}", error.message);
}

#[tokio::test]
async fn a_failed_preflight_prints_its_report_and_fails_the_command() {
    let installation = Installation::new().await;
    let destination = installation.destination("eu").await;
    let outcome = installation.run(&["admin", "destination", "preflight", &destination], &[]).await.expect("reports");
    assert_eq!(outcome.data["result"], "failed");
    assert_eq!(outcome.data["checks"].as_array().map(Vec::len), Some(12));
    assert!(outcome.text.contains("tls_only") && outcome.text.contains("failed"), "{}", outcome.text);
    let code = outcome.finding.as_ref().and_then(|error| error.code.known());
    assert_eq!(code, Some(ErrorCode::DestinationUnreachable));
    let status = output::print(true, "test", Ok(outcome));
    assert_eq!(status, ErrorCode::DestinationUnreachable.exit());
}

#[tokio::test]
async fn a_destination_that_fails_its_first_preflight_is_kept_and_the_command_fails() {
    let installation = Installation::new().await;
    let add = ["admin", "destination", "add", "--name", "eu", "--bucket", "backups", "--access-key-id", "A"];
    let more = ["--provider", "minio", "--endpoint", "http://127.0.0.1:9"];
    let outcome = installation.run(&[add.as_slice(), &more].concat(), &[SECRET]).await.expect("is kept");
    assert_eq!(outcome.data["report"]["result"], "failed");
    assert_eq!((&outcome.data["state"], &outcome.data["verifiedAt"]), (&json!("unverified"), &Value::Null));
    let failed = json!([{ "id": "bucket", "code": "destination_unreachable" }]);
    assert_eq!(outcome.data["preflight"]["failed"], failed);
    let code = outcome.finding.as_ref().and_then(|error| error.code.known());
    assert_eq!(code, Some(ErrorCode::DestinationUnreachable));
    let id = text(&outcome.data["id"]);
    let update = ["admin", "destination", "update", &id, "--retention-days", "9"];
    let outcome = installation.run(&update, &[]).await.expect("is kept");
    assert_eq!((&outcome.data["retentionDays"], outcome.finding.is_some()), (&json!(9), true));
    let renamed = installation.run(&["admin", "destination", "update", &id, "--name", "us"], &[]).await;
    assert!(renamed.expect("renames").finding.is_none(), "a name matters to no bucket");
}

#[tokio::test]
async fn a_new_access_key_that_fails_its_preflight_does_not_replace_the_old_one() {
    let installation = Installation::new().await;
    let id = installation.destination("eu").await;
    let update = ["admin", "destination", "update", &id, "--access-key-id", "AKIANEW"];
    let shown = async || installation.run(&["admin", "destination", "show", &id], &[]).await.expect("shows").data;
    let before = shown().await;
    let refused = installation.run(&update, &[("WALWARDEN_SECRET_ACCESS_KEY", "canary-new")]).await.expect("reports");
    assert_eq!((&refused.data["changed"], &refused.data["report"]["result"]), (&json!(false), &json!("failed")));
    assert!(refused.finding.is_some() && refused.warnings[0].contains("--force"), "{:?}", refused.warnings);
    assert_eq!(shown().await, before);
    let forced = [update.as_slice(), &["--force"]].concat();
    let forced = installation.run(&forced, &[("WALWARDEN_SECRET_ACCESS_KEY", "canary-new")]).await.expect("changes");
    assert!(forced.finding.is_some() && shown().await["updatedAt"] == forced.data["updatedAt"]);
    assert_ne!(shown().await["preflight"], before["preflight"]);
    assert!(!format!("{} {}", forced.data, refused.data).contains("canary"));
}

#[tokio::test]
async fn stored_secrets_are_sealed_again_while_the_old_key_is_still_known() {
    let installation = Installation::new().await;
    let id = installation.destination("eu").await;
    installation.database("shop", &id).await;
    let path = installation.data_dir().join("sealing.key");
    let old = std::fs::read_to_string(&path).expect("reads");
    std::fs::write(&path, format!("{}\n{old}", "5a".repeat(32))).expect("writes");
    let rotate = ["admin", "secret", "rotate"];
    let done = installation.run(&rotate, &[]).await.expect("rotates");
    assert_eq!(
        (&done.data["organizations"][0]["destinations"], &done.data["organizations"][0]["databases"]),
        (&json!(1), &json!(1))
    );
    let again = installation.run(&rotate, &[]).await.expect("rotates").data;
    assert_eq!((&again["organizations"][0]["destinations"], &again["keyId"]), (&json!(0), &done.data["keyId"]));
    let preflight = ["admin", "destination", "preflight", &id];
    std::fs::write(&path, "5a".repeat(32)).expect("writes");
    installation.run(&preflight, &[]).await.expect("opens without the old key");
    std::fs::write(&path, &old).expect("writes");
    assert_eq!(installation.code(&preflight, &[]).await, ErrorCode::ConfigInvalid);
}

#[tokio::test]
async fn encryption_is_changed_by_flags_and_shown() {
    let installation = Installation::new().await;
    let id = installation.destination("eu").await;
    let update = ["admin", "destination", "update", &id, "--skip-preflight"];
    let with = async |more: &[&str]| {
        installation.run(&[update.as_slice(), more].concat(), &[]).await.map(|outcome| outcome.data)
    };
    let changed = with(&["--encryption", "sse-s3"]).await.expect("changes");
    assert_eq!((&changed["encryption"], &changed["state"]), (&json!("sse_s3"), &json!("unverified")));
    let Failure(error) = with(&["--kms-key-id", "key"]).await.expect_err("refuses");
    assert!(error.message.starts_with("--kms-key-id goes with"), "{}", error.message);
    let changed = with(&["--encryption", "none"]).await.expect("changes");
    assert_eq!(changed["encryption"], "none");
}

#[tokio::test]
async fn policies_are_printed_as_documents_and_for_reading() {
    let installation = Installation::new().await;
    let add = ["admin", "destination", "add", "--name", "eu", "--bucket", "backups", "--access-key-id", "A"];
    let more = ["--provider", "aws", "--region", "eu-central-1", "--lock-mode", "governance", "--skip-preflight"];
    let added = installation.run(&[add.as_slice(), &more].concat(), &[SECRET]).await.expect("adds");
    let id = text(&added.data["id"]);
    let policy = ["admin", "destination", "policy", &id];
    let printed = installation.run(&policy, &[]).await.expect("prints");
    assert_eq!(printed.data["iamPolicy"]["Statement"][0]["Resource"], "arn:aws:s3:::backups");
    assert_eq!(printed.data["bucketPolicy"]["Statement"][0]["Effect"], "Deny");
    assert!(printed.data["trustPolicy"].is_null() && printed.warnings[0].contains("no trust policy"));
    let terraform = printed.data["terraform"].as_str().expect("Terraform");
    assert!(terraform.contains("object_lock_enabled = true") && printed.text.contains(terraform.trim_end()));

    let trusting = ["--trusted-principal", "arn:aws:iam::210987654321:root", "--external-id"];
    let trust = |external_id| [policy.as_slice(), &trusting, &[external_id]].concat();
    let printed = installation.run(&trust("wal-0f1e2d3c4b5a69788796a5b4"), &[]).await.expect("prints");
    let condition = &printed.data["trustPolicy"]["Statement"][0]["Condition"]["StringEquals"];
    assert_eq!(condition["sts:ExternalId"], "wal-0f1e2d3c4b5a69788796a5b4");
    for placeholder in ["your-external-id-here", "wal-your-external-id", "wal-00000000000000000000000", "wal-xxx"] {
        assert_eq!(installation.code(&trust(placeholder), &[]).await, ErrorCode::UsageError, "{placeholder}");
    }
    let everybody = [policy.as_slice(), &["--trusted-principal", "*", "--external-id", "wal-0f1e2d3c4b5a69788796a5b4"]];
    assert_eq!(installation.code(&everybody.concat(), &[]).await, ErrorCode::UsageError);
}

#[tokio::test]
async fn the_trust_policy_of_a_role_names_its_own_external_id_and_this_servers_identity() {
    let installation = Installation::new().await;
    let add = ["admin", "destination", "add", "--name", "eu", "--bucket", "backups", "--provider", "aws"];
    let more = ["--region", "eu-central-1", "--skip-preflight", "--role-arn", "arn:aws:iam::210987654321:role/w"];
    let added = installation.run(&[add.as_slice(), &more].concat(), &[]).await.expect("adds");
    let (id, external_id) = (text(&added.data["id"]), text(&added.data["externalId"]));
    assert!(added.text.contains(&external_id));
    let policy = ["admin", "destination", "policy", &id];
    let unknown = installation.run(&policy, &[]).await.expect("prints");
    assert!(unknown.data["trustPolicy"].is_null() && unknown.warnings[0].contains("WALWARDEN_AWS_PRINCIPAL"));
    let identity = ("WALWARDEN_AWS_PRINCIPAL", "arn:aws:iam::123450987654:role/server");
    let printed = installation.run(&policy, &[identity]).await.expect("prints");
    let statement = &printed.data["trustPolicy"]["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"], identity.1);
    assert_eq!(statement["Condition"]["StringEquals"]["sts:ExternalId"], external_id);
    assert!(
        printed.warnings.is_empty() && printed.data["terraform"].as_str().is_some_and(|it| it.contains(&external_id))
    );
    let foreign = [policy.as_slice(), &["--external-id", "wal-0f1e2d3c4b5a69788796a5b4"]].concat();
    assert_eq!(installation.code(&foreign, &[]).await, ErrorCode::UsageError);
    let both = [add.as_slice(), &more, &["--access-key-id", "A"]].concat();
    assert_eq!(installation.code(&both, &[SECRET]).await, ErrorCode::UsageError);
}
