//! Backpropagation against central differences, for every activation with every loss.

use chainrule_core::{Batch, Error, Network, Source, Spec, Targets, Workspace, registry};

fn names(kind: &str) -> Vec<&'static str> {
    registry().into_iter().find(|(k, _)| *k == kind).map(|(_, names)| names).unwrap()
}

fn activation(name: &str) -> String {
    match name {
        "leaky_relu" => r#"{"name": "leaky_relu", "negative_slope": 0.2}"#.into(),
        "elu" => r#"{"name": "elu", "alpha": 0.7}"#.into(),
        _ => format!(r#"{{"name": "{name}"}}"#),
    }
}

fn loss(name: &str) -> String {
    let fields = match name {
        "huber" => r#", "delta": 0.3"#,
        "quantile" => r#", "quantile": 0.8"#,
        "gaussian_nll" => r#", "eps": 0.01"#,
        "cross_entropy" => r#", "label_smoothing": 0.1"#,
        "focal" => r#", "gamma": 0.5"#,
        "binary_focal" => r#", "gamma": 2.0, "alpha": 0.25"#,
        _ => "",
    };
    format!(r#"{{"name": "{name}"{fields}}}"#)
}

/// 5 → 4 f → dropout → 3 f → 4. The second dense layer has l2 and no bias.
fn spec(hidden: &str, output: &str, loss: &str) -> Result<Spec, Error> {
    let dense = |units: usize, f: &str, bias: bool, l2: f64| {
        format!(
            r#"{{"kind": "dense", "units": {units}, "activation": {}, "bias": {bias},
                "init": {{"name": "glorot_normal"}}, "l2": {l2}}}"#,
            activation(f)
        )
    };
    Spec::from_json(&format!(
        r#"{{"n_inputs": 5, "layers": [{}, {{"kind": "dropout", "rate": 0.3}}, {}, {}],
            "loss": {},
            "optimizer": {{"name": "adam", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}},
            "dtype": "float64", "seed": 11, "n_threads": null}}"#,
        dense(4, hidden, true, 0.0),
        dense(3, hidden, false, 0.1),
        dense(4, output, true, 0.0),
        self::loss(loss),
    ))
}

/// n rows of x, their targets and weights. The targets are class probabilities, which most losses accept.
fn data(n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let wave = |i: usize| ((i * 7919 + 13) % 1000) as f64 / 500.0 - 1.0;
    let x = (0..n * 5).map(wave).collect();
    let y = (0..n).flat_map(|i| [[0.5, 0.25, 0.25, 0.0], [0.0, 1.0, 0.0, 0.0]][i % 2]).collect();
    (x, y, (0..n).map(|i| (i % 3) as f64).collect())
}

