//! `guirpc doctor`: each fault that can be provoked is named by its check, and nothing is left behind.

use std::time::{Duration, Instant, SystemTime};

use amiquip::{AmqpValue, Connection, ExchangeDeclareOptions, ExchangeType};
use anyhow::{Context, ensure};
use guirpc::Client;
use harness::{Broker, Case, Port, RabbitMq, eventually};
use serde_json::Value;

use super::certificates::Certificates;
use super::run::{guirpc, run};
use super::written::{Letter, Post};
use super::{LONG, shop};

const DAY: Duration = Duration::from_hours(24);

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::shared("doctor::a_healthy_service_ends_with_0", a_healthy_service_ends_with_0),
        Case::shared("doctor::a_broker_that_nobody_has_used_is_left_so", a_broker_that_nobody_has_used_is_left_so),
        Case::shared("doctor::whoever_is_refused_is_told_why", whoever_is_refused_is_told_why),
        Case::shared("doctor::a_service_that_is_down_ends_with_7", a_service_that_is_down_ends_with_7),
        Case::shared("doctor::a_service_that_is_busy_ends_with_6", a_service_that_is_busy_ends_with_6),
        Case::shared("doctor::servers_say_how_they_do", servers_say_how_they_do),
        Case::shared("doctor::dead_letters_are_a_warning", dead_letters_are_a_warning),
        Case::shared("doctor::what_is_declared_differently_ends_with_9", what_is_declared_differently_ends_with_9),
        Case::shared("doctor::settings_that_fight_are_named", settings_that_fight_are_named),
        Case::exclusive("doctor::an_alarm_of_the_broker_is_told_at_once", an_alarm_of_the_broker_is_told_at_once),
        Case::rabbitmq_shared("doctor::rights_are_told_and_the_advice_grants_them", the_advice_grants_rights),
        Case::rabbitmq_exclusive("doctor::limits_of_connections_are_told", limits_of_connections_are_told),
        Case::rabbitmq_own("doctor::the_management_api_speaks_tls", the_management_api_speaks_tls),
        Case::rabbitmq_own("doctor::the_management_api_tells_more", the_management_api_tells_more),
        Case::rabbitmq_own("doctor::a_certificate_near_its_end_is_told", a_certificate_near_its_end_is_told),
    ]
}

/// What the doctor has said.
#[derive(Debug)]
struct Diagnosis {
    code: i32,
    said: Value,
}

impl Diagnosis {
    fn of(uri: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Diagnosis::with(uri, arguments, &[])
    }

    fn with(uri: &str, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut command = guirpc()?;
        command.env("AMQP_URI", uri).args(["doctor", "--json"]).args(arguments).envs(environment.iter().copied());
        let ended = run(&mut command)?;
        ensure!(ended.stderr.is_empty(), "{ended:?}");
        for secret in ["secret", "guest:guest"] {
            ensure!(!ended.stdout.contains(secret), "a password is shown: {ended:?}");
        }
        let said: Value = serde_json::from_str(&ended.stdout)?;
        ensure!(said["exit_code"] == ended.code, "{ended:?}");
        Ok(Diagnosis { code: ended.code, said })
    }

    /// The findings of a check, with their severities and all that they say.
    fn findings(&self, check: &str) -> Vec<(&str, String)> {
        let findings = self.said["findings"].as_array().into_iter().flatten();
        let findings = findings.filter(|finding| finding["check"] == check);
        findings.map(|finding| (finding["severity"].as_str().unwrap_or_default(), finding.to_string())).collect()
    }

    /// Fails unless the check has found this.
    fn check(&self, check: &str, severity: &str, text: &str) -> anyhow::Result<&Self> {
        let findings = self.findings(check);
        let found = findings.iter().any(|(its, said)| *its == severity && said.contains(text));
        ensure!(found, "`{check}` has not found {severity} `{text}`: {findings:#?}");
        Ok(self)
    }

    fn ends_with(&self, code: i32) -> anyhow::Result<&Self> {
        let bad = self.said["findings"].as_array().into_iter().flatten();
        let bad: Vec<&Value> =
            bad.filter(|finding| ["warning", "error"].contains(&finding["severity"].as_str().unwrap_or(""))).collect();
        ensure!(self.code == code, "it ends with {} and not {code}: {bad:#?}", self.code);
        Ok(self)
    }

