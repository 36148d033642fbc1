//! Everything about the API: settings, encryption, whether it answers, whether it understands us, and what the key may do.

use walwarden_contract::model::cli::{EnvironmentCheck as Check, FindingCode as Code, Loop};
use walwarden_contract::model::{EvidenceQuery, EvidenceSummary, Profile};
use walwarden_contract::page::MAX_LIMIT;
use walwarden_contract::{ErrorBody, ErrorCode, Scope, Timestamp};
use walwarden_sdk::{Compatibility, Error, WalwardenClient};

use super::findings::Findings;
use crate::config::{Connection, Sourced};
use crate::context::Context;
use crate::failure::Failure;

const MINUTE_MILLIS: u64 = 60_000;
const WEEK_MILLIS: i64 = 7 * 24 * 60 * 60_000;
/// What is known only once the API has answered.
const ANSWERED: [Check; 5] = [Check::Contract, Check::Key, Check::BackupScopes, Check::RestoreScopes, Check::Clock];

/// What the API said that other checks are about.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) server_version: Option<String>,
    /// The newest backups, or why they could not be read.
    pub(super) evidence: Result<Vec<EvidenceSummary>, String>,
}

impl Known {
    fn nothing(reason: &str) -> Self {
        Self { server_version: None, evidence: Err(reason.to_owned()) }
    }
}

pub(super) async fn look(context: &Context, loops: &[Loop], findings: &mut Findings) -> Known {
    let (connection, client) = match settings(context, findings) {
        Ok(settings) => settings,
        Err(failure) => {
            findings.failed_with(Check::Settings, Code::SettingsInvalid, *failure.body);
            findings.skipped(&[Check::Tls, Check::Api], "the settings are not complete");
            findings.skipped(&ANSWERED, "the API was not asked");
            return Known::nothing("the API was not asked");
        }
    };
    let before = context.now();
    let found = match client.check_compatibility().await {
        Ok(found) => found,
        Err(error) => {
            unanswered(&connection, error, findings);
            return Known::nothing("the API gave no profile");
        }
    };
    tls(&connection, findings);
    findings.passed(Check::Api, Code::ApiAnswers, format!("Walwarden {}", found.profile.server_version));
    contract(&found, findings);
    key(&found.profile, before, findings);
    scopes(&found.profile, loops, findings);
    clock(found.server_time, before, context.now(), findings);
    let query = EvidenceQuery { limit: Some(MAX_LIMIT), ..EvidenceQuery::default() };
    let evidence = if has(&found.profile, Scope::EvidenceRead) {
        let list = client.list_evidence(&query).await;
        list.map(|list| list.evidence).map_err(|error| format!("evidence could not be read: {error}"))
    } else {
        Err(format!("the key lacks {}, so no evidence was read", Scope::EvidenceRead))
    };
    Known { server_version: Some(found.profile.server_version), evidence }
}

/// Where everything comes from. The address is shown once it is known to hold no credential.
fn settings(context: &Context, findings: &mut Findings) -> Result<(Connection, WalwardenClient), Failure> {
    let config = &context.config;
    let (connection, Sourced { value: key, source }) = (config.connection()?, config.api_key()?);
    let client = connection.client().api_key(key).build()?;
    let timeout = connection.timeout.as_ref().map(|timeout| format!("; timeout from {}", timeout.source));
    let evidence = format!(
        "address {} from {}; API key from {source}{}",
        connection.address.value,
        connection.address.source,
        timeout.unwrap_or_default()
    );
    let warnings = config.warnings(&connection, Some(&source));
    if warnings.is_empty() {
        findings.passed(Check::Settings, Code::SettingsFound, evidence);
    } else {
        findings.warning(Check::Settings, Code::SettingsMixed, format!("{evidence}; {}", warnings.join("; ")));
    }
    Ok((connection, client))
}

fn tls(connection: &Connection, findings: &mut Findings) {
    let address = &connection.address.value;
    // Only an address of this machine is taken without https where plain http is not allowed.
    let local = connection.client().allow_insecure_http(false).api_key("local").build().is_ok();
    if address.trim().to_ascii_lowercase().starts_with("https:") {
        findings.passed(Check::Tls, Code::TlsInUse, "https, with a certificate that was verified");
    } else if local {
        findings.passed(Check::Tls, Code::TlsNotNeeded, "plain http within this machine");
    } else {
        findings.warning(Check::Tls, Code::TlsAbsent, format!("plain http to {address}"));
    }
}

