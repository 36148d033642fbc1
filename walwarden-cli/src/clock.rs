//! The one place of this program that reads the clock.

use walwarden_contract::Timestamp;

#[expect(clippy::disallowed_methods, reason = "the clock's home: everything else is handed this function")]
pub(crate) fn now() -> Timestamp {
    jiff::Timestamp::now().into()
}
