//! `guirpc dashboard`: what shows the metrics of services and clients, and what raises the alarm.

use std::fs;

use crate::args::Dashboard;
use crate::failure::Failure;
use crate::output;

/// For Grafana: Dashboards, New, Import.
const DASHBOARD: &str = include_str!("../../templates/dashboard.json");
/// For Prometheus: `rule_files`.
const ALERTS: &str = include_str!("../../templates/alerts.yaml");

pub(super) fn run(Dashboard { alerts, out }: &Dashboard) -> Result<(), Failure> {
    let text = if *alerts { ALERTS } else { DASHBOARD };
    match out {
        Some(path) => fs::write(path, text)
            .map_err(|error| Failure::other(format_args!("cannot write {}: {error}", path.display()))),
        None => output::print(text),
    }
}
