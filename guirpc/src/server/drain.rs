//! What a server left behind when it stopped.

/// What became of the requests that a server held when it was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// Fetched and not begun: given back to the queue, for another server.
    pub given_back: usize,
    /// Begun and not finished within the drain time: the broker will deliver them again.
    pub abandoned: usize,
}

impl std::ops::AddAssign for Drained {
    fn add_assign(&mut self, other: Self) {
        self.given_back += other.given_back;
        self.abandoned += other.abandoned;
    }
}
