//! The binary that `tests/seam.rs` disassembles. It learns the exclusive or in each dtype. Every activation, loss and
//! optimizer is part of it, because the list of a kind is compiled as a whole.

use chainrule_core::{Batch, Error, Network, Real, Source, Spec, Targets, Workspace};

fn learn<T: Real>(dtype: &str) -> Result<f64, Error> {
    let dense = |units: usize, activation: &str| {
        format!(
            r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
                "init": {{"name": "glorot_uniform"}}, "l2": 0.0}}"#
        )
    };
    let spec = Spec::from_json(&format!(
        r#"{{"n_inputs": 2, "layers": [{}, {}], "loss": {{"name": "binary_cross_entropy"}},
            "optimizer": {{"name": "adam", "learning_rate": 0.05, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}},
            "dtype": "{dtype}", "seed": 1, "n_threads": null}}"#,
        dense(8, "tanh"),
        dense(1, "identity"),
    ))?;
    let mut network = Network::<T>::new(spec)?;
    let mut workspace = Workspace::new(&network)?;
    let numbers = |values: &[u8]| values.iter().map(|&v| T::from_f64(f64::from(v))).collect::<Vec<_>>();
    let (x, y) = (numbers(&[0, 0, 0, 1, 1, 0, 1, 1]), numbers(&[0, 1, 1, 0]));
    let (x, y) = (Source::new(&x, 4, 2), Source::new(&y, 4, 1));
    let batch = Batch { x: &x, y: Targets::Values(&y), sample_weight: None };
    for _ in 0..500 {
        network.step(&mut workspace, &batch)?;
    }
    network.loss(&mut workspace, &batch)
}

fn main() -> Result<(), Error> {
    for loss in [learn::<f32>("float32")?, learn::<f64>("float64")?] {
        assert!(loss < 0.05, "the exclusive or was not learnt: {loss}");
    }
    Ok(())
}
