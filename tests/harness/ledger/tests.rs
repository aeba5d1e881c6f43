//! Each promise is broken once, and the books say so.

use super::*;

const CALL: Request = Request { awaited: true, idempotent: false, fails: false };
const SEND: Request = Request { awaited: false, ..CALL };
const IDEMPOTENT: Request = Request { idempotent: true, ..CALL };
const FIRST: Run = Run { redelivered: false, process: 1 };
const AGAIN: Run = Run { redelivered: true, process: 2 };

fn entry(request: Request, outcome: Outcome) -> Entry {
    let begun = Instant::now();
    let second = Duration::from_secs(1);
    Entry { id: 7, client: Some(0), request, begun, deadline: begun + 10 * second, ended: begun + second, outcome }
}

fn failed_not_run() -> Outcome {
    Outcome::FailedNotRun("not connected".to_owned())
}

fn failed_may_have_run() -> Outcome {
    Outcome::FailedMayHaveRun("no reply".to_owned())
}

fn judged(entry: Entry, runs: &[Run], is_dead: bool, may: &[Effect]) -> Verdict {
    let runs = if runs.is_empty() { Runs::new() } else { Runs::from([(entry.id, runs.to_vec())]) };
    let letters = is_dead.then_some(entry.id).into_iter().collect();
    let mut ledger = Ledger::default();
    ledger.extend([entry]);
    ledger.judge(&runs, &letters, may, Duration::ZERO)
}

#[track_caller]
fn is_well(request: Request, outcome: Outcome, runs: &[Run], is_dead: bool, may: &[Effect]) {
    let verdict = judged(entry(request, outcome), runs, is_dead, may);
    assert!(verdict.complaints.is_empty(), "{:?}", verdict.complaints);
}

#[track_caller]
fn is_wrong(request: Request, outcome: Outcome, runs: &[Run], is_dead: bool, may: &[Effect], complaint: &str) {
    let verdict = judged(entry(request, outcome), runs, is_dead, may);
    assert_eq!(verdict.complaints.len(), 1, "{:?}", verdict.complaints);
    assert!(verdict.complaints[0].contains(complaint), "{:?}", verdict.complaints);
}

#[test]
fn what_was_answered_has_run() {
    is_well(CALL, Outcome::Answered, &[FIRST], false, &[]);
    is_wrong(CALL, Outcome::Answered, &[], false, &[], "lost");
    is_well(SEND, Outcome::Answered, &[FIRST], false, &[]);
    is_wrong(SEND, Outcome::Answered, &[], false, &[], "lost");
    is_well(SEND, Outcome::Answered, &[], true, &[Effect::DeadLetters]);
}

#[test]
fn a_send_to_what_fails_ends_in_the_dead_letter_queue() {
    let failing = Request { fails: true, ..SEND };
    is_well(failing, Outcome::Answered, &[FIRST], true, &[]);
    is_wrong(failing, Outcome::Answered, &[FIRST], false, &[], "lost");
    is_well(Request { fails: true, ..CALL }, Outcome::Answered, &[FIRST], false, &[]);
    is_wrong(SEND, Outcome::Answered, &[FIRST], true, &[], "DeadLetters");
    is_wrong(Request { fails: true, ..CALL }, Outcome::Answered, &[FIRST], true, &[], "DeadLetters");
}

#[test]
fn who_knows_that_it_did_not_run_is_right() {
    is_well(CALL, failed_not_run(), &[], false, &[Effect::FailedNotRun]);
    is_wrong(CALL, failed_not_run(), &[], false, &[Effect::FailedMayHaveRun], "FailedNotRun");
    is_wrong(CALL, failed_not_run(), &[FIRST], false, &[Effect::FailedNotRun], "told that it did not");
}

#[test]
fn idempotent_calls_do_not_fail_for_a_fault_that_passes() {
    is_well(CALL, failed_may_have_run(), &[], false, &[Effect::FailedMayHaveRun]);
    is_well(CALL, failed_may_have_run(), &[FIRST], false, &[Effect::FailedMayHaveRun]);
    is_wrong(CALL, failed_may_have_run(), &[FIRST], false, &[], "FailedMayHaveRun");
    is_wrong(IDEMPOTENT, failed_may_have_run(), &[FIRST], false, &[Effect::FailedMayHaveRun], "Discarded");
    is_well(IDEMPOTENT, failed_may_have_run(), &[FIRST], false, &[Effect::Discarded]);
    let send = Request { awaited: false, ..IDEMPOTENT };
    is_well(send, failed_may_have_run(), &[FIRST], false, &[Effect::FailedMayHaveRun]);
}

