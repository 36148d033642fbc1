//! A running `walwarden-api serve`, and talking HTTP to it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::flags;
use crate::conformance::{ConformanceProxy, Violations};
use crate::process::{Output, Running, signal_descendants, state, tails};
use crate::runtime::block_on;
use crate::wait::wait_for;

/// How long a started server may take until it is ready, and a stopped one until it is gone.
const LIFECYCLE_DEADLINE: Duration = Duration::from_secs(30);

/// A running `walwarden-api serve`. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    process: Running,
    address: SocketAddr,
    /// Where clients find it: its own URL, or that of what checks its answers.
    base: String,
    _conformance: Option<ConformanceProxy>,
}

impl Server {
    /// With `violations`, every answer to its clients is held against the API description.
    pub(super) fn new(process: Running, port: u16, violations: Option<&Violations>) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let proxy = violations.map(|violations| ConformanceProxy::start(address, violations.clone())).transpose()?;
        let base = proxy.as_ref().map_or_else(|| format!("http://{address}"), ConformanceProxy::url);
        Ok(Self { process, address, base, _conformance: proxy })
    }

    pub(super) fn wait_ready(&mut self) -> Result<()> {
        let http = http_client()?;
        let url = format!("http://{}{}", self.address, flags::READY_PATH);
        let ready = wait_for("walwarden-api to be ready", LIFECYCLE_DEADLINE, || {
            if let Some(status) = self.process.try_status()? {
                return Ok(Some(Err(status)));
            }
            let answer = block_on(async { http.get(&url).send().await })?;
            Ok(answer.status().is_success().then_some(Ok(())))
        });
        match ready {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => bail!("walwarden-api ended with {status}\n{}", self.tails()),
            Err(error) => Err(error.context(self.tails())),
        }
    }

    fn tails(&self) -> String {
        tails(&[self.process.stdout_path().to_path_buf(), self.process.stderr_path().to_path_buf()])
    }

    /// Where it listens itself: for what measures it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// All it has logged.
    pub fn log_text(&self) -> Result<String> {
        let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let mut log = read(self.process.stdout_path())?;
        log.extend(read(self.process.stderr_path())?);
        Ok(String::from_utf8_lossy(&log).into_owned())
    }

    /// One HTTP request to it, as `curl` would send it.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&serde_json::Value>,
    ) -> Result<Answer> {
        let http = http_client()?;
        let mut request = http.request(method.parse()?, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        block_on(async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers =
                answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
            Ok(Answer { status, headers, body: answer.bytes().await?.to_vec() })
        })
    }

    /// Sends SIGTERM and waits for the end, which must be exit code 0.
    pub fn stop(mut self) -> Result<Output> {
        self.process.signal(Signal::TERM)?;
        self.process.wait(LIFECYCLE_DEADLINE)?.success()
    }

    /// Kills it as a crash would: no destructor runs.
    pub fn kill9(mut self) -> Result<()> {
        self.process.kill9()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// Lets every write beyond so many bytes of a file fail, as on a full disk, or none again.
    pub fn limit_file_size(&self, bytes: Option<u64>) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid())?);
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None })?;
        Ok(())
    }

    /// Waits until it has killed itself, at a failpoint.
    pub fn wait_killed(mut self, deadline: Duration) -> Result<()> {
        let status = wait_for("walwarden-api to be killed", deadline, || self.process.try_status())?;
        ensure!(status.signal() == Some(Signal::KILL.as_raw()), "it ended with {status}\n{}", self.tails());
        Ok(())
    }

    /// Waits until it has stopped itself, at a failpoint: it lives and does nothing.
    pub fn wait_paused(&self, deadline: Duration) -> Result<()> {
        wait_for("walwarden-api to be stopped", deadline, || Ok((state(self.pid()) == Some('T')).then_some(())))
    }

    /// Kills every `pg_dump` it runs, and returns how many there were.
    pub fn kill_pg_dump(&self) -> Result<usize> {
        signal_descendants(self.pid(), "pg_dump", Signal::KILL)
    }
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| {
            format!("{} with a body that is not JSON: {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP client for talking to a server directly: no proxy, no redirects, ten seconds.
pub fn http_client() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    Ok(builder.timeout(Duration::from_secs(10)).build()?)
}
