//! The shared S3 server (SeaweedFS): one per run, a bucket for each test.

mod bucket;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation};

pub use self::bucket::{Bucket, Retention, StoredObject, Upload};
use crate::canary::{Canaries, random_hex};
use crate::paths;
use crate::process::{Run, Running, tails};
use crate::runtime::block_on;
use crate::wait::wait_for;

/// The region the server answers to.
pub const REGION: &str = "us-east-1";

/// A key of the server's key management.
pub const KMS_KEY: &str = "walwarden-tests";

/// What a destination's key needs: objects, and the locks on them.
const WRITER: &[&str] =
    &["Read", "Write", "List", "GetObjectRetention", "PutObjectRetention", "GetBucketObjectLockConfiguration"];

/// A running S3 server.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    access_key: String,
    secret_key: String,
    writer_access_key: String,
    writer_secret_key: String,
    client: Client,
    process: Running,
}

impl S3Server {
    /// Starts a server: data below `data`, log below `logs`. Its secret keys become canaries.
    pub fn start(data: &Path, logs: &Path, canaries: &Canaries) -> Result<Self> {
        let weed = paths::weed()?;
        let access_key = format!("AK{}", random_hex(9).to_uppercase());
        let secret_key = canaries.secret_key("the S3 secret key");
        let writer_access_key = format!("AK{}", random_hex(9).to_uppercase());
        let writer_secret_key = canaries.secret_key("the S3 writer's secret key");
        // The ports are free now and may be taken a moment later: then the server ends, and others are tried.
        let mut last = None;
        for _ in 0..5 {
            let directory = data.join(format!("seaweedfs-{}", random_hex(3)));
            fs::create_dir_all(&directory)?;
            let identity = |name: &str, access_key: &str, secret_key: &str, actions: &[&str]| {
                let credentials = [serde_json::json!({"accessKey": access_key, "secretKey": secret_key})];
                serde_json::json!({"name": name, "credentials": credentials, "actions": actions})
            };
            let identities = serde_json::json!({"identities": [
                identity("tests", &access_key, &secret_key, &["Admin", "Read", "Write", "List", "Tagging"]),
                identity("writer", &writer_access_key, &writer_secret_key, WRITER),
            ],
            // Keys of the server's own key management, made when they are first named.
            "kms": {"default_provider": "local", "providers": {"local": {"type": "local", "enableOnDemandCreate": true}}}});
            fs::write(directory.join("s3.json"), identities.to_string())?;
            let [master, volume, filer, s3] = free_ports()?;
            let mut process = Run::new(&weed, &directory, logs)
                // Without a key to wrap keys with, the server refuses whatever asks for SSE-S3.
                .env("WEED_S3_SSE_KEK", random_hex(32))
                .args(["server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"])
                .args(["-master.volumeSizeLimitMB=1024", "-volume.max=2000", "-filer", "-s3", "-s3.config=s3.json"])
                // Fixed default ports of services nobody here uses.
                .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
                .args([format!("-master.port={master}"), format!("-volume.port={volume}")])
                .args([format!("-filer.port={filer}"), format!("-s3.port={s3}")])
                .spawn()?;
            let address = SocketAddr::from(([127, 0, 0, 1], s3));
            match wait_ready(&mut process, address) {
                Ok(()) => {
                    let client = client(&format!("http://{address}"), &access_key, &secret_key);
                    return Ok(Self {
                        address,
                        access_key,
                        secret_key,
                        writer_access_key,
                        writer_secret_key,
                        client,
                        process,
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("five tries leave an error")?).context("SeaweedFS does not start")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its endpoint URL.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The access key that may do everything.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// Its secret, a canary.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The access key that reads, writes and lists objects and nothing more: what a destination should have. To one that may
    /// do everything this server does not even say that a bucket is missing, it creates it.
    #[must_use]
    pub fn writer_access_key(&self) -> &str {
        &self.writer_access_key
    }

    /// Its secret, a canary.
    #[must_use]
    pub fn writer_secret_key(&self) -> &str {
        &self.writer_secret_key
    }

    /// The server's log.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.process.stderr_path()
    }

    /// A client for the server itself.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client with the same keys for another endpoint, such as a [`FaultProxy`](crate::fault_proxy::FaultProxy).
    #[must_use]
    pub fn client_at(&self, endpoint: &str) -> Client {
        client(endpoint, &self.access_key, &self.secret_key)
    }

    /// A bucket with the rights of a destination's key instead of the administrator's.
    #[must_use]
    pub fn as_writer(&self, bucket: &Bucket) -> Bucket {
        let client = client(&self.endpoint(), &self.writer_access_key, &self.writer_secret_key);
        Bucket::new(bucket.name().to_owned(), client)
    }

    /// An empty bucket with a name of its own. With `object_lock` it is versioned and can hold retention; it has no default retention.
    pub fn create_bucket(&self, object_lock: bool) -> Result<Bucket> {
        let name = format!("t-{}", random_hex(6));
        block_on(self.client.create_bucket().bucket(&name).object_lock_enabled_for_bucket(object_lock).send())
            .with_context(|| format!("cannot create bucket {name}"))?;
        Ok(Bucket::new(name, self.client.clone()))
    }
}

fn client(endpoint: &str, access_key: &str, secret_key: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "walwarden-tests"))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(config)
}

/// Unsigned requests answer 403 once the whole server is up.
fn wait_ready(process: &mut Running, address: SocketAddr) -> Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
    wait_for("the S3 server to answer", Duration::from_mins(1), || {
        if let Some(status) = process.try_status()? {
            return Ok(Some(Err(status)));
        }
        let answer = block_on(async { http.get(format!("http://{address}/")).send().await })?;
        Ok((answer.status() == 403).then_some(Ok(())))
    })?
    .map_err(|status| anyhow::anyhow!("weed: {status}\n{}", tails(&[process.stderr_path().to_path_buf()])))
}

/// Free ports whose neighbours 10,000 higher are free as well: the server takes those for gRPC.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    const GRPC_OFFSET: u16 = 10_000;
    let mut ports = [0; N];
    // Held until all are found, so that none is found twice.
    let mut held = Vec::new();
    let mut found = 0;
    for _ in 0..1000 {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let grpc = port.checked_add(GRPC_OFFSET).map(|grpc| TcpListener::bind(("127.0.0.1", grpc)));
        held.push(listener);
        if let Some(Ok(grpc)) = grpc {
            held.push(grpc);
            ports[found] = port;
            found += 1;
            if found == N {
                return Ok(ports);
            }
        }
    }
    anyhow::bail!("found only {found} free pairs of ports")
}
