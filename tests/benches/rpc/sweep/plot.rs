//! The plot: two panels over the calls in flight, calls per second and the p99 of the latency.
//!
//! On white, so that a page may be light or dark.

use std::ops::Range;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

const SIZE: (u32, u32) = (1000, 420);
const FONT: &str = "sans-serif";
/// Those of Okabe and Ito, which colour-blind people tell apart.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

/// One contestant; of each point the calls in flight, then the value.
pub(super) struct Line {
    pub(super) title: String,
    pub(super) rates: Vec<(f64, f64)>,
    /// In milliseconds.
    pub(super) p99s: Vec<(f64, f64)>,
}

/// Draws the lines, as SVG.
pub(super) fn draw(lines: &[Line]) -> Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (left, right) = area.split_horizontally(SIZE.0 / 2);
        panel(&left, "Calls per second", lines, |line| &line.rates)?;
        panel(&right, "p99 of the latency, in ms", lines, |line| &line.p99s)?;
        area.present()?;
    }
    Ok(svg)
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    title: &str,
    lines: &[Line],
    values: impl Fn(&Line) -> &[(f64, f64)],
) -> Result<()> {
    let points = || lines.iter().flat_map(&values);
    let (x, y) = (range(points().map(|(x, _)| *x)), range(points().map(|(_, y)| *y)));
    // A little room above and below.
    let y = y.start / 1.5..y.end * 1.5;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 18))
        .margin(12)
        .margin_right(24)
        .x_label_area_size(42)
        .y_label_area_size(56)
        .build_cartesian_2d(x.log_scale().base(4.0), y.log_scale())?;
    chart
        .configure_mesh()
        .x_desc("calls in flight")
        .x_label_formatter(&|in_flight| format!("{in_flight:.0}"))
        .y_label_formatter(&|value| value.to_string())
        .x_max_light_lines(1)
        .y_labels(12)
        .label_style((FONT, 13))
        .draw()?;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let points = values(line).iter().copied();
        chart
            .draw_series(LineSeries::new(points, colour.filled().stroke_width(2)).point_size(3))?
            .label(&line.title)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 13))
        .draw()?;
    Ok(())
}

fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (min, max) = values.fold((f64::INFINITY, 0.0), |(min, max), value| (value.min(min), value.max(max)));
    min..max
}
