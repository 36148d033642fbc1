//! A server certificate, signed by itself, for tests of TLS.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::process::geteuid;

use super::{PostgresServer, SERVER_USER, give};
use crate::process::Run;
use crate::wait::wait_for;

impl PostgresServer {
    /// Makes the server offer TLS under the name 127.0.0.1, and returns the certificate that clients have to trust.
    pub fn enable_tls(&self) -> Result<PathBuf> {
        let data = self.directory.join("data");
        let (key, certificate) = (data.join("server.key"), data.join("server.crt"));
        make_certificate(&self.directory, &key, &certificate)?;
        let user = geteuid().is_root().then_some(SERVER_USER);
        give(&key, user)?;
        give(&certificate, user)?;
        self.psql("postgres", "ALTER SYSTEM SET ssl = on")?;
        self.psql("postgres", "SELECT pg_reload_conf()")?;
        wait_for("Postgres to offer TLS", Duration::from_secs(10), || {
            Ok((self.psql("postgres", "SHOW ssl")? == "on").then_some(()))
        })?;
        Ok(certificate)
    }
}

/// Makes a key and a certificate for 127.0.0.1 that it signs itself.
pub fn make_certificate(directory: &Path, key: &Path, certificate: &Path) -> Result<()> {
    Run::new("/usr/bin/openssl", directory, directory)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .output()?
        .success()
        .map(drop)
}