#[test]
fn gradient_is_the_slope_of_the_loss() {
    let n = 7;
    let (x, y, weight) = data(n);
    let x = Source::new(&x, n, 5);
    let mut checked = 0;
    for loss in names("loss") {
        let columns = spec("tanh", "identity", loss).unwrap().loss.targets(4);
        let signs: Vec<f64> = y.iter().map(|&y| if y > 0.0 { 1.0 } else { -1.0 }).collect();
        let y = if loss.ends_with("hinge") { &signs } else { &y };
        let y = Source::new(&y[..n * columns], n, columns);
        let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: Some(&weight) };
        for hidden in names("activation") {
            for output in names("activation") {
                let Ok(spec) = spec(hidden, output, loss) else {
                    // The only reason to refuse a spec: the output activation repeats the link of the loss.
                    let losses: &[&str] = match output {
                        "softmax" => &["cross_entropy", "kl_divergence", "focal"],
                        "sigmoid" => &["binary_cross_entropy", "binary_focal"],
                        _ => &[],
                    };
                    assert!(losses.contains(&loss), "{loss} over {output}");
                    continue;
                };
                let mut network = Network::<f64>::new(spec).unwrap();
                let mut ws = Workspace::new(&network).unwrap();
                let p = network.n_parameters();
                let mut theta = vec![0.0; p];
                network.parameters(&mut theta);
                // Biases start at 0, where a dead unit sits on its kink. Move every parameter away from it.
                theta.iter_mut().enumerate().for_each(|(i, t)| *t += 0.01 * (i % 7) as f64 + 0.003);
                network.set_parameters(&theta).unwrap();
                for training in [false, true] {
                    let mut gradient = vec![0.0; p];
                    network.gradient(&mut ws, &batch, training, &mut gradient).unwrap();
                    let eps = 1e-6;
                    let mut scratch = vec![0.0; p];
                    for i in 0..p {
                        let mut at = |shift: f64| {
                            let mut moved = theta.clone();
                            moved[i] += shift;
                            network.set_parameters(&moved).unwrap();
                            network.gradient(&mut ws, &batch, training, &mut scratch).unwrap()
                        };
                        let difference = (at(eps) - at(-eps)) / (2.0 * eps);
                        // Error of the difference: rounding of L over 2 eps, some 1e-16 / 1e-6, and eps² times the
                        // third derivative.
                        assert!(
                            (difference - gradient[i]).abs() < 1e-8 + 1e-6 * gradient[i].abs(),
                            "{hidden} {output} {loss} training {training} parameter {i}: {} against {difference}",
                            gradient[i]
                        );
                    }
                    network.set_parameters(&theta).unwrap();
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 100, "{checked} networks");
}

#[test]
fn input_gradient_is_the_slope_of_the_output() {
    let n = 3;
    let (x, _, _) = data(n);
    for hidden in names("activation") {
        let network = Network::<f64>::new(spec(hidden, "tanh", "mse").unwrap()).unwrap();
        let mut ws = Workspace::new(&network).unwrap();
        let d_output: Vec<f64> = (0..n * 4).map(|i| 0.3 * i as f64 - 1.0).collect();
        let (mut flat, mut inputs) = (vec![0.0; network.n_parameters()], vec![0.0; n * 5]);
        let d_output_rows = Source::new(&d_output, n, 4);
        network.backward(&mut ws, &Source::new(&x, n, 5), &d_output_rows, true, &mut flat, &mut inputs).unwrap();
        for i in 0..n * 5 {
            let mut at = |shift: f64| {
                let mut moved = x.clone();
                moved[i] += shift;
                let mut out = vec![0.0; n * 4];
                network.forward(&mut ws, &Source::new(&moved, n, 5), true, &mut out).unwrap();
                out.iter().zip(&d_output).map(|(a, d)| a * d).sum::<f64>()
            };
            let difference = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!((difference - inputs[i]).abs() < 1e-8 + 1e-6 * inputs[i].abs(), "{hidden} input {i}");
        }
    }
}

#[test]
fn backward_of_the_loss_is_the_gradient_to_the_bit() {
    let n = 6;
    let (x, y, _) = data(n);
    let (x, y) = (Source::new(&x, n, 5), Source::new(&y, n, 4));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    let network = Network::<f64>::new(spec("tanh", "identity", "half_squared_error").unwrap()).unwrap();
    let mut ws = Workspace::new(&network).unwrap();
    let (mut gradient, mut flat) = (vec![0.0; network.n_parameters()], vec![0.0; network.n_parameters()]);
    network.gradient(&mut ws, &batch, true, &mut gradient).unwrap();
    let mut d = vec![0.0; n * 4];
    network.forward(&mut ws, &x, true, &mut d).unwrap();
    let mut inputs = vec![0.0; n * 5];
    let mut row = vec![0.0; 4];
    for i in 0..n {
        chainrule_core::Rows::read(&y, i, &mut row);
        for j in 0..4 {
            d[i * 4 + j] = (d[i * 4 + j] - row[j]) * (1.0 / n as f64);
        }
    }
    network.backward(&mut ws, &x, &Source::new(&d, n, 4), true, &mut flat, &mut inputs).unwrap();
    assert_eq!(gradient, flat);
}
