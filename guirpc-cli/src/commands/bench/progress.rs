//! How far a run is, on a terminal only; it goes to the standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::number::{float, grouped};

pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn begin(title: String, duration: Duration) -> Self {
        let style = ProgressStyle::with_template("{prefix}  [{bar:30}]  {msg}").expect("the template is sound");
        let bar = ProgressBar::new(milliseconds(duration)).with_style(style).with_prefix(title);
        Progress(bar)
    }

    pub(super) fn update(&self, elapsed: Duration, answered: u64) {
        if self.0.is_hidden() {
            return;
        }
        self.0.set_position(milliseconds(elapsed).min(self.0.length().unwrap_or(u64::MAX)));
        self.0.set_message(format!("{} calls/s", grouped(float(answered) / elapsed.as_secs_f64().max(1e-3))));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
