//! The checker against what it must find, against histories that are right, and against a search through every order.

use super::*;
use crate::answer::Item;
use crate::command::Version;
use crate::store::Limits;
use bytes::Bytes;

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What clients of a right store do.
#[derive(Clone, Copy)]
struct Load {
    clients: u64,
    operations: u64,
    keys: u64,
    /// One in so many operations is never answered; half of these happen, at some time.
    unknown_in: u64,
    /// Whether any command may be of unknown outcome, or puts alone.
    any_unknown: bool,
    /// Values that differ; the fewer there are the more operations look alike.
    values: u64,
}

fn command(chance: &mut Chance, load: &Load, revision: Revision) -> Command {
    let key = Bytes::from(format!("k{}", chance.below(load.keys)));
    let value = Bytes::from(format!("v{}", chance.below(load.values)));
    match chance.below(12) {
        0..=3 => Command::put(key, value),
        4..=6 => Command::get(key),
        7 => Command::cas(key, Revision(revision.0.saturating_sub(chance.below(4))), value),
        8 => Command::cas(key, Revision::ZERO, value),
        9 => Command::delete(key),
        10 => Command::list("k", key, 3),
        _ => Command::watch("k", Revision(revision.0.saturating_sub(chance.below(5))), 9),
    }
}

/// A history as clients of one store see it.
fn right_history(seed: u64, load: &Load) -> Vec<Operation> {
    let mut chance = Chance(seed);
    let mut free_at: Vec<u64> = (0..load.clients).map(|_| chance.below(20)).collect();
    let mut events: Vec<(u64, u64, u64, u64, bool)> = Vec::new();
    for number in 0..load.operations {
        let client = number % load.clients;
        let invoked = free_at[client as usize];
        let unknown = chance.below(load.unknown_in) == 0;
        let happens = invoked + 1 + chance.below(if unknown { 300 } else { 20 });
        let returned = if unknown { invoked + 50 } else { happens + 1 + chance.below(20) };
        free_at[client as usize] = returned + chance.below(10);
        events.push((happens, client, invoked, returned, unknown));
    }
    events.sort_unstable();
    let mut store = Store::default();
    let mut history = Vec::new();
    for (happens, client, invoked, returned, unknown) in events {
        let command = command(&mut chance, load, store.revision());
        let unknown = unknown && (load.any_unknown || matches!(command, Command::Put(_)));
        let happened = !unknown || chance.below(2) == 0;
        let answer = if happened { Some(store.execute(&command)) } else { None };
        let told = answer.filter(|_| !unknown).map(|answer| (Time(returned.max(happens)), answer));
        history.push(Operation { client: ClientId(client), command, invoked: Time(invoked), told });
    }
    history
}

fn verdict(history: &[Operation]) -> Verdict {
    check(Store::default(), history)
}

#[test]
fn right_histories_are_never_called_wrong_and_rarely_undecided() {
    let (mut holes, mut undecided) = (0, [0; 2]);
    for seed in 0..600 {
        let load = Load {
            clients: 1 + seed % 7,
            operations: 300,
            keys: 1 + seed % 5,
            unknown_in: 4 + seed % 30,
            any_unknown: seed % 2 == 0,
            values: if seed % 3 == 0 { 2 } else { 1_000_000 },
        };
        let history = right_history(seed, &load);
        let told = |operation: &&Operation| operation.told.is_some();
        let written = history.iter().filter(told).filter(|operation| {
            let outcome = operation.told.as_ref().map(|(_, answer)| &answer.outcome);
            matches!(outcome, Some(Outcome::Written(_) | Outcome::Deleted(Some(_))))
        });
        let last = history.iter().filter_map(|operation| operation.told.as_ref()).map(|told| told.1.revision);
        holes += last.max().map_or(0, |last| last.0 - written.count() as u64);
        match verdict(&history) {
            Verdict::Linearizable => {}
            Verdict::Undecided(_) => undecided[usize::from(load.any_unknown)] += 1,
            verdict => panic!("seed {seed}: {verdict:?}"),
        }
    }
    assert!(holes > 2000, "only {holes} holes: the histories are too tame to test much");
    let [puts_alone, any] = undecided;
    assert!(puts_alone < 3 && any < 60, "{undecided:?} of 300 undecided: the checker is of little use");
}

