//! SOC 2: the Trust Services Criteria of 2017 that backups speak to.

use super::Control;
use crate::evidence::report::findings::Section::{
    Access, Backups, Changes, Exports, Keys, Log, Looks, Restores, Retention, Schedules,
};

pub(super) const NOT_COVERED: &[&str] = &[
    "Criteria that are not listed: the control environment, communication, risk assessment, processing integrity and privacy.",
    "The description of the system, and the management's assertion.",
];

pub(super) const CONTROLS: &[Control] = &[
    Control {
        id: "CC4.1",
        asks: "Check again and again whether controls are there and work.",
        sections: &[Looks, Log],
        not_covered: &["Evaluations made by people, and by others than Walwarden."],
    },
    Control {
        id: "CC6.1",
        asks: "Protect information by logical access: who may reach what, and with which keys.",
        sections: &[Access, Keys],
        not_covered: &[
            "Access to databases, servers, the bucket and the console of its provider.",
            "How API keys and key files are kept by those who hold them.",
        ],
    },
    Control {
        id: "CC6.2",
        asks: "Give credentials to whom they were approved for, and take them back when that ends.",
        sections: &[Access],
        not_covered: &[
            "Who asked for a key and who approved it.",
            "Whether a key was revoked in time when somebody left.",
        ],
    },
    Control {
        id: "CC6.3",
        asks: "Give and change access by role, with no more rights than needed.",
        sections: &[Access],
        not_covered: &["Whether the scopes of a key are the fewest that its holder needs.", "Reviews of access."],
    },
    Control {
        id: "CC6.7",
        asks: "Restrict how information leaves, is moved and is removed.",
        sections: &[Exports, Access],
        not_covered: &["Artifacts read from the bucket by other means: the provider's access log shows them."],
    },
    Control {
        id: "CC7.1",
        asks: "Notice changes of configuration that open weaknesses.",
        sections: &[Changes, Looks],
        not_covered: &["Configuration outside of Walwarden, and vulnerabilities of software."],
    },
    Control {
        id: "CC7.2",
        asks: "Watch for what is out of the ordinary: failures, attacks, errors.",
        sections: &[Schedules, Backups, Looks, Log],
        not_covered: &["Monitoring of other systems, and whether an alert reached a person."],
    },
    Control {
        id: "CC7.3",
        asks: "Judge what was noticed: is it an incident?",
        sections: &[Looks],
        not_covered: &["The judgement itself, and its record."],
    },
    Control {
        id: "CC7.5",
        asks: "Recover from incidents, and prove by tests that this works.",
        sections: &[Restores, Backups],
        not_covered: &["The incidents, what caused them and what was learned.", "Recovery of anything but databases."],
    },
    Control {
        id: "CC8.1",
        asks: "Approve, record and test changes.",
        sections: &[Changes, Keys],
        not_covered: &["The approval of a change, and its test.", "Changes to schemas and software."],
    },
    Control {
        id: "A1.2",
        asks: "Run backups and the infrastructure to recover with, and watch over both.",
        sections: &[Schedules, Backups, Retention],
        not_covered: &[
            "Capacity, power, climate and other protections of the surroundings.",
            "Whether the frequency of backups suits what the business can lose.",
        ],
    },
    Control {
        id: "A1.3",
        asks: "Test the procedures of recovery.",
        sections: &[Restores],
        not_covered: &["The recovery plan, who took part in a test, and what was changed after it."],
    },
    Control {
        id: "C1.1",
        asks: "Know what is confidential and keep it so for as long as it is kept.",
        sections: &[Retention, Keys],
        not_covered: &[
            "Which data is confidential.",
            "Encryption by the bucket beyond what each backup's evidence shows.",
        ],
    },
    Control {
        id: "C1.2",
        asks: "Dispose of what is confidential when its time is over.",
        sections: &[Retention],
        not_covered: &["Data in the source database, in copies made by others and in restored databases."],
    },
];
