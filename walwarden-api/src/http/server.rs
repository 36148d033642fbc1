//! Connections: HTTP/1.1 and HTTP/2 with prior knowledge on one port, from the first byte to the last answer.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at a time. Further ones wait in the operating system's queue.
const CONNECTIONS: usize = 4096;
/// How long a caller may take to send the headers of a request.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// How many bytes of headers are read. More than what is accepted, so that the refusal is one of ours and not the bare
/// status that the protocol's implementation answers with.
const READ_BYTES: u32 = 64 * 1024;
/// How many headers are read, for the same reason.
const READ_HEADERS: usize = 256;
/// Requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// How often an HTTP/2 connection is asked whether its other end is still there, and how long that may take to answer.
const PING: Duration = Duration::from_secs(20);
/// How long accepting rests when the process has no file descriptors left.
const REST: Duration = Duration::from_millis(100);

/// Answers requests until `shutdown`; then those under way are answered, and connections closed as they become idle.
///
/// Dropping the future closes whatever is still open.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    serve_within(listener, router, shutdown, HEADER_TIME).await;
}

pub(super) async fn serve_within(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    header_time: Duration,
) {
    let builder = Arc::new(builder(header_time));
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, permit) = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &free) => accepted,
        };
        let (builder, router, shutdown) = (Arc::clone(&builder), router.clone(), shutdown.clone());
        connections.spawn(async move {
            converse(stream, &builder, router, shutdown, header_time).await;
            drop(permit);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

fn builder(header_time: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_time)
        .max_buf_size(READ_BYTES as usize)
        .max_headers(READ_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(READ_BYTES)
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = Arc::clone(free).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// Whether accepting failed because the caller is gone already.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

async fn converse(
    stream: TcpStream,
    builder: &Builder<TokioExecutor>,
    router: Router,
    shutdown: CancellationToken,
    header_time: Duration,
) {
    // Small answers go at once. Where that cannot be set they go a little later.
    let _ = stream.set_nodelay(true);
    let began = Arc::new(Notify::new());
    let (seen, router) = (Arc::clone(&began), TowerToHyperService::new(router));
    let service = service_fn(move |request: Request<Incoming>| {
        seen.notify_one();
        router.call(request)
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    // Which protocol it is shows in the first bytes, and the protocols' own time limits begin after them.
    let mut silence = pin!(tokio::time::timeout(header_time, began.notified()));
    let mut spoke = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection failed");
                }
                return;
            }
            () = shutdown.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            heard = &mut silence, if !spoke => match heard {
                Ok(()) => spoke = true,
                Err(_) => return,
            },
        }
    }
}
