//! What holds for every activation of the list.

use super::Activation;
use crate::{Batch, Network, Real, RowMajor, Spec, Targets, Workspace};

/// The options of an activation as JSON, with parameters that are not special.
fn options(name: &str) -> String {
    match name {
        "leaky_relu" => r#"{"name": "leaky_relu", "negative_slope": 0.2}"#.into(),
        _ => format!(r#"{{"name": "{name}"}}"#),
    }
}

/// 5 → 4 f → 3 f → 2 g: no layer fills a line of memory.
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
    let (x, y) = (RowMajor::new(&x, 7, 5), RowMajor::new(&y, 7, 2));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    // Updates from a whole gradient, and from parts of it as they come.
    let momentum = (r#"{"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": false}"#, 0.01);
    let adam = (r#"{"name": "adam", "learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.99, "eps": 1e-8}"#, 0.0);
    let kinds = Activation::NAMES.iter().flat_map(|name| [(name, momentum), (name, adam)]);
    for ((name, (optimizer, l2)), output) in kinds.flat_map(|kind| [(kind, kind.0), (kind, &"identity")]) {
        let mut network = network::<T>(name, output, optimizer, l2, dtype);
        let mut ws = Workspace::new(&network).unwrap();
        for _ in 0..5 {
            network.step(&mut ws, &batch).unwrap();
        }
        for flat in [&network.parameters, &ws.gradient] {
            let places = network.plan.places.iter().flatten();
            let real = places.clone().flat_map(|place| {
                let w = place.w(flat);
                let w = (0..w.rows()).flat_map(move |i| w.row(i).to_vec());
                w.chain(place.b(flat).unwrap()[..place.n_out].to_vec())
            });
            // As many numbers are not zero in the whole buffer as in the parameters alone.
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
