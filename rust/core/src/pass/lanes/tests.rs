//! Tiles in parallel beside one tile after the other: the same bits, the same refusals.

use super::*;
use crate::{Batch, Machine, Network, Source, Spec, Targets, force_threads};

fn spec(middle: &str) -> Spec {
    let layer = |units: usize, activation: &str| {
        format!(
            r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
                "init": {{"name": "he_normal"}}, "l2": 0.01}}"#
        )
    };
    let json = format!(
        r#"{{"n_inputs": 5, "layers": [{}, {middle} {}], "loss": {{"name": "mse"}},
            "optimizer": {{"name": "sgd", "learning_rate": 0.01, "momentum": 0.9, "nesterov": false}},
            "dtype": "float32", "seed": 3, "n_threads": null}}"#,
        layer(20, "mish"),
        layer(18, "softsign")
    );
    Spec::from_json(&json).unwrap()
}

/// Losses and parameters of some steps on 2048 rows, the last refused, and how many lanes there were.
fn history(middle: &str, machine: Machine) -> (Vec<f64>, String, Vec<f32>, usize) {
    let mut network = Network::<f32>::new(spec(middle)).unwrap();
    network.machine = machine;
    let mut ws = Workspace::new(&network).unwrap();
    let n = 2048;
    let wave = |i: usize| (i.wrapping_mul(2_654_435_761) >> 9) as f32 % 1000.0 / 400.0 - 1.2;
    let (mut x, y): (Vec<f32>, Vec<f32>) = ((0..n * 5).map(wave).collect(), (0..n * 18).map(wave).collect());
    let weights: Vec<f64> = (0..n).map(|i| (i % 4) as f64).collect();
    let mut losses = Vec::new();
    for sample_weight in [None, Some(&weights[..])] {
        let (x, y) = (Source::new(&x, n, 5), Source::new(&y, n, 18));
        let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight };
        losses.push(network.step(&mut ws, &batch).unwrap());
    }
    let parameters = network.parameters.to_vec();
    // In the last tile and, seen first, in the third.
    (x[2047 * 5 + 1], x[700 * 5 + 3]) = (f32::NAN, f32::INFINITY);
    let (x, y) = (Source::new(&x, n, 5), Source::new(&y, n, 18));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    let error = network.step(&mut ws, &batch).unwrap_err().to_string();
    assert_eq!(parameters, network.parameters.to_vec());
    (losses, error, parameters, ws.lanes.len())
}

#[test]
fn tiles_side_by_side_have_the_bits_of_one_after_the_other() {
    let dropout = r#"{"kind": "dropout", "rate": 0.3},"#;
    for machine in Machine::available() {
        for middle in ["", dropout] {
            let expected = history(middle, machine);
            assert!(expected.1.contains("700"), "{}", expected.1);
            assert_eq!(expected.3, 0);
            let before = force_threads(true);
            for (threads, lanes) in [2, 3, 8].into_iter().zip([4, 6, 8]) {
                let got = history(middle, machine.with_threads(threads));
                assert_eq!(got, (expected.0.clone(), expected.1.clone(), expected.2.clone(), lanes), "{machine:?}");
            }
            assert!(force_threads(false) > before, "no thread has helped");
        }
    }
}
