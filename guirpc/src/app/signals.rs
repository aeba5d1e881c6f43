//! SIGTERM and SIGINT: the first one drains, the second one leaves at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::log::info;
use crate::server::ShutdownHandle;

/// What a shell reports for a process that a signal ended: 128 and the signal's number.
const SIGNALLED: i32 = 128;

/// From now on a signal stops the server, and a second one ends the process.
pub(super) fn stop_on_signal(shutdown: ShutdownHandle) -> io::Result<()> {
    let leaving = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the first signal finds the flag unset, and sets it.
        signal_hook::flag::register_conditional_shutdown(signal, SIGNALLED + signal, Arc::clone(&leaving))?;
        signal_hook::flag::register(signal, Arc::clone(&leaving))?;
    }
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("guirpc-signals".to_owned()).spawn(move || {
        if signals.forever().next().is_some() {
            info!("stopping: taking no new work, finishing what has begun (signal again to leave at once)");
            shutdown.shutdown();
        }
    })?;
    Ok(())
}
