//! TODO.

use harness::Case;

pub(crate) fn cases() -> Vec<Case> {
    Vec::new()
}