/// What it means that the API gave no profile.
fn unanswered(connection: &Connection, error: Error, findings: &mut Findings) {
    let refused = matches!(error, Error::Transport(_)) && error.to_string().to_lowercase().contains("certificate");
    let unauthorized = error.code() == ErrorCode::Unauthorized;
    if refused {
        findings.failed_with(Check::Tls, Code::TlsRefused, error.into_body());
        findings.skipped(&[Check::Api], "the connection was not encrypted as it should be");
    } else if unauthorized {
        tls(connection, findings);
        findings.passed(Check::Api, Code::ApiAnswers, "it refuses the API key");
        findings.skipped(&[Check::Contract], "the API key was refused");
        findings.failed_with(Check::Key, Code::KeyRefused, error.into_body());
        findings.skipped(&[Check::BackupScopes, Check::RestoreScopes, Check::Clock], "the API key was refused");
        return;
    } else {
        let (code, reason) = match &error {
            Error::Transport(_) => (Code::ApiUnreachable, "the API did not answer"),
            Error::Timeout(_) => (Code::ApiLate, "the API did not answer in time"),
            _ => (Code::ApiFailed, "the API answered with an error"),
        };
        if code == Code::ApiFailed {
            tls(connection, findings);
        } else {
            findings.skipped(&[Check::Tls], reason);
        }
        findings.failed_with(Check::Api, code, error.into_body());
        findings.skipped(&ANSWERED, reason);
        return;
    }
    findings.skipped(&ANSWERED, "the API was not asked");
}

fn contract(found: &Compatibility, findings: &mut Findings) {
    let said = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
    let profile = &found.profile;
    let evidence = format!(
        "command line {} for contract {}, server {} with contract {} for clients from {} on",
        found.client_version,
        found.client_surface_version,
        profile.server_version,
        said(&profile.surface_version),
        said(&profile.min_client_version)
    );
    if found.compatible {
        findings.passed(Check::Contract, Code::ContractCompatible, evidence);
    } else {
        findings.failed(Check::Contract, Code::ContractIncompatible, evidence);
    }
}

fn key(profile: &Profile, now: Timestamp, findings: &mut Findings) {
    let name = format!("{} ({}) of {}", profile.api_key_name, profile.api_key_id, profile.org_name);
    match profile.expires_at {
        Some(at) if at.as_millis() - now.as_millis() < WEEK_MILLIS => {
            findings.warning(Check::Key, Code::KeyExpiresSoon, format!("{name} expires at {at}"));
        }
        Some(at) => findings.passed(Check::Key, Code::KeyValid, format!("{name}, until {at}")),
        None => findings.passed(Check::Key, Code::KeyValid, name),
    }
}

fn has(profile: &Profile, scope: Scope) -> bool {
    profile.scopes.iter().any(|granted| *granted == scope)
}

fn scopes(profile: &Profile, loops: &[Loop], findings: &mut Findings) {
    let missing = |it: Loop| it.scopes().iter().copied().filter(|scope| !has(profile, *scope)).collect::<Vec<_>>();
    let good_for_nothing = !missing(Loop::Backup).is_empty() && !missing(Loop::Restore).is_empty();
    for (it, check) in [(Loop::Backup, Check::BackupScopes), (Loop::Restore, Check::RestoreScopes)] {
        let list = |scopes: &[Scope]| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ");
        let lacks = missing(it);
        let Some(first) = lacks.first() else {
            findings.passed(check, Code::ScopesGranted, list(it.scopes()));
            continue;
        };
        let evidence = format!("The API key lacks {}.", list(&lacks));
        if loops.contains(&it) || good_for_nothing {
            let error = ErrorBody::new(ErrorCode::Forbidden, evidence);
            let error = ErrorBody { required_scope: Some((*first).into()), ..error };
            findings.failed_with(check, Code::ScopesMissing, error);
        } else {
            findings.warning(check, Code::ScopesMissing, evidence);
        }
    }
}

/// The server's clock against this machine's, as well as an answer between two looks at the latter can tell.
fn clock(server: Option<Timestamp>, before: Timestamp, after: Timestamp, findings: &mut Findings) {
    let Some(server) = server else {
        findings.skipped(&[Check::Clock], "the API sent no date");
        return;
    };
    let (server, before, after) = (server.as_millis(), before.as_millis(), after.as_millis());
    // The server's date has whole seconds.
    let off = if server + 999 < before { before - server } else { (server - after).max(0) }.unsigned_abs();
    let evidence = format!("{} s apart, as far as one answer tells", off / 1000);
    if off > MINUTE_MILLIS {
        findings.warning(Check::Clock, Code::ClockOff, evidence);
    } else {
        findings.passed(Check::Clock, Code::ClockAgrees, evidence);
    }
}
