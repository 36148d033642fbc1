//! What a rule of the fault proxy does and when, and the handle a test waits on.

use std::sync::{Arc, PoisonError};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::watch;

use super::{Matcher, SeenRequest};
use crate::runtime::lock;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The server never sees it; the client gets this status with an S3 error document.
    Respond {
        /// HTTP status, such as 503.
        status: u16,
        /// S3 error code, such as `SlowDown`.
        code: String,
    },
    /// The server never sees it; the client gets this status with this JSON document.
    Answer {
        /// HTTP status, such as 500.
        status: u16,
        /// The document.
        json: String,
    },
    /// The connection is closed before the server sees anything.
    DropBeforeForward,
    /// The connection is closed after so many bytes of the body; the server gets those.
    DropInBody(u64),
    /// The server does it, its answer is thrown away and the connection closed: a lost acknowledgement.
    DropAfterForward,
    /// It passes after this long.
    Delay(Duration),
    /// It passes once the test releases it; up to then the server sees nothing.
    Hold,
    /// The server does it; its answer passes once the test releases it.
    HoldResponse,
    /// The answer's body has one bit flipped, at this byte; shorter answers pass unchanged.
    CorruptResponse(u64),
    /// The answer passes without this header, given in lowercase.
    WithoutHeader(&'static str),
    /// The answer is cut off after so many bytes of its body, and the connection closed.
    TruncateResponse(u64),
}

/// A matcher, an action, and which of the matching requests it is for.
#[derive(Debug, Clone)]
pub struct Rule {
    matcher: Matcher,
    action: Action,
    skip: usize,
    limit: Option<usize>,
}

impl Rule {
    /// For every matching request.
    #[must_use]
    pub fn new(matcher: Matcher, action: Action) -> Self {
        Self { matcher, action, skip: 0, limit: None }
    }

    /// For the `n`th matching request alone, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self.limit = Some(1);
        self
    }

    /// For the first `n` matching requests (after those that `nth` skips).
    #[must_use]
    pub fn times(mut self, n: usize) -> Self {
        self.limit = Some(n);
        self
    }
}

#[derive(Debug, Default)]
struct Counts {
    matched: usize,
    hits: Vec<SeenRequest>,
}

/// A rule in force.
#[derive(Debug)]
pub(super) struct State {
    rule: Rule,
    counts: Mutex<Counts>,
    changed: Condvar,
    released: watch::Sender<bool>,
}

impl State {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule, counts: Mutex::default(), changed: Condvar::new(), released: watch::Sender::new(false) }
    }

    pub(super) fn action(&self) -> &Action {
        &self.rule.action
    }

    /// Counts the request if it matches, and says whether the rule is for it.
    pub(super) fn counts(&self, request: &SeenRequest) -> bool {
        if !self.rule.matcher.matches(request) {
            return false;
        }
        let mut counts = lock(&self.counts);
        counts.matched += 1;
        let first = self.rule.skip + 1;
        counts.matched >= first && self.rule.limit.is_none_or(|limit| counts.matched < first + limit)
    }

    /// Tells the test that the action is under way.
    pub(super) fn hit(&self, request: &SeenRequest) {
        lock(&self.counts).hits.push(request.clone());
        self.changed.notify_all();
    }

    pub(super) fn release(&self) {
        self.released.send_replace(true);
    }

    /// Waits until the test releases the rule.
    pub(super) async fn released(&self) {
        // The sender lives as long as this state, so this cannot fail while anyone waits.
        let _ = self.released.subscribe().wait_for(|released| *released).await;
    }
}

/// A rule as the test holds it. Dropping the handle leaves the rule in force.
#[derive(Debug, Clone)]
pub struct RuleHandle {
    state: Arc<State>,
}

impl RuleHandle {
    pub(super) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Waits until the rule was applied for the first time and returns that request. A held request is at the gate by then; with
    /// `HoldResponse` and `DropAfterForward` the server has done it.
    pub fn wait_hit(&self, deadline: Duration) -> Result<SeenRequest> {
        self.wait_hits(1, deadline).map(|mut hits| hits.remove(0))
    }

    /// Waits until the rule was applied to `n` requests and returns all of them.
    pub fn wait_hits(&self, n: usize, deadline: Duration) -> Result<Vec<SeenRequest>> {
        let counts = lock(&self.state.counts);
        let (counts, timeout) = self
            .state
            .changed
            .wait_timeout_while(counts, deadline, |counts| counts.hits.len() < n)
            .unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            bail!("waited {deadline:?} for {n} requests at {:?}: {} came", self.state.rule, counts.hits.len());
        }
        Ok(counts.hits.clone())
    }

    /// To how many requests it was applied.
    #[must_use]
    pub fn hits(&self) -> usize {
        lock(&self.state.counts).hits.len()
    }

    /// Lets what it holds pass, now and from now on.
    pub fn release(&self) {
        self.state.release();
    }
}
