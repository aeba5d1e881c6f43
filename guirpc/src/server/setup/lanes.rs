//! Lanes: queues and workers of their own for functions that would hold up others.

use super::Setup;

/// Lanes, which functions name with `#[guirpc::function(lane = "…")]`.
impl Setup {
    /// How many functions of this lane run at once, one or more; the default is as many as [`workers`](Setup::workers).
    ///
    /// ```
    /// /// Takes a minute, and holds up nothing but other reports.
    /// #[guirpc::function(lane = "reports")]
    /// fn report(year: u16) -> Vec<u8> {
    ///     # vec![]
    ///     // …
    /// }
    ///
    /// let setup = guirpc::Setup::new([env!("CARGO_PKG_NAME")]).lane_workers("reports", 2);
    /// ```
    pub fn lane_workers(mut self, lane: impl Into<String>, workers: usize) -> Self {
        self.config.lane_workers.insert(lane.into(), workers);
        self
    }

    /// How many functions of this lane that are `async` are under way at once; the default is as many as
    /// [`concurrency`](Setup::concurrency).
    pub fn lane_concurrency(mut self, lane: impl Into<String>, concurrency: usize) -> Self {
        self.config.lane_concurrency.insert(lane.into(), concurrency);
        self
    }

    /// How many requests of this lane are fetched ahead of their turn; the default is one for each of its workers,
    /// or for each `async` function that it has under way, so that slow functions are shared out evenly among servers.
    pub fn lane_prefetch(mut self, lane: impl Into<String>, prefetch: u16) -> Self {
        self.config.lane_prefetch.insert(lane.into(), prefetch);
        self
    }
}
