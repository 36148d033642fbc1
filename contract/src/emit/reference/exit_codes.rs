//! `exit-codes.md`

use crate::emit::markdown::{head, table};
use crate::error::ErrorCode;
use crate::exit::ExitStatus;

const LEAD: &str = "\
Every command of `walwarden` and `walwarden-api` exits with one of five codes. The code of a failure follows from its error
code: see [errors](errors.md).
";

const SCRIPT: &str = r#"## In a script

```bash
set +e
walwarden --json backup trigger --database "$WALWARDEN_DATABASE_ID" --wait > backup.json
case $? in
  0) jq -r .data.completed.id backup.json ;;   # the backup is completed
  1) echo "try again later" ;;
  2) jq -r .error.nextAction backup.json ;;    # correct the input first
  3) jq .error backup.json ;;                  # investigate
  4) echo "interrupted" ;;
esac
```

A restore with a token, which works once:

```bash
WALWARDEN_TOKEN="$WALWARDEN_RESTORE_TOKEN" walwarden restore \
  --manifest "$WALWARDEN_RESTORE_MANIFEST_SHA256" \
  --target "$TARGET_DATABASE_URL" \
  --mode new_database
EXIT=$?
if [ $EXIT -eq 0 ]; then
  echo "Restore completed"
elif [ $EXIT -eq 1 ]; then
  echo "Transient failure: open a new session and retry"
elif [ $EXIT -eq 2 ]; then
  echo "Bad input or refused token: correct it first"
elif [ $EXIT -eq 3 ]; then
  echo "Terminal failure: investigate before you retry"
elif [ $EXIT -eq 4 ]; then
  echo "Cancelled: restart when ready"
fi
```

After code 1 or 4 of `backup trigger`, run the same command again with the `--idempotency-key` that `next` shows, if it shows
one: then at most one backup is started. After any failure of a restore, open a new session: a token works once.
"#;

pub(in crate::emit) fn page() -> String {
    let meanings = ExitStatus::ALL
        .iter()
        .map(|exit| [format!("`{}`", exit.code()), format!("`{}`", exit.name()), exit.meaning().to_owned()]);
    let codes = ExitStatus::ALL.iter().filter(|exit| **exit != ExitStatus::Ok).map(|exit| {
        let links = ErrorCode::ALL.iter().filter(|code| code.exit() == *exit);
        let links: Vec<_> = links.map(|code| format!("[`{code}`](errors.md#{code})")).collect();
        [format!("`{}`", exit.code()), links.join(", ")]
    });
    format!(
        "{}\n{}\n{SCRIPT}\n## Error codes by exit code\n\n{}",
        head("Exit codes", LEAD),
        table(["code", "name", "meaning"], meanings),
        table(["exit code", "error codes"], codes),
    )
}
