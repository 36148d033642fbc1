//! ISO/IEC 27001:2022: the controls of Annex A that backups speak to.

use super::Control;
use crate::evidence::report::findings::Section::{
    Access, Backups, Changes, Exports, Keys, Log, Looks, Restores, Retention, Schedules,
};

pub(super) const NOT_COVERED: &[&str] = &[
    "Clauses 4 to 10: context, leadership, planning, the assessment and treatment of risks, internal audit and review.",
    "The statement of applicability, and the controls of Annex A that are not listed.",
];

pub(super) const CONTROLS: &[Control] = &[
    Control {
        id: "5.15",
        asks: "Rules for who may reach information.",
        sections: &[Access],
        not_covered: &["The rules, and access by other ways than the API."],
    },
    Control {
        id: "5.17",
        asks: "Give out and manage what people and programs prove themselves with.",
        sections: &[Access, Keys],
        not_covered: &["How holders keep their keys.", "Passwords of databases, and credentials of the bucket."],
    },
    Control {
        id: "5.18",
        asks: "Grant, review, change and remove access rights.",
        sections: &[Access],
        not_covered: &["Approvals, reviews, and whether rights were removed in time."],
    },
    Control {
        id: "5.23",
        asks: "Use cloud services with security in mind, up to leaving them.",
        sections: &[Changes, Retention],
        not_covered: &["Contracts with the storage provider, and its own controls."],
    },
    Control {
        id: "5.28",
        asks: "Collect and keep evidence of events.",
        sections: &[Log, Exports],
        not_covered: &["Evidence from other systems, and its chain of custody after it was handed out."],
    },
    Control {
        id: "5.29",
        asks: "Keep information secure while operations are disrupted.",
        sections: &[Backups, Retention, Restores],
        not_covered: &["The plans, and how people act by them."],
    },
    Control {
        id: "5.30",
        asks: "Have systems ready for continuity: planned, in place and tested.",
        sections: &[Restores, Schedules],
        not_covered: &["Objectives for recovery, and recovery of anything but databases."],
    },
    Control {
        id: "5.33",
        asks: "Protect records from loss, destruction, forgery and unauthorized access.",
        sections: &[Log, Retention, Exports],
        not_covered: &["Records outside of Walwarden, and for how long the law wants them kept."],
    },
    Control {
        id: "8.2",
        asks: "Restrict and manage privileged rights.",
        sections: &[Access],
        not_covered: &["Who may run `walwarden-api admin`, or reach the server and its store."],
    },
    Control {
        id: "8.9",
        asks: "Set configurations down, watch and review them.",
        sections: &[Changes],
        not_covered: &["Configuration of servers, databases and the bucket."],
    },
    Control {
        id: "8.10",
        asks: "Delete information that is no longer needed.",
        sections: &[Retention],
        not_covered: &["Deletion in source databases, in restored databases and in copies made by others."],
    },
    Control {
        id: "8.13",
        asks: "Make backups by a policy, keep them, and test them regularly.",
        sections: &[Schedules, Backups, Restores, Retention],
        not_covered: &["The policy on backups, and backups of software and systems other than these databases."],
    },
    Control {
        id: "8.14",
        asks: "Have enough redundancy to stay available.",
        sections: &[Backups],
        not_covered: &["Redundancy of servers, networks and sites: a backup is a copy, and no standby."],
    },
    Control {
        id: "8.15",
        asks: "Keep, protect and analyse logs of activities, faults and events.",
        sections: &[Log, Looks],
        not_covered: &["Logs of other systems, and whether somebody reads them."],
    },
    Control {
        id: "8.16",
        asks: "Watch systems for what is out of the ordinary, and act on it.",
        sections: &[Looks, Schedules],
        not_covered: &["Monitoring of other systems, and what was done about an alert."],
    },
    Control {
        id: "8.17",
        asks: "Have all clocks agree.",
        sections: &[Log],
        not_covered: &["That the server's clock was right: events carry its time, and only their order is proven."],
    },
    Control {
        id: "8.24",
        asks: "Rules for cryptography, keys included.",
        sections: &[Keys, Backups],
        not_covered: &["The rules, the storage of the signing key, and encryption of the sources."],
    },
    Control {
        id: "8.32",
        asks: "Put changes through a procedure.",
        sections: &[Changes, Keys],
        not_covered: &["Requests, tests and approvals of changes."],
    },
];
