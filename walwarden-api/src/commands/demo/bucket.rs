//! An S3 endpoint inside of this process, on a directory. Nothing in it is immutable: for trying only.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use async_trait::async_trait;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::{SecretKey, SimpleAuth};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, PutObjectInput, PutObjectOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result};
use s3s_fs::FileSystem;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::secrets::Credentials;

/// The bucket that the endpoint has from the start.
pub(crate) const BUCKET: &str = "demo";

/// The directory, without the `org/<orgId>/` that every key begins with: file names are limited to 255 bytes, and the
/// names that `FileSystem` makes of keys are longer than the keys.
#[derive(Debug)]
struct Shortened(FileSystem);

fn shorten(key: &mut String) {
    if let Some((_, rest)) = key.strip_prefix("org/").and_then(|rest| rest.split_once('/')) {
        *key = rest.to_owned();
    }
}

/// The operations that preflight, a backup and a restore need; the rest answers `NotImplemented`.
macro_rules! shortened {
    ($($operation:ident: $input:ident => $output:ident;)*) => {
        #[async_trait]
        impl S3 for Shortened {
            $(async fn $operation(&self, mut request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                shorten(&mut request.input.key);
                self.0.$operation(request).await
            })*
        }
    };
}

shortened! {
    head_object: HeadObjectInput => HeadObjectOutput;
    get_object: GetObjectInput => GetObjectOutput;
    put_object: PutObjectInput => PutObjectOutput;
    delete_object: DeleteObjectInput => DeleteObjectOutput;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput;
    upload_part: UploadPartInput => UploadPartOutput;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput;
}

/// Serves the directory on 127.0.0.1 until `stop`.
pub(crate) async fn serve(
    directory: &Path,
    credentials: &Credentials,
    stop: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    std::fs::create_dir_all(directory.join(BUCKET)).context("cannot create the bucket's directory")?;
    let files = FileSystem::new(directory).map_err(|error| anyhow::anyhow!("cannot serve the bucket: {error:?}"))?;
    let mut service = S3ServiceBuilder::new(Shortened(files));
    let secret = SecretKey::from(credentials.secret_access_key.expose_secret());
    service.set_auth(SimpleAuth::from_single(&credentials.access_key_id, secret));
    let service = service.build();

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            let connection = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            let Ok((connection, _)) = connection else { continue };
            let service = service.clone();
            tokio::spawn(async move {
                let served = Builder::new(TokioExecutor::new());
                let _ = served.serve_connection(TokioIo::new(connection), service).await;
            });
        }
    });
    Ok(address)
}
