//! What the `guirpc` command does with a broker: calls, and every way in which they can end.

mod bench;
#[allow(dead_code, reason = "end_to_end needs all of it")]
#[path = "../end_to_end/certificates.rs"]
mod certificates;
mod dashboard;
mod dead;
mod doctor;
mod new;
mod original;
mod python;
mod run;
mod servers;
mod shop;
mod terminal;
mod vandal;
#[path = "../end_to_end/dead_letters/written.rs"]
mod written;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::ensure;
use harness::{Broker, Case, eventually};
use run::{Ended, check, guirpc, run};

const LONG: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let cases = [
        Case::shared("call::prints_the_output_as_one_line_of_json", prints_the_output_as_one_line_of_json),
        Case::shared("call::reads_arguments_from_standard_input", reads_arguments_from_standard_input),
        Case::shared("call::numbers_are_exact_or_refused", numbers_are_exact_or_refused),
        Case::shared("call::warns_of_an_argument_that_is_none", warns_of_an_argument_that_is_none),
        Case::shared("call::sends_headers", sends_headers),
        Case::shared("call::failures_have_exit_codes", failures_have_exit_codes),
        Case::shared(
            "call::a_service_that_is_down_is_told_from_a_slow_one",
            a_service_that_is_down_is_told_from_a_slow_one,
        ),
        Case::shared("call::a_broker_that_refuses_ends_with_4", a_broker_that_refuses_ends_with_4),
        Case::exclusive("call::an_alarm_of_the_broker_is_told_at_once", an_alarm_of_the_broker_is_told_at_once),
        Case::shared("send::leaves_the_request_in_the_queue", leaves_the_request_in_the_queue),
        Case::shared("send::is_run_without_anybody_waiting", is_run_without_anybody_waiting),
        Case::shared("python::calls_as_python_does", python::calls_as_python_does),
        Case::shared("python::failures_have_the_usual_exit_codes", python::failures_have_the_usual_exit_codes),
        Case::shared("python::sends_as_python_does", python::sends_as_python_does),
        Case::shared("ping::shows_what_there_is", shows_what_there_is),
        Case::shared("ls::lists_who_is_there", servers::ls_lists_who_is_there),
        Case::shared("info::describes_a_service", servers::info_describes_a_service),
        Case::shared("stats::count_what_has_run", servers::stats_count_what_has_run),
        Case::shared("top::shows_what_happens", servers::top_shows_what_happens),
        Case::shared("bench::shows_each_step", bench::shows_each_step),
        Case::shared("bench::json_is_consistent", bench::json_is_consistent),
        Case::shared("bench::failures_are_counted_by_their_kind", bench::failures_are_counted_by_their_kind),
        Case::shared("bench::a_rate_that_is_not_kept_shows_the_queue", bench::a_rate_that_is_not_kept_shows_the_queue),
        Case::shared("bench::against_finds_a_slowdown", bench::against_finds_a_slowdown),
        Case::shared("bench::plot_holds_the_steps", bench::plot_holds_the_steps),
        Case::shared("bench::a_service_that_hangs_ends_it", bench::a_service_that_hangs_ends_it),
        Case::shared("bench::ctrl_c_ends_it_with_the_results_so_far", bench::ctrl_c_ends_it_with_the_results_so_far),
        Case::exclusive("bench::a_broker_that_goes_away_ends_it", bench::a_broker_that_goes_away_ends_it),
        Case::exclusive("bench::an_alarm_of_the_broker_ends_it", bench::an_alarm_of_the_broker_ends_it),
        Case::shared("dashboard::asks_for_what_there_is", dashboard::asks_for_what_there_is),
        Case::shared("vandal::steers_no_terminal", vandal::steers_no_terminal),
        Case::shared("dead::list_shows_what_there_is", dead::list_shows_what_there_is),
        Case::shared("dead::show_prints_one_whole", dead::show_prints_one_whole),
        Case::shared("dead::requeue_has_it_run_again", dead::requeue_has_it_run_again),
        Case::shared("dead::requeue_says_what_stays", dead::requeue_says_what_stays),
        Case::shared("dead::drop_wants_to_be_told_what", dead::drop_wants_to_be_told_what),
        Case::shared("new::the_service_builds_passes_its_test_and_serves", new::builds_passes_its_test_and_serves),
        Case::shared(
            "original::consumer_and_producer_understand_each_other",
            original::consumer_and_producer_understand_each_other,
        ),
        Case::shared("original::runconsumer_ends_as_the_service_does", original::runconsumer_ends_as_the_service_does),
    ];
    harness::main(cases.into_iter().chain(doctor::cases()))
}

