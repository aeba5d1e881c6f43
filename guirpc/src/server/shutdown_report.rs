//! What a server left behind when it was shut down.

/// What became of the requests that a server held when it was shut down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Fetched and not begun: back in their queue, for another server.
    pub requeued: usize,
    /// Begun and not finished within the drain time: the broker will deliver them again.
    pub abandoned: usize,
}

impl std::ops::AddAssign for ShutdownReport {
    fn add_assign(&mut self, other: Self) {
        self.requeued += other.requeued;
        self.abandoned += other.abandoned;
    }
}