/// Whether some order of all answered and any unknown operations gives these answers: by trying them all.
fn some_order_does(store: &Store, history: &[Operation], done: u32) -> bool {
    let is_open = |index: &usize| done & 1 << index == 0;
    let open: Vec<usize> = (0..history.len()).filter(is_open).collect();
    let returned = |index: &usize| history[*index].told.as_ref().map(|(at, _)| *at);
    let Some(first_return) = open.iter().filter_map(returned).min() else { return true };
    open.iter().filter(|index| history[**index].invoked <= first_return).any(|index| {
        let mut store = store.clone();
        let answer = store.execute(&history[*index].command);
        let is_told = history[*index].told.as_ref().is_none_or(|(_, told)| *told == answer);
        is_told && some_order_does(&store, history, done | 1 << index)
    })
}

/// Changes a history so that it may be wrong.
fn damage(chance: &mut Chance, history: &mut [Operation]) {
    let some = chance.below(history.len() as u64) as usize;
    let other = chance.below(history.len() as u64) as usize;
    let Some((mut at, mut answer)) = history[some].told.clone() else { return };
    match chance.below(6) {
        0 => answer.revision.0 += 1,
        1 => answer.revision.0 = answer.revision.0.saturating_sub(1),
        2 => at = history[some].invoked,
        3 => history[some].invoked = Time(history[some].invoked.0.saturating_sub(30)),
        4 => {
            if let Some((_, from)) = &history[other].told {
                answer.outcome = from.outcome.clone();
            }
        }
        _ => history.swap(some, other),
    }
    history[some].told = Some((at, answer));
}

#[test]
fn the_checker_and_a_search_through_every_order_agree() {
    let mut counts = [[0; 3]; 2];
    for seed in 0..30_000 {
        let mut chance = Chance(seed);
        let load = Load {
            clients: 1 + chance.below(4),
            operations: 2 + chance.below(7),
            keys: 1 + chance.below(3),
            unknown_in: 2 + chance.below(4),
            any_unknown: chance.below(2) == 0,
            values: 1 + chance.below(4),
        };
        let mut history = right_history(seed, &load);
        for _ in 0..chance.below(3) {
            damage(&mut chance, &mut history);
        }
        let possible = some_order_does(&Store::default(), &history, 0);
        let verdict = verdict(&history);
        let column = match &verdict {
            Verdict::Linearizable => 0,
            Verdict::Violated(_) => 1,
            Verdict::Undecided(_) => 2,
        };
        counts[usize::from(possible)][column] += 1;
        let wrong = if possible { 1 } else { 0 };
        assert!(column != wrong, "seed {seed}, possible {possible}: {verdict:?}\n{history:?}");
        let is_unknown = |operation: &Operation| operation.told.is_none();
        assert!(column != 2 || history.iter().any(is_unknown), "nothing is in doubt: {history:?}");
    }
    let [[_, found, missed], [passed, _, unsure]] = counts;
    assert!(found > 3000 && passed > 3000, "{counts:?}");
    assert!(missed + unsure < 300, "{counts:?}");
}

/// A client puts `a` and `b` under one key, one after the other, and reads it: at 0 to 1, 10 to 11 and 20 to 21.
fn two_puts_and_a_get() -> Vec<Operation> {
    let mut store = Store::default();
    [Command::put("k", "a"), Command::put("k", "b"), Command::get("k")]
        .into_iter()
        .zip(0..)
        .map(|(command, number)| {
            let answer = store.execute(&command);
            let told = Some((Time(number * 10 + 1), answer));
            Operation { client: ClientId(number), command, invoked: Time(number * 10), told }
        })
        .collect()
}

fn found(value: &'static str, revision: u64, version: u64) -> Outcome {
    let (revision, version) = (Revision(revision), Version(version));
    Outcome::Found(Some(Item { value: value.into(), revision, version }))
}

