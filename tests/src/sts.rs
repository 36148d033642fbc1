//! A scripted stand-in for AWS STS: it hands out sessions that the S3 server knows, asks for the external id, and refuses on demand.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::runtime::{block_on, lock, spawn};

/// An access key and its secret.
pub type Key = (String, String);

/// What it does.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The keys of the sessions, one after the other and over again.
    pub keys: Vec<Key>,
    /// How long a session lasts, in seconds.
    pub seconds: i64,
    /// What has to be named; without it, nothing need be.
    pub external_id: Option<String>,
    /// The next so many requests get this status and code.
    pub refused: Option<(usize, u16, &'static str)>,
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    asked: Mutex<Vec<Option<String>>>,
}

/// A running stand-in. Dropped, it closes its port.
#[derive(Debug)]
pub struct StsStandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

impl StsStandIn {
    /// Starts it on a free port of 127.0.0.1.
    pub fn start(script: Script) -> Result<Self> {
        let listener = block_on(TcpListener::bind(("127.0.0.1", 0))).context("cannot listen for the STS stand-in")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { script: Mutex::new(script), ..Shared::default() });
        let listener = spawn({
            let shared = Arc::clone(&shared);
            async move {
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move { serve(client, &shared).await });
                    while connections.try_join_next().is_some() {}
                }
            }
        });
        Ok(Self { address, shared, listener })
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what it does.
    pub fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.shared.script));
    }

    /// The external id of every request up to now.
    #[must_use]
    pub fn asked(&self) -> Vec<Option<String>> {
        lock(&self.shared.asked).clone()
    }
}

impl Drop for StsStandIn {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn serve(client: TcpStream, shared: &Shared) -> Result<()> {
    let mut client = BufReader::new(client);
    let mut length = 0;
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await?;
    let form: HashMap<String, String> = String::from_utf8(body)?
        .split('&')
        .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    let (status, answer) = answer(shared, form.get("ExternalId"));
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    client.write_all(head.as_bytes()).await?;
    client.write_all(answer.as_bytes()).await?;
    Ok(client.flush().await?)
}

fn answer(shared: &Shared, external_id: Option<&String>) -> (u16, String) {
    let mut script = lock(&shared.script);
    let count = {
        let mut asked = lock(&shared.asked);
        asked.push(external_id.cloned());
        asked.len()
    };
    if let Some((left, status, code)) = script.refused.take_if(|(left, ..)| *left > 0) {
        script.refused = Some((left - 1, status, code));
        return refusal(status, code);
    }
    if script.external_id.is_some() && script.external_id.as_ref() != external_id {
        return refusal(403, "AccessDenied");
    }
    let (access_key, secret_key) = &script.keys[count % script.keys.len()];
    #[expect(clippy::disallowed_methods, reason = "the sessions of real clients end by the real clock")]
    let end = Timestamp::now() + SignedDuration::from_secs(script.seconds);
    let end = end.strftime("%Y-%m-%dT%H:%M:%SZ");
    let session = format!(
        "<Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{secret_key}</SecretAccessKey><SessionToken></SessionToken><Expiration>{end}</Expiration></Credentials>"
    );
    let xmlns = "https://sts.amazonaws.com/doc/2011-06-15/";
    let result = format!("<AssumeRoleResult>{session}</AssumeRoleResult>");
    (200, format!("<AssumeRoleResponse xmlns=\"{xmlns}\">{result}</AssumeRoleResponse>"))
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    let error =
        format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>refused by the stand-in</Message></Error>");
    (status, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}
