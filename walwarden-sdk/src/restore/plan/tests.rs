use proptest::prelude::*;
use walwarden_contract::{BackupJobId, DatabaseId, DestinationId, Timestamp};

use super::*;
use crate::postgres::{Dsn, Tools};

fn pinned() -> impl Strategy<Value = PinnedPlan> {
    let text = || "[ -~]{1,12}";
    let target = (
        (text(), text(), text()),
        text(),
        text(),
        any::<u32>(),
        proptest::option::of("[0-9]{1,19}"),
        proptest::option::of(text()),
    );
    let target = target.prop_map(|(texts, user, database, database_oid, system_identifier, created_database)| {
        let (redacted_dsn, connection_sha256, current_user) = texts;
        PinnedTarget {
            redacted_dsn,
            connection_sha256,
            user,
            current_user,
            database,
            database_oid,
            system_identifier,
            created_database,
        }
    });
    let mode = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let mode = mode.prop_map(|(in_place, no_owner, no_acl, no_analyze)| {
        let mode = if in_place { RestoreMode::InPlace } else { RestoreMode::NewDatabase };
        PinnedMode { mode, no_owner, no_acl, no_analyze }
    });
    (target, "[0-9a-f]{64}", mode).prop_map(|(target, manifest_hash, mode)| PinnedPlan {
        schema: SCHEMA.to_owned(),
        target,
        manifest_hash,
        mode,
    })
}

/// Every place of what is pinned, changed.
fn with_each_fact_changed(plan: &PinnedPlan) -> Vec<(PlanPart, PinnedPlan)> {
    let mut changed = Vec::new();
    let mut change = |part, change: &dyn Fn(&mut PinnedPlan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        changed.push((part, plan));
    };
    let longer =
        |text: &Option<String>| text.as_ref().map_or_else(|| Some("x".to_owned()), |text| Some(format!("{text}x")));
    change(PlanPart::Target, &|plan| plan.target.redacted_dsn.push('x'));
    change(PlanPart::Target, &|plan| plan.target.connection_sha256.push('x'));
    change(PlanPart::Target, &|plan| plan.target.user.push('x'));
    change(PlanPart::Target, &|plan| plan.target.current_user.push('x'));
    change(PlanPart::Target, &|plan| plan.target.database.push('x'));
    change(PlanPart::Target, &|plan| plan.target.database_oid ^= 1);
    change(PlanPart::Target, &|plan| plan.target.system_identifier = longer(&plan.target.system_identifier));
    change(PlanPart::Target, &|plan| plan.target.created_database = longer(&plan.target.created_database));
    change(PlanPart::Manifest, &|plan| plan.manifest_hash = "ab".repeat(32));
    change(PlanPart::Mode, &|plan| {
        plan.mode.mode = match plan.mode.mode {
            RestoreMode::InPlace => RestoreMode::NewDatabase,
            RestoreMode::NewDatabase => RestoreMode::InPlace,
        }
    });
    change(PlanPart::Mode, &|plan| plan.mode.no_owner ^= true);
    change(PlanPart::Mode, &|plan| plan.mode.no_acl ^= true);
    change(PlanPart::Mode, &|plan| plan.mode.no_analyze ^= true);
    changed
}

/// How many facts there are, so that a new one is not forgotten above.
fn facts(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Object(members) => members.values().map(facts).sum(),
        _ => 1,
    }
}

proptest! {
    #[test]
    fn the_digest_is_the_same_for_equal_facts_and_only_for_those(plan in pinned()) {
        let digest = plan_digest(&plan);
        prop_assert_eq!(digest.len(), 64);
        // Read back from a document whose members stand in another order.
        let document = serde_json::to_string(&plan).expect("JSON");
        let members: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        let again: PinnedPlan = serde_json::from_value(members.clone()).expect("the same");
        prop_assert_eq!(plan_digest(&again), digest.clone());
        prop_assert_eq!(check_plan(&digest, &plan, &[]), Ok(()));
        let changed = with_each_fact_changed(&plan);
        // All but the schema's own name.
        prop_assert_eq!(changed.len(), facts(&members) - 1);
        for (part, other) in changed {
            prop_assert_ne!(plan_digest(&other), digest.clone(), "{:?} is not pinned", part);
        }
    }

    #[test]
    fn what_has_changed_is_named(plan in pinned()) {
        let others = ["cd".repeat(32), plan.manifest_hash.clone()];
        for (part, now) in with_each_fact_changed(&plan) {
            prop_assert_eq!(changed_parts(&plan_digest(&plan), &now, &others), vec![part]);
            let error = check_plan(&plan_digest(&plan), &now, &others).expect_err("changed");
            prop_assert_eq!(error.code(), ErrorCode::PlanChanged);
            let word = match part {
                PlanPart::Target => "the target",
                PlanPart::Manifest => "the manifest",
                PlanPart::Mode => "the mode",
            };
            prop_assert!(error.to_string().contains(word), "{}", error);
        }
    }

    #[test]
    fn changes_of_several_parts_are_told_apart(plan in pinned()) {
        let mut now = plan.clone();
        now.mode.no_owner ^= true;
        now.manifest_hash = "ab".repeat(32);
        let others = [plan.manifest_hash.clone()];
        let digest = plan_digest(&plan);
        prop_assert_eq!(changed_parts(&digest, &now, &others), vec![PlanPart::Manifest, PlanPart::Mode]);
        // Nothing that can be tried explains it, so it is the target at least.
        prop_assert_eq!(changed_parts(&digest, &now, &[]), vec![PlanPart::Target]);
    }
}

