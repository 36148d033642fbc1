//! Every way of falsifying evidence that is known here is found, by three judges, and they name the same thing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use walwarden_contract::bundle::verify::Code;
use walwarden_evidence::judge::{self, Judgement};
use walwarden_evidence::mutation::{self, Case, Verdict};
use walwarden_evidence::setting::Setting;

fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| mutation::all(&Setting::new()));
    &CASES
}

/// What each judge says of each case.
fn judged(cases: &[Case]) -> Result<Vec<[Judgement; 3]>> {
    let directory = tempfile::tempdir()?;
    let (program, python) = (judge::verifier()?, judge::python()?);
    let laid = (0..)
        .zip(cases)
        .map(|(number, case)| judge::lay(directory.path(), number, case))
        .collect::<Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        let independent = scope.spawn(|| judge::independent(&python, directory.path(), &laid));
        let ours: Vec<[Judgement; 2]> = cases
            .iter()
            .zip(&laid)
            .map(|(case, laid)| {
                let judge = || anyhow::Ok([judge::library(case)?, judge::program(&program, laid)?]);
                judge().with_context(|| format!("{} ({})", case.name, case.signed))
            })
            .collect::<Result<_>>()?;
        let independent = independent.join().expect("it does not panic")?;
        ensure!(independent.len() == ours.len(), "the independent verifier judged {} cases", independent.len());
        Ok(ours.into_iter().zip(independent).map(|([library, program], other)| [library, program, other]).collect())
    })
}

fn said(judgement: &Judgement) -> String {
    judgement.code.clone().unwrap_or_else(|| {
        let anchor = if judgement.anchored { "" } else { ", UNANCHORED" };
        format!("verified{anchor}")
    })
}

/// What is published: each mutation, and what it is found with.
fn table(cases: &[Case]) -> String {
    let mut rows: BTreeMap<(usize, &str, String), Vec<&str>> = BTreeMap::new();
    let mut order = Vec::new();
    for case in cases {
        if !order.contains(&case.name) {
            order.push(case.name);
        }
        let place = order.iter().position(|name| *name == case.name).expect("it was just added");
        let found = match &case.expected {
            Verdict::Refused(code) => format!("`{code}`"),
            Verdict::Verified { anchored: true, .. } => "verified".to_owned(),
            Verdict::Verified { anchored: false, .. } => "verified, `UNANCHORED`".to_owned(),
        };
        let signed = rows.entry((place, case.name, found)).or_default();
        if !signed.contains(&case.signed) {
            signed.push(case.signed);
        }
    }
    let mut table = String::from("| what was done | signed again | found with |\n|---|---|---|\n");
    for ((_, name, found), signed) in rows {
        let everybody = signed.len() == 4;
        let signed = if everybody { "by anybody".to_owned() } else { signed.join("; ") };
        writeln!(table, "| {name} | {signed} | {found} |").expect("a text takes everything");
    }
    table
}

#[test]
fn every_falsification_is_found_and_three_judges_agree_on_what_it_is() {
    let cases = cases();
    let judged = judged(cases).expect("all of them judge");
    let mut wrong = String::new();
    for (number, (case, judgements)) in cases.iter().zip(&judged).enumerate() {
        let agree = judgements.iter().all(|judgement| *judgement == judgements[0]);
        if !agree || !judgements[0].is(&case.expected) {
            let [library, program, other] = judgements.each_ref().map(said);
            let Case { name, signed, expected, .. } = case;
            writeln!(wrong, "{number} {name} ({signed}): {library} | {program} | {other}, expected {expected:?}")
                .expect("fits");
        }
    }
    assert!(wrong.is_empty(), "library | walwarden-verify | independent verifier\n{wrong}");
}

#[test]
fn what_is_found_is_written_down() {
    let cases = cases();
    let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    let falsifications = names.iter().filter(|name| !name.starts_with("true: ")).count();
    assert!(falsifications >= 40, "{falsifications}");
    insta::assert_snapshot!(table(cases));
}

#[test]
fn every_code_is_met() {
    let cases = cases();
    let met: Vec<&str> = cases
        .iter()
        .filter_map(|case| match &case.expected {
            Verdict::Refused(code) => Some(code.as_str()),
            Verdict::Verified { .. } => None,
        })
        .collect();
    // A file that cannot be read is no falsification.
    let unmet: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| *code != "unreadable_file" && !met.contains(code))
        .collect();
    assert_eq!(unmet, Vec::<&str>::new());
}

#[test]
fn the_independent_verifier_passes_what_others_published() {
    judge::published_vectors(&judge::python().expect("a Python")).expect("all of it");
}
