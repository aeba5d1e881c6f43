//! The process of a node, with its folder and its ports.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;

use super::console::{self, Console};
use super::install::Installation;
use super::tls::Tls;
use crate::eventually;
use crate::port::Port;

/// A start takes 4 s on two idle cores; a machine that compiles beside it needs a multiple.
const BOOT_TIME: Duration = Duration::from_mins(2);
const ANSWER_TIME: Duration = Duration::from_secs(30);
const STOP_TIME: Duration = Duration::from_secs(30);

/// How much of the output and of the log an error shows.
const REPORTED_LINES: usize = 40;

#[derive(Debug)]
pub(super) struct Node {
    installation: Installation,
    folder: TempDir,
    amqp: Port,
    member: Member,
    extras: Extras,
    running: Mutex<Option<Running>>,
}

/// What a node has beside its plain port.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) tls: Option<Tls>,
    /// Where the management API listens.
    pub(super) management: Option<Port>,
}

/// What a node is to other Erlang nodes: to `rabbitmqctl`, and to those of its cluster.
#[derive(Debug)]
pub(super) struct Member {
    /// The address of its own, on loopback.
    address: Ipv4Addr,
    /// The same in a whole cluster: Erlang takes it that all nodes have the one that it is told.
    distribution: Arc<Port>,
    /// What members know each other by; Erlang makes one if there is none.
    cookie: Option<String>,
}

impl Member {
    /// A node by itself.
    pub(super) fn alone() -> anyhow::Result<Self> {
        Ok(Self { address: Ipv4Addr::LOCALHOST, distribution: Arc::new(Port::claim()?), cookie: None })
    }

    /// The first node of a cluster.
    pub(super) fn first() -> anyhow::Result<Self> {
        Ok(Self { cookie: Some(format!("GUIRPC{:016X}", fastrand::u64(..))), ..Self::alone()? })
    }

    /// The next node of a cluster, with this number, beside this one.
    fn beside(first: &Node, number: u8) -> Self {
        let Member { distribution, cookie, .. } = &first.member;
        let address = Ipv4Addr::new(127, 0, 0, number);
        Self { address, distribution: Arc::clone(distribution), cookie: cookie.clone() }
    }
}

#[derive(Debug)]
struct Running {
    process: Child,
    console: Console,
}

impl Node {
    /// Starts a node of the same cluster; each needs a number of its own, above 1.
    pub(super) fn start_beside(&self, number: u8) -> anyhow::Result<Self> {
        let node = Self::start(Member::beside(self, number), Extras::default())?;
        for arguments in [&["stop_app"][..], &["join_cluster", &self.name()], &["start_app"]] {
            node.ctl(arguments)?;
        }
        Ok(node)
    }

    pub(super) fn start(member: Member, extras: Extras) -> anyhow::Result<Self> {
        let node = Self {
            installation: Installation::find().map_err(anyhow::Error::msg)?,
            folder: TempDir::with_prefix("guirpc-rabbitmq-")?,
            amqp: Port::claim()?,
            member,
            extras,
            running: Mutex::default(),
        };
        node.write_settings()?;
        node.launch()?;
        Ok(node)
    }

