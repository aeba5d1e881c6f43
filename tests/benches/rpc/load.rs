//! What is asked of a contestant, and what came of it.

use std::collections::VecDeque;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::figures::float;
use crate::message::{Answer, Function, Numbers, Question};

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
        [Self::SINGLE, Self::callers(16), Self::CROWD, Self::in_flight(Function::Add, 256)];

    const fn callers(callers: usize) -> Self {
        Self { function: Function::Add, callers, window: 1 }
    }

    /// One caller with so many calls of a function in flight.
    pub(crate) const fn in_flight(function: Function, window: usize) -> Self {
        Self { function, callers: 1, window }
    }

    /// The slow function, with enough in flight to keep all workers at it.
    ///
    /// The window is a multiple of the workers, so that they also finish together.
    pub(crate) fn slow(workers: usize) -> Self {
        Self::in_flight(Function::AddSlowly, workers * 4)
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
    pub(crate) fn rate(&self) -> f64 {
        float(self.latencies.len()) / self.elapsed.as_secs_f64()
    }
}

/// When a load ends.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Extent {
    /// After this time; what is in flight then is waited for.
    Time(Duration),
    /// When each caller has made so many calls.
    Calls(usize),
}

/// The same, from when it has begun.
#[derive(Clone, Copy)]
pub(crate) enum End {
    At(Instant),
    After(usize),
}

impl Extent {
    /// Begins now, for all callers.
    pub(crate) fn begin(self) -> End {
        match self {
            Self::Time(time) => End::At(Instant::now() + time),
            Self::Calls(calls) => End::After(calls),
        }
    }
}

/// A connected client of one contestant.
pub(crate) trait Client {
    /// Puts the load on the server, and waits for all replies.
    fn run(&mut self, load: Load, extent: Extent) -> Result<Tally>;
}

/// A client that any number of threads share, driven by [`drive`].
pub(crate) trait Shared: Sync {
    /// A call under way.
    type Pending;

    /// Sends a request.
    fn start(&self, question: &Question) -> Result<Self::Pending>;

    /// Waits for its answer.
    fn wait(&self, pending: Self::Pending) -> Result<Answer>;
}

/// Puts the load on a shared client: one thread per caller, each of which waits for its oldest call.
pub(crate) fn drive(client: &impl Shared, load: Load, extent: Extent) -> Result<Tally> {
    let (begun, end) = (Instant::now(), extent.begin());
    let latencies = thread::scope(|scope| {
        let callers: Vec<_> = (0..load.callers)
            .map(|caller| {
                thread::Builder::new()
                    .name(format!("caller-{caller}"))
                    .spawn_scoped(scope, move || call_all(client, load.window, load.calls(caller, end)))
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

fn call_all(client: &impl Shared, window: usize, mut calls: Calls) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut under_way = VecDeque::with_capacity(window);
    loop {
        while under_way.len() < window
            && let Some(call) = calls.next()
        {
            under_way.push_back((call, client.start(&call.question)?));
        }
        let Some((call, pending)) = under_way.pop_front() else {
            return Ok(latencies);
        };
        latencies.push(call.answered(&client.wait(pending)?)?);
    }
}

/// The calls that one caller makes, each from when it is taken.
pub(crate) struct Calls {
    next: Question,
    end: End,
}

/// A call that is made now.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    begun: Instant,
    /// What is asked.
    pub(crate) question: Question,
}

impl Load {
    /// The calls of the caller of this number.
    pub(crate) fn calls(&self, caller: usize, end: End) -> Calls {
        let caller = i64::try_from(caller).unwrap_or_default();
        Calls { next: Question { function: self.function, numbers: Numbers { a: 0, b: caller << 32 } }, end }
    }
}

impl Iterator for Calls {
    type Item = Call;

    fn next(&mut self) -> Option<Call> {
        let begun = Instant::now();
        match &mut self.end {
            End::At(end) if begun >= *end => return None,
            End::At(_) => {}
            End::After(left) => *left = left.checked_sub(1)?,
        }
        self.next.numbers.a += 1;
        Some(Call { begun, question: self.next })
    }
}

impl Call {
    /// How long it took until this answer; ends the benchmark if it is the wrong one.
    pub(crate) fn answered(&self, answer: &Answer) -> Result<Duration> {
        let latency = self.begun.elapsed();
        self.question.check(answer)?;
        Ok(latency)
    }
}