    /// The command that the check advises, without `rabbitmqctl`.
    fn advised(&self, check: &str) -> anyhow::Result<Vec<String>> {
        let findings = self.said["findings"].as_array().context("findings")?;
        let finding = findings.iter().find(|finding| finding["check"] == check).context("the check")?;
        let advice = finding["advice"].as_str().context("advice")?;
        let (_, command) = advice.split_once("`rabbitmqctl ").context("a command")?;
        let (command, _) = command.split_once('`').context("its end")?;
        shlex::split(command).context("words")
    }
}

fn a_healthy_service_ends_with_0(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let diagnosis = Diagnosis::of(&broker.uri(), &["shop", "--longest", "1s"])?;
    diagnosis.ends_with(0)?;
    for (check, text) in [
        ("broker.reachable", "greets"),
        ("broker.access", "guest"),
        ("broker.alarm", "takes messages"),
        ("broker.heartbeat", "every 10 s"),
        ("broker.channels", "channels"),
        ("broker.frame-size", "131064"),
        ("exchange.declaration", "guirpc"),
        ("queue.declaration", "all queues"),
        ("queue.consumers", "1 server takes"),
        ("queue.backlog", "no request waits"),
        ("queue.dead-letters", "none"),
        ("queue.quarantine", "shop.quarantine"),
        ("queue.consumer-timeout", "30m"),
        ("service.answers", "8 functions"),
        ("settings.server", "agree"),
        ("machine.open-files", "files"),
    ] {
        diagnosis.check(check, "ok", text)?;
    }
    // For people.
    let ended = run(guirpc()?.env("AMQP_URI", broker.uri()).args(["doctor", "shop"]))?;
    ensure!(
        ended.code == 0 && ended.stdout.contains("ok       queue.consumers `shop`: 1 server takes its requests\n"),
        "{ended:?}"
    );
    ensure!(ended.stdout.contains("0 error, 0 warning, "), "{ended:?}");
    Ok(())
}

fn a_broker_that_nobody_has_used_is_left_so(broker: &dyn Broker) -> anyhow::Result<()> {
    // What a first look has left behind, the second would see.
    for _ in 0..2 {
        let diagnosis = Diagnosis::of(&broker.uri(), &["shop"])?;
        diagnosis.ends_with(0)?.check("exchange.declaration", "note", "none yet")?;
        diagnosis.check("queue.declaration", "note", "the first server declares `shop`, `shop.calls`")?;
    }
    ensure!(broker.queues()?.is_none_or(|queues| queues.is_empty()), "{:?}", broker.queues()?);
    // A name that is misspelt beside services that are there is none that is new.
    let _shop = shop::open(broker)?;
    let diagnosis = Diagnosis::of(&broker.uri(), &["shoe"])?;
    diagnosis.ends_with(11)?.check("queue.declaration", "warning", "is the name right")?;
    Ok(())
}

fn whoever_is_refused_is_told_why(broker: &dyn Broker) -> anyhow::Result<()> {
    for (uri, text) in [
        (broker.uri_for("guest", "secret", "/"), "the password is wrong"),
        (broker.uri_for("guest", "guest", "nowhere"), "no virtual host `nowhere`"),
    ] {
        let diagnosis = Diagnosis::of(&uri, &["shop"])?;
        diagnosis.ends_with(4)?.check("broker.access", "error", text)?.check("queue.declaration", "skipped", "")?;
    }
    let nobody = Port::claim()?;
    let uri = format!("amqp://guest:secret@127.0.0.1:{}", nobody.number());
    Diagnosis::of(&uri, &[])?.ends_with(4)?.check("broker.reachable", "error", "rabbitmq-diagnostics listeners")?;
    Ok(())
}

fn a_service_that_is_down_ends_with_7(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(shop::open(broker)?);
    Client::connect(broker.uri())?.send_json("shop", "price", serde_json::json!(["tea", 1]))?;
    let diagnosis = Diagnosis::of(&broker.uri(), &["shop", "--longest", "45min"])?;
    diagnosis.ends_with(7)?.check("queue.consumers", "error", "no server takes its requests")?;
    diagnosis.check("queue.backlog", "warning", "1 requests wait")?;
    diagnosis.check("queue.consumer-timeout", "warning", "consumer_timeout")?;
    Ok(())
}

fn a_service_that_is_busy_ends_with_6(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open_with(broker, |setup| setup.workers(1).prefetch(1))?;
    let client = Client::connect(broker.uri())?;
    for _ in 0..10 {
        client.send_json("shop", "dawdle", serde_json::json!({}))?;
    }
    let diagnosis = Diagnosis::of(&broker.uri(), &["shop", "--timeout", "2s"])?;
    diagnosis.ends_with(6)?.check("service.answers", "error", "its workers are busy")?;
    ensure!(!diagnosis.findings("queue.backlog").iter().any(|(severity, _)| *severity == "ok"), "{diagnosis:?}");
    Ok(())
}

