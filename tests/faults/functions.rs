//! The functions under load: each writes that it has begun before it does anything else, and returns its number.

use std::process;
use std::thread;
use std::time::Duration;

use guirpc::{Context, Fault, OrFault};
use harness::ExecutionLog;

/// The service's name.
pub(crate) const SERVICE: &str = "faults";
/// The environment variable that says which file runs are written to.
pub(crate) const LOG: &str = "FAULTS_LOG";

fn begin(log: &ExecutionLog, context: &Context, id: u64) -> Result<u64, Fault> {
    log.begin(id, context.redelivered()).or_fault(500)?;
    Ok(id)
}

/// Done at once.
#[guirpc::function(service = "faults")]
pub(crate) fn quick(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
    begin(log, context, id)
}

/// Done at once, and as often as one likes.
#[guirpc::function(service = "faults", idempotent)]
pub(crate) fn repeatable(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
    begin(log, context, id)
}

/// Takes its time.
#[guirpc::function(service = "faults")]
pub(crate) fn slow(
    #[state] log: &ExecutionLog,
    #[context] context: &Context,
    id: u64,
    milliseconds: u64,
) -> Result<u64, Fault> {
    begin(log, context, id)?;
    thread::sleep(Duration::from_millis(milliseconds));
    Ok(id)
}

/// Takes its time as a task.
#[guirpc::function(service = "faults")]
pub(crate) async fn resting(
    #[state] log: &ExecutionLog,
    #[context] context: &Context<'_>,
    id: u64,
    milliseconds: u64,
) -> Result<u64, Fault> {
    begin(log, context, id)?;
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    Ok(id)
}

/// Fails, always.
#[guirpc::function(service = "faults")]
pub(crate) fn failing(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
    begin(log, context, id)?;
    Err(Fault::new(500, "as always"))
}

/// Takes its whole process with it.
#[guirpc::function(service = "faults")]
pub(crate) fn aborting(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
    begin(log, context, id)?;
    process::abort()
}

/// As it was before the upgrade.
#[guirpc::function(service = "faults")]
pub(crate) fn greet(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
    begin(log, context, id)
}

/// The service as it was before all of its functions were there.
pub(crate) mod older {
    use guirpc::{Context, Fault};
    use harness::ExecutionLog;

    #[guirpc::function(service = "faults-older")]
    pub(crate) fn quick(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
        super::begin(log, context, id)
    }

    #[guirpc::function(service = "faults-older", idempotent)]
    pub(crate) fn repeatable(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
        super::begin(log, context, id)
    }

    #[guirpc::function(service = "faults-older")]
    pub(crate) async fn resting(
        #[state] log: &ExecutionLog,
        #[context] context: &Context<'_>,
        id: u64,
        milliseconds: u64,
    ) -> Result<u64, Fault> {
        super::resting(log, context, id, milliseconds).await
    }

    #[guirpc::function(service = "faults-older")]
    pub(crate) fn failing(#[state] log: &ExecutionLog, #[context] context: &Context, id: u64) -> Result<u64, Fault> {
        super::begin(log, context, id)?;
        Err(Fault::new(500, "as always"))
    }
}

/// The service's next version.
pub(crate) mod next {
    use guirpc::{Context, Fault};
    use harness::ExecutionLog;

    /// With an argument that callers of the old one leave out.
    #[guirpc::function(service = "faults-next")]
    pub(crate) fn greet(
        #[state] log: &ExecutionLog,
        #[context] context: &Context,
        id: u64,
        again: Option<u64>,
    ) -> Result<u64, Fault> {
        let id = super::begin(log, context, id)?;
        match again {
            Some(again) if again != id => Err(Fault::new(400, "the new argument is not what was sent")),
            _ => Ok(id),
        }
    }
}