#[test]
fn only_the_broker_has_something_run_again() {
    is_well(CALL, Outcome::Answered, &[FIRST, AGAIN, AGAIN], false, &[Effect::RunAgain]);
    is_well(CALL, Outcome::Answered, &[AGAIN], false, &[]);
    is_wrong(CALL, Outcome::Answered, &[FIRST, AGAIN], false, &[], "RunAgain");
    is_wrong(CALL, Outcome::Answered, &[FIRST, FIRST], false, &[Effect::RunAgain], "for the first time");
    is_wrong(SEND, Outcome::Answered, &[FIRST, FIRST], false, &[Effect::RunAgain], "for the first time");
    is_well(IDEMPOTENT, Outcome::Answered, &[FIRST, FIRST], false, &[]);
}

#[test]
fn an_outcome_is_there_a_second_after_the_deadline() {
    let late = |by| {
        let entry = entry(CALL, failed_may_have_run());
        let ended = entry.deadline + Duration::from_millis(by);
        judged(Entry { ended, ..entry }, &[], false, &[Effect::FailedMayHaveRun]).complaints
    };
    assert!(late(1000).is_empty());
    assert!(late(1001)[0].contains("no outcome"), "{:?}", late(1001));
}

#[test]
fn what_is_wrong_is_wrong_whatever_the_fault() {
    is_wrong(CALL, Outcome::Wrong("8".to_owned()), &[FIRST], false, &[], "must not: 8");
}

#[test]
fn nothing_runs_that_nobody_asked_for() {
    let verdict = Ledger::default().judge(&Runs::from([(1, vec![FIRST])]), &BTreeSet::from([2]), &[], Duration::ZERO);
    assert_eq!(verdict.complaints, ["nobody has asked for 1", "nobody has asked for 2"]);
    let twice = [entry(CALL, Outcome::Answered), entry(CALL, Outcome::Answered)];
    let mut ledger = Ledger::default();
    ledger.extend(twice);
    let verdict = ledger.judge(&Runs::from([(7, vec![FIRST])]), &BTreeSet::new(), &[], Duration::ZERO);
    assert_eq!(verdict.complaints, ["two requests have the number 7"]);
}

#[test]
fn every_request_is_counted_once_and_every_further_run() {
    let mut ledger = Ledger::default();
    let outcomes = [
        (CALL, Outcome::Answered),
        (IDEMPOTENT, Outcome::Answered),
        (SEND, Outcome::Answered),
        (CALL, failed_not_run()),
        (CALL, failed_may_have_run()),
        (CALL, Outcome::Abandoned),
    ];
    ledger.extend((0..).zip(outcomes).map(|(id, (request, outcome))| Entry { id, ..entry(request, outcome) }));
    let runs = Runs::from([(0, vec![FIRST, AGAIN]), (1, vec![FIRST, FIRST, AGAIN])]);
    let counts = ledger.judge(&runs, &BTreeSet::from([2]), &[], Duration::ZERO).counts;
    let expected = Counts {
        sent: 6,
        answered: 3,
        failed_not_run: 1,
        failed_may_have_run: 2,
        run_again: 1,
        repeated: 2,
        dead: 1,
        lost: 0,
    };
    assert_eq!(counts, expected);
}

#[test]
fn a_load_has_recovered_when_every_client_has_an_answer_again() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let answered = |client, begun, ended| Entry {
        client: Some(client),
        begun: at(begun),
        ended: at(ended),
        ..entry(CALL, Outcome::Answered)
    };
    let mut ledger = Ledger::default();
    assert_eq!(ledger.recovery(start), None);
    ledger.extend([Entry { client: None, ..answered(0, 0, 1) }]);
    assert_eq!(ledger.recovery(start), None);
    // Asked before, answered afterwards: it may have been under way already.
    ledger.extend([answered(0, 0, 3), answered(0, 2, 4), answered(0, 2, 5)]);
    assert_eq!(ledger.recovery(at(1)), Some(Duration::from_secs(3)));
    ledger.extend([Entry { outcome: failed_may_have_run(), ..answered(1, 2, 6) }]);
    assert_eq!(ledger.recovery(at(1)), None);
    ledger.extend([answered(1, 6, 7)]);
    assert_eq!(ledger.recovery(at(1)), Some(Duration::from_secs(6)));
}
