//! Networks with the toy layers: gradients beside central differences, and what happens to buffers.

use crate::{Batch, Error, Network, Source, Spec, Targets, Workspace};

fn dense(units: usize, activation: &str) -> String {
    format!(
        r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
            "init": {{"name": "glorot_normal"}}, "l2": 0.0}}"#
    )
}

fn network(layers: &[String]) -> Network<f64> {
    let json = format!(
        r#"{{"n_inputs": 5, "layers": [{}], "loss": {{"name": "half_squared_error"}},
            "optimizer": {{"name": "adam", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}},
            "dtype": "float64", "seed": 7, "n_threads": null}}"#,
        layers.join(",")
    );
    Network::new(Spec::from_json(&json).unwrap()).unwrap()
}

fn residual(inside: &[String]) -> String {
    format!(r#"{{"kind": "toy residual", "layers": [{}]}}"#, inside.join(","))
}

const NORM: &str = r#"{"kind": "layer_norm", "eps": 1e-5}"#;

const STATISTICS: &str = r#"{"kind": "toy statistics"}"#;

/// Chains that hold a residual layer, a batch-statistics layer, one in the other, dropout and layer norms beside them.
fn chains() -> Vec<Vec<String>> {
    let dropout = r#"{"kind": "dropout", "rate": 0.3}"#.to_string();
    let statistics = STATISTICS.to_string();
    vec![
        vec![dense(6, "tanh"), residual(&[dense(8, "gelu"), dense(6, "sigmoid")]), dense(3, "identity")],
        vec![residual(&[dense(7, "softplus"), dense(5, "identity")]), dense(3, "tanh")],
        vec![dense(6, "tanh"), statistics.clone(), dense(4, "silu"), dense(3, "identity")],
        vec![statistics.clone(), dense(20, "identity")],
        vec![dense(6, "sigmoid"), NORM.into(), dense(17, "gelu"), NORM.into(), dense(3, "identity")],
        vec![NORM.into(), residual(&[dense(5, "tanh"), NORM.into()]), dropout.clone(), dense(20, "tanh")],
        vec![
            dense(6, "mish"),
            residual(&[statistics, dense(6, "tanh"), dropout.clone()]),
            dropout,
            dense(3, "identity"),
        ],
    ]
}

fn wave(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 7919 + 13) % 1000) as f64 / 500.0 - 1.0).collect()
}

/// The loss with other parameters, in training: a step's value before it updates anything.
fn loss(network: &Network<f64>, flat: &[f64], batch: &Batch<'_, f64>) -> f64 {
    let mut copy = network.try_clone().unwrap();
    copy.set_parameters(flat).unwrap();
    let mut unused = vec![0.0; flat.len()];
    copy.gradient(&mut Workspace::new(&copy).unwrap(), batch, true, &mut unused).unwrap()
}

#[test]
fn gradients_of_toy_layers_are_central_differences() {
    let n = 11;
    for layers in chains() {
        let network = network(&layers);
        let (x, y) = (wave(n * 5), wave(n * network.n_outputs()));
        let (x, y) = (Source::new(&x, n, 5), Source::new(&y, n, network.n_outputs()));
        let weights: Vec<f64> = (0..n).map(|i| 0.5 + (i % 3) as f64).collect();
        let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: Some(&weights) };
        let mut flat = vec![0.0; network.n_parameters()];
        network.parameters(&mut flat);
        let mut gradient = vec![0.0; flat.len()];
        network.gradient(&mut Workspace::new(&network).unwrap(), &batch, true, &mut gradient).unwrap();
        for i in 0..flat.len() {
            let shifted = |by: f64| {
                let mut flat = flat.clone();
                flat[i] += by;
                loss(&network, &flat, &batch)
            };
            let h = 1e-5;
            let difference = (shifted(h) - shifted(-h)) / (2.0 * h);
            let allowed = 1e-8 * (1.0 + difference.abs());
            assert!((gradient[i] - difference).abs() < allowed, "{layers:?} {i}: {} {difference}", gradient[i]);
        }
    }
}

