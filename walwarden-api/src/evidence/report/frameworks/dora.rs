//! DORA, Regulation (EU) 2022/2554: the articles that backups speak to.

use super::Control;
use crate::evidence::report::findings::Section::{
    Access, Backups, Changes, Exports, Keys, Log, Looks, Restores, Retention, Schedules,
};

pub(super) const NOT_COVERED: &[&str] = &[
    "Articles that are not listed: among them governance, classification and reporting of incidents, and threat-led penetration tests.",
    "The regulatory technical standards that go with the regulation.",
    "Which functions are critical or important, and which databases they rest on.",
];

pub(super) const CONTROLS: &[Control] = &[
    Control {
        id: "Art. 9(2)",
        asks: "Keep data available, authentic, whole and confidential, at rest, in use and on its way.",
        sections: &[Backups, Retention, Log],
        not_covered: &["Data in the sources, and on networks other than to the bucket."],
    },
    Control {
        id: "Art. 9(4)(c)",
        asks: "Limit access to what approved functions need.",
        sections: &[Access],
        not_covered: &[
            "Policies, approvals and reviews.",
            "Physical access, and access to servers, databases and the bucket.",
        ],
    },
    Control {
        id: "Art. 9(4)(d)",
        asks: "Strong authentication, and protection of cryptographic keys.",
        sections: &[Keys, Access],
        not_covered: &["Where the signing key is kept and who can reach it.", "Authentication of people."],
    },
    Control {
        id: "Art. 9(4)(e)",
        asks: "Record, test, assess, approve and verify changes.",
        sections: &[Changes, Keys],
        not_covered: &["Tests, risk assessments and approvals of changes."],
    },
    Control {
        id: "Art. 10(1)",
        asks: "Detect anomalies promptly.",
        sections: &[Looks, Schedules, Backups],
        not_covered: &["Detection in other systems, and who was alerted."],
    },
    Control {
        id: "Art. 11(6)",
        asks: "Test continuity, response and recovery plans at least once a year, and after substantive changes.",
        sections: &[Restores],
        not_covered: &[
            "The plans, scenarios, communication and switchover between sites.",
            "Systems other than these databases.",
        ],
    },
    Control {
        id: "Art. 12(1)",
        asks: "Write down what is backed up and how often, by how critical it is, and how it is restored.",
        sections: &[Schedules, Changes],
        not_covered: &["The policies and procedures, and how critical or confidential the data is."],
    },
    Control {
        id: "Art. 12(2)",
        asks: "Have backup systems that can be activated without harm to security, and test backup and restoration periodically.",
        sections: &[Backups, Restores],
        not_covered: &["That the restored data was put to use, and what a test concluded."],
    },
    Control {
        id: "Art. 12(3)",
        asks: "Restore on systems apart from the source, protected from unauthorized access and corruption.",
        sections: &[Restores, Retention],
        not_covered: &[
            "That the machine and the server restored to are physically and logically apart from the source.",
        ],
    },
    Control {
        id: "Art. 12(6)",
        asks: "Set objectives for the time and the point of recovery of each function, and meet them in extreme scenarios.",
        sections: &[Schedules, Restores],
        not_covered: &["The objectives: schedules and durations of drills can be held against them, and are not here."],
    },
    Control {
        id: "Art. 12(7)",
        asks: "Check, when recovering, that the data is whole; reconcile it with others.",
        sections: &[Restores],
        not_covered: &["Reconciliation of content: a restore is checked by hash, signature and the tool's own errors."],
    },
    Control {
        id: "Art. 13",
        asks: "Learn from incidents and tests.",
        sections: &[Restores, Looks],
        not_covered: &["Reviews after incidents, lessons, training and reports to the management."],
    },
    Control {
        id: "Art. 25(1)",
        asks: "Test tools and systems by suitable tests.",
        sections: &[Restores, Looks],
        not_covered: &["The testing programme, and every other kind of test that the article names."],
    },
    Control {
        id: "Art. 28(8)",
        asks: "Be able to leave a provider without disruption.",
        sections: &[Backups, Exports],
        not_covered: &[
            "The exit strategy itself. What helps it: artifacts stand in your own bucket in `pg_dump`'s own format, and are restored with \
             `pg_restore` alone; evidence is verified without Walwarden's service.",
            "The register of information, contracts, and the assessment of concentration.",
        ],
    },
];
