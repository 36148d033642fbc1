//! What the store costs the scheduler and the queue: 25,000 schedules, and eight workers that take and end jobs as fast as they can.
//! No bytes are backed up; what is measured is the transactions around them.

#[path = "../tests/store/world.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the store's tests use all of it")]
mod world;

use std::fmt;
use std::io::Write as _;
use std::time::{Duration, Instant};

use walwarden_api::jobs::backups::{self, Lease, RetryPolicy};
use walwarden_api::jobs::schedule::next_after;
use walwarden_api::jobs::scheduler::{SchedulePolicy, tick};
use walwarden_api::store::databases::Database;
use walwarden_api::system::after;
use walwarden_contract::ErrorCode;
use walwarden_contract::model::BackupState;

use self::world::{World, sealed};

const SCHEDULES: usize = 25_000;
const MINUTES_OF_A_DAY: usize = 1440;
const LOOKS: usize = 60;
const WORKERS: usize = 8;
const LEASE: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
const POLICY: SchedulePolicy = SchedulePolicy { max_attempts: 3, spread_millis: 0 };
/// How long the workers work at most.
const RACE: Duration = Duration::from_secs(10);

/// What one kind of store takes.
#[derive(Debug, Default)]
struct Figures {
    /// A look when nothing is due.
    idle: Vec<Duration>,
    /// A look when what one minute of a day brings is due, and how many that are.
    minute: Vec<Duration>,
    due_in_a_minute: Vec<usize>,
    /// A look that takes on 500 due schedules.
    full: Vec<Duration>,
    /// Until all of them, due at once, are queued.
    all: Duration,
    /// Jobs per second: claimed and ended, and through every state to completed.
    claimed_and_ended: f64,
    completed: f64,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let cluster = world::start_postgres(true).await;
        let sqlite = measure("SQLite", World::on_sqlite().await).await;
        let postgres = measure("Postgres", World::on_postgres(&cluster).await).await;
        let report = Report([("SQLite", sqlite), ("Postgres", postgres)]);
        write!(std::io::stdout().lock(), "{report}").expect("somebody reads the report");
    });
}

/// The whole takes minutes. Nobody listening is no reason to stop.
fn progress(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

async fn measure(name: &str, mut world: World) -> Figures {
    progress(&format!("{name}: {SCHEDULES} databases with a schedule"));
    fill(&world).await;
    progress(&format!("{name}: looking at the schedules, then {WORKERS} workers"));
    let mut figures = Figures::default();
    for _ in 0..LOOKS {
        world.advance(MINUTE);
        let (due, took) = look(&world).await;
        figures.minute.push(took);
        figures.due_in_a_minute.push(due);
        let (due, took) = look(&world).await;
        assert_eq!(due, 0, "a run was queued twice");
        figures.idle.push(took);
    }
    figures.claimed_and_ended = race(&world, async |lease| {
        let retry = RetryPolicy { delay_millis: 0 };
        let code = ErrorCode::SourceAuthFailed;
        backups::fail(&world.store, &world.system, lease, retry, code, "nothing to back up")
            .await
            .expect("ends")
            .state()
    })
    .await;

    world.advance(MINUTE * i64::try_from(MINUTES_OF_A_DAY).expect("fits"));
    let (started, mut queued) = (Instant::now(), 0);
    loop {
        let (due, took) = look(&world).await;
        if due == 0 {
            break;
        }
        if due == 500 {
            figures.full.push(took);
        }
        queued += due;
    }
    figures.all = started.elapsed();
    assert_eq!(queued, SCHEDULES, "a run was lost");
    figures.completed = race(&world, async |lease| {
        world.start(lease).await;
        backups::finalize(&world.store, &world.system, lease, world.pending()).await.expect("finalizes");
        backups::complete(&world.store, &world.system, lease, sealed()).await.expect("completes").state()
    })
    .await;
    figures
}

/// As many databases as there are schedules, spread over the minutes of a day.
async fn fill(world: &World) {
    for number in 0..SCHEDULES {
        let minute = number % MINUTES_OF_A_DAY;
        let new = world.new_database(&format!("database {number}"));
        let schedule = format!("{} {} * * *", minute % 60, minute / 60);
        let next = next_after(&schedule, world.system.now()).expect("comes");
        let new = Database { schedule: Some(schedule), next_run_at: Some(next), ..new };
        world.store.create_database(&new).await.expect("creates the database");
    }
}

async fn look(world: &World) -> (usize, Duration) {
    let started = Instant::now();
    let queued = tick(&world.store, &world.system, POLICY).await.expect("looks");
    (queued, started.elapsed())
}

/// Lets every worker take and end jobs until none waits or the time is up, and answers how many they ended in a second. No
/// job is taken twice: ending one that was ended fails.
async fn race(world: &World, end: impl AsyncFn(Lease) -> BackupState) -> f64 {
    let started = Instant::now();
    let workers = (0..WORKERS).map(async |number| {
        let (mut ended, name) = (0_u32, format!("worker {number}"));
        while started.elapsed() < RACE {
            let until = after(world.system.now(), LEASE);
            let Some(job) = backups::claim(&world.store, &world.system, &name, until).await.expect("looks") else {
                break;
            };
            assert!(end(Lease { id: job.id, fence: job.fence }).await.is_terminal());
            ended += 1;
        }
        ended
    });
    let ended: u32 = futures::future::join_all(workers).await.into_iter().sum();
    f64::from(ended) / started.elapsed().as_secs_f64()
}

fn median<T: Copy + Ord>(samples: &[T]) -> Option<T> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn millis(took: Option<Duration>) -> String {
    took.map_or_else(|| "-".to_owned(), |took| format!("{:.2} ms", took.as_secs_f64() * 1000.0))
}

/// What one run found.
struct Report([(&'static str, Figures); 2]);

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [(first, sqlite), (second, postgres)] = &self.0;
        let mut row = |name: &str, figure: &dyn Fn(&Figures) -> String| {
            writeln!(formatter, "{name:<48} {:>12} {:>12}", figure(sqlite), figure(postgres))
        };
        let due = median(&sqlite.due_in_a_minute).unwrap_or_default();
        row("a look at the schedules, none due", &|it| millis(median(&it.idle)))?;
        row(&format!("a look, {due} due"), &|it| millis(median(&it.minute)))?;
        row("a look, 500 due", &|it| millis(median(&it.full)))?;
        row("the slowest look", &|it| millis(it.full.iter().chain(&it.minute).chain(&it.idle).max().copied()))?;
        row("all 25,000 due at once, until queued", &|it| millis(Some(it.all)))?;
        row("8 workers: jobs claimed and ended, per second", &|it| format!("{:.0}", it.claimed_and_ended))?;
        row("8 workers: jobs through every state, per second", &|it| format!("{:.0}", it.completed))?;
        writeln!(formatter, "\ncolumns: {first}, {second}; medians")?;
        writeln!(
            formatter,
            "bars: a look <= 1 s, its cost follows what is due; >= 500 jobs/s on Postgres, none lost or twice"
        )
    }
}
