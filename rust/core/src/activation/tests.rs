//! Properties of every activation in the list.

use super::{Activation, Scratch, Transfer};
use crate::plan::Plan;
use crate::{Batch, Network, Real, Source, Spec, Targets, Workspace};
use chainrule_kernels::product::Start;
use chainrule_kernels::{Machine, Matrix, MatrixMut};

/// The options of an activation as JSON, with parameters other than the defaults.
fn options(name: &str) -> String {
    match name {
        "leaky_relu" => r#"{"name": "leaky_relu", "negative_slope": 0.2}"#.into(),
        "elu" => r#"{"name": "elu", "alpha": 0.7}"#.into(),
        _ => format!(r#"{{"name": "{name}"}}"#),
    }
}

/// Every elementwise activation.
fn elementwise() -> impl Iterator<Item = &'static str> {
    Activation::NAMES.iter().copied().filter(|&name| name != "softmax")
}

/// (a, slope) at each z.
fn transfer<T: Real>(name: &str, machine: Machine, z: &[f64]) -> Vec<(f64, f64)> {
    let activation: Activation = serde_json::from_str(&options(name)).unwrap();
    let (n, line) = (z.len(), T::LINE);
    let column = |values: &[f64]| {
        let mut table = vec![T::default(); values.len() * line];
        table.iter_mut().step_by(line).zip(values).for_each(|(to, &z)| *to = T::from_f64(z));
        table
    };
    let (x, w) = (column(z), column(&[1.0]));
    let (mut a, mut saved, mut row) =
        (vec![T::default(); n * line], vec![T::default(); n * line], vec![T::default(); n]);
    let mut slope = saved.clone();
    each_activation!(activation, f => {
        let scratch = Scratch { z: MatrixMut::new(&mut saved, n, 1, line), row: &mut row };
        let (x, w) = (Matrix::new(&x, n, 1, line), Matrix::new(&w, 1, 1, line));
        f.forward(machine, x, w, Start::Zero, MatrixMut::new(&mut a, n, 1, line), scratch);
        let saved = if activation.saves() == super::Saves::Input { &saved } else { &a };
        f.slope(machine, saved, &mut slope);
    });
    let first = |table: Vec<T>| table.into_iter().step_by(line).map(T::to_f64).collect::<Vec<_>>();
    first(a).into_iter().zip(first(slope)).collect()
}

/// x, rounded to type T.
fn rounded<T: Real>(x: f64) -> f64 {
    T::from_f64(x).to_f64()
}

fn limits<T: Real>() {
    let inf = f64::INFINITY;
    let (scale, low) = (rounded::<T>(1.050_700_987_355_480_5), rounded::<T>(1.758_099_340_847_376_6));
    let alpha = rounded::<T>(0.7);
    for machine in Machine::available() {
        for name in elementwise() {
            let (left, right) = match name {
                "identity" => ((-inf, 1.0), (inf, 1.0)),
                "leaky_relu" => ((-inf, rounded::<T>(0.2)), (inf, 1.0)),
                "elu" => ((-alpha, 0.0), (inf, 1.0)),
                "selu" => ((-low, 0.0), (inf, scale)),
                "relu" | "softplus" | "silu" | "gelu" | "gelu_tanh" | "mish" | "hard_silu" => ((0.0, 0.0), (inf, 1.0)),
                "sigmoid" | "hard_sigmoid" => ((0.0, 0.0), (1.0, 0.0)),
                "tanh" | "softsign" | "hard_tanh" => ((-1.0, 0.0), (1.0, 0.0)),
                _ => panic!("{name}: what are its limits?"),
            };
            let far = transfer::<T>(name, machine, &[-inf, inf, f64::NAN]);
            assert_eq!((far[0], far[1]), (left, right), "{name} {machine:?}");
            assert!(far[2].0.is_nan(), "{name} {machine:?}");
            // At large finite |z|: the slope of the limit, and its a, or slope · z where the limit is infinite.
            for z in [1e4, 1e19, 1e30, rounded::<T>(0.9 * T::MAX.to_f64())] {
                let near = transfer::<T>(name, machine, &[-z, z]);
                for ((got, limit), z) in near.into_iter().zip([left, right]).zip([-z, z]) {
                    let a = if limit.0.is_finite() { limit.0 } else { z * limit.1.abs() };
                    assert!((got.0 - a).abs() <= 2e-4 * a.abs() || got.0 == a, "{name}({z}) {machine:?}: {got:?}");
                    assert!((got.1 - limit.1).abs() <= 1e-7, "{name}({z}) {machine:?}: {got:?}");
                }
            }
        }
    }
}

#[test]
fn limits_are_right_and_nan_propagates() {
    limits::<f32>();
    limits::<f64>();
}

fn tiny<T: Real>(smallest: f64) {
    for machine in Machine::available() {
        for name in elementwise() {
            let z = [0.0, smallest, -smallest, 5.0 * smallest, -1e5 * smallest];
            let at = transfer::<T>(name, machine, &z);
            for (z, (a, slope)) in z.into_iter().zip(&at) {
                // f(0) + f'(z) z, to the last place. f' is taken at z: a rectifier has another slope for z < 0.
                let line = at[0].0 + z * slope;
                assert!((a - line).abs() <= line.abs() * 2e-7 + smallest, "{name}({z}) {machine:?}: {a}, not {line}");
            }
        }
    }
}

#[test]
fn subnormal_numbers_keep_their_last_place() {
    tiny::<f32>(f64::from(f32::from_bits(1)));
    tiny::<f64>(f64::from_bits(1));
}

