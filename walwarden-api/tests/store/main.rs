//! The store's promises, kept on SQLite and on Postgres by the same scenarios.

mod backups;
mod cancel;
mod destinations;
mod idempotency;
mod log;
mod reading;
mod registry;
mod reporting;
mod resealing;
mod restores;
mod retention;
mod schedules;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use world::{Scenario, World};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(tokio::runtime::Runtime::new().expect("a runtime starts"));
    let postgres = if arguments.list { None } else { Some(Arc::new(runtime.block_on(world::start_postgres(false)))) };

    let scenarios = [
        backups::SCENARIOS,
        cancel::SCENARIOS,
        destinations::SCENARIOS,
        idempotency::SCENARIOS,
        log::SCENARIOS,
        reading::SCENARIOS,
        registry::SCENARIOS,
        reporting::SCENARIOS,
        resealing::SCENARIOS,
        restores::SCENARIOS,
        retention::SCENARIOS,
        schedules::SCENARIOS,
    ]
    .concat();
    let trials = scenarios.into_iter().flat_map(|Scenario { name, run }| {
        let (on_sqlite, on_postgres) = (Arc::clone(&runtime), Arc::clone(&runtime));
        let cluster = postgres.clone();
        [
            Trial::test(format!("sqlite::{name}"), move || {
                on_sqlite.block_on(async { run(World::on_sqlite().await).await });
                Ok(())
            }),
            Trial::test(format!("postgres::{name}"), move || {
                let cluster = cluster.expect("the server was started");
                on_postgres.block_on(async { run(World::on_postgres(&cluster).await).await });
                Ok(())
            }),
        ]
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    // Dropping the last handle stops the server, inside of the runtime that watches over it.
    runtime.block_on(async move { drop(postgres) });
    conclusion.exit_code()
}
