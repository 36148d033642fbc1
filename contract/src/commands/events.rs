//! JSON Schemas of the lines that `--events jsonl` writes.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::output::{HELP_KIND, documents, kind_output, stand_alone};
use super::{Command, of};
use crate::envelope::SCHEMA_VERSION;
use crate::model::cli::{BackupStateEvent, EventsVersion, ProgressEvent, RestoreStateEvent};
use crate::operations::SchemaOf;
use crate::schema::writing;

/// What a command tells on its way, beside the first line and the last.
struct Told {
    state: SchemaOf,
    progress: bool,
}

fn told(kind: &str) -> Option<Told> {
    match kind {
        "backup.trigger" => Some(Told { state: of::<BackupStateEvent>, progress: false }),
        "restore.execute" => Some(Told { state: of::<RestoreStateEvent>, progress: true }),
        _ => None,
    }
}

impl Command {
    /// Whether it takes `--events jsonl`.
    #[must_use]
    pub fn offers_events(&self) -> bool {
        told(self.kind).is_some()
    }
}

/// A stand-alone JSON Schema, draft 2020-12, of every line that `--events jsonl` makes the command of this kind write. A
/// command that does not take the flag is refused, in two lines: the version and the result.
///
/// Kinds are those of [`output_schema`](super::output_schema).
#[must_use]
pub fn events_schema(kind: &str) -> Option<Value> {
    let mut generator = writing().into_generator();
    let lines = lines(kind, &mut generator)?;
    Some(stand_alone(kind, &lines, &generator.take_definitions(true)))
}

/// The same as a schema within a larger document.
#[cfg(feature = "generate")]
pub(crate) fn events_of(command: &Command, generator: &mut SchemaGenerator) -> Schema {
    let lines = lines(command.kind, generator).unwrap_or_default();
    Schema::try_from(json!({"oneOf": lines})).expect("an object is a schema")
}

fn lines(kind: &str, generator: &mut SchemaGenerator) -> Option<Vec<Value>> {
    let (success, fails) = kind_output(kind)?;
    let told = told(kind);
    let mut version = whole(of::<EventsVersion>, generator);
    version["properties"]["schemaVersion"] = json!({"const": SCHEMA_VERSION});
    version["properties"]["kind"] = json!({"const": kind});
    let mut lines = vec![tagged("version", version)];
    let succeeds = told.is_some() || kind == HELP_KIND;
    if let Some(told) = told {
        lines.push(tagged("state", whole(told.state, generator)));
        if told.progress {
            lines.push(tagged("progress", whole(of::<ProgressEvent>, generator)));
        }
    }
    let results = documents(kind, success.filter(|_| succeeds), fails, generator);
    lines.extend(results.into_iter().map(|result| tagged("result", result)));
    Some(lines)
}

/// The schema of a line in its place and not by reference: the line has a member more.
fn whole(schema: SchemaOf, generator: &mut SchemaGenerator) -> Value {
    let reference = schema(generator).get("$ref").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let name = reference.rsplit('/').next().unwrap_or_default();
    let schema = generator.definitions_mut().remove(name).expect("lines are named types");
    let mut schema = Schema::try_from(schema).expect("definitions are schemas");
    generator.transforms_mut().for_each(|transform| transform.transform(&mut schema));
    schema.to_value()
}

