//! The fault matrix: whatever happens to a backup, on either store, it ends as a verified backup or as a typed failure that
//! committed nothing and left nothing behind. What "ends" means is [`judge`], the same for every cell.

mod bucket;
mod cell;
mod clock;
mod judge;
mod source;
mod store;
mod table;
mod worker;

use walwarden_tests::harness::Suite;
use walwarden_tests::walwarden::Store;

use self::judge::judge;

pub(crate) fn register(mut suite: Suite) -> Suite {
    for (store, column) in [(Store::Sqlite, "sqlite"), (Store::Postgres, "postgres")] {
        for fault in table::faults() {
            let name = format!("fault_{}_{column}", fault.name);
            suite = suite.trial(name, move |context| {
                let cell = (fault.inflict)(context, store)?;
                judge(cell, fault.ending)
            });
        }
    }
    suite
}
