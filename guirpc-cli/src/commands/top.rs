//! `guirpc top`: functions live in the terminal, or once.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use guirpc::control::{Control, Statistics};

use super::servers::{table, target};
use crate::args::Top;
use crate::failure::Failure;
use crate::output;

mod board;
mod screen;

use board::Board;
use screen::View;

/// How soon a key is heeded.
const KEYS: Duration = Duration::from_millis(50);

/// What servers have answered, and when.
type Sample = (Vec<Statistics>, Instant);

pub(super) fn run(top: &Top) -> Result<(), Failure> {
    if top.once {
        return once(top);
    }
    if top.gather.json || !io::stdout().is_terminal() {
        return Err(Failure::usage(
            "`guirpc top` draws on a terminal: add `--once` for one look, with `--json` for programs",
        ));
    }
    // A mistake in the settings, or a broker that is not there, is told before anything is drawn.
    let control = top.gather.connect()?;
    let first = sample(&control, top)?;
    live(top, control, &first)
}

fn sample(control: &Control, top: &Top) -> Result<Sample, Failure> {
    let answers = control.statistics(&target(top.service.as_deref()))?;
    Ok((answers, Instant::now()))
}

fn once(top: &Top) -> Result<(), Failure> {
    let mut board = Board::new(top.service.clone());
    let control = top.gather.connect()?;
    board.update(&sample(&control, top)?);
    thread::sleep(top.interval.into());
    board.update(&sample(&control, top)?);
    let lines = board.lines(top.sort, false, &top.filter);
    if top.gather.json {
        let json = serde_json::to_value(&lines).map_err(Failure::other)?;
        return output::print_json(&json);
    }
    output::print(&table(&screen::rows(&lines)))
}

/// Draws until somebody says that it is enough.
fn live(top: &Top, control: Control, first: &Sample) -> Result<(), Failure> {
    let samples = watch(top, control);
    let mut board = Board::new(top.service.clone());
    board.update(first);
    let mut view = View::new(top.sort, top.filter.clone());
    let mut terminal = ratatui::try_init().map_err(|error| Failure::other(format!("no terminal: {error}")))?;
    let ended = loop {
        if let Err(error) = terminal.draw(|frame| view.draw(frame, &board)) {
            break Err(Failure::other(format!("cannot draw: {error}")));
        }
        match screen::key(KEYS) {
            Ok(Some(key)) if !view.press(key) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(Failure::other(format!("cannot read keys: {error}"))),
        }
        match samples.recv_timeout(Duration::ZERO) {
            Ok(Ok(sample)) => {
                view.heard(None);
                board.update(&sample);
            }
            Ok(Err(error)) => view.heard(Some(error)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
        }
    };
    ratatui::restore();
    ended
}

/// Asks on a thread of its own, since an answer may take its time; a connection that is lost is opened again.
fn watch(top: &Top, control: Control) -> Receiver<Result<Sample, String>> {
    let (sender, samples) = mpsc::channel();
    let (top, mut control) = (top.clone(), Some(control));
    thread::spawn(move || {
        loop {
            thread::sleep(top.interval.into());
            let asked = control.take().map_or_else(|| top.gather.connect(), Ok);
            let answered = asked.and_then(|asked| {
                let sample = sample(&asked, &top)?;
                control = Some(asked);
                Ok(sample)
            });
            if sender.send(answered.map_err(|failure| failure.to_string())).is_err() {
                return;
            }
        }
    });
    samples
}
