//! Steps of small networks beside the way layer by layer: the same bits, the same refusals.

use super::*;
use crate::{Machine, Network, Source, Spec, force_threads};
use chainrule_kernels::small::Small as Kernels;

fn spec(sizes: &[usize], bias: bool, activation: &str, loss: &str, optimizer: &str, dtype: &str) -> Spec {
    let layers: Vec<String> = sizes[1..]
        .iter()
        .enumerate()
        .map(|(l, units)| {
            let activation = if l + 2 == sizes.len() { r#"{"name": "identity"}"# } else { activation };
            format!(
                r#"{{"kind": "dense", "units": {units}, "activation": {activation}, "bias": {bias},
                    "init": {{"name": "he_normal"}}, "l2": 0.0}}"#
            )
        })
        .collect();
    let json = format!(
        r#"{{"n_inputs": {}, "layers": [{}], "loss": {loss}, "optimizer": {optimizer},
            "dtype": "{dtype}", "seed": 3, "n_threads": null}}"#,
        sizes[0],
        layers.join(",")
    );
    Spec::from_json(&json).unwrap()
}

const ACTIVATIONS: [&str; 5] = [
    r#"{"name": "relu"}"#,
    r#"{"name": "tanh"}"#,
    r#"{"name": "sigmoid"}"#,
    r#"{"name": "identity"}"#,
    r#"{"name": "leaky_relu", "negative_slope": 0.1}"#,
];
const LOSSES: [&str; 3] =
    [r#"{"name": "cross_entropy", "label_smoothing": 0.0}"#, r#"{"name": "mse"}"#, r#"{"name": "half_squared_error"}"#];
const OPTIMIZERS: [&str; 4] = [
    r#"{"name": "sgd", "learning_rate": 0.001, "momentum": 0.0, "nesterov": false}"#,
    r#"{"name": "adam", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}"#,
    r#"{"name": "adamw", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8, "weight_decay": 0.01}"#,
    r#"{"name": "sgd", "learning_rate": 0.001, "momentum": 0.9, "nesterov": true}"#,
];

/// Up to three tiles.
const BATCHES: [usize; 8] = [16, 1, 40, 70, 300, 7, 600, 33];

fn wave<T: Real>(i: usize) -> T {
    T::from_f64((i.wrapping_mul(2_654_435_761) >> 9) as f64 % 1000.0 / 400.0 - 1.2)
}

/// Losses, outputs, parameters and moments of some steps on batches of such sizes.
fn history<T: Real>(spec: &Spec, machine: Machine, is_small: bool, batches: &[usize]) -> Vec<T> {
    weighted_history(spec, machine, is_small, batches, false)
}

/// The same, with weights of the rows, some of them 0.
fn weighted_history<T: Real>(
    spec: &Spec,
    machine: Machine,
    is_small: bool,
    batches: &[usize],
    weighted: bool,
) -> Vec<T> {
    let mut network = Network::<T>::new(spec.clone()).unwrap();
    assert!(network.plan.small.is_ok());
    network.machine = machine;
    if !is_small {
        network.plan.small = Err("not for this test".into());
    }
    let mut ws = Workspace::new(&network).unwrap();
    let (n_in, k, n) = (network.n_inputs(), network.n_outputs(), *batches.iter().max().unwrap());
    let x: Vec<T> = (0..n * n_in).map(wave).collect();
    let y: Vec<T> = (0..n * k).map(|i| wave(i + 17)).collect();
    let labels: Vec<u32> = (0..n).map(|i| (i * 7 % k) as u32).collect();
    let mut all = Vec::new();
    for &rows in batches {
        let (x, y) = (Source::new(&x[..rows * n_in], rows, n_in), Source::new(&y[..rows * k], rows, k));
        let y = if spec.loss.takes_labels() { Targets::Labels(&labels[..rows]) } else { Targets::Values(&y) };
        let weights: Vec<f64> =
            (0..rows).map(|i| (i * 7 % 5) as f64 * 0.3 + if rows < 5 { 0.1 } else { 0.0 }).collect();
        let batch = Batch { x: &x, y, sample_weight: weighted.then_some(&weights[..]) };
        all.push(T::from_f64(network.step(&mut ws, &batch).unwrap()));
        let mut gradient = vec![T::ZERO; network.n_parameters()];
        all.push(T::from_f64(network.gradient(&mut ws, &batch, true, &mut gradient).unwrap()));
        all.extend(gradient);
        let mut out = vec![T::ZERO; rows * k];
        network.forward(&mut ws, &x, false, &mut out).unwrap();
        all.extend(out);
    }
    assert_eq!(network.step_count(), batches.len() as u64);
    for part in std::iter::once(&network.parameters).chain(&network.states) {
        all.extend_from_slice(part);
    }
    assert_eq!(!ws.small.is_empty(), is_small && Kernels::<T>::is_for(machine));
    all
}

fn has_the_bits_of_layers<T: Real>(dtype: &str) {
    let sizes: [&[usize]; 19] = [
        &[4, 16, 3],
        &[1, 1],
        &[5, 3],
        &[10, 32, 4],
        &[8, 64, 64, 4],
        &[13, 37, 29, 5],
        &[33, 17, 1],
        &[2, 7, 9, 8, 2],
        &[64, 15, 16],
        &[15, 31, 32, 9],
        &[16, 33, 63, 8],
        &[17, 24, 23, 1],
        &[31, 8, 4, 12, 5],
        &[40, 41, 56, 13],
        &[20, 100, 10],
        &[17, 17, 17],
        &[30, 25, 32],
        &[64, 40, 63],
        &[127, 65, 128, 3],
    ];
    for (i, sizes) in sizes.into_iter().enumerate() {
        for (a, activation) in ACTIVATIONS.into_iter().enumerate() {
            for (l, loss) in LOSSES.into_iter().enumerate() {
                // Every pair of choices; not every combination of all.
                let (optimizer, bias) = (OPTIMIZERS[(i + a + l) % 4], !(i + a + 2 * l).is_multiple_of(4));
                // A third of them where the kernels are slow.
                let left_out = cfg!(debug_assertions) && !(i + 2 * a + l).is_multiple_of(3);
                if left_out || l == 0 && sizes[sizes.len() - 1] == 1 {
                    continue;
                }
                let spec = spec(sizes, bias, activation, loss, optimizer, dtype);
                for machine in Machine::available() {
                    let [got, expected] = [true, false].map(|way| history::<T>(&spec, machine, way, &BATCHES));
                    let same = got.iter().zip(&expected).all(|(a, b)| a.to_f64().to_bits() == b.to_f64().to_bits());
                    assert!(same, "{sizes:?} {activation} {loss} {optimizer} bias {bias} on {machine:?}");
                }
            }
        }
    }
}

#[test]
fn tiles_on_threads_have_the_bits_of_one() {
    let spec = spec(&[5, 12, 9, 3], true, ACTIVATIONS[1], LOSSES[0], OPTIMIZERS[1], "float32");
    for machine in Machine::available() {
        // The last has tiles for eight threads; the others have too few for some, and go the general way.
        let batches = [300, 600, 2048];
        let expected = history::<f32>(&spec, machine, true, &batches);
        let before = force_threads(true);
        for threads in [2, 3, 8] {
            let got = history::<f32>(&spec, machine.with_threads(threads), true, &batches);
            assert_eq!(got, expected, "{threads} on {machine:?}");
        }
        assert!(force_threads(false) > before, "no thread has helped");
    }
}

/// The same network with dropout behind each hidden layer, and a penalty.
fn with_dropout(spec: &Spec, rate: f64, l2: f64) -> Spec {
    let mut json: serde_json::Value = serde_json::from_str(&spec.to_json()).unwrap();
    let mut layers = Vec::new();
    for mut layer in json["layers"].as_array().unwrap().clone() {
        layer["l2"] = l2.into();
        layers.push(layer);
        layers.push(serde_json::json!({"kind": "dropout", "rate": rate}));
    }
    layers.pop();
    json["layers"] = layers.into();
    Spec::from_json(&json.to_string()).unwrap()
}

#[test]
fn penalties_weights_dropout_and_radam_have_the_bits_of_layers() {
    let radam = r#"{"name": "radam", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.9, "eps": 1e-8}"#;
    let sizes: [&[usize]; 4] = [&[4, 16, 3], &[13, 37, 29, 5], &[8, 64, 64, 4], &[33, 17, 1]];
    let batches = [16, 1, 40, 300, 7, 600];
    for (i, sizes) in sizes.into_iter().enumerate() {
        for (rate, l2) in [(0.3, 0.0), (0.0, 0.01), (0.5, 0.1)] {
            for (o, optimizer) in [OPTIMIZERS[0], OPTIMIZERS[1], OPTIMIZERS[3], radam].into_iter().enumerate() {
                let (activation, loss) = (ACTIVATIONS[(i + o) % 5], LOSSES[1 + (i + o) % 2]);
                let spec = with_dropout(&spec(sizes, true, activation, loss, optimizer, "float32"), rate, l2);
                for machine in Machine::available() {
                    for weighted in [false, true] {
                        let [got, expected] =
                            [true, false].map(|way| weighted_history::<f32>(&spec, machine, way, &batches, weighted));
                        let same = got.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                        assert!(
                            same,
                            "{sizes:?} {activation} {optimizer} rate {rate} l2 {l2} {weighted} on {machine:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn steps_of_small_networks_have_the_bits_of_layers() {
    has_the_bits_of_layers::<f32>("float32");
    has_the_bits_of_layers::<f64>("float64");
}

/// Errors of steps that are refused, in one kernel or layer by layer; nothing has changed after any.
fn refusals<T: Real>(loss: &str, dtype: &str, machine: Machine, is_small: bool) -> Vec<String> {
    let mut network = Network::<T>::new(spec(&[3, 5, 2], true, ACTIVATIONS[0], loss, OPTIMIZERS[1], dtype)).unwrap();
    network.machine = machine;
    if !is_small {
        network.plan.small = Err("not for this test".into());
    }
    let mut ws = Workspace::new(&network).unwrap();
    let before = network.parameters.to_vec();
    let huge = T::MAX.to_f64();
    let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let with = |i: usize, value: f64| {
        let mut x = x;
        x[i] = value;
        x
    };
    let cases = [
        (with(4, f64::NAN), [0.0, 1.0], [0, 1]),
        (with(2, f64::NEG_INFINITY), [0.0, 1.0], [0, 1]),
        (x, [f64::NAN, 1.0], [0, 2]),
        (x, [0.0, f64::INFINITY], [7, 1]),
        // Outputs that overflow; a gradient that is too large to be squared.
        (x.map(|x| (x - 2.5) * huge / 3.0), [0.0, 1.0], [0, 1]),
        (x.map(|x| (x - 2.5) * huge.sqrt()), [-1.0, 1.0], [0, 1]),
    ];
    let errors = cases.map(|(x, y, labels)| {
        let (x, y) = (x.map(T::from_f64), [y[0], y[1], 0.0, 0.0].map(T::from_f64));
        let (x, y) = (Source::new(&x, 2, 3), Source::new(&y, 2, 2));
        let y = if loss == LOSSES[0] { Targets::Labels(&labels) } else { Targets::Values(&y) };
        let batch = Batch { x: &x, y, sample_weight: None };
        network.step(&mut ws, &batch).unwrap_err().to_string()
    });
    assert_eq!((network.parameters.to_vec(), network.step_count()), (before, 0));
    errors.to_vec()
}

#[test]
fn step_of_a_small_network_refuses_what_layers_refuse() {
    for (machine, loss) in Machine::available().into_iter().flat_map(|machine| LOSSES.map(|loss| (machine, loss))) {
        let [small, layers] = [true, false].map(|way| refusals::<f32>(loss, "float32", machine, way));
        assert_eq!(small, layers, "{loss} {machine:?}");
        let [small, layers] = [true, false].map(|way| refusals::<f64>(loss, "float64", machine, way));
        assert_eq!(small, layers, "{loss} {machine:?}");
    }
}