#[test]
fn inputs_of_toy_layers_have_the_gradient_of_central_differences() {
    let n = 6;
    for layers in chains() {
        let network = network(&layers);
        let k = network.n_outputs();
        let (x, d) = (wave(n * 5), wave(n * k));
        let mut ws = Workspace::new(&network).unwrap();
        let mut outputs = |x: &[f64]| {
            let mut out = vec![0.0; n * k];
            network.forward(&mut ws, &Source::new(x, n, 5), true, &mut out).unwrap();
            out.iter().zip(&d).map(|(out, d)| out * d).sum::<f64>()
        };
        let (mut flat, mut inputs) = (vec![0.0; network.n_parameters()], vec![0.0; n * 5]);
        let mut other = Workspace::new(&network).unwrap();
        let d_output = Source::new(&d, n, k);
        network.backward(&mut other, &Source::new(&x, n, 5), &d_output, true, &mut flat, &mut inputs).unwrap();
        for i in 0..x.len() {
            let mut shifted = |by: f64| {
                let mut x = x.clone();
                x[i] += by;
                outputs(&x)
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((inputs[i] - difference).abs() < 1e-7, "{layers:?} {i}: {} {difference}", inputs[i]);
        }
    }
}

#[test]
fn step_is_its_gradient_applied_with_toy_layers() {
    let n = 300; // more than a tile
    for layers in chains() {
        let mut stepped = network(&layers);
        let mut applied = stepped.try_clone().unwrap();
        let k = stepped.n_outputs();
        let (x, y) = (wave(n * 5), wave(n * k));
        let (x, y) = (Source::new(&x, n, 5), Source::new(&y, n, k));
        let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
        let (mut ws, mut flat) = (Workspace::new(&stepped).unwrap(), vec![0.0; stepped.n_parameters()]);
        for _ in 0..3 {
            let loss = applied.gradient(&mut ws, &batch, true, &mut flat).unwrap();
            applied.apply_gradient(&mut ws, &flat).unwrap();
            assert_eq!(stepped.step(&mut ws, &batch).unwrap(), loss);
        }
        let (mut one, mut other) = (flat.clone(), flat);
        stepped.parameters(&mut one);
        applied.parameters(&mut other);
        assert_eq!(one, other, "{layers:?}");
    }
}

fn buffers(network: &Network<f64>) -> Vec<f64> {
    let n = network.buffer_tensors().iter().map(|tensor| tensor.shape.iter().product::<usize>()).sum();
    let mut values = vec![0.0; n];
    network.buffers(&mut values);
    values
}

#[test]
fn buffers_change_by_a_step_that_is_made_and_by_nothing_else() {
    let mut network = network(&[STATISTICS.into(), dense(2, "identity")]);
    let names: Vec<_> = network.buffer_tensors().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(names, ["layers.0.running_mean", "layers.0.running_variance"]);
    let fresh = buffers(&network);
    assert_eq!(fresh, [[0.0; 5], [1.0; 5]].concat());
    let (x, y) = (wave(8 * 5), wave(8 * 2));
    let (x, y) = (Source::new(&x, 8, 5), Source::new(&y, 8, 2));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    let (mut ws, mut flat) = (Workspace::new(&network).unwrap(), vec![0.0; network.n_parameters()]);
    network.gradient(&mut ws, &batch, true, &mut flat).unwrap();
    network.loss(&mut ws, &batch).unwrap();
    network.trace(&batch).unwrap();
    assert_eq!(buffers(&network), fresh);
    let huge = [1e200; 16];
    let huge = Source::new(&huge, 8, 2);
    let refused = Batch { y: Targets::Values(&huge), ..batch };
    assert!(matches!(network.step(&mut ws, &refused), Err(Error::Diverged { .. } | Error::GradientDiverged { .. })));
    assert_eq!(buffers(&network), fresh);
    network.step(&mut ws, &batch).unwrap();
    let after = buffers(&network);
    assert!(after.iter().zip(&fresh).all(|(after, fresh)| after != fresh), "{after:?}");
    // A copy carries them, and they can be set.
    assert_eq!(buffers(&network.try_clone().unwrap()), after);
    let mut infinite = fresh.clone();
    infinite[1] = f64::INFINITY;
    let refused = Error::NotFiniteAt { argument: "buffers", value: f64::INFINITY, index: 1 };
    assert_eq!(network.set_buffers(&infinite), Err(refused));
    assert_eq!(buffers(&network), after);
    network.set_buffers(&fresh).unwrap();
    assert_eq!(buffers(&network), fresh);
}

#[test]
fn rows_are_independent_outside_training_with_batch_statistics() {
    let mut network = network(&[dense(6, "tanh"), STATISTICS.into(), dense(2, "identity")]);
    let (x, y) = (wave(600 * 5), wave(600 * 2));
    let (rows, y) = (Source::new(&x, 600, 5), Source::new(&y, 600, 2));
    let batch = Batch { x: &rows, y: Targets::Values(&y), sample_weight: None };
    let mut ws = Workspace::new(&network).unwrap();
    network.step(&mut ws, &batch).unwrap();
    let mut together = vec![0.0; 600 * 2];
    network.predict(&mut ws, batch.x, &mut together).unwrap();
    for (row, expected) in together.chunks_exact(2).enumerate() {
        let mut alone = [0.0; 2];
        network.predict(&mut ws, &Source::new(&x[row * 5..][..5], 1, 5), &mut alone).unwrap();
        assert_eq!(alone, expected);
    }
}

#[test]
fn tensors_of_layers_inside_have_names_of_their_own() {
    let network = network(&chains()[0]);
    let names: Vec<_> = network.tensors().into_iter().map(|tensor| (tensor.name, tensor.shape, tensor.start)).collect();
    assert_eq!(names[2], ("layers.1.layers.0.weight".into(), vec![6, 8], 36));
    assert_eq!(names[5], ("layers.1.layers.1.bias".into(), vec![6], 36 + 48 + 8 + 48));
}
