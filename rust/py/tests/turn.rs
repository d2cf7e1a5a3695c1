//! The table at the top of turn.rs, tested without Python.
#![allow(missing_docs, reason = "a test")]

#[path = "../src/fork.rs"]
#[allow(dead_code, unreachable_pub, reason = "a part of the library, used by `turn`")]
mod fork;
#[path = "../src/turn.rs"]
#[allow(unreachable_pub, reason = "a part of the library, tested by itself")]
mod turn;

use std::sync::RwLock;
use turn::Turn;

/// Read by tests that must see no fork; written by the one that counts a fork, which is the process's.
static FORK: RwLock<()> = RwLock::new(());

fn elsewhere<R: Send>(call: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| scope.spawn(call).join().unwrap())
}

#[test]
fn an_idle_network_takes_steps_setters_and_a_fit() {
    let _no_fork = FORK.read().unwrap();
    let turn = Turn::default();
    drop(turn.alone().unwrap());
    drop(turn.between().unwrap());
    assert!(turn.in_fit().is_none() && !turn.end_fit());
    assert!(turn.begin_fit() && turn.end_fit());
}

#[test]
fn between_epochs_only_the_thread_of_the_fit_sets_and_trains() {
    let _no_fork = FORK.read().unwrap();
    let turn = Turn::default();
    assert!(turn.begin_fit() && !turn.begin_fit());
    assert!(turn.alone().is_none());
    drop(turn.between().unwrap());
    drop(turn.in_fit().unwrap());
    elsewhere(|| {
        assert!(turn.alone().is_none() && turn.between().is_none() && turn.in_fit().is_none());
        assert!(!turn.begin_fit() && !turn.end_fit());
    });
    assert!(turn.end_fit() && elsewhere(|| turn.begin_fit()));
}

#[test]
fn inside_a_call_there_is_no_other() {
    let _no_fork = FORK.read().unwrap();
    let turn = Turn::default();
    let refused = || {
        assert!(turn.alone().is_none() && turn.between().is_none() && turn.in_fit().is_none());
        assert!(!turn.begin_fit() && !turn.end_fit());
    };
    let step = turn.alone().unwrap();
    refused();
    elsewhere(refused);
    drop(step);
    assert!(turn.begin_fit());
    let epoch = turn.in_fit().unwrap();
    refused();
    elsewhere(refused);
    drop(epoch);
    assert!(turn.end_fit());
}

#[test]
fn in_a_forked_child_only_the_turn_of_the_thread_that_forked_goes_on() {
    let _fork = FORK.write().unwrap();
    let [theirs, mine, step, idle] = std::array::from_fn(|_| Turn::default());
    let inside = elsewhere(|| {
        assert!(theirs.begin_fit());
        std::mem::forget(theirs.in_fit());
        step.alone()
    });
    std::mem::forget(inside);
    assert!(mine.begin_fit());
    let epoch = mine.in_fit().unwrap();
    assert!(!theirs.begin_fit() && step.alone().is_none());
    fork::after_in_child();
    assert!(elsewhere(|| mine.alone().is_none() && !mine.begin_fit()));
    drop(epoch);
    assert!(mine.in_fit().is_some() && mine.end_fit());
    assert!(theirs.begin_fit() && !elsewhere(|| theirs.begin_fit()));
    assert!(step.alone().is_some() && idle.alone().is_some());
}

#[test]
fn a_panic_gives_the_turn_back() {
    let _no_fork = FORK.read().unwrap();
    let turn = Turn::default();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _inside = turn.alone();
        std::panic::resume_unwind(Box::new(())); // prints no message on stderr
    }));
    assert!(caught.is_err() && turn.alone().is_some());
}
