//! Errors in units in the last place: f32 against f64, f64 against values computed in 60 digits.

use super::golden::GOLDEN;
use super::*;
use crate::{Machine, Map, Real, Vector, elementwise};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Function {
    Exp,
    Expm1,
    Sigmoid,
    Softplus,
    Tanh,
    Probability,
    Density,
}
use Function::{Density, Exp, Expm1, Probability, Sigmoid, Softplus, Tanh};

const ALL: [Function; 7] = [Exp, Expm1, Sigmoid, Softplus, Tanh, Probability, Density];

impl Map for Function {
    #[inline(always)]
    fn map<V: Vector>(self, x: V) -> V {
        match self {
            Exp => exp(x),
            Expm1 => expm1(x),
            Sigmoid => sigmoid(x),
            Softplus => softplus(x),
            Tanh => tanh(x),
            Probability => normal(x).0,
            Density => normal(x).1,
        }
    }
}

impl Function {
    /// The error that the docs state, in units in the last place: on instruction sets with FMA, and on `portable`.
    fn bound(self, machine: Machine) -> f64 {
        let (fused, portable) = match self {
            Exp => (1.1, 1.5),
            Expm1 => (2.5, 2.5),
            Softplus => (2.0, 2.0),
            Sigmoid | Tanh => (2.0, 3.0),
            Probability => (4.0, 5.0),
            Density => (2.0, 2.0),
        };
        if machine.name() == "portable" { portable } else { fused }
    }

    fn of<T: Real>(self, machine: Machine, x: &[T]) -> Vec<T> {
        let mut y = x.to_vec();
        y.resize(x.len().next_multiple_of(16), T::ZERO);
        elementwise::map(machine, &mut y, self);
        y.truncate(x.len());
        y
    }

    /// The standard library's function in f64, which has no Φ.
    fn standard(self, x: f64) -> Option<f64> {
        Some(match self {
            Exp => x.exp(),
            Expm1 => x.exp_m1(),
            Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Tanh => x.tanh(),
            Probability | Density => return None,
        })
    }

    /// The value in f64, exact enough for f32. Φ is this crate's own in f64, which the golden points check.
    fn exact(self, x: &[f64]) -> Vec<f64> {
        let own = self.of(Machine::named("portable").unwrap(), x);
        x.iter().zip(own).map(|(&x, own)| self.standard(x).unwrap_or(own)).collect()
    }
}

/// |got − want| in units in the last place of an f32 at want.
fn ulp_f32(got: f32, want: f64) -> f64 {
    if want.abs() > f64::from(f32::MAX) || got.is_infinite() {
        // The threshold of overflow: half a unit beyond the largest number.
        let limit = f64::from(f32::MAX) * (1.0 + 2f64.powi(-25));
        return if (want.abs() >= limit) == got.is_infinite() { 0.0 } else { f64::INFINITY };
    }
    let exponent = (want.abs().max(f64::from(f32::MIN_POSITIVE)).to_bits() >> 52) as i32 - 1023;
    (f64::from(got) - want).abs() / 2f64.powi(exponent - 23)
}