fn answer(history: &mut [Operation], index: usize) -> &mut Answer {
    &mut history[index].told.as_mut().expect("it was answered").1
}

fn unknown(command: Command, invoked: u64) -> Operation {
    Operation { client: ClientId(9), command, invoked: Time(invoked), told: None }
}

#[test]
fn an_acknowledged_write_that_is_lost_is_found() {
    let mut history = two_puts_and_a_get();
    *answer(&mut history, 2) = Answer { revision: Revision(2), outcome: found("a", 1, 1) };
    assert!(matches!(
        verdict(&history),
        Verdict::Violated(Violation::WrongAnswer { operation: 2, right }) if right.outcome == found("b", 2, 2)
    ));
    let mut history = two_puts_and_a_get();
    *answer(&mut history, 2) = Answer { revision: Revision(0), outcome: Outcome::Found(None) };
    assert!(matches!(verdict(&history), Verdict::Violated(Violation::AgainstTime { .. })));
}

#[test]
fn a_stale_read_is_found_but_not_if_it_was_under_way() {
    let mut history = two_puts_and_a_get();
    *answer(&mut history, 2) = Answer { revision: Revision(1), outcome: found("a", 1, 1) };
    let stale = Violation::AgainstTime { first: 2, then: 1 };
    assert_eq!(verdict(&history), Verdict::Violated(stale));
    history[2].invoked = Time(11);
    assert_eq!(verdict(&history), Verdict::Linearizable);
}

#[test]
fn a_write_that_was_executed_twice_is_found() {
    let mut history = two_puts_and_a_get();
    *answer(&mut history, 1) = Answer { revision: Revision(3), outcome: Outcome::Written(Version(3)) };
    *answer(&mut history, 2) = Answer { revision: Revision(3), outcome: found("b", 3, 3) };
    let twice = Verdict::Violated(Violation::NobodyDidIt { revision: Revision(2) });
    assert_eq!(verdict(&history), twice);
    // A put of unknown outcome is no excuse if it is of another key, since the version counts the puts of this one …
    history.push(unknown(Command::put("other", "x"), 5));
    assert!(matches!(verdict(&history), Verdict::Violated(Violation::WrongAnswer { operation: 1, .. })));
    // … or if it was invoked only when the twice written had been answered …
    history.push(unknown(Command::put("k", "x"), 12));
    assert!(matches!(verdict(&history), Verdict::Violated(Violation::WrongAnswer { operation: 1, .. })));
    // … else it may have been that.
    history.push(unknown(Command::put("k", "x"), 11));
    assert_eq!(verdict(&history), Verdict::Linearizable);
}

#[test]
fn an_answer_from_the_future_is_found() {
    let mut history = two_puts_and_a_get();
    history[2].invoked = Time(5);
    history[2].told.as_mut().expect("it was answered").0 = Time(6);
    let future = Violation::AgainstTime { first: 1, then: 2 };
    assert_eq!(verdict(&history), Verdict::Violated(future));
    let mut history = two_puts_and_a_get();
    answer(&mut history, 2).revision = Revision(u64::MAX);
    let nobody = Violation::NobodyDidIt { revision: Revision(3) };
    assert_eq!(verdict(&history), Verdict::Violated(nobody));
    // A value that somebody asked to be put, but only after it was read.
    let mut history = two_puts_and_a_get();
    *answer(&mut history, 2) = Answer { revision: Revision(3), outcome: found("c", 3, 3) };
    history.push(unknown(Command::put("k", "c"), 22));
    let nobody = Violation::NobodyDidIt { revision: Revision(3) };
    assert_eq!(verdict(&history), Verdict::Violated(nobody));
    history[3].invoked = Time(21);
    assert_eq!(verdict(&history), Verdict::Linearizable);
}

#[test]
fn a_revision_that_was_given_twice_is_found() {
    let mut history = two_puts_and_a_get();
    *answer(&mut history, 1) = Answer { revision: Revision(1), outcome: Outcome::Written(Version(1)) };
    let twice = Violation::RevisionTwice { revision: Revision(1), operations: [0, 1] };
    assert_eq!(verdict(&history), Verdict::Violated(twice));
}