/// Runs the command against this broker.
fn ask(broker: &dyn Broker, arguments: &[&str]) -> anyhow::Result<Ended> {
    run(guirpc()?.env("AMQP_URI", broker.uri()).args(arguments))
}

/// Each command is a new client, which hears of an alarm only when it publishes.
fn an_alarm_of_the_broker_is_told_at_once(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    // A server that is not yet there to be asked cannot get there during an alarm.
    servers::answered(broker, 1, &["ls"])?;
    broker.memory_alarm(true)?;
    let arguments = r#"["tea", 3]"#;
    let commands =
        [&["call", "shop", "price", arguments][..], &["send", "shop", "price", arguments], &["ping", "shop"]];
    for command in commands {
        let begun = Instant::now();
        check(&ask(broker, command)?, 4, "takes no messages at the moment")?;
        ensure!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    }
    // A server that has not published since may answer once.
    for command in [&["ls"][..], &["info", "shop"], &["stats"], &["top", "--once"]] {
        let begun = Instant::now();
        let ended = ask(broker, &[command, &["--wait", "2s"]].concat())?;
        ensure!(ended.code == 0 || check(&ended, 4, "takes no messages at the moment").is_ok(), "{ended:?}");
        ensure!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    }
    broker.memory_alarm(false)?;
    eventually(LONG, || Ok(ask(broker, &["ping", "shop"])?.code == 0))
}

