//! Faults that nobody asked for one by one: a share of all requests meets one, which and what is a matter of the seed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Matcher, SeenRequest};
use crate::dice::Dice;

/// What is drawn, and what was.
#[derive(Debug)]
pub(super) struct Weather {
    dice: Dice,
    per_mille: u64,
    pub(super) faults: BTreeMap<&'static str, u64>,
}

impl Weather {
    pub(super) fn new(seed: u64, per_mille: u64) -> Self {
        Self { dice: Dice::new(seed), per_mille, faults: BTreeMap::new() }
    }

    /// What happens to a request; mostly nothing.
    pub(super) fn draw(&mut self, request: &SeenRequest) -> Option<Action> {
        if self.dice.below(1000) >= self.per_mille {
            return None;
        }
        let answer = |status, code: &str| Action::Respond { status, code: code.to_owned() };
        let (name, action) = match self.dice.below(7) {
            0 => ("reset_before", Action::DropBeforeForward),
            1 if request.method == "PUT" => ("reset_in_body", Action::DropInBody(self.dice.below(100_000))),
            2 if request.method == "GET" => ("cut_answer", Action::TruncateResponse(self.dice.below(2000))),
            3 => ("answered_503", answer(503, "SlowDown")),
            4 if Matcher::complete_multipart().matches(request) => {
                ("answered_200_with_error", answer(200, "InternalError"))
            }
            4 => ("answered_500", answer(500, "InternalError")),
            5 => ("slow", Action::Delay(Duration::from_millis(self.dice.between(50, 2000)))),
            _ => ("lost_acknowledgement", Action::DropAfterForward),
        };
        *self.faults.entry(name).or_default() += 1;
        Some(action)
    }
}