#[test]
fn slope_at_a_kink_is_that_of_torch() {
    let (negative, selu) = (0.2, 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2);
    let kinks = [
        ("relu", 0.0, 0.0),
        ("leaky_relu", 0.0, negative),
        ("elu", 0.0, 0.7),
        ("selu", 0.0, selu),
        ("hard_sigmoid", -3.0, 0.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("hard_tanh", -1.0, 0.0),
        ("hard_tanh", 1.0, 0.0),
        ("hard_silu", -3.0, 0.0),
        ("hard_silu", 3.0, 1.0),
    ];
    for machine in Machine::available() {
        for (name, z, slope) in kinks {
            assert_eq!(transfer::<f64>(name, machine, &[z])[0].1, slope, "{name}({z})");
        }
    }
}

/// Points away from every kink. All kinks are integers.
fn points() -> Vec<f64> {
    (-400..400).map(|i| f64::from(i) * 0.1 + 0.0123).collect()
}

#[test]
fn slope_is_the_slope_of_the_value() {
    let (z, h) = (points(), 1e-4);
    let moved = |by: f64| z.iter().map(|z| z + by).collect::<Vec<_>>();
    for machine in Machine::available() {
        for name in elementwise() {
            let (above, below) =
                (transfer::<f64>(name, machine, &moved(h)), transfer::<f64>(name, machine, &moved(-h)));
            for (i, (_, slope)) in transfer::<f64>(name, machine, &z).into_iter().enumerate() {
                let difference = (above[i].0 - below[i].0) / (2.0 * h);
                // The error of a central difference: h² / 6 times the third derivative, and the rounding of a over h.
                assert!((slope - difference).abs() <= 1e-8, "{name}({}) {machine:?}: {slope} {difference}", z[i]);
            }
        }
    }
}

#[test]
fn f32_is_f64_to_its_precision() {
    let z: Vec<f64> = points().into_iter().map(rounded::<f32>).collect();
    for machine in Machine::available() {
        for name in elementwise() {
            let pairs = transfer::<f32>(name, machine, &z).into_iter().zip(transfer::<f64>(name, machine, &z));
            for (z, ((a, slope), (exact, exact_slope))) in z.iter().zip(pairs) {
                // Rounding inside the argument of an exponential moves the result by |z| units, by 3 |z|³ for the cubic
                // of gelu_tanh.
                let units = 8.0 + 2.0 * z.abs() + if name == "gelu_tanh" { z.abs().powi(3) } else { 0.0 };
                let tolerance = |x: f64| units * f64::from(f32::EPSILON) * x.abs() + f64::from(f32::MIN_POSITIVE);
                assert!((a - exact).abs() <= tolerance(exact), "{name}({z}) {machine:?}: {a}, not {exact}");
                let near = (slope - exact_slope).abs();
                // Terms of order one may cancel in a slope, as in 1 − a².
                assert!(
                    near <= tolerance(exact_slope).max(5e-7),
                    "{name}({z}) {machine:?}: {slope}, not {exact_slope}"
                );
            }
        }
    }
}

/// 5 → 4 f → 3 f → 2 g. Every row has padding: no layer fills a line.
fn network<T: Real>(name: &str, output: &str, optimizer: &str, l2: f64, dtype: &str) -> Network<T> {
    let layers = [(4, name), (3, name), (2, output)].map(|(units, name)| {
        format!(
            r#"{{"kind": "dense", "units": {units}, "activation": {}, "bias": true,
                "init": {{"name": "glorot_normal"}}, "l2": {l2}}}"#,
            options(name)
        )
    });
    let spec = Spec::from_json(&format!(
        r#"{{"n_inputs": 5, "layers": [{}], "loss": {{"name": "mse"}},
            "optimizer": {optimizer},
            "dtype": "{dtype}", "seed": 3, "n_threads": null}}"#,
        layers.join(", ")
    ));
    Network::new(spec.unwrap()).unwrap()
}

fn padding_stays_zero<T: Real>(dtype: &str) {
    let numbers = |n: usize| (0..n).map(|i| T::from_f64((i * 7919 % 1000) as f64 / 250.0 - 2.0)).collect::<Vec<_>>();
    let (x, y) = (numbers(7 * 5), numbers(7 * 2));
    let (x, y) = (Source::new(&x, 7, 5), Source::new(&y, 7, 2));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    // With a penalty: updates from a gradient in memory. Without: fused updates, from registers.
    let momentum = (r#"{"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": false}"#, 0.01);
    let adam = (r#"{"name": "adam", "learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.99, "eps": 1e-8}"#, 0.0);
    let kinds = Activation::NAMES.iter().flat_map(|name| [(name, momentum), (name, adam)]);
    for ((name, (optimizer, l2)), output) in kinds.flat_map(|kind| [(kind, kind.0), (kind, &"identity")]) {
        let mut network = network::<T>(name, output, optimizer, l2, dtype);
        let mut ws = Workspace::new(&network).unwrap();
        for _ in 0..5 {
            network.step(&mut ws, &batch).unwrap();
        }
        // The gradient of a small network is never in memory.
        for flat in [&network.parameters, &ws.gradient].into_iter().filter(|flat| !flat.is_empty()) {
            let mut real = vec![T::ZERO; network.n_parameters()];
            Plan::unpack(&network.plan.tensors, flat, &mut real);
            // The whole buffer holds as many nonzero numbers as the parameters alone.
            let count = |values: &mut dyn Iterator<Item = T>| values.filter(|&v| v != T::default()).count();
            assert_eq!(count(&mut flat.iter().copied()), count(&mut real.into_iter()), "{name} {dtype}");
        }
    }
}

#[test]
fn padding_stays_zero_f32() {
    padding_stays_zero::<f32>("float32");
}

#[test]
fn padding_stays_zero_f64() {
    padding_stays_zero::<f64>("float64");
}