/// Bounds the error of each function on each instruction set, over every `step`-th float.
fn f32_error_is_bounded_over(step: usize) -> Vec<(Function, Vec<f64>)> {
    let machines = Machine::available();
    let mut worst: Vec<_> = ALL.iter().map(|&function| (function, vec![0.0f64; machines.len()])).collect();
    let mut bits = (0..=u32::MAX).step_by(step);
    loop {
        let x: Vec<f32> = bits.by_ref().take(1 << 16).map(f32::from_bits).collect();
        if x.is_empty() {
            return worst;
        }
        let x: Vec<f32> = x.into_iter().filter(|x| !x.is_nan()).collect();
        for (function, worst) in &mut worst {
            let exact = function.exact(&x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
            for (machine, worst) in machines.iter().zip(worst) {
                let bound = function.bound(*machine);
                for ((x, y), want) in x.iter().zip(function.of(*machine, &x)).zip(&exact) {
                    let error = ulp_f32(y, *want);
                    assert!(error < bound, "{function:?}({x}) on {}: {y}, {error} units off", machine.name());
                    *worst = worst.max(error);
                }
            }
        }
    }
}

#[test]
fn f32_error_is_bounded() {
    f32_error_is_bounded_over(if cfg!(debug_assertions) { 9973 } else { 97 });
}

/// `cargo test --release -p chainrule-kernels -- --ignored --nocapture` takes some minutes.
#[test]
#[ignore = "all 2^32 floats"]
fn f32_error_is_bounded_over_all_floats() {
    for (function, worst) in f32_error_is_bounded_over(1) {
        println!("{function:?}: {worst:.2?} units at most on {:?}", Machine::available());
    }
}

#[test]
fn sigmoids_are_the_sigmoid_of_x_and_of_minus_x() {
    /// The first of the two, or the second.
    #[derive(Clone, Copy)]
    struct Half(bool);
    impl Map for Half {
        #[inline(always)]
        fn map<V: Vector>(self, x: V) -> V {
            let (of_x, of_minus_x) = sigmoids(x);
            if self.0 { of_x } else { of_minus_x }
        }
    }
    let x: Vec<f32> = (0..1 << 16).map(|i| f32::from_bits(i << 16)).filter(|x| !x.is_nan()).collect();
    for machine in Machine::available() {
        for (first, sign) in [(true, 1.0), (false, -1.0)] {
            let mut y = x.clone();
            y.resize(x.len().next_multiple_of(16), 0.0);
            elementwise::map(machine, &mut y, Half(first));
            let exact = Sigmoid.exact(&x.iter().map(|&x| sign * f64::from(x)).collect::<Vec<_>>());
            for ((x, y), want) in x.iter().zip(y).zip(exact) {
                let error = ulp_f32(y, want);
                assert!(error < Sigmoid.bound(machine) + 0.5, "{sign} · {x} on {}: {error} units off", machine.name());
            }
        }
    }
}

/// |got − (want + rest · ulp)| in units in the last place of want.
fn ulp_f64(got: f64, want: f64, rest: f64) -> f64 {
    if want.is_infinite() || want == 0.0 {
        return if got == want { 0.0 } else { f64::INFINITY };
    }
    // The exponent field, 1 for subnormals. The unit is 52 lower, so it may be subnormal.
    let field = (want.abs().to_bits() >> 52).max(1);
    let unit = f64::from_bits(if field > 52 { (field - 52) << 52 } else { 1 << (field - 1) });
    ((got - want) / unit - rest).abs()
}

#[test]
fn f64_error_is_bounded_at_golden_points() {
    let x: Vec<f64> = GOLDEN.iter().map(|g| g.0).collect();
    for machine in Machine::available() {
        for (f, function) in ALL.into_iter().enumerate() {
            for (y, (x, golden)) in function.of(machine, &x).into_iter().zip(GOLDEN) {
                let (want, rest) = golden[f];
                let error = ulp_f64(y, want, rest);
                let bound = function.bound(machine);
                assert!(error < bound, "{function:?}({x}) on {}: {y}, {error} units off", machine.name());
            }
        }
    }
}

/// The standard library's f64 functions have errors of up to a unit, but they check far more points than the golden
/// ones.
#[test]
fn f64_is_near_the_standard_library_everywhere() {
    let x: Vec<f64> = (-400_000..400_000)
        .map(|i| f64::from(i) * 1e-4 + 1e-9)
        .chain((-7500..7110).map(|i| f64::from(i) * 0.1))
        .collect();
    for machine in Machine::available() {
        for function in ALL {
            let bound = function.bound(machine) + 1.5;
            for (&x, y) in x.iter().zip(function.of(machine, &x)) {
                let Some(want) = function.standard(x) else { break };
                let error = ulp_f64(y, want, 0.0);
                assert!(error <= bound, "{function:?}({x}) on {}: {y}, {error} units off", machine.name());
            }
        }
    }
}

fn limits<T: Real>() {
    let of = |x: f64| T::from_f64(x);
    let inf = f64::INFINITY;
    let x: Vec<T> = [f64::NAN, inf, -inf, 1e4, -1e4, 0.0, -0.0].map(of).to_vec();
    for machine in Machine::available() {
        for function in ALL {
            let y: Vec<f64> = function.of(machine, &x).into_iter().map(T::to_f64).collect();
            let ln_2 = of(std::f64::consts::LN_2).to_f64();
            let want = match function {
                Exp => [inf, 0.0, inf, 0.0, 1.0, 1.0],
                Expm1 => [inf, -1.0, inf, -1.0, 0.0, 0.0],
                Sigmoid | Probability => [1.0, 0.0, 1.0, 0.0, 0.5, 0.5],
                Softplus => [inf, 0.0, 1e4, 0.0, ln_2, ln_2],
                Tanh => [1.0, -1.0, 1.0, -1.0, 0.0, 0.0],
                Density => [0.0, 0.0, 0.0, 0.0, y[5], y[6]],
            };
            assert!(y[0].is_nan());
            assert_eq!(y[1..], want, "{function:?} on {}", machine.name());
            assert!(!matches!(function, Expm1 | Tanh) || y[6].is_sign_negative());
        }
    }
}

#[test]
fn limits_are_right_and_nan_propagates() {
    limits::<f32>();
    limits::<f64>();
}

#[test]
fn sigmoid_and_tanh_saturate_and_stay_in_range() {
    let x: Vec<f32> = (-1_200_000..1_200_000).map(|i| i as f32 * 1e-4).collect();
    for machine in Machine::available() {
        let (s, t) = (Sigmoid.of(machine, &x), Tanh.of(machine, &x));
        assert!(s.iter().all(|y| (0.0..=1.0).contains(y)) && t.iter().all(|y| (-1.0..=1.0).contains(y)));
        for (i, &x) in x.iter().enumerate() {
            assert!(x < 17.4 || s[i] == 1.0);
            assert!(x.abs() < 9.1 || t[i].abs() == 1.0);
            assert!(x > -103.0 || s[i] <= f32::from_bits(1), "{x} {}", s[i]);
            assert!(x < -103.2 || s[i] > 0.0);
        }
    }
}

#[test]
fn isas_with_fma_agree_to_the_bit() {
    let fused: Vec<Machine> = Machine::available().into_iter().filter(|t| t.name() != "portable").collect();
    let x: Vec<f32> = (0..=u32::MAX).step_by(9973).map(f32::from_bits).collect();
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x) * 1.000_000_001).collect();
    for pair in fused.windows(2) {
        for function in ALL {
            let bits = |t| function.of(t, &x).into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let wide_bits = |t| function.of(t, &wide).into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(pair[0]), bits(pair[1]));
            assert_eq!(wide_bits(pair[0]), wide_bits(pair[1]));
        }
    }
}
