//! `cli.md`

use crate::commands::{COMMANDS, Command, ENVIRONMENT, Flag, GLOBAL_FLAGS};
use crate::emit::markdown::{codes, head, table};

const LEAD: &str = "\
`walwarden` speaks to the API with an API key, and runs restores on the machine it is started on. Programs and agents should
always pass `--json`.
";

const OUTPUT: &str = r#"## Output

With `--json`, a command writes exactly one document to stdout, and nothing to stderr:

```json
{"schemaVersion": 1, "ok": true, "kind": "backup.trigger", "data": {}, "warnings": [], "next": [["walwarden", "backup", "status", "bkp_…"]]}
```

A command that reads one thing puts the API's answer into `data` as it is: `data.state` of `backup status` is the job's state.
On failure `ok` is false and `error` stands in place of `data`: see [errors](errors.md). `next` holds commands that may be run
next, as argument vectors; of a mistyped command line, the one that was meant, when that is certain. Only
`walwarden restore --manifest` differs: it writes one line per state, also without `--json` when stdout is no terminal.

Without `--json`, results go to stdout and everything else to stderr, for people: do not parse them. Progress is drawn on a terminal
only; elsewhere it is one line per state. Exit codes are the same
either way: [exit codes](exit-codes.md).

Whatever a server sends is neutralized before it is shown: control characters, escape sequences, marks that turn the direction of a text, and
characters that take no room. In JSON documents they are `\u` escapes, so that the document is the same and a terminal is safe. Arguments that
hold control characters, or more than 4096 bytes, are refused.

## Events

`backup trigger --wait` and `restore execute` take `--events jsonl`: stdout is then JSON Lines while the command runs, and stderr stays
empty. The first line says how to read the others, exactly one line is the result, and it is the last, whatever the end: a mistake in the
command line, a signal or a crash included.

```json
{"type": "version", "schemaVersion": 1, "kind": "restore.execute", "version": "0.1.0"}
{"type": "state", "at": "2026-01-31T02:00:00.000Z", "state": "downloading", "restoreJobId": "rst_…"}
{"type": "progress", "at": "2026-01-31T02:00:01.000Z", "bytes": 8388608, "total": 68157440}
{"type": "result", "schemaVersion": 1, "ok": true, "kind": "restore.execute", "data": {}, "warnings": [], "next": []}
```

The result has the members of the document that `--json` writes. Lines of a `type` that is not known are to be passed over.

## Settings

Each setting is taken from the first place that has it: a flag, then the environment, then a profile of the configuration file, which is
`$XDG_CONFIG_HOME/walwarden/config.json` or `~/.config/walwarden/config.json` unless `--config` or `WALWARDEN_CONFIG` names another:

```json
{"profiles": {"default": {"baseUrl": "https://walwarden.example.com", "apiKeyFile": "api-key", "timeoutMs": 30000}}}
```

The profile is `default` unless `--profile` or `WALWARDEN_PROFILE` names another. `apiKey` may stand in place of `apiKeyFile`, whose path is
relative to the configuration file; `allowInsecureHttp` holds for the profile's own `baseUrl`. No member is required, and one that is not known is
refused. So is a file that anybody but its owner can read or write: run `chmod 600` on it. A command that needs no setting does not read it.

`walwarden profile validate` shows where the address and the API key come from. A warning says when the environment overrules a profile
that `--profile` names, and when the API key of one place is sent to the address of another.

## Secrets

Arguments are visible to other users of a machine. Give the API key as `WALWARDEN_API_KEY`, `WALWARDEN_API_KEY_FILE` or in a profile, and a
target's password as `PGPASSWORD`, `PGPASSFILE`, `WALWARDEN_TARGET_DSN` or `--target-file`; at a terminal, a missing one is
asked for. The target's connection string never leaves the machine.
"#;

pub(in crate::emit) fn page() -> String {
    let environment = ENVIRONMENT.iter().map(|(name, meaning)| [format!("`{name}`"), (*meaning).to_owned()]);
    let commands = COMMANDS.iter().map(|command| {
        let words = command.words();
        let anchor = words.replace(' ', "-");
        [format!("[`{words}`](#{anchor})"), command.summary.to_owned()]
    });
    format!(
        "{}\n{}\n{OUTPUT}\n## Flags of every command\n\n{}\n## Environment\n\n{}{}",
        head("Command line", LEAD),
        table(["command", "what it does"], commands),
        flags(GLOBAL_FLAGS),
        table(["variable", "meaning"], environment),
        COMMANDS.iter().map(section).collect::<String>(),
    )
}

fn section(command: &Command) -> String {
    let note = if command.note.is_empty() { String::new() } else { format!("{}\n\n", command.note) };
    let scopes = if command.kind == "restore" {
        "none, the restore token is enough".to_owned()
    } else if command.scopes.is_empty() {
        "any API key".to_owned()
    } else {
        codes(command.scopes.iter().map(|scope| scope.as_str()))
    };
    let own: Vec<_> = command.flags().copied().collect();
    let own = if own.is_empty() { String::new() } else { format!("\n{}", flags(&own)) };
    let calls = if command.operations.is_empty() {
        "Calls nothing, and needs no API key.".to_owned()
    } else {
        format!("Scopes: {scopes}. Calls: {}.", codes(command.operations.iter().copied()))
    };
    format!(
        "\n## {}\n\n{}.\n\n```\n{}\n```\n\n{note}{calls}\n{own}\n```bash\n{}\n```\n",
        command.words(),
        command.summary,
        command.usage(),
        command.example,
    )
}

fn flags(flags: &[Flag]) -> String {
    let rows = flags.iter().map(|flag| {
        let required = if flag.required { " **Required.**" } else { "" };
        let choices =
            if flag.choices.is_empty() { String::new() } else { format!(": {}", codes(flag.choices.iter().copied())) };
        [format!("`{}`", flag.usage()), format!("{}{choices}.{required}", flag.help)]
    });
    table(["flag", "meaning"], rows)
}
