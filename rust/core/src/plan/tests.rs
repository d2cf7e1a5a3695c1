//! Every form of a layer beside the plain one: the same bits.

use super::*;
use crate::{Batch, Network, Source, Targets, Workspace};

/// 9 → 20 relu → 5 sigmoid → dropout → 3, and back to x.
fn spec(dtype: &str) -> Spec {
    let dense = |units: usize, activation: &str| {
        format!(
            r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
                "init": {{"name": "glorot_normal"}}, "l2": 0.0}}"#
        )
    };
    let json = format!(
        r#"{{"n_inputs": 9, "layers": [{}, {}, {{"kind": "dropout", "rate": 0.2}}, {}],
            "loss": {{"name": "half_squared_error"}},
            "optimizer": {{"name": "sgd", "learning_rate": 0.1, "momentum": 0.0, "nesterov": false}},
            "dtype": "{dtype}", "seed": 7, "n_threads": null}}"#,
        dense(20, "relu"),
        dense(5, "sigmoid"),
        dense(3, "identity")
    );
    Spec::from_json(&json).unwrap()
}

/// Outputs, gradient and ∂L/∂x, and the parameters after a step.
fn results<T: Real>(dtype: &str, most_thin: usize, least_wide: usize) -> [Vec<T>; 4] {
    let spec = spec(dtype);
    let mut network = Network::<T>::new(spec.clone()).unwrap();
    let mut flat = vec![T::ZERO; network.n_parameters()];
    network.parameters(&mut flat);
    let limits = Limits { outputs_in_columns: most_thin, weights_in_place: least_wide, units_of_small: 0 };
    network.plan = Plan::with_limits::<T>(&spec, limits).unwrap();
    network.parameters = chainrule_kernels::Buffer::zeroed(network.plan.padded_parameters).unwrap();
    network.set_parameters(&flat).unwrap();
    let n = 23;
    let wave = |i: usize| T::from_f64(((i * 7919 + 13) % 1000) as f64 / 500.0 - 1.0);
    let (x, y): (Vec<T>, Vec<T>) = ((0..n * 9).map(wave).collect(), (0..n * 3).map(wave).collect());
    let (x, y) = (Source::new(&x, n, 9), Source::new(&y, n, 3));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    let mut ws = Workspace::new(&network).unwrap();
    let (mut out, mut inputs) = (vec![T::ZERO; n * 3], vec![T::ZERO; n * 9]);
    network.forward(&mut ws, &x, true, &mut out).unwrap();
    let mut gradient = vec![T::ZERO; flat.len()];
    network.backward(&mut ws, &x, &y, true, &mut gradient, &mut inputs).unwrap();
    network.step(&mut ws, &batch).unwrap();
    network.parameters(&mut flat);
    [out, gradient, inputs, flat]
}

#[test]
fn plan_changes_no_bit() {
    for (most_thin, least_wide) in [(3, usize::MAX), (0, 0), (3, 0), (0, 50)] {
        let what = format!("thin up to {most_thin} outputs, wide from {least_wide} weights");
        let plain = results::<f32>("float32", 0, usize::MAX);
        assert_eq!(results::<f32>("float32", most_thin, least_wide), plain, "{what}");
        let plain = results::<f64>("float64", 0, usize::MAX);
        assert_eq!(results::<f64>("float64", most_thin, least_wide), plain, "{what}");
    }
}