fn dead_letters_are_a_warning(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    Post::open(broker)?.write("shop", [Letter::new("shop", "place", "order-1", r#"["tea"]"#)])?;
    let diagnosis = Diagnosis::of(&broker.uri(), &["shop"])?;
    diagnosis.ends_with(11)?.check("queue.dead-letters", "warning", "guirpc dead list shop")?;
    Ok(())
}

fn what_is_declared_differently_ends_with_9(broker: &dyn Broker) -> anyhow::Result<()> {
    Post::open(broker)?.declare_with("shop", &[("x-max-priority", AmqpValue::LongInt(5))])?;
    let uri = broker.uri();
    let diagnosis = Diagnosis::of(&uri, &["shop"])?;
    diagnosis.ends_with(9)?.check("queue.declaration", "error", "`x-max-priority`")?;
    // By the settings of the service it is as it should be.
    let diagnosis = Diagnosis::with(&uri, &["shop"], &[("GUIRPC_MAX_PRIORITY", "5")])?;
    diagnosis.ends_with(7)?.check("queue.declaration", "note", "shop.retry")?;
    let mut connection = Connection::insecure_open(&uri)?;
    let channel = connection.open_channel(None)?;
    channel.exchange_declare(ExchangeType::Fanout, "guirpc", ExchangeDeclareOptions::default())?;
    Diagnosis::of(&uri, &[])?.ends_with(9)?.check("exchange.declaration", "error", "`type` would be")?;
    Ok(())
}

fn settings_that_fight_are_named(broker: &dyn Broker) -> anyhow::Result<()> {
    let environment = [("GUIRPC_PREFETCH", "2"), ("GUIRPC_WORKERS", "8")];
    let diagnosis = Diagnosis::with(&broker.uri(), &[], &environment)?;
    diagnosis.ends_with(11)?.check("settings.server", "warning", "`prefetch` is 2, `workers` is 8")?;
    let _shop = shop::open(broker)?;
    // A lane that only the settings know of.
    let diagnosis = Diagnosis::with(&broker.uri(), &["shop"], &[("GUIRPC_LANE_WORKERS", "reports=2")])?;
    diagnosis.ends_with(11)?.check("queue.declaration", "warning", "\"subject\":\"shop.reports\"")?;
    let uri = format!("{}?heartbeat=50", broker.uri());
    Diagnosis::of(&uri, &[])?.ends_with(11)?.check("broker.heartbeat", "warning", "every 50 s")?;
    let environment = [("AMQP_URI", broker.uri()), ("GUIRPC_SINGLE_ACTIVE_CONSUMER", "true".to_owned())];
    let ended = run(guirpc()?.envs(environment).arg("doctor"))?;
    ensure!(ended.code == 2 && ended.stderr.contains("queue_type"), "{ended:?}");
    let ended = run(guirpc()?.args(["doctor", "--management", "http://a:secret@h:port"]))?;
    ensure!(ended.code == 2 && !ended.stderr.contains("secret"), "{ended:?}");
    Ok(())
}

fn an_alarm_of_the_broker_is_told_at_once(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    broker.memory_alarm(true)?;
    let begun = Instant::now();
    let diagnosis = Diagnosis::of(&broker.uri(), &["shop"])?;
    ensure!(begun.elapsed() < Duration::from_secs(8), "it took {:?}", begun.elapsed());
    diagnosis.ends_with(4)?.check("broker.alarm", "error", "memory")?;
    diagnosis.check("service.answers", "skipped", "")?.check("queue.consumers", "ok", "")?;
    broker.memory_alarm(false)?;
    eventually(LONG, || Ok(Diagnosis::of(&broker.uri(), &["shop"])?.code == 0))
}

fn the_advice_grants_rights(rabbitmq: &RabbitMq) -> anyhow::Result<()> {
    let caller = rabbitmq.add_user("caller", ["^$", "^guirpc$", "^$"])?;
    let diagnosis = Diagnosis::of(&caller, &["shop"])?;
    diagnosis.ends_with(0)?.check("permissions.call", "ok", "")?;
    diagnosis.check("permissions.serve", "note", "may not configure exchange `guirpc`")?;
    diagnosis.check("permissions.dead-letters", "note", "`shop.dead`")?;
    let useless = rabbitmq.add_user("useless", ["^$", "^$", "^$"])?;
    Diagnosis::of(&useless, &["shop"])?.ends_with(4)?.check(
        "permissions.call",
        "error",
        "write to exchange `guirpc`",
    )?;
    // Servers may do what operators may.
    let roles =
        [("operator", "permissions.dead-letters"), ("caller", "permissions.call"), ("server", "permissions.serve")];
    for (role, check) in roles {
        let arguments = ["shop", "--as", role];
        let diagnosis = Diagnosis::of(&useless, &arguments)?;
        diagnosis.ends_with(4)?.check(check, "error", "may not")?;
        let advised = diagnosis.advised(check)?;
        rabbitmq.ctl(&advised.iter().map(String::as_str).collect::<Vec<_>>())?;
        Diagnosis::of(&useless, &arguments)?.ends_with(0)?.check(check, "ok", "useless")?;
    }
    ensure!(rabbitmq.queues()?.is_some_and(|queues| queues.is_empty()), "{:?}", rabbitmq.queues()?);
    // What is there is used as it is by whoever may not declare it.
    let _shop = shop::open(rabbitmq)?;
    Post::open(rabbitmq)?.declare("shop.dead")?;
    let rights = ["^$", r"^amq\.default$", r"^shop(\.(calls|retry|quarantine))?$"];
    let bare = rabbitmq.add_user("bare", rights)?;
    let diagnosis = Diagnosis::of(&bare, &["shop", "--as", "server"])?;
    diagnosis.ends_with(0)?.check("permissions.serve", "ok", "")?;
    diagnosis.check("queue.declaration", "skipped", "may not declare")?;
    diagnosis.check("service.answers", "skipped", "cannot call")?;
    Ok(())
}

fn limits_of_connections_are_told(rabbitmq: &mut RabbitMq) -> anyhow::Result<()> {
    rabbitmq.set("channel_max", "5")?;
    Diagnosis::of(&rabbitmq.uri(), &[])?.ends_with(4)?.check("broker.channels", "error", "may have 5 channels")?;
    rabbitmq.set("channel_max", "2047")?;
    rabbitmq.set("frame_max", "4096")?;
    Diagnosis::of(&rabbitmq.uri(), &[])?.ends_with(11)?.check("broker.frame-size", "warning", "4088 bytes")?;
    Ok(())
}

fn the_management_api_tells_more() -> anyhow::Result<()> {
    let mut rabbitmq = RabbitMq::start_with_management()?;
    let uri = rabbitmq.uri();
    let url = rabbitmq.management().context("it has it")?;
    let ask = |arguments: &[&str]| Diagnosis::of(&uri, &[&["--management", &url], arguments].concat());
    let shop = shop::open(&rabbitmq)?;
    let diagnosis = ask(&["shop"])?;
    diagnosis.ends_with(0)?;
    for (check, text) in [
        ("management.reachable", "answers"),
        ("broker.clock", "agrees"),
        ("node.running", "runs"),
        ("limits.connections", "neither"),
    ] {
        diagnosis.check(check, "ok", text)?;
    }
    eventually(LONG, || Ok(ask(&[])?.check("node.resources", "ok", "file descriptors").is_ok()))?;
    ensure!(diagnosis.findings("fault.slow-replies").is_empty(), "a node alone is no cluster: {diagnosis:?}");
    // All services of the virtual host, if none is named.
    ask(&[])?.ends_with(0)?.check("queue.consumers", "ok", "\"subject\":\"shop\"")?;
    refuses_strangers(&uri, &url)?;
    rabbitmq.ctl(&["set_policy", "--apply-to", "queues", "short", "^shop$", r#"{"max-length": 9}"#])?;
    rabbitmq.ctl(&["set_vhost_limits", "-p", "/", r#"{"max-connections": 4}"#])?;
    let warned = || {
        let diagnosis = ask(&["shop"])?;
        diagnosis.check("limits.connections", "warning", "of 4 connections")?;
        Ok::<_, anyhow::Error>(diagnosis.check("queue.policy", "warning", "max-length").is_ok() && diagnosis.code == 11)
    };
    eventually(LONG, || Ok(warned().unwrap_or_default()))?;
    rabbitmq.ctl(&["clear_policy", "short"])?;
    rabbitmq.ctl(&["clear_vhost_limits", "-p", "/"])?;
    drop(shop);
    hangs(&rabbitmq, &ask)?;
    rabbitmq.memory_alarm(true)?;
    eventually(LONG, || Ok(ask(&[])?.check("node.alarm", "error", "short of memory").is_ok()))
}

/// Whoever issued its certificate is trusted if the system trusts them.
fn the_management_api_speaks_tls() -> anyhow::Result<()> {
    let certificates = Certificates::new("localhost")?;
    let rabbitmq = RabbitMq::start_with_tls_and_management(&certificates.options(false), &certificates.trust())?;
    let url = rabbitmq.management().context("it has it")?;
    ensure!(url.starts_with("https:"), "{url}");
    let (uri, arguments) = (rabbitmq.uri(), ["--management", &url]);
    let authority = certificates.authority();
    let trusting = Diagnosis::with(&uri, &arguments, &[("SSL_CERT_FILE", &authority)])?;
    trusting.ends_with(0)?.check("management.reachable", "ok", "answers")?.check("node.running", "ok", "runs")?;
    let unknown = Diagnosis::of(&uri, &arguments)?;
    unknown.ends_with(4)?.check("management.reachable", "error", "UnknownIssuer")?;
    Ok(())
}

/// No password is shown, wherever it stands.
fn refuses_strangers(uri: &str, url: &str) -> anyhow::Result<()> {
    let stranger = url.replace("://", "://guest:secret@");
    let diagnosis = Diagnosis::of(uri, &["--management", &stranger])?;
    diagnosis.ends_with(4)?.check("management.reachable", "error", "set_user_tags")?;
    let port = Port::claim()?;
    let nobody = format!("http://127.0.0.1:{}", port.number());
    Diagnosis::of(uri, &["--management", &nobody])?.ends_with(4)?.check(
        "management.reachable",
        "error",
        "cannot be reached",
    )?;
    let (_, amqp) = uri.split_once('@').context("@")?;
    let (host, _) = amqp.split_once('/').context("/")?;
    let diagnosis = Diagnosis::of(uri, &["--management", &format!("http://{host}")])?;
    diagnosis.ends_with(4)?.check("management.reachable", "error", "cannot be reached")?;
    Ok(())
}

/// Requests that nobody acknowledges.
fn hangs(rabbitmq: &RabbitMq, ask: &dyn Fn(&[&str]) -> anyhow::Result<Diagnosis>) -> anyhow::Result<()> {
    let mut connection = Connection::insecure_open(&rabbitmq.uri())?;
    let channel = connection.open_channel(None)?;
    Client::connect(rabbitmq.uri())?.send_json("shop", "price", serde_json::json!(["tea", 1]))?;
    let mut got = None;
    eventually(LONG, || {
        got = channel.basic_get("shop", false)?;
        Ok(got.is_some())
    })?;
    eventually(LONG, || Ok(ask(&["shop"])?.check("queue.unacknowledged", "warning", "1 requests are").is_ok()))
}

fn a_certificate_near_its_end_is_told() -> anyhow::Result<()> {
    for (days, severity, code) in [(90, "ok", 0), (20, "warning", 11), (3, "error", 4)] {
        let certificates = Certificates::until("localhost", SystemTime::now() + days * DAY + DAY / 2)?;
        let rabbitmq = RabbitMq::start_with_tls(&certificates.options(false), &certificates.trust())?;
        let diagnosis = Diagnosis::of(&rabbitmq.uri(), &[])?;
        diagnosis.ends_with(code)?.check("broker.certificate", severity, &format!("in {days} days"))?;
    }
    Ok(())
}

/// Their settings, their clocks, and how long their functions take.
fn servers_say_how_they_do(broker: &dyn Broker) -> anyhow::Result<()> {
    let uri = broker.uri();
    let starved = guirpc::Setup::new(["shop"]).uri(&uri).workers(4).prefetch(2).state(shop::orders().0);
    let _shop = guirpc::Server::start(starved)?;
    let mut diagnosis = Diagnosis::of(&uri, &["shop"])?;
    eventually(LONG, || {
        if diagnosis.check("servers.answer", "ok", "1 server answers").is_err() {
            diagnosis = Diagnosis::of(&uri, &["shop"])?;
        }
        Ok(diagnosis.check("servers.answer", "ok", "1 server answers").is_ok())
    })?;
    diagnosis
        .ends_with(11)?
        .check("servers.settings", "warning", "`prefetch` is 2, `workers` is 4")?
        .check("servers.clock", "ok", "agrees")?
        .check("servers.connection", "ok", "connected")?
        .check("queue.consumer-timeout", "skipped", "no server has run anything yet")?;
    Client::connect(&uri)?.call_json("shop", "price", serde_json::json!(["tea", 3]))?;
    let knows =
        |diagnosis: &Diagnosis| diagnosis.check("queue.consumer-timeout", "ok", "the longest function takes").is_ok();
    eventually(LONG, || Ok(knows(&Diagnosis::of(&uri, &["shop"])?)))
}
