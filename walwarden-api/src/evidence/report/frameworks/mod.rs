//! Which controls of which framework these facts speak to, and what of each has to be shown elsewhere. Identifiers are the
//! frameworks' own; what they ask for is said in our words, and is no substitute for their text.

mod dora;
mod iso27001;
mod soc2;

use clap::ValueEnum;

use super::document::FrameworkName;
use super::findings::Section;

/// A framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Framework {
    /// AICPA Trust Services Criteria, 2017
    Soc2,
    /// ISO/IEC 27001:2022, Annex A
    #[value(name = "iso27001")]
    Iso27001,
    /// Regulation (EU) 2022/2554
    Dora,
}

/// A control, and what speaks to it.
#[derive(Debug, Clone, Copy)]
pub struct Control {
    /// Its identifier.
    pub id: &'static str,
    /// What it asks for, in our words.
    pub asks: &'static str,
    /// The facts that speak to it.
    pub sections: &'static [Section],
    /// What of it has to be shown elsewhere.
    pub not_covered: &'static [&'static str],
}

/// What no control is covered in by this report.
const NEVER_COVERED: &[&str] = &[
    "Whether a control is designed well or operates well: this is a list of records, no opinion of an auditor and no certificate.",
    "Databases and systems that were never added to Walwarden, and whether those added are the ones that matter.",
    "Whether the restored data is the right data: a restore proves that the artifact is whole and loads, not what is in it.",
    "Restores made by other means, and restores that were not drilled: a backup that was never restored is not proven to restore.",
    "The time between two backups: there is no point-in-time recovery, and what was written since the last backup is not in it.",
    "How fast a business is back: durations are those of the restore alone, on the machine that it ran on.",
    "People: who holds a key, who approved a change, who was told, who is trained.",
    "Access to the servers, the store and the bucket by other ways than Walwarden's API.",
    "Physical security, and the storage provider's own controls.",
    "Times are those of the clock of the server that wrote the events.",
];

impl Framework {
    /// Its name and edition.
    #[must_use]
    pub const fn name(self) -> FrameworkName {
        match self {
            Self::Soc2 => FrameworkName {
                id: "soc2",
                name: "SOC 2: AICPA Trust Services Criteria, 2017 (points of focus of 2022)",
            },
            Self::Iso27001 => FrameworkName { id: "iso27001", name: "ISO/IEC 27001:2022, Annex A" },
            Self::Dora => FrameworkName {
                id: "dora",
                name: "DORA: Regulation (EU) 2022/2554 on digital operational resilience for the financial sector",
            },
        }
    }

    /// Its controls, in its own order.
    #[must_use]
    pub const fn controls(self) -> &'static [Control] {
        match self {
            Self::Soc2 => soc2::CONTROLS,
            Self::Iso27001 => iso27001::CONTROLS,
            Self::Dora => dora::CONTROLS,
        }
    }

    /// What is not covered, whatever the control.
    #[must_use]
    pub fn not_covered(self) -> Vec<&'static str> {
        let own = match self {
            Self::Soc2 => soc2::NOT_COVERED,
            Self::Iso27001 => iso27001::NOT_COVERED,
            Self::Dora => dora::NOT_COVERED,
        };
        [NEVER_COVERED, own].concat()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ALL: [Framework; 3] = [Framework::Soc2, Framework::Iso27001, Framework::Dora];

    #[test]
    fn every_control_stands_once_has_facts_and_says_what_is_missing() {
        for framework in ALL {
            let mut seen = HashSet::new();
            for control in framework.controls() {
                assert!(seen.insert(control.id), "{} stands twice", control.id);
                assert!(!control.sections.is_empty() && !control.not_covered.is_empty(), "{}", control.id);
            }
        }
    }

    #[test]
    fn no_text_claims_conformity() {
        for framework in ALL {
            let controls = framework.controls().iter();
            let texts = controls.flat_map(|control| control.not_covered.iter().copied().chain([control.asks]));
            for text in texts.chain(framework.not_covered()) {
                let text = text.to_lowercase();
                for word in ["complian", "complies", "conform", "satisf", "fulfil"] {
                    assert!(!text.contains(word), "{text}");
                }
            }
        }
    }
}