    /// Starts the process and waits until it takes connections.
    pub(super) fn launch(&self) -> anyhow::Result<()> {
        let mut process = self.server().spawn().context("cannot start RabbitMQ")?;
        let console = Console::attach(&mut process)?;
        let mut running = self.running();
        let Running { console, .. } = running.insert(Running { process, console });
        console
            .eval("rabbit:await_startup()", BOOT_TIME)
            .and_then(|_| Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port()))?))
            .map(drop)
            .map_err(|error| {
                let lines = console.lines();
                error.context(format!("RabbitMQ does not start\n{}", self.report(&lines)))
            })
    }

    pub(super) fn port(&self) -> u16 {
        self.amqp.number()
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.extras.tls.as_ref()
    }

    /// The port of the management API, if the node has it.
    pub(super) fn management(&self) -> Option<u16> {
        self.extras.management.as_ref().map(Port::number)
    }

    pub(super) fn eval(&self, expression: &str) -> anyhow::Result<String> {
        let mut running = self.running();
        let running = running.as_mut().context("the node is not running")?;
        running.console.eval(expression, ANSWER_TIME)
    }

    pub(super) fn ctl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self
            .script("rabbitmqctl")
            .arg("--quiet")
            .args(arguments)
            // Through the environment, since the Erlang that it starts in turn must not wake epmd either.
            .env("ERL_FLAGS", self.erlang_flags("-dist_listen false"))
            .output()
            .context("cannot run rabbitmqctl")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ensure!(
            output.status.success(),
            "rabbitmqctl {} failed\n{}{}",
            arguments.join(" "),
            text(&output.stdout),
            text(&output.stderr),
        );
        Ok(text(&output.stdout))
    }

    pub(super) fn kill(&self) -> anyhow::Result<()> {
        if let Some(mut running) = self.running().take() {
            running.process.kill()?;
            running.process.wait()?;
        }
        Ok(())
    }

    pub(super) fn stop(&self) -> anyhow::Result<()> {
        self.eval("init:stop()")?;
        let mut running = self.running();
        let Running { process, .. } = running.as_mut().context("the node is not running")?;
        eventually(STOP_TIME, || Ok(process.try_wait()?.is_some()))?;
        *running = None;
        Ok(())
    }

    pub(super) fn freeze(&self) -> anyhow::Result<()> {
        let id = self.signal(Signal::STOP)?;
        // Until the signal has reached all its threads, the node may still answer.
        waitid(WaitId::Pid(id), WaitIdOptions::STOPPED)?;
        Ok(())
    }

    pub(super) fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT).map(drop)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<Pid> {
        let running = self.running();
        let running = running.as_ref().context("the node is not running")?;
        let id = Pid::from_child(&running.process);
        kill_process(id, signal)?;
        Ok(id)
    }

    fn write_settings(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        fs::create_dir(folder.join("home"))?;
        if let Some(cookie) = &self.member.cookie {
            let path = folder.join("home/.erlang.cookie");
            fs::write(&path, cookie)?;
            // Erlang takes no cookie that others could read.
            fs::set_permissions(&path, Permissions::from_mode(0o400))?;
        }
        let plugins = if self.management().is_some() { "[rabbitmq_management].\n" } else { "[].\n" };
        fs::write(folder.join("enabled_plugins"), plugins)?;
        // Erlang terms rather than `key = value`, since the translation of those takes 0.7 s.
        let (port, tls) = (self.port(), self.tls().map(Tls::settings).unwrap_or_default());
        // Statistics of every second, so that nobody waits for them.
        let management = self.management().map(|port| {
            let (listener, options) = self.tls().map_or(("tcp_config", String::new()), Tls::https);
            format!(
                ", {{collect_statistics_interval, 1000}}]}}, \
                 {{rabbitmq_management, [{{{listener}, [{{port, {port}}}, {{ip, \"127.0.0.1\"}}{options}]}}"
            )
        });
        let management = management.unwrap_or_default();
        // As much in one message as RabbitMQ 3 takes, which is more than 4 does by itself.
        fs::write(
            folder.join("rabbitmq.config"),
            format!(
                "[{{rabbit, [{{tcp_listeners, [{{\"127.0.0.1\", {port}}}]}}, \
                    {{max_message_size, 134217728}}{tls}{management}]}}].\n"
            ),
        )?;
        Ok(())
    }

    fn server(&self) -> Command {
        let mut server = self.script("rabbitmq-server");
        let interface = format!("{{{}}}", self.member.address.octets().map(|part| part.to_string()).join(","));
        server
            // Makes the script become the Erlang process, whose standard input is our console.
            .env("RABBITMQ_ALLOW_INPUT", "1")
            // The usual table for a million processes doubles the time that a start takes.
            .env("RABBITMQ_SERVER_ERL_ARGS", "+P 65536")
            .env("ERL_FLAGS", self.erlang_flags(""))
            .env("ERL_CRASH_DUMP_SECONDS", "0")
            .args(["-noshell", "-name", &self.name()])
            .args(["-kernel", "inet_dist_use_interface", &interface])
            .args(["-eval", console::PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        server
    }

    /// One of RabbitMQ's scripts, pointed at nothing but this node.
    fn script(&self, name: &str) -> Command {
        let folder = self.folder.path();
        let mut script = self.installation.script(name);
        for (variable, _) in std::env::vars_os() {
            // Settings of a system service, or of whoever runs the tests.
            let text = variable.to_string_lossy();
            if text.starts_with("RABBITMQ_") || text.starts_with("ERL_") {
                script.env_remove(&variable);
            }
        }
        script
            .current_dir(folder)
            // Where the Erlang cookie is kept.
            .env("HOME", folder.join("home"))
            .env("RABBITMQ_NODENAME", self.name())
            // Names with an address in them.
            .env("RABBITMQ_USE_LONGNAME", "true")
            .env("RABBITMQ_CONF_ENV_FILE", folder.join("no-such-file"))
            .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.config"))
            .env("RABBITMQ_CONFIG_FILES", folder.join("no-such-folder"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("no-such-file"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
            .env("RABBITMQ_FEATURE_FLAGS_FILE", folder.join("feature_flags"))
            .env("RABBITMQ_MNESIA_BASE", folder.join("data"))
            .env("RABBITMQ_LOG_BASE", folder.join("log"))
            .env("RABBITMQ_LOGS", self.log())
            .env("RABBITMQ_PID_FILE", folder.join("pid"));
        script
    }

    /// Erlang finds the node by its port, so that no epmd, which outlives everybody, is needed.
    fn erlang_flags(&self, more: &str) -> String {
        let port = self.member.distribution.number();
        format!("-start_epmd false -erl_epmd_port {port} {more}")
    }

    fn name(&self) -> String {
        format!("guirpc-{}@{}", self.port(), self.member.address)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log/node.log")
    }

    /// What a human needs to see why it does not start: the ends of its output and of its log.
    fn report(&self, output: &[String]) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let (errors, others): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| line.contains("[error]"));
        // After an error follows a page about how everything was stopped.
        let log = if errors.is_empty() { others } else { errors };
        let (output, log) = (last(output).join("\n"), last(&log).join("\n"));
        format!("--- its output\n{output}\n--- its log\n{log}")
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        // A test that failed while it asked must not keep the node from ending.
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn last<T>(lines: &[T]) -> &[T] {
    &lines[lines.len().saturating_sub(REPORTED_LINES)..]
}

impl Drop for Node {
    fn drop(&mut self) {
        // Fails only when it is already gone.
        let _ = self.kill();
    }
}