#[test]
fn a_name_that_goes_with_the_mode_is_no_change_of_the_target() {
    let survey = survey();
    let mut options = options("postgresql://h/d", RestoreMode::InPlace);
    let then = plan_digest(&pin(&options, &survey, None, "m"));
    options.mode = RestoreMode::NewDatabase;
    options.created_database = Some("copy".to_owned());
    assert_eq!(changed_parts(&then, &pin(&options, &survey, None, "m"), &[]), [PlanPart::Mode]);
}

#[test]
fn the_digest_is_the_published_one() {
    let options = options("postgresql://u:hunter2@h/app?sslmode=require&application_name=x", RestoreMode::InPlace);
    let pinned = pin(&options, &survey(), Some("7".to_owned()), "m");
    let connection = "postgresql://u@h:5432/app?application_name=x&sslmode=require";
    let canonical = r#"{"manifestHash":"m","mode":{"mode":"in_place","noAcl":false,"noAnalyze":false,"noOwner":false},"schema":"walwarden.plan.v1","target":{"connectionSha256":"SHA256","createdDatabase":null,"currentUser":"v","database":"app","databaseOid":5,"redactedDsn":"postgresql://u@h:5432/app","systemIdentifier":"7","user":"u"}}"#;
    let canonical = canonical.replace("SHA256", &hex::encode(Sha256::digest(connection)));
    assert_eq!(plan_digest(&pinned), hex::encode(Sha256::digest(canonical)));
}

#[test]
fn only_a_completed_backup_is_planned() {
    let id = |number| uuid::Uuid::from_u128(number);
    let running = Backup {
        id: BackupJobId::from_uuid(id(1)),
        database_id: DatabaseId::from_uuid(id(2)),
        destination_id: DestinationId::from_uuid(id(3)),
        trigger: walwarden_contract::model::BackupTrigger::Adhoc.into(),
        scheduled_for: None,
        state: BackupState::Running.into(),
        attempt: 1,
        max_attempts: 3,
        attempt_history: Vec::new(),
        not_before: Timestamp::from_millis(0).expect("in range"),
        created_at: Timestamp::from_millis(0).expect("in range"),
        started_at: None,
        finished_at: None,
        dismissed_at: None,
        artifact: None,
        error: None,
        expiring_at: None,
        expired_at: None,
        expiry_error: None,
    };
    assert_eq!(backup(&running).expect_err("running").code(), ErrorCode::BackupNotRestorable);
    let expired = Backup { expiring_at: Some(running.created_at), ..running };
    assert_eq!(backup(&expired).expect_err("expired").code(), ErrorCode::BackupExpired);
}

#[test]
fn what_may_go_wrong_is_warned_about() {
    let disk = |free_bytes| PlannedDisk { directory: "/w".to_owned(), needed_bytes: 10, free_bytes };
    let mut survey = survey();
    let warned = |survey: &Survey, free| {
        let options = options("postgresql://h/app", RestoreMode::InPlace);
        warnings(&disk(free), effect(&options, survey).1.as_ref())
    };
    assert_eq!(warned(&survey, 10), Vec::<String>::new());
    assert!(warned(&survey, 9)[0].contains("/w, where 9 are free"));
    survey.other_sessions = 1;
    assert!(warned(&survey, 10)[0].starts_with("1 other session of \"app\""));
}

fn options(target: &str, mode: RestoreMode) -> RestoreOptions {
    RestoreOptions::new(Dsn::parse(target).expect("a DSN"), mode, Tools::default())
}

fn survey() -> Survey {
    let row = ["170006", "17.6", "app", "5", "u", "v", "1000", "t", "3", "0", "f"].map(str::to_owned);
    Survey::read(&row).expect("a whole answer")
}
