//! The plot: the latency by percentile, and over time; one line for each step.
//!
//! On white, so that a page may be light or dark; fonts are those of whoever looks at it.

use std::error::Error;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::number::float;
use super::report::{Report, Step};
use crate::terminal::line;

const SIZE: (u32, u32) = (1100, 480);
const FONT: &str = "sans-serif";
const TITLE: usize = 80;
/// Those of Okabe and Ito, which colour-blind people tell apart.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
/// Points of a line by percentile.
const POINTS: u32 = 200;

type Line = Vec<(f64, f64)>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What one panel shows.
struct Panel<'a> {
    title: &'a str,
    x_title: &'a str,
    x_labels: usize,
    x_label: &'a dyn Fn(&f64) -> String,
    lines: Vec<(String, Line)>,
    /// The other panel has the same colours.
    has_legend: bool,
}

/// Draws the steps in which something was answered, as SVG; none if there is no such step.
pub(super) fn draw(report: &Report) -> Result<Option<String>> {
    let steps: Vec<&Step> = report.steps.iter().filter(|step| !step.histogram_us.is_empty()).collect();
    if steps.is_empty() {
        return Ok(None);
    }
    let lines = |of: fn(&Step) -> Line| steps.iter().map(|step| (step.load.to_string(), of(step))).collect();
    let by_percentile: Vec<(String, Line)> = lines(by_percentile);
    let most_nines = by_percentile.iter().flat_map(|(_, line)| line).fold(0.0_f64, |most, (nines, _)| most.max(*nines));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "there are at most ten nines")]
    let panels = [
        Panel {
            title: "Latency by percentile, in ms",
            x_title: "percentile",
            x_labels: most_nines.ceil() as usize + 1,
            x_label: &|nines| percentile(*nines),
            lines: by_percentile,
            has_legend: true,
        },
        Panel {
            title: "p99 of the latency over time, in ms",
            x_title: "seconds from the beginning of the step",
            x_labels: 8,
            x_label: &|seconds| format!("{}", (seconds * 100.0).round() / 100.0),
            lines: lines(over_time),
            has_legend: false,
        },
    ];
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let title = format!("{}/{}", line(&report.service, TITLE), line(&report.function, TITLE));
        let area = area.titled(&title, (FONT, 20))?;
        let (left, right) = area.split_horizontally(SIZE.0 / 2);
        for (area, panel) in [left, right].iter().zip(&panels) {
            panel.draw(area)?;
        }
        area.present()?;
    }
    Ok(Some(svg))
}

/// Over the number of nines of the percentile: 1 is 90 %, 2 is 99 %.
fn by_percentile(step: &Step) -> Line {
    let total: u64 = step.histogram_us.iter().map(|(_, calls)| calls).sum();
    // Beyond the last call but one there is only the largest.
    let most = float(total).log10();
    let mut buckets = step.histogram_us.iter();
    let (mut latency, mut below) = (0, 0);
    let mut points = Line::new();
    for point in 0..=POINTS {
        let nines = most * f64::from(point) / f64::from(POINTS);
        let rank = float(total) * (1.0 - 10.0_f64.powf(-nines));
        while (latency == 0 || float(below) < rank)
            && let Some((microseconds, calls)) = buckets.next()
        {
            (latency, below) = (*microseconds, below + calls);
        }
        points.push((nines, float(latency) / 1e3));
    }
    points
}

fn over_time(step: &Step) -> Line {
    let slices = (0..).zip(&step.slices.p99_us).filter(|(_, p99)| **p99 > 0);
    slices.map(|(slice, p99)| ((f64::from(slice) + 0.5) * step.slices.length_s, float(*p99) / 1e3)).collect()
}

/// Only whole nines have a label.
fn percentile(nines: f64) -> String {
    if (nines - nines.round()).abs() > 1e-6 {
        return String::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "there are at most ten nines")]
    let decimals = (nines.round() as usize).saturating_sub(2);
    format!("{:.decimals$}%", 100.0 * (1.0 - 10.0_f64.powf(-nines)))
}

impl Panel<'_> {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<()> {
        let points = || self.lines.iter().flat_map(|(_, line)| line);
        let (x, y) = (range(points().map(|(x, _)| *x)), range(points().map(|(_, y)| *y)));
        // A little room above and below.
        let y = y.start / 1.5..y.end * 1.5;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, (FONT, 16))
            .margin(12)
            .margin_right(24)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..x.end, y.log_scale())?;
        chart
            .configure_mesh()
            .x_desc(self.x_title)
            .x_labels(self.x_labels)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&|value| value.to_string())
            .y_labels(12)
            .light_line_style(BLACK.mix(0.06))
            .max_light_lines(2)
            .label_style((FONT, 13))
            .draw()?;
        for ((title, line), colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            chart
                .draw_series(LineSeries::new(line.iter().copied(), colour.stroke_width(2)))?
                .label(title)
                .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        if self.has_legend {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::LowerRight)
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.3))
                .label_font((FONT, 13))
                .draw()?;
        }
        Ok(())
    }
}

/// Not empty, whatever there is.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (min, max) = values.fold((f64::INFINITY, 0.0_f64), |(min, max), value| (value.min(min), value.max(max)));
    if min <= max { min..max.max(1e-3) } else { 1e-3..1.0 }
}

#[cfg(test)]
mod tests {
    use super::super::load::Load;
    use super::super::report::tests::{report, step};
    use super::*;

    #[test]
    fn every_step_has_its_line() {
        let mut quick = step(Load::Concurrency(8), &[10; 10], &[500; 10]);
        quick.histogram_us = vec![(100, 90), (200, 9), (10_000, 1)];
        let steps = vec![quick, step(Load::Rate(0.5), &[1], &[70_000])];
        let svg = draw(&Report { function: "<b>&\u{1b}[2J".to_owned(), ..report(steps) }).unwrap().unwrap();
        for text in ["concurrency 8", "rate 0.5/s", "99%", "Latency by percentile", "&lt;b&gt;&amp;\\u{1b}[2J"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
    }

    #[test]
    fn nothing_answered_is_nothing_drawn() {
        let mut silent = step(Load::Concurrency(8), &[0; 10], &[0; 10]);
        silent.histogram_us.clear();
        assert_eq!(draw(&report(vec![silent])).unwrap(), None);
        assert_eq!(draw(&report(Vec::new())).unwrap(), None);
    }

    #[test]
    fn few_calls_can_be_drawn() {
        for calls in [1, 2] {
            let mut one = step(Load::Concurrency(1), &[calls], &[1]);
            one.slices.p99_us.clear();
            one.histogram_us = vec![(1, calls)];
            assert!(draw(&report(vec![one])).unwrap().is_some());
        }
    }

    #[test]
    fn a_percentile_is_read_off_the_line() {
        let mut one = step(Load::Concurrency(1), &[1], &[1]);
        one.histogram_us = vec![(100, 90), (200, 9), (10_000, 1)];
        let line = by_percentile(&one);
        let at = |nines: f64| line.iter().find(|(x, _)| *x >= nines - 1e-9).map(|(_, y)| y.to_string()).unwrap();
        assert_eq!([0.0, 0.9, 1.5, 2.0].map(at), ["0.1", "0.1", "0.2", "0.2"]);
        assert_eq!([0.0, 1.0, 2.0, 3.0, 1.5].map(percentile), ["0%", "90%", "99%", "99.9%", ""]);
    }
}
