//! The pool alone: every part once, panics, many callers, calls inside calls.

use super::*;
use std::sync::MutexGuard;

/// Tests run one after the other: there is one pool, and a caller that finds it busy works alone.
fn one_by_one() -> MutexGuard<'static, ()> {
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const MUCH: usize = usize::MAX;

fn each_part(threads: usize, parts: usize, work: usize, part: &(dyn Fn(usize) + Sync)) {
    if !share(threads, parts, work, part) {
        (0..parts).for_each(part);
    }
}

fn every_part_once(threads: usize, parts: usize) {
    let done: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
    each_part(threads, parts, MUCH, &|i| {
        done[i].fetch_add(1, Ordering::Relaxed);
    });
    assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 1), "{threads} threads, {parts} parts");
}

#[test]
fn each_part_does_every_part_once() {
    let _alone = one_by_one();
    for threads in [0, 1, 2, 3, 8] {
        for parts in [0, 1, 2, 7, 100] {
            every_part_once(threads, parts);
        }
    }
}

#[test]
fn forced_work_is_done_by_more_than_the_caller() {
    let _alone = one_by_one();
    let before = force(true);
    for threads in [2, 3, 8] {
        every_part_once(threads, 50);
    }
    assert!(force(false) > before);
}

#[test]
fn many_callers_at_once_and_calls_inside_calls_end() {
    let _alone = one_by_one();
    let sum = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    each_part(3, 5, MUCH, &|_| {
                        each_part(3, 4, MUCH, &|i| {
                            sum.fetch_add(i, Ordering::Relaxed);
                        });
                    });
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), 8 * 200 * 5 * 6);
}

#[test]
fn panic_goes_on_in_the_caller_and_the_workers_stay() {
    let _alone = one_by_one();
    for round in 0..20 {
        let before = force(true);
        let met = catch_unwind(|| {
            each_part(3, 30, MUCH, &|i| {
                if i == round {
                    // `resume_unwind` prints no message, as `panic!` would.
                    resume_unwind(Box::new("a part that fails"));
                }
            });
        });
        assert_eq!(met.unwrap_err().downcast_ref(), Some(&"a part that fails"));
        every_part_once(3, 30);
        assert!(force(false) > before);
    }
}

#[test]
fn workers_sleep_and_are_woken() {
    let _alone = one_by_one();
    every_part_once(2, 4);
    for _ in 0..3 {
        thread::sleep(SPIN_TIME * 20);
        every_part_once(2, 4);
        rouse(3, MUCH, || MUCH);
    }
}

#[test]
fn little_work_stays_with_the_caller() {
    let _alone = one_by_one();
    let caller = thread::current().id();
    each_part(8, 100, MIN_FLOPS_TO_CUT - 1, &|_| assert_eq!(thread::current().id(), caller));
}

#[test]
fn parts_are_taken_from_both_ends_each_once() {
    let taken = Taken::default();
    taken.begin();
    let mut seen: Vec<_> = [true, false, false, true, false].iter().filter_map(|&by| taken.next(4, by)).collect();
    assert_eq!(seen, [0, 3, 2, 1]);
    assert_eq!((taken.next(4, true), taken.next(4, false)), (None, None));
    taken.begin();
    taken.end(4);
    seen.extend(taken.next(4, false));
    assert_eq!(seen.len(), 4);
}
