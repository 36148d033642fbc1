//! Stands between a server and its clients, passes every byte on as it comes, and holds each answer against the API description.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use super::Violations;
use super::answers::API;
use super::framing::{Body, Follower, Message};
use crate::recorder::pass;
use crate::runtime::{block_on, lock, spawn};

/// A running proxy. Dropped, it closes its port and every connection, as the server's end would.
#[derive(Debug)]
pub(crate) struct ConformanceProxy {
    address: SocketAddr,
    listener: JoinHandle<()>,
}

impl ConformanceProxy {
    /// Starts one in front of `upstream` on a free port of 127.0.0.1.
    pub(crate) fn start(upstream: SocketAddr, violations: Violations) -> Result<Self> {
        let listener = block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0))).context("cannot listen")?;
        let address = listener.local_addr()?;
        let listener = spawn(async move {
            // Owned by this task, so that aborting it aborts the connections as well.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let violations = violations.clone();
                connections.spawn(async move {
                    if let Ok(server) = TcpStream::connect(upstream).await {
                        pass_both(client, server, &violations).await;
                    }
                });
                // Those that have ended are of no more interest.
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, listener })
    }

    /// The URL to use instead of the server's.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ConformanceProxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// The requests of a connection that are not answered yet: method and target.
type Asked = Mutex<VecDeque<(String, String)>>;

async fn pass_both(client: TcpStream, server: TcpStream, violations: &Violations) {
    for side in [&client, &server] {
        // Slower without, but not wrong.
        let _ = side.set_nodelay(true);
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let asked = Asked::default();
    let requests = async {
        let mut follower = Follower::new();
        pass(from_client, to_server, |bytes| {
            // At its head: a server may answer before it has read the body.
            let ask = |request: &Message| {
                lock(&asked).push_back((request.method().to_owned(), request.target().to_owned()));
                Body::Request
            };
            follower.feed(bytes, ask, |_| ());
        })
        .await;
    };
    let answers = async {
        let mut follower = Follower::new();
        pass(from_server, to_client, |bytes| {
            follower.feed(bytes, |answer| body_of(answer, &asked), |answer| check(&answer, &asked, violations));
        })
        .await;
        if let Some(answer) = follower.end() {
            check(&answer, &asked, violations);
        }
    };
    tokio::join!(requests, answers);
}

fn body_of(answer: &Message, asked: &Asked) -> Body {
    let head_was_asked = lock(asked).front().is_some_and(|(method, _)| method == "HEAD");
    let none = matches!(answer.status(), 100..=199 | 204 | 304);
    if none || head_was_asked { Body::None } else { Body::Response }
}

fn check(answer: &Message, asked: &Asked, violations: &Violations) {
    if matches!(answer.status(), 100..=199) {
        return;
    }
    // The server may give up on a head that does not end.
    let Some((method, target)) = lock(asked).pop_front() else {
        return;
    };
    if let Err(violation) = API.check(&method, &target, answer) {
        violations.add(format!("{method} {target} answered {}: {violation}", answer.start));
    }
}
