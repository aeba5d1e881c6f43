//! What servers say of themselves, by the control exchange.

use std::collections::BTreeSet;
use std::time::Duration;

use guirpc::ClientConfig;
use guirpc::control::{Control, Info, Pong, Statistics};

use super::Target;
use super::finding::Finding;
use crate::commands::servers::target;

const ANSWER: &str = "servers.answer";
/// For all servers to be heard of.
const WAIT: Duration = Duration::from_millis(500);
/// For those that are known to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than the way of an answer explains, and what servers tolerate unless they are told otherwise.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// The servers of a service, or all, as far as they answer.
#[derive(Default)]
pub(super) struct Servers {
    pongs: Vec<Pong>,
    infos: Vec<Info>,
    statistics: Vec<Statistics>,
    /// Why none can be asked.
    refusal: Option<String>,
}

impl Servers {
    pub(super) fn unasked(why: impl Into<String>) -> Self {
        Servers { refusal: Some(why.into()), ..Servers::default() }
    }

    pub(super) fn ask(client: &ClientConfig, service: Option<&str>) -> Self {
        let asked = || {
            let (control, whom) = (Control::configured(client)?.wait(WAIT), target(service));
            let pongs = control.ping(&whom)?;
            // By now it is known how many there are.
            let control = control.expect(pongs.len()).wait(PATIENCE);
            let (infos, statistics) = (control.info(&whom)?, control.statistics(&whom)?);
            Ok(Servers { pongs, infos, statistics, refusal: None })
        };
        asked()
            .unwrap_or_else(|error: guirpc::Error| Servers { refusal: Some(error.to_string()), ..Servers::default() })
    }

    /// The longest run of a function of this service, in any of its lanes, by what servers have measured.
    pub(super) fn longest(&self, target: &Target) -> Option<Duration> {
        let lanes = self.statistics.iter().flat_map(|statistics| &statistics.lanes);
        let services = lanes.filter(|lane| lane.lane == target.lane).flat_map(|lane| &lane.services);
        let functions = services.filter(|served| served.service == target.service).flat_map(|served| &served.functions);
        functions
            .map(|function| Duration::from_micros(function.run_time.max_us))
            .max()
            .filter(|longest| !longest.is_zero())
    }

    /// How many requests servers fetch for each worker of a lane, at most.
    pub(super) fn fetched_per_worker(&self, target: &Target) -> Option<usize> {
        let lanes = self.infos.iter().flat_map(|info| &info.lanes).filter(|lane| lane.lane == target.lane);
        let fetched = lanes.map(|lane| lane.prefetch.div_ceil(lane.workers.max(1))).max()?;
        usize::try_from(fetched).ok()
    }

    pub(super) fn findings(&self, service: Option<&str>) -> Vec<Finding> {
        let whom = service.unwrap_or("all");
        if let Some(refusal) = &self.refusal {
            let why = format!("servers cannot be asked by the control exchange: {refusal}");
            return vec![Finding::skipped(ANSWER, why).about(whom)];
        }
        if self.infos.is_empty() {
            let why = "no server answers on the exchange `guirpc.control`: none runs, or its `control` is off";
            return vec![Finding::skipped(ANSWER, why).about(whom)];
        }
        let versions: BTreeSet<&str> = self.infos.iter().map(|info| &*info.instance.guirpc).collect();
        let found = match self.infos.len() {
            1 => "1 server answers".to_owned(),
            several => format!("{several} servers answer"),
        };
        let answer = if versions.len() == 1 {
            Finding::ok(ANSWER, found)
        } else {
            let versions: Vec<&str> = versions.into_iter().collect();
            Finding::note(ANSWER, format!("{found}, with guirpc {}", versions.join(" and ")))
                .means("they may differ in what they do")
        };
        let mut findings = vec![answer.about(whom)];
        findings.extend(self.pongs.iter().map(clock));
        findings.extend(self.infos.iter().flat_map(settings));
        findings.extend(self.statistics.iter().flat_map(connections));
        findings
    }
}

/// Whether a server's clock and ours agree; its answer took some time.
fn clock(pong: &Pong) -> Finding {
    let difference = pong.clock_difference();
    let finding = if difference <= CLOCKS_DIFFER {
        Finding::ok("servers.clock", "its clock agrees with this machine's, to the second")
    } else {
        let found = format!(
            "its clock differs from this machine's by {}",
            humantime::format_duration(Duration::from_secs(difference.as_secs()))
        );
        Finding::warning("servers.clock", found)
            .means("it takes requests for expired that are not, or runs those that are")
            .advise("set both clocks by NTP, or raise `clock_tolerance`")
    };
    finding.about(place(&pong.instance))
}

fn settings(info: &Info) -> Vec<Finding> {
    let lanes = info.lanes.iter().filter(|lane| lane.prefetch < lane.workers);
    let starved = lanes.map(|lane| {
        let name = lane.lane.as_ref().map_or_else(String::new, |lane| format!(" of the lane `{lane}`"));
        Finding::warning(
            "servers.settings",
            format!("`prefetch`{name} is {}, `workers` is {}", lane.prefetch, lane.workers),
        )
        .means("some workers never have anything to do")
        .advise("raise `prefetch` to the number of workers or more, or leave it out")
    });
    let starved: Vec<Finding> = starved.collect();
    let findings =
        if starved.is_empty() { vec![Finding::ok("servers.settings", "its settings agree")] } else { starved };
    findings.into_iter().map(|finding| finding.about(place(&info.instance))).collect()
}

fn connections(statistics: &Statistics) -> Vec<Finding> {
    const CHECK: &str = "servers.connection";
    let troubled = statistics.lanes.iter().filter(|lane| lane.status != "connected");
    let reconnects: u64 = statistics.lanes.iter().map(|lane| lane.reconnects).sum();
    let troubled: Vec<Finding> =
        troubled.map(|lane| Finding::warning(CHECK, &*lane.status).means("it serves nothing at the moment")).collect();
    let findings = if troubled.is_empty() {
        vec![Finding::ok(CHECK, format!("connected, {reconnects} times again since it started"))]
    } else {
        troubled
    };
    findings.into_iter().map(|finding| finding.about(place(&statistics.instance))).collect()
}

fn place(instance: &guirpc::control::Instance) -> String {
    format!("{} {}", instance.host, instance.pid)
}
