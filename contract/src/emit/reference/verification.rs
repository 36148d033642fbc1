//! `verification.md`

use crate::bundle::verify::{Code, Verdict};
use crate::emit::markdown::{head, table};

const LEAD: &str = "\
`walwarden-verify` ends with one of four verdicts, each with an exit status of its own. The first thing that does not hold
decides, and has a code: in `--json` it is `.code`, beside `.verdict`. What each verdict is worth is in
`docs/concepts/evidence.md`.
";

pub(in crate::emit) fn page() -> String {
    let mut page = head("Verification", LEAD);
    for (verdict, says) in [
        (Verdict::Tampered, "The evidence contradicts itself, the key, the checkpoint or the dump."),
        (Verdict::Undecidable, "Nothing contradicts the evidence, and something that would prove it is missing."),
        (Verdict::BadInput, "What was given is not in a form that Walwarden writes."),
    ] {
        let codes = Code::ALL.iter().filter(|code| code.verdict() == verdict);
        let rows = codes.map(|code| [format!("`{code}`"), code.meaning().to_owned()]);
        let table = table(["code", "meaning"], rows);
        let title = format!("\n## `{}`: exit status {}\n\n{says}\n\n", verdict.as_str(), verdict.exit_code());
        page.extend([title, table]);
    }
    page
}
