//! The unprivileged account a server runs as when this process is root, which Postgres refuses to be.

use std::io;
use std::path::{Path, PathBuf};

use super::{ClusterError, Spawn};

/// Who runs the server.
pub(super) enum Account {
    /// This process is not root: the same user.
    Own,
    /// Another account, reached through `setpriv` or `runuser`.
    Other { name: String, user: u32, group: u32, through: Through },
}

/// Programs which start another one as somebody else, by replacing themselves with it.
pub(super) enum Through {
    SetPriv(PathBuf),
    RunUser(PathBuf),
}

impl Account {
    pub(super) fn choose(wanted: Option<&str>) -> Result<Self, ClusterError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let candidates: &[&str] = match &wanted {
            Some(name) => std::slice::from_ref(name),
            None => &["postgres", "nobody"],
        };
        let (name, user, group) = candidates.iter().find_map(|name| find(&accounts, name)).ok_or_else(|| {
            ClusterError::NoAccount { reason: format!("none of the accounts {} exists", candidates.join(", ")) }
        })?;
        let through = on_system("setpriv").map(Through::SetPriv).or_else(|| on_system("runuser").map(Through::RunUser));
        let through = through
            .ok_or_else(|| ClusterError::NoAccount { reason: "neither setpriv nor runuser is installed".to_owned() })?;
        Ok(Self::Other { name, user, group, through })
    }

    /// Gives a file or directory to the account.
    pub(super) fn own(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { user, group, .. } => std::os::unix::fs::chown(path, Some(*user), Some(*group)),
        }
    }

    /// Describes a run of `program` as this account.
    pub(super) fn spawn(&self, program: &Path, die_with_parent: bool) -> Spawn {
        match self {
            Self::Own => match on_system("setpriv").filter(|_| die_with_parent) {
                Some(setpriv) => Spawn::new(&setpriv).args(["--pdeathsig", "TERM", "--"]).arg(program),
                None => Spawn::new(program),
            },
            Self::Other { user, group, through: Through::SetPriv(setpriv), .. } => {
                let spawn = Spawn::new(setpriv).arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
                let spawn = spawn.args(["--clear-groups", "--no-new-privs"]);
                let spawn = if die_with_parent { spawn.args(["--pdeathsig", "TERM"]) } else { spawn };
                spawn.arg("--").arg(program)
            }
            Self::Other { name, through: Through::RunUser(runuser), .. } => {
                Spawn::new(runuser).arg("-u").arg(name).arg("--").arg(program)
            }
        }
    }
}

fn on_system(program: &str) -> Option<PathBuf> {
    let directories = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    directories.iter().map(|directory| Path::new(directory).join(program)).find(|path| path.is_file())
}

/// Finds an account in the text of `/etc/passwd`.
fn find(accounts: &str, wanted: &str) -> Option<(String, u32, u32)> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| *name == wanted)?;
        let user = fields.nth(1)?.parse().ok().filter(|user| *user != 0)?;
        let group = fields.next()?.parse().ok()?;
        Some((name.to_owned(), user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_exact_name_and_never_root() {
        let accounts = "root:x:0:0::/root:/bin/sh\npostgresql:x:7:7::/:/x\npostgres:x:101:104::/var:/bin/bash\n";
        assert_eq!(find(accounts, "postgres"), Some(("postgres".to_owned(), 101, 104)));
        assert_eq!(find(accounts, "root"), None);
        assert_eq!(find(accounts, "nobody"), None);
    }
}
