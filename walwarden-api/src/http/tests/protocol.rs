//! What goes over the wire: both protocols, slow callers, large headers, and the way out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fixture::Fixture;
use crate::http::router::wrap;
use crate::http::server::serve_within;

const PATIENT: Duration = Duration::from_secs(30);

struct Served {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
}

async fn serve(router: Router, header_time: Duration) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let (address, shutdown) = (listener.local_addr().expect("bound"), CancellationToken::new());
    let ended = tokio::spawn(serve_within(listener, router, shutdown.clone(), header_time));
    Served { address, shutdown, ended }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connects")
    }

    /// Sends text and reads until the server closes.
    async fn say(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.expect("writes");
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    // A server that refuses may close while it is still being talked to.
    let _ = tokio::time::timeout(PATIENT, stream.read_to_end(&mut heard)).await.expect("the server closes");
    String::from_utf8_lossy(&heard).into_owned()
}

fn problem(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
}

async fn over_http2(served: &Served, request: Request<Body>) -> (StatusCode, String) {
    let io = TokioIo::new(served.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.expect("shakes hands");
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.expect("answers");
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(Body::new(body), 1 << 20).await.expect("a body");
    (parts.status, String::from_utf8(bytes.to_vec()).expect("text"))
}

#[tokio::test]
async fn both_protocols_are_spoken_on_one_port() {
    let fixture = Fixture::new().await;
    let served = serve(fixture.router.clone(), PATIENT).await;
    let one = served.say("GET /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert!(one.starts_with("HTTP/1.1 200 OK\r\n") && one.ends_with("{\"status\":\"ok\"}"), "{one}");
    let request = Request::get("http://h/healthz").body(Body::empty()).expect("a request");
    let two = over_http2(&served, request).await;
    assert_eq!(two, (StatusCode::OK, "{\"status\":\"ok\"}".to_owned()));
}

#[tokio::test]
async fn a_connection_is_kept_for_further_requests_and_head_has_no_body() {
    let fixture = Fixture::new().await;
    let served = serve(fixture.router.clone(), PATIENT).await;
    let heard = served
        .say("HEAD /healthz HTTP/1.1\r\nhost: h\r\n\r\nGET /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        .await;
    assert_eq!(heard.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{heard}");
    assert_eq!(heard.matches("content-length: 15\r\n").count(), 2, "{heard}");
    assert_eq!(heard.matches("{\"status\":\"ok\"}").count(), 1, "{heard}");
    let refused = served.say("HEAD /api/v1/profile HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    assert!(refused.starts_with("HTTP/1.1 401 ") && refused.ends_with("\r\n\r\n"), "{refused}");
}

#[tokio::test]
async fn large_headers_and_urls_are_refused_by_problems() {
    let fixture = Fixture::new().await;
    let served = serve(fixture.router.clone(), PATIENT).await;
    let get = async |target: &str, headers: &str| {
        served.say(&format!("GET {target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}\r\n")).await
    };
    let large = format!("x-large: {}\r\n", "x".repeat(20 * 1024));
    problem(&get("/healthz", &large).await, 431, "headers_too_large");
    let many = (0..200).fold(String::new(), |headers, index| headers + &format!("x-{index}: 1\r\n"));
    problem(&get("/healthz", &many).await, 431, "headers_too_large");
    problem(&get(&format!("/{}", "x".repeat(9 * 1024)), "").await, 400, "invalid_request");

    let request = Request::get("http://h/healthz").header("x-large", "x".repeat(20 * 1024));
    let (status, text) = over_http2(&served, request.body(Body::empty()).expect("a request")).await;
    assert!(status == 431 && text.contains("\"code\":\"headers_too_large\""), "{status} {text}");
}

#[tokio::test]
async fn who_sends_nothing_or_half_of_a_head_is_not_waited_for() {
    let fixture = Fixture::new().await;
    let served = serve(fixture.router.clone(), Duration::from_millis(50)).await;
    // The last one could become either protocol.
    for beginning in ["", "GET / HTTP/1.1\r\nhost: h\r\nx-slow", "PRI"] {
        let heard = served.say(beginning).await;
        assert!(!heard.contains(" 200 "), "{beginning}: {heard}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout_and_ends_the_connection() {
    async fn read(_: axum::body::Bytes) -> StatusCode {
        StatusCode::OK
    }
    let fixture = Fixture::new().await;
    let slow = Router::new().route("/slow", axum::routing::post(read));
    let served = serve(wrap(slow, fixture.state.clone(), Duration::from_millis(50)), PATIENT).await;
    let heard = served.say("POST /slow HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n{").await;
    problem(&heard, 504, "timeout");
}

#[tokio::test]
async fn requests_under_way_are_answered_before_the_server_stops() {
    let fixture = Fixture::new().await;
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, left) = (Arc::clone(&entered), Arc::clone(&leave));
    let handler = get(async move || {
        enter.notify_one();
        left.notified().await;
        "done"
    });
    let router = wrap(Router::new().route("/work", handler), fixture.state.clone(), PATIENT);
    let served = serve(router, PATIENT).await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET /nowhere HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("writes");
    let mut stream = served.connect().await;
    stream.write_all(b"GET /work HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("writes");
    entered.notified().await;

    served.shutdown.cancel();
    assert!(read_all(&mut idle).await.contains("not_found"), "an idle connection is closed, its answer given");
    assert!(!served.ended.is_finished(), "a request is under way");
    leave.notify_one();
    let heard = read_all(&mut stream).await;
    assert!(heard.starts_with("HTTP/1.1 200 OK\r\n") && heard.ends_with("done"), "{heard}");
    served.ended.await.expect("ends");
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody listens any more");
}
