//! What is asked of a contestant, and what came of it.

use std::collections::VecDeque;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::message::Function;

/// Calls of one function, by so many callers, each with so many of them in flight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// What is called.
    pub(crate) function: Function,
    /// Threads (or tasks) that call.
    pub(crate) callers: usize,
    /// Calls that each of them keeps in flight; with one, it calls and waits.
    pub(crate) window: usize,
}

impl Load {
    /// The load under which latency is compared: nothing waits behind anything else.
    pub(crate) const SINGLE: Self = Self::callers(1);
    /// The load under which memory is compared.
    pub(crate) const CROWD: Self = Self::callers(256);
    /// The loads that are compared.
    pub(crate) const COMPARED: [Self; 4] =
        [Self::SINGLE, Self::callers(16), Self::CROWD, Self { function: Function::Add, callers: 1, window: 256 }];

    const fn callers(callers: usize) -> Self {
        Self { function: Function::Add, callers, window: 1 }
    }

    /// The slow function, with enough in flight to keep all workers at it.
    ///
    /// The window is a multiple of the workers, so that they also finish together.
    pub(crate) fn slow(workers: usize) -> Self {
        Self { function: Function::AddSlowly, callers: 1, window: workers * 4 }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { callers: 1, window: 1, .. } => write!(f, "1 caller"),
            Self { callers, window: 1, .. } => write!(f, "{callers} callers"),
            Self { window, .. } => write!(f, "{window} in flight from one thread"),
        }
    }
}

/// What came of a load: every call was answered, and rightly.
pub(crate) struct Tally {
    /// How long each call took, from before it was sent until its caller had the output.
    pub(crate) latencies: Vec<Duration>,
    /// From the first call until the last reply.
    pub(crate) elapsed: Duration,
}

impl Tally {
    /// Calls per second.
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^52 calls in a benchmark")]
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// A connected client of one contestant.
pub(crate) trait Client {
    /// Puts the load on the server for this long, then waits for what is still in flight.
    fn run(&mut self, load: Load, time: Duration) -> Result<Tally>;
}

/// A client that any number of threads share, driven by [`drive`].
pub(crate) trait Shared: Sync {
    /// A call under way.
    type Pending;

    /// Sends a request.
    fn start(&self, function: Function, a: i64, b: i64) -> Result<Self::Pending>;

    /// Waits for its output.
    fn wait(&self, pending: Self::Pending) -> Result<i64>;
}

/// Puts the load on a shared client: one thread per caller, each of which waits for its oldest call.
pub(crate) fn drive(client: &impl Shared, load: Load, time: Duration) -> Result<Tally> {
    let begun = Instant::now();
    let until = begun + time;
    let latencies = thread::scope(|scope| {
        let callers: Vec<_> = (0..load.callers)
            .map(|caller| {
                thread::Builder::new()
                    .name(format!("caller-{caller}"))
                    .spawn_scoped(scope, move || call_until(client, load, Sums::of(caller), until))
            })
            .collect::<Result<_, _>>()
            .context("start the callers")?;
        callers.into_iter().try_fold(Vec::new(), |mut all, caller| {
            all.append(&mut caller.join().map_err(|_| anyhow!("a caller panicked"))??);
            Ok::<_, anyhow::Error>(all)
        })
    })?;
    Ok(Tally { latencies, elapsed: begun.elapsed() })
}

fn call_until(client: &impl Shared, load: Load, mut sums: Sums, until: Instant) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut calls = VecDeque::with_capacity(load.window);
    loop {
        while calls.len() < load.window {
            let begun = Instant::now();
            if begun >= until {
                break;
            }
            let sum = sums.next();
            calls.push_back((begun, sum, client.start(load.function, sum.a, sum.b)?));
        }
        let Some((begun, sum, pending)) = calls.pop_front() else {
            return Ok(latencies);
        };
        sum.check(client.wait(pending)?)?;
        latencies.push(begun.elapsed());
    }
}

/// Two numbers, whose sum nobody else asks for at the same time, so that a reply to the wrong call is noticed.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    /// The one.
    pub(crate) a: i64,
    /// The other.
    pub(crate) b: i64,
}

impl Sum {
    /// Ends the benchmark if this is not the sum.
    pub(crate) fn check(self, output: i64) -> Result<()> {
        let Self { a, b } = self;
        ensure!(output == a + b, "{a} + {b} was answered with {output}");
        Ok(())
    }
}

/// The sums that one caller asks for.
pub(crate) struct Sums(Sum);

impl Sums {
    /// Those of the caller of this number.
    pub(crate) fn of(caller: usize) -> Self {
        let caller = i64::try_from(caller).unwrap_or_default();
        Self(Sum { a: 0, b: caller << 32 })
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Sum {
        self.0.a += 1;
        self.0
    }
}