/// What is in doubt about some keys does not soften a verdict on another.
#[test]
fn a_violation_elsewhere_is_certain_whatever_is_in_doubt() {
    let mut history = two_puts_and_a_get();
    let mut store = Store::default();
    for command in [Command::put("k", "a"), Command::put("k", "b"), Command::put("x", "")] {
        store.execute(&command);
    }
    history.push(unknown(Command::put("x", ""), 0));
    history.push(unknown(Command::cas("y", Revision::ZERO, ""), 0));
    history.push(unknown(Command::delete("z"), 0));
    let told = Some((Time(31), store.execute(&Command::put("w", ""))));
    let command = Command::put("w", "");
    history.push(Operation { client: ClientId(1), command, invoked: Time(30), told });
    assert_eq!(verdict(&history), Verdict::Linearizable);
    let told = Some((Time(41), Answer { revision: Revision(4), outcome: found("a", 1, 1) }));
    let command = Command::get("k");
    history.push(Operation { client: ClientId(1), command, invoked: Time(40), told });
    assert!(matches!(verdict(&history), Verdict::Violated(Violation::WrongAnswer { operation: 7, .. })));
}

#[test]
fn a_history_may_begin_with_a_store_that_has_a_past() {
    let mut store = Store::new(Limits { changes: 2, ..Limits::default() });
    (0..9u8).for_each(|at| {
        store.execute(&Command::put(vec![at], "before"));
    });
    let mut after = store.clone();
    let command = Command::delete(vec![3]);
    let told = Some((Time(1), after.execute(&command)));
    let history = [Operation { client: ClientId(1), command, invoked: Time(0), told }];
    assert_eq!(check(store, &history), Verdict::Linearizable);
    assert!(matches!(verdict(&history), Verdict::Violated(_)));
}

/// What `store` says to this, asked at `invoked` and told just after.
fn told(store: &mut Store, command: Command, invoked: u64) -> Operation {
    let answer = store.execute(&command);
    Operation {
        client: ClientId(1),
        command,
        invoked: Time(invoked),
        told: Some((Time(invoked + 1), answer)),
    }
}

#[test]
fn a_watch_that_did_not_show_a_change_tells_where_it_was_not() {
    let mut store = Store::default();
    store.execute(&Command::put("b", "happened"));
    let watch = told(&mut store, Command::watch("a", Revision::ZERO, 9), 10);
    let mut history = vec![watch, unknown(Command::put("a", "did not"), 0)];
    assert!(matches!(verdict(&history), Verdict::Violated(Violation::NobodyDidIt { .. })));
    history.push(unknown(Command::put("b", "happened"), 0));
    assert_eq!(verdict(&history), Verdict::Linearizable);
}

#[test]
fn a_cas_that_succeeded_tells_which_hole_was_its_keys() {
    let mut store = Store::default();
    store.execute(&Command::put("other", ""));
    store.execute(&Command::put("k", ""));
    let cas = told(&mut store, Command::cas("k", Revision(2), "x"), 10);
    let history = [cas, unknown(Command::put("k", ""), 0), unknown(Command::put("other", ""), 0)];
    assert_eq!(verdict(&history), Verdict::Linearizable);
}

/// Either unknown put may stand in the hole; with the one that makes a new key there would be no room for `n`.
#[test]
fn how_full_the_store_is_depends_on_every_hole_so_that_is_not_certain() {
    let mut start = Store::new(Limits { keys: 2, ..Limits::default() });
    start.execute(&Command::put("e", "existing"));
    let mut store = start.clone();
    store.execute(&Command::put("e", "again"));
    let put = told(&mut store, Command::put("n", ""), 10);
    let history = [put, unknown(Command::put("a", ""), 0), unknown(Command::put("e", "again"), 0)];
    assert!(matches!(
        check(start, &history),
        Verdict::Undecided(Violation::WrongAnswer { operation: 0, .. })
    ));
}