/// A line of this type.
fn tagged(tag: &str, mut line: Value) -> Value {
    line["properties"]["type"] = json!({"const": tag});
    let required = line["required"].as_array_mut();
    required.expect("every line has members that are always there").insert(0, "type".into());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::COMMANDS;
    use crate::commands::output::NO_COMMAND_KIND;
    use crate::envelope::Envelope;
    use crate::error::{ErrorBody, ErrorCode};
    use crate::id::{BackupJobId, DatabaseId, RestoreJobId};
    use crate::model::cli::{BackupTriggerData, EventLine, StateEvent};
    use crate::model::{BackupState, RestoreReportPayload, RestoreState, TriggeredBackup};
    use crate::time::Timestamp;

    fn fits(kind: &str, line: &EventLine) -> bool {
        jsonschema::draft202012::is_valid(&events_schema(kind).expect("a kind"), &json!(line))
    }

    fn version(kind: &str) -> EventLine {
        let (schema_version, version) = (SCHEMA_VERSION, "0.1.0".to_owned());
        EventLine::Version(EventsVersion { schema_version, kind: kind.to_owned(), version })
    }

    fn failed(kind: &str) -> EventLine {
        EventLine::Result(Box::new(Envelope::failure(kind, ErrorBody::new(ErrorCode::UsageError, "no"))))
    }

    #[test]
    fn commands_offer_events_by_flag_and_by_schema() {
        for command in COMMANDS {
            let flag = command.flags().any(|flag| flag.name == "--events");
            assert_eq!(flag, command.offers_events(), "{}", command.kind);
        }
    }

    #[test]
    fn whatever_asks_for_events_gets_two_lines_at_least() {
        for kind in COMMANDS.iter().map(|command| command.kind).chain([NO_COMMAND_KIND, "backup"]) {
            let schema = events_schema(kind).expect("a schema");
            assert!(jsonschema::draft202012::meta::is_valid(&schema), "{kind}");
            assert!(fits(kind, &version(kind)) && fits(kind, &failed(kind)), "{kind}");
            assert!(!fits(kind, &version("other")) && !fits(kind, &failed("other")), "{kind}");
        }
        assert_eq!(events_schema("nonsense"), None);
        let help = json!({"text": "Usage", "version": "0.1.0"});
        assert!(fits(HELP_KIND, &version(HELP_KIND)));
        assert!(fits(HELP_KIND, &EventLine::Result(Box::new(Envelope::success(HELP_KIND, help)))));
    }

    fn restore_state(at: Timestamp) -> RestoreStateEvent {
        let restore_job_id = RestoreJobId::from_uuid(uuid::Uuid::nil());
        let payload = RestoreReportPayload::default();
        RestoreStateEvent { at, state: RestoreState::Verifying.into(), restore_job_id, payload }
    }

    #[test]
    fn each_command_tells_its_own_states() {
        let (at, id) = (Timestamp::from_millis(0).expect("in range"), uuid::Uuid::nil());
        let backup_job_id = BackupJobId::from_uuid(id);
        let backup = BackupStateEvent { at, state: BackupState::Running.into(), backup_job_id, attempt: 1 };
        let backup = EventLine::State(StateEvent::Backup(backup));
        let payload = RestoreReportPayload { size_bytes: Some(1), ..RestoreReportPayload::default() };
        let restore = RestoreStateEvent { payload, ..restore_state(at) };
        let restore = EventLine::State(StateEvent::Restore(restore));
        let progress = EventLine::Progress(ProgressEvent { at, bytes: 1, total: 2 });
        assert_eq!(json!(restore)["sizeBytes"], 1);
        assert!(fits("backup.trigger", &backup) && !fits("restore.execute", &backup));
        assert!(fits("restore.execute", &restore) && !fits("backup.trigger", &restore));
        assert!(fits("restore.execute", &progress) && !fits("backup.trigger", &progress));
        for kind in ["database.list", HELP_KIND] {
            assert!(![&backup, &restore, &progress].iter().any(|line| fits(kind, line)), "{kind}");
        }
        let state = BackupState::Queued.into();
        let triggered = TriggeredBackup { backup_job_id, database_id: DatabaseId::from_uuid(id), state };
        let data = json!(BackupTriggerData { triggered, completed: None });
        let result = |kind: &str| EventLine::Result(Box::new(Envelope::success(kind, data.clone())));
        assert!(fits("backup.trigger", &result("backup.trigger")));
        assert!(!fits("restore.execute", &result("restore.execute")), "data of another kind");
        let mut null = json!(EventLine::State(StateEvent::Restore(restore_state(at))));
        null["checksumSha256"] = json!(null);
        let schema = events_schema("restore.execute").expect("a kind");
        assert!(!jsonschema::draft202012::is_valid(&schema, &null), "what is left out is no null");
        // Read back, it is the same line.
        for line in [backup, restore, progress, result("backup.trigger")] {
            assert_eq!(serde_json::from_value::<EventLine>(json!(line)).expect("a line"), line);
        }
    }
}
