//! What must be known before a dump begins: server, tool, codec and part size.

use std::io;
use std::time::Duration;

use walwarden_contract::ErrorCode;
use walwarden_sdk::postgres::{
    Ambient, CodecSupport, Dsn, LibpqEnv, ServerInfo, ToolName, ToolVersion, Tools, server_info,
};

use super::{BackupError, Codec};

const MIB: u64 = 1 << 20;
/// The part size that suits most: large enough for throughput, small enough to have several in flight.
const USUAL_PART: u64 = 16 * MIB;
/// How much longer a dump may be than the database on disk: text forms of binary data take up to twice the space.
const EXPANSION: u64 = 2;
/// How long a control query may take.
const QUERY_DEADLINE: Duration = Duration::from_mins(1);

/// What a provider asks of the parts of an upload. All parts but the last are of one size, whatever it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRules {
    /// The smallest part that is not the last, in bytes.
    pub smallest: u64,
    /// The largest part, in bytes.
    pub largest: u64,
    /// How many parts an upload may have.
    pub most: u64,
}

impl PartRules {
    /// Amazon's own, which nearly all of them follow.
    pub const USUAL: Self = Self { smallest: 5 * MIB, largest: 5 << 30, most: 10_000 };
}

/// What one backup may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of parts in memory, being filled and being sent.
    pub part_memory_bytes: u64,
    /// How long `pg_dump` waits for a table's lock.
    pub lock_wait: Duration,
}

/// A source that can be dumped.
pub struct Prepared {
    /// The connection; holds the passfile.
    pub connection: LibpqEnv,
    /// The server.
    pub server: ServerInfo,
    /// The tool.
    pub pg_dump: ToolVersion,
    /// What it will compress with.
    pub codec: Codec,
    /// The length of every part but the last.
    pub part_size_bytes: u64,
    /// How many parts may be on their way at once, beside the one being filled.
    pub parts_in_flight: usize,
    /// How many parts the provider takes.
    pub most_parts: u64,
    /// How long `pg_dump` waits for a table's lock.
    pub lock_wait: Duration,
}

/// Looks at the source and the tools, before anything is started or written.
///
/// # Errors
/// A [`BackupError`] that says why no dump could come of it.
pub async fn prepare(
    tools: &Tools,
    dsn: &Dsn,
    codec: Codec,
    limits: Limits,
    rules: PartRules,
) -> Result<Prepared, BackupError> {
    // The worker's own PG* variables are not the source's business.
    let connection = dsn
        .libpq_env(None, &Ambient::default())
        .map_err(|error| BackupError::new(code_of_io(&error), format!("cannot write a passfile: {error}")))?;
    let pg_dump = tools.version(ToolName::PgDump).await?;
    if let Some(advisory) = pg_dump.advisory() {
        tracing::warn!(pg_dump = %pg_dump, "this pg_dump has known vulnerabilities: {advisory}");
    }
    let server = server_info(tools, &connection, QUERY_DEADLINE).await?;
    if pg_dump.major < server.major() {
        return Err(BackupError::new(
            ErrorCode::SourceVersionUnsupported,
            format!("pg_dump is {pg_dump} and the server is {}; nothing was dumped", server.version_text),
        ));
    }
    let codec = codec.resolve(support(tools, &pg_dump).await?)?;
    let (part_size_bytes, parts_in_flight) = part_plan(server.size_bytes, limits.part_memory_bytes, rules)?;
    let (most_parts, lock_wait) = (rules.most, limits.lock_wait);
    Ok(Prepared { connection, server, pg_dump, codec, part_size_bytes, parts_in_flight, most_parts, lock_wait })
}

fn code_of_io(error: &io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::WorkerDiskFull,
        _ => ErrorCode::InternalError,
    }
}

/// Versions before 16 know zlib only; for later ones the build must be asked.
async fn support(tools: &Tools, pg_dump: &ToolVersion) -> Result<CodecSupport, BackupError> {
    if pg_dump.major < 16 {
        return Ok(CodecSupport { gzip: true, lz4: false, zstd: false });
    }
    Ok(tools.codec_support().await?)
}

/// One part size for the whole upload, chosen so that as many parts suffice as the provider takes, and how many fit the memory
/// beside it.
pub(in crate::engine) fn part_plan(
    database_size: u64,
    memory: u64,
    rules: PartRules,
) -> Result<(u64, usize), BackupError> {
    let needed = database_size.saturating_mul(EXPANSION).div_ceil(rules.most).next_multiple_of(MIB);
    let part = needed.max(USUAL_PART.min(memory / 2)).max(rules.smallest);
    let in_flight = (memory / part).saturating_sub(1);
    if part > rules.largest {
        return Err(BackupError::new(
            ErrorCode::ArtifactTooLarge,
            format!(
                "a database of {} GiB needs parts of {} MiB, and the provider takes none of more than {} MiB, whatever the memory; nothing was dumped",
                database_size >> 30,
                part / MIB,
                rules.largest / MIB
            ),
        ));
    }
    if in_flight == 0 {
        return Err(BackupError::new(
            ErrorCode::ArtifactTooLarge,
            format!(
                "a database of {} GiB needs parts of {} MiB, and two of them do not fit into {} MiB; nothing was dumped",
                database_size >> 30,
                part / MIB,
                memory / MIB
            ),
        ));
    }
    Ok((part, usize::try_from(in_flight).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_usual_database_has_eight_parts_of_16_mib_in_memory() {
        assert_eq!(part_plan(50 << 30, 128 * MIB, PartRules::USUAL).ok(), Some((16 * MIB, 7)));
    }

    #[test]
    fn a_budget_that_cannot_hold_two_parts_is_refused() {
        assert_eq!(
            part_plan(100 << 40, 128 * MIB, PartRules::USUAL).map_err(|error| error.code),
            Err(ErrorCode::ArtifactTooLarge)
        );
    }

    #[test]
    fn what_a_provider_does_not_take_is_refused_before_the_dump() {
        let rules = PartRules { smallest: 20 * MIB, largest: 64 * MIB, most: 1000 };
        assert_eq!(part_plan(1, 40 * MIB, rules).ok(), Some((20 * MIB, 1)), "not below the smallest");
        assert_eq!(
            part_plan(20 << 30, 1 << 30, rules).ok().map(|(part, _)| part),
            Some(41 * MIB),
            "few parts are large"
        );
        assert_eq!(part_plan(40 << 30, 8 << 30, rules).map_err(|error| error.code), Err(ErrorCode::ArtifactTooLarge));
    }

    proptest! {
        #[test]
        fn parts_suffice_and_fit(size in 0_u64..(1 << 50), memory in (10 * MIB)..(8 << 30)) {
            if let Ok((part, in_flight)) = part_plan(size, memory, PartRules::USUAL) {
                prop_assert!(part >= PartRules::USUAL.smallest);
                prop_assert!(part * PartRules::USUAL.most >= size.saturating_mul(EXPANSION));
                prop_assert!(part * (in_flight as u64 + 1) <= memory);
            }
        }
    }
}
