//! Every optimizer at extreme inputs: no parameter or moment becomes NaN or infinite, and padding stays 0.

use super::*;
use serde_json::Value;

/// Each optimizer; those with an eps also with the smallest positive one.
fn every() -> Vec<Optimizer> {
    let mut all: Vec<Value> = serde_json::from_str(include_str!("../../tests/optimizers.json")).unwrap();
    let mut tiny: Vec<Value> = all.iter().filter(|o| o["eps"].is_f64()).cloned().collect();
    tiny.iter_mut().for_each(|o| o["eps"] = 5e-324.into());
    all.extend(tiny);
    all.into_iter().map(|o| serde_json::from_value(o).unwrap()).collect()
}

/// Parameters and moments after the updates `ts`, each along `g`. Parameters start at `w`, moments at 0.
fn after<T: Real>(machine: Machine, o: &Optimizer, ts: &[u64], w: T, g: &[T]) -> (Vec<T>, Vec<Buffer<T>>) {
    let n = g.len().next_multiple_of(T::LINE);
    let mut padded = vec![T::ZERO; n];
    padded[..g.len()].copy_from_slice(g);
    let mut parameters = vec![w; n];
    let mut states: Vec<_> = o.state_names().iter().map(|_| Buffer::zeroed(n).unwrap()).collect();
    for &t in ts {
        o.rule::<T, _>(t, FromMemory { machine, parameters: &mut parameters, states: &mut states, gradient: &padded });
    }
    (parameters, states)
}

#[test]
fn list_of_this_test_holds_every_optimizer() {
    let names: Vec<_> = every().iter().map(Optimizer::name).collect();
    assert!(Optimizer::NAMES.iter().all(|name| names.contains(name)));
    for optimizer in every() {
        optimizer.check().unwrap();
    }
}

#[test]
fn padding_stays_zero() {
    fn check<T: Real>() {
        for (machine, o) in Machine::available().into_iter().flat_map(|t| every().into_iter().map(move |o| (t, o))) {
            for ts in [&[1, 2, 3][..], &[1 << 40]] {
                let (w, states) = after(machine, &o, ts, T::ZERO, &[T::ZERO]);
                assert!(w.iter().all(|&w| w == T::ZERO), "{o:?}, {}, t = {ts:?}", machine.name());
                assert!(states.iter().all(|s| s.iter().all(|s| s.is_finite())), "{o:?}, t = {ts:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn every_allowed_gradient_leaves_finite_numbers() {
    fn check<T: Real>(subnormal: T, normal: T) {
        // `Network` refuses gradients beyond half the square root of the largest number.
        let largest = T::MAX.sqrt() * T::from_f64(0.5);
        let mut g = vec![T::ZERO, subnormal, normal, normal.sqrt(), T::from_f64(1e-8), T::ONE, largest];
        g.extend(g.clone().into_iter().map(|g| -g));
        for (machine, o) in Machine::available().into_iter().flat_map(|t| every().into_iter().map(move |o| (t, o))) {
            for ts in [&[1, 2, 3][..], &[1 << 40, (1 << 40) + 1]] {
                let (w, states) = after(machine, &o, ts, T::ONE, &g);
                let finite = w.iter().chain(states.iter().flat_map(|s| s.iter())).all(|x| x.is_finite());
                assert!(finite, "{o:?}, {}, t = {ts:?}: {w:?} {states:?}", machine.name());
            }
        }
    }
    check(f32::from_bits(1), f32::MIN_POSITIVE);
    check(f64::from_bits(1), f64::MIN_POSITIVE);
}

#[test]
fn updates_that_are_proved_to_stay_finite_do() {
    fn check<T: Real>() {
        let most = largest_gradient::<T>();
        let subnormal_square = T::MAX.sqrt() / T::MAX;
        let no_square = subnormal_square * T::from_f64(1e-8);
        let g = [most, -most, T::ONE, T::ZERO, subnormal_square, no_square];
        for (mut o, rate) in
            every().into_iter().flat_map(|o| [1e-40, 1e-3, 1.0, 1e10, 1e30, 1e300].map(|rate| (o, rate)))
        {
            o.learning_rate = Schedule::constant(rate);
            for first in [0, 1 << 20] {
                if !o.stays_finite::<T>(first, 32) {
                    continue;
                }
                let ts: Vec<_> = (first + 1..=first + 32).collect();
                let (w, states) = after(Machine::best().unwrap(), &o, &ts, most, &g);
                let finite = w.iter().chain(states.iter().flat_map(|s| s.iter())).all(|x| x.is_finite());
                assert!(finite, "{o:?} from t = {first}: {w:?} {states:?}");
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