fn prints_the_output_as_one_line_of_json(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    for arguments in [r#"{"amount": 3, "article": "tea"}"#, r#"["tea", 3]"#] {
        let ended = ask(broker, &["call", "shop", "price", arguments])?;
        check(&ended, 0, "9")?;
        ensure!(ended.stdout == "9\n", "{ended:?}");
    }
    let uri = format!("--uri={}", broker.uri());
    let ended = run(guirpc()?.args(["call", &uri, "shop", "price", r#"["tea", 3]"#]))?;
    check(&ended, 0, "9\n")
}

fn reads_arguments_from_standard_input(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let mut command = guirpc()?;
    command.env("AMQP_URI", broker.uri()).args(["call", "shop", "price", "-"]);
    check(&run(command.write_stdin("{\n  \"article\": \"tea\",\n  \"amount\": 4\n}\n"))?, 0, "12\n")
}

fn numbers_are_exact_or_refused(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let arguments = format!(r#"{{"number": {}}}"#, u128::MAX / 2);
    check(&ask(broker, &["call", "shop", "doubled", &arguments])?, 0, &format!("{}\n", u128::MAX - 1))?;
    check(&ask(broker, &["call", "shop", "mean", "[[1e300, 0.1]]"])?, 0, "5e+299\n")?;
    check(&ask(broker, &["call", "shop", "mean", "[[]]"])?, 3, "JSON has no number for NaN")?;
    check(&ask(broker, &["call", "shop", "mean", "[[NaN]]"])?, 2, "the arguments are not JSON")
}

fn warns_of_an_argument_that_is_none(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let warning = "warning: `discount` has no argument `per_cent`, did you mean `percent`?\n";
    let ended = ask(broker, &["call", "shop", "discount", r#"{"percent": 5, "per_cent": 6}"#])?;
    ensure!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()) == (0, "5\n", warning), "{ended:?}");
    // It may be the reason of a failure.
    let ended = ask(broker, &["call", "shop", "discount", r#"{"per_cent": 6}"#])?;
    check(&ended, 3, "error: {\"article\":\"all\",\"left\":0}")?;
    ensure!(ended.stderr.starts_with(warning), "{ended:?}");
    check(&ask(broker, &["call", "shop", "price", r#"{"artcle": "tea"}"#])?, 5, "`artcle`, did you mean `article`?")
}

fn sends_headers(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_shop, orders) = shop::open(broker)?;
    let headers = ["--header", "tenant=acme", "--header", "note=a=b"];
    let ended = ask(broker, &[&["call", "shop", "place", r#"["tea"]"#], &headers[..]].concat())?;
    check(&ended, 0, "null\n")?;
    let order = orders.recv_timeout(LONG)?;
    ensure!(order == "tea acme a=b true", "{order}");
    Ok(())
}

fn a_service_that_is_down_is_told_from_a_slow_one(broker: &dyn Broker) -> anyhow::Result<()> {
    drop(shop::open(broker)?);
    for arguments in [&["call", "shop", "price", "[]", "--timeout", "2s"][..], &["ping", "shop", "--timeout", "2s"]] {
        let ended = ask(broker, arguments)?;
        check(&ended, 6, "error: no reply within 2s\n`shop`: no server takes its requests at the moment, and ")?;
    }
    Ok(())
}

fn failures_have_exit_codes(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    for (arguments, code, text) in [
        (&["call", "shop", "reserve", r#"["tea"]"#][..], 3, "error: {\"article\":\"tea\",\"left\":2}\n"),
        (&["call", "shop", "cancel"], 3, "error: fault 409: it has left the house\ndetails: {\"at\":\"noon\"}\n"),
        (&["call", "shop", "prize"], 5, "did you mean `price`?"),
        (&["call", "shop", "price", r#"{"article": "tea"}"#], 5, "`amount`"),
        (
            &["call", "shop", "dawdle", "--timeout", "2s"],
            6,
            "error: no reply within 2s\n`shop`: 1 server takes its requests, and none waits\n",
        ),
        (&["call", "shoe", "price"], 7, "no queue takes calls for service `shoe`: is it being served"),
        (&["send", "shoe", "price"], 7, "no queue takes calls for service `shoe`: is it being served"),
        (&["ping", "shoe"], 7, "no queue takes calls for service `shoe`: is it being served"),
    ] {
        check(&ask(broker, arguments)?, code, text)?;
    }
    Ok(())
}

fn a_broker_that_refuses_ends_with_4(broker: &dyn Broker) -> anyhow::Result<()> {
    for uri in [broker.uri_for("guest", "secret", "/"), broker.uri_for("guest", "guest", "nowhere")] {
        let ended = run(guirpc()?.env("AMQP_URI", uri).args(["ping", "shop"]))?;
        check(&ended, 4, "guest")?;
        ensure!(!ended.stderr.contains("secret"), "{ended:?}");
    }
    Ok(())
}

fn leaves_the_request_in_the_queue(broker: &dyn Broker) -> anyhow::Result<()> {
    // Its queue stays when the service is gone.
    drop(shop::open(broker)?);
    check(&ask(broker, &["send", "shop", "place", r#"["tea"]"#])?, 0, "")?;
    eventually(LONG, || Ok(broker.queue("shop")?.is_some_and(|queue| queue.messages == 1)))
}

fn is_run_without_anybody_waiting(broker: &dyn Broker) -> anyhow::Result<()> {
    let (_shop, orders) = shop::open(broker)?;
    let ended = ask(broker, &["send", "shop", "place", r#"{"article": "tea"}"#, "--header", "tenant=acme"])?;
    check(&ended, 0, "")?;
    ensure!(ended.stdout.is_empty(), "{ended:?}");
    let order = orders.recv_timeout(LONG)?;
    ensure!(order == "tea acme - false", "{order}");
    Ok(())
}

fn shows_what_there_is(broker: &dyn Broker) -> anyhow::Result<()> {
    let _shop = shop::open(broker)?;
    let ended = ask(broker, &["ping", "shop"])?;
    check(&ended, 0, "service    shop\n")?;
    check(&ended, 0, "functions  cancel dawdle discount doubled mean place price reserve\n")?;
    check(&ended, 0, " ms\n")?;
    check(&ask(broker, &["ping", "shop", "--count", "3"])?, 0, "answered   3 times, in ")?;
    let ended = ask(broker, &["ping", "shop", "--count", "2", "--json"])?;
    let answer: serde_json::Value = serde_json::from_str(&ended.stdout)?;
    let times = answer["milliseconds"].as_array().map(Vec::len);
    ensure!(times == Some(2) && answer["service"] == "shop" && answer["functions"][0] == "cancel", "{answer}");
    check(&ask(broker, &["ping", "shop", "--count", "0"])?, 2, "--count")
}
