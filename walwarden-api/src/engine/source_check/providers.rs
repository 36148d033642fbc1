//! Who runs a server, and which of its names are poolers: told by host names, and by what the server says of itself.

use walwarden_contract::model::SourceProvider;
use walwarden_sdk::postgres::{Dsn, Host};

/// The port of Supabase's transaction pooler; its session pooler listens on the usual one.
const SUPABASE_TRANSACTIONS: u16 = 6543;

fn lower(host: &Host) -> String {
    host.name.trim_end_matches('.').to_ascii_lowercase()
}

fn is_supabase(name: &str) -> bool {
    name.ends_with(".supabase.co") || name.ends_with(".supabase.com")
}

/// Who runs the first of these hosts that tells.
pub(super) fn of_hosts(dsn: &Dsn) -> SourceProvider {
    let told = dsn.hosts().iter().map(|host| {
        let name = lower(host);
        let amazon = name.ends_with(".rds.amazonaws.com") || name.ends_with(".rds.amazonaws.com.cn");
        if name.ends_with(".neon.tech") {
            SourceProvider::Neon
        } else if is_supabase(&name) {
            SourceProvider::Supabase
        } else if amazon && name.contains(".cluster-") {
            SourceProvider::Aurora
        } else if amazon {
            SourceProvider::Rds
        } else {
            SourceProvider::Postgres
        }
    });
    told.into_iter().find(|provider| *provider != SourceProvider::Postgres).unwrap_or(SourceProvider::Postgres)
}

/// Who runs a server with these traits.
pub(super) fn of_traits(traits: &[String]) -> SourceProvider {
    let has = |name: &str| traits.iter().any(|it| it == name);
    if has("aurora_version") {
        SourceProvider::Aurora
    } else if has("rds_superuser") {
        SourceProvider::Rds
    } else if has("neon_superuser") {
        SourceProvider::Neon
    } else if has("supabase_admin") {
        SourceProvider::Supabase
    } else {
        SourceProvider::Postgres
    }
}

/// How a provider is called.
pub(super) const fn name_of(provider: SourceProvider) -> &'static str {
    match provider {
        SourceProvider::Neon => "Neon",
        SourceProvider::Supabase => "Supabase",
        SourceProvider::Rds => "Amazon RDS",
        SourceProvider::Aurora => "Amazon Aurora",
        SourceProvider::Postgres => "nothing tells of a provider",
    }
}

/// Of each host that is a transaction pooler by its name: the host, and what to name in its place.
#[must_use]
pub fn direct_hosts(dsn: &Dsn) -> Vec<(String, String)> {
    let direct = |host: &Host| {
        let name = lower(host);
        let (label, rest) = name.split_once('.').unwrap_or((&name, ""));
        if name.ends_with(".neon.tech")
            && let Some(label) = label.strip_suffix("-pooler")
        {
            return Some((name.clone(), format!("{label}.{rest}")));
        }
        let pooled = is_supabase(&name) && host.port == Some(SUPABASE_TRANSACTIONS);
        pooled.then(|| (format!("{name}:{SUPABASE_TRANSACTIONS}"), format!("{name}:5432")))
    };
    dsn.hosts().iter().filter_map(direct).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dsn(host: &str) -> Dsn {
        Dsn::parse(&format!("postgresql://u:p@{host}/shop")).expect("a connection string")
    }

    #[test]
    fn transaction_poolers_are_told_from_servers_and_session_poolers_and_the_server_is_named() {
        for (host, direct) in [
            ("ep-cool-1-pooler.eu-central-1.aws.neon.tech", Some("ep-cool-1.eu-central-1.aws.neon.tech")),
            ("EP-COOL-1-POOLER.eu-central-1.aws.neon.tech:5432", Some("ep-cool-1.eu-central-1.aws.neon.tech")),
            ("ep-cool-1-pooler.eu-central-1.aws.neon.tech.", Some("ep-cool-1.eu-central-1.aws.neon.tech")),
            ("ep-cool-1.eu-central-1.aws.neon.tech", None),
            ("aws-0-eu-central-1.pooler.supabase.com:6543", Some("aws-0-eu-central-1.pooler.supabase.com:5432")),
            ("db.abc.supabase.co:6543", Some("db.abc.supabase.co:5432")),
            ("aws-0-eu-central-1.pooler.supabase.com:5432", None),
            ("aws-0-eu-central-1.pooler.supabase.com", None),
            ("my-pooler.example.com:6543", None),
            ("db1,ep-a-pooler.x.neon.tech", Some("ep-a.x.neon.tech")),
        ] {
            let found = direct_hosts(&dsn(host)).into_iter().next().map(|(_, direct)| direct);
            assert_eq!(found.as_deref(), direct, "{host}");
        }
    }

    #[test]
    fn providers_are_told_by_their_hosts() {
        use SourceProvider::{Aurora, Neon, Postgres, Rds, Supabase};
        for (host, provider) in [
            ("ep-cool-1.eu-central-1.aws.neon.tech", Neon),
            ("db.abc.supabase.co", Supabase),
            ("aws-0-eu-central-1.pooler.supabase.com", Supabase),
            ("shop.c9akciq32.eu-central-1.rds.amazonaws.com", Rds),
            ("shop.cluster-c9akciq32.eu-central-1.rds.amazonaws.com", Aurora),
            ("shop.cluster-ro-c9akciq32.cn-north-1.rds.amazonaws.com.cn", Aurora),
            ("neon.tech.example.com", Postgres),
            ("evil-neon.tech", Postgres),
            ("10.0.0.7", Postgres),
            ("db1,shop.c9akciq32.eu-central-1.rds.amazonaws.com", Rds),
        ] {
            assert_eq!(of_hosts(&dsn(host)), provider, "{host}");
        }
    }

    #[test]
    fn providers_are_told_by_what_only_they_have() {
        let traits = |names: &[&str]| of_traits(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(traits(&["rds_superuser", "aurora_version"]), SourceProvider::Aurora);
        assert_eq!(traits(&["rds_superuser"]), SourceProvider::Rds);
        assert_eq!(traits(&["neon_superuser"]), SourceProvider::Neon);
        assert_eq!(traits(&["supabase_admin"]), SourceProvider::Supabase);
        assert_eq!(traits(&[]), SourceProvider::Postgres);
    }
}
