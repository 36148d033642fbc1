//! A scripted HTTP/1.1 reverse proxy: tests put it in front of an S3 server to make faults happen at one exact request, and to
//! wait for that request without sleeping. Requests pass unchanged, Host included, so that their signatures stay valid.

mod connection;
mod http;
mod matcher;
mod rule;
mod weather;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use self::matcher::Matcher;
pub use self::rule::{Action, Rule, RuleHandle};
use self::weather::Weather;
use crate::runtime::{block_on, lock, spawn};

/// A request the proxy has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Its method.
    pub method: String,
    /// Its path, as sent.
    pub path: String,
    /// Its query parameters as sent, in order; one without `=` has an empty value.
    pub query: Vec<(String, String)>,
    /// Which bytes it asks for, where it asks for some.
    pub range: Option<String>,
    /// Its request line and headers, as received.
    pub head: Vec<u8>,
}

impl SeenRequest {
    /// The value of a query parameter, as sent.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A running proxy. Dropped, it closes its port and every connection.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    rules: Mutex<Vec<Arc<rule::State>>>,
    seen: Mutex<Vec<SeenRequest>>,
    weather: Mutex<Option<Weather>>,
}

impl Shared {
    /// Records a request and finds what to do with it: the first rule in force wins, every rule that matches counts it.
    fn decide(&self, request: &SeenRequest) -> Option<Arc<rule::State>> {
        if let Some(weather) = lock(&self.weather).as_mut() {
            // Not remembered: this goes on for as long as somebody likes.
            return weather.draw(request).map(|action| Arc::new(rule::State::new(Rule::new(Matcher::any(), action))));
        }
        lock(&self.seen).push(request.clone());
        let mut decided = None;
        for state in lock(&self.rules).iter() {
            if state.counts(request) && decided.is_none() {
                decided = Some(Arc::clone(state));
            }
        }
        decided
    }
}

impl FaultProxy {
    /// Starts a proxy in front of `upstream` on a free port of 127.0.0.1. Without rules it only counts.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = block_on(TcpListener::bind(("127.0.0.1", 0))).context("cannot listen for the fault proxy")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let listener = spawn({
            let shared = Arc::clone(&shared);
            async move {
                // Owned by this task, so that aborting it aborts the connections as well.
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((client, _)) = listener.accept().await {
                    connections.spawn(connection::serve(client, upstream, Arc::clone(&shared)));
                    while connections.try_join_next().is_some() {}
                }
            }
        });
        Ok(Self { address, shared, listener })
    }

    /// The URL to use instead of the server's.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a rule behind those there are.
    #[expect(clippy::must_use_candidate, reason = "a rule whose hits nobody waits for needs no handle")]
    pub fn add(&self, rule: Rule) -> RuleHandle {
        let state = Arc::new(rule::State::new(rule));
        lock(&self.shared.rules).push(Arc::clone(&state));
        RuleHandle::new(state)
    }

    /// From now on so many of a thousand requests meet a fault that the seed decides, and requests are not remembered. Rules
    /// are not looked at meanwhile.
    pub fn storm(&self, seed: u64, per_mille: u64) {
        *lock(&self.shared.weather) = Some(Weather::new(seed, per_mille));
    }

    /// Ends it, and answers how many faults of which kind there were.
    #[must_use]
    pub fn calm(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.shared.weather).take().map(|weather| weather.faults).unwrap_or_default()
    }

    /// Removes all rules and releases what they hold.
    pub fn clear(&self) {
        for state in lock(&self.shared.rules).drain(..) {
            state.release();
        }
    }

    /// Every request up to now, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.shared.seen).clone()
    }

    /// Forgets the requests up to now: what a test's preparations sent is not what it is about.
    pub fn forget_requests(&self) {
        lock(&self.shared.seen).clear();
    }

    /// How many requests matched.
    #[must_use]
    pub fn count(&self, matcher: &Matcher) -> usize {
        lock(&self.shared.seen).iter().filter(|request| matcher.matches(request)).count()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
