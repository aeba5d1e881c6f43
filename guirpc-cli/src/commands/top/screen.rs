//! What is drawn, and what keys do.

use std::io;
use std::time::Duration;

use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Style, Stylize};
use ratatui::text::Line as Text;
use ratatui::widgets::{Row, Table};

use super::board::{Board, Line};
use crate::args::TopSort;
use crate::commands::servers::time;
use crate::terminal::line;

/// How many of the last rates are shown.
const SPARKS: usize = 16;
const LONGEST: usize = 60;
const HEAD: [&str; 9] = ["function", "servers", "req/s", "lately", "failed/s", "in flight", "p50", "p99", "queued p99"];

/// How it is looked at.
pub(super) struct View {
    sort: TopSort,
    is_reversed: bool,
    filter: String,
    is_typing: bool,
    /// Why there is nothing new.
    trouble: Option<String>,
}

/// A key that was pressed within this time.
pub(super) fn key(within: Duration) -> io::Result<Option<KeyEvent>> {
    if !event::poll(within)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind == KeyEventKind::Press => Some(key),
        _ => None,
    })
}

impl View {
    pub(super) fn new(sort: TopSort, filter: String) -> Self {
        View { sort, is_reversed: false, filter, is_typing: false, trouble: None }
    }

    /// Notes why there is nothing new, or that there is.
    pub(super) fn heard(&mut self, trouble: Option<String>) {
        self.trouble = trouble;
    }

    /// Does what a key says; false if that is to end.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return false;
        }
        match key.code {
            KeyCode::Enter if self.is_typing => self.is_typing = false,
            KeyCode::Backspace if self.is_typing => drop(self.filter.pop()),
            KeyCode::Char(character) if self.is_typing => self.filter.push(character),
            KeyCode::Esc => (self.is_typing, self.filter) = (false, String::new()),
            KeyCode::Char('q') => return false,
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('r') => self.is_reversed = !self.is_reversed,
            KeyCode::Char('s') => {
                self.sort = match self.sort {
                    TopSort::Rate => TopSort::Failures,
                    TopSort::Failures => TopSort::InFlight,
                    TopSort::InFlight => TopSort::P99,
                    TopSort::P99 => TopSort::Name,
                    TopSort::Name => TopSort::Rate,
                }
            }
            _ => {}
        }
        true
    }

    pub(super) fn draw(&self, frame: &mut Frame<'_>, board: &Board) {
        let [head, body, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
        let lines = board.lines(self.sort, self.is_reversed, &self.filter);
        let rate: f64 = lines.iter().map(|line| line.rate).sum();
        let servers = board.servers();
        frame.render_widget(
            Text::from(format!("{servers} servers, {rate:.0} requests/s, by {}", self.order())).bold(),
            head,
        );
        let mut rows = rows(&lines).into_iter();
        let titles = rows.next().unwrap_or_default();
        let widths = [30, 7, 9, SPARKS, 9, 9, 8, 8, 10].map(|width| Constraint::Min(u16::try_from(width).unwrap_or(0)));
        let table = Table::new(rows.map(Row::new), widths).header(Row::new(titles).style(Style::new().reversed()));
        frame.render_widget(table, body);
        let keys = match (&self.trouble, self.is_typing) {
            (Some(trouble), _) => line(trouble, usize::MAX),
            (None, true) => format!("filter: {}_   Enter: done, Esc: none", self.filter),
            (None, false) => format!("q: quit  s: sort  r: reverse  /: filter {}", self.filter),
        };
        frame.render_widget(Text::from(keys).dim(), foot);
    }

    fn order(&self) -> &'static str {
        match self.sort {
            TopSort::Rate => "rate",
            TopSort::Failures => "failures",
            TopSort::InFlight => "in flight",
            TopSort::P99 => "p99",
            TopSort::Name => "name",
        }
    }
}

/// The table, with its head.
pub(super) fn rows(lines: &[&Line]) -> Vec<Vec<String>> {
    let row = |shown: &&Line| {
        let lane = if shown.lane.is_empty() { String::new() } else { format!(" ({})", shown.lane) };
        vec![
            line(&format!("{}{lane}", shown.function), LONGEST),
            shown.servers.to_string(),
            format!("{:.1}", shown.rate),
            sparks(shown),
            format!("{:.1}", shown.failures),
            shown.in_flight.to_string(),
            time(shown.p50_us),
            time(shown.p99_us),
            time(shown.queue_p99_us),
        ]
    };
    [HEAD.map(str::to_owned).to_vec()].into_iter().chain(lines.iter().map(row)).collect()
}

/// The last rates, as a line of little bars.
fn sparks(line: &Line) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = line.history.iter().copied().fold(0.0, f64::max);
    let bar = |rate: &f64| {
        let bars = BARS.iter().zip(1_u32..);
        let reached = bars.filter(|(_, step)| *rate > highest * f64::from(step - 1) / 8.0);
        reached.map(|(bar, _)| *bar).last().unwrap_or(BARS[0])
    };
    line.history.iter().skip(line.history.len().saturating_sub(SPARKS)).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Cell;

    use super::*;

    fn press(view: &mut View, keys: &str) -> bool {
        keys.chars().all(|key| {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\u{1b}' => KeyCode::Esc,
                '\u{8}' => KeyCode::Backspace,
                key => KeyCode::Char(key),
            };
            view.press(KeyEvent::new(code, KeyModifiers::NONE))
        })
    }

    #[test]
    fn keys_sort_and_filter() {
        let mut view = View::new(TopSort::Rate, String::new());
        assert!(press(&mut view, "sss"));
        assert_eq!((view.sort, view.is_reversed), (TopSort::P99, false));
        assert!(press(&mut view, "r/addq\u{8}\n"));
        assert_eq!((view.filter.as_str(), view.is_reversed), ("add", true));
        assert!(press(&mut view, "\u{1b}"));
        assert_eq!(view.filter, "");
        assert!(!press(&mut view, "q"));
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert!(!View::new(TopSort::Name, String::new()).press(control_c));
    }

    fn shown(terminal: &Terminal<TestBackend>) -> String {
        terminal.backend().buffer().content().iter().map(Cell::symbol).collect()
    }

    #[test]
    fn it_draws_on_any_terminal() {
        let board = Board::new(None);
        let mut view = View::new(TopSort::Rate, String::new());
        for (width, height) in [(1, 1), (80, 3), (200, 50)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| view.draw(frame, &board)).unwrap();
            let shown = shown(&terminal);
            assert!(width < 80 || (shown.contains("0 servers") && shown.contains("req/s")), "{shown}");
        }
        view.heard(Some("the broker is\u{1b}[2J gone".to_owned()));
        let mut terminal = Terminal::new(TestBackend::new(80, 10)).unwrap();
        terminal.draw(|frame| view.draw(frame, &board)).unwrap();
        let shown = shown(&terminal);
        assert!(shown.contains("gone") && !shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn bars_are_as_high_as_the_rates() {
        let line = Line { history: [0.0, 50.0, 100.0].into(), ..Line::default() };
        assert_eq!(sparks(&line), "▁▄█");
        assert_eq!(sparks(&Line { history: [0.0; 100].into(), ..Line::default() }), "▁".repeat(SPARKS));
    }
}
