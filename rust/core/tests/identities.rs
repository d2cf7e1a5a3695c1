//! Results that must agree to the bit: a row alone and in a batch of several tiles, an epoch and its steps, a step and
//! its gradient applied. And: steps allocate nothing.

use chainrule_core::{Batch, Error, Network, Real, Rows, Selected, Source, Spec, Targets, Workspace};
use std::sync::atomic::{AtomicUsize, Ordering};

fn spec(dtype: &str, optimizer: &str) -> Spec {
    with(dtype, optimizer, 0.01, r#"{"name": "tanh"}"#)
}

/// With `l2` = 0, updates are fused where the optimizer allows it.
fn with(dtype: &str, optimizer: &str, l2: f64, activation: &str) -> Spec {
    Spec::from_json(&format!(
        r#"{{"n_inputs": 6, "layers": [
            {{"kind": "dense", "units": 17, "activation": {activation}, "bias": true,
              "init": {{"name": "he_normal"}}, "l2": {l2}}},
            {{"kind": "dropout", "rate": 0.25}},
            {{"kind": "dense", "units": 3, "activation": {{"name": "identity"}}, "bias": true,
              "init": {{"name": "lecun_uniform"}}, "l2": 0.0}}],
            "loss": {{"name": "cross_entropy", "label_smoothing": 0.0}}, "optimizer": {optimizer},
            "dtype": "{dtype}", "seed": 5, "n_threads": null}}"#
    ))
    .unwrap()
}

/// Every optimizer, as JSON.
fn optimizers() -> Vec<String> {
    let all: Vec<serde_json::Value> = serde_json::from_str(include_str!("optimizers.json")).unwrap();
    all.iter().map(ToString::to_string).collect()
}

/// tanh saves its output. gelu and hard_sigmoid save their input, and hard_sigmoid is not 0 at 0.
const ACTIVATIONS: [&str; 3] = [r#"{"name": "tanh"}"#, r#"{"name": "gelu"}"#, r#"{"name": "hard_sigmoid"}"#];

struct Data<T> {
    x: Vec<T>,
    labels: Vec<u32>,
}

fn data<T: Real>(n: usize) -> Data<T> {
    let wave = |i: usize| T::from_f64(((i * 7919 + 13) % 1000) as f64 / 500.0 - 1.0);
    Data { x: (0..n * 6).map(wave).collect(), labels: (0..n as u32).map(|i| i % 3).collect() }
}

fn parameters<T: Real>(network: &Network<T>) -> Vec<T> {
    let mut flat = vec![T::default(); network.n_parameters()];
    network.parameters(&mut flat);
    flat
}

fn row_is_independent_of_its_batch<T: Real>(dtype: &str) {
    for activation in ACTIVATIONS {
        let network = Network::<T>::new(with(dtype, &optimizers()[0], 0.01, activation)).unwrap();
        let mut ws = Workspace::new(&network).unwrap();
        // Several tiles.
        let n = 600;
        let data = data::<T>(n);
        let mut together = vec![T::default(); n * 3];
        network.predict(&mut ws, &Source::new(&data.x, n, 6), &mut together).unwrap();
        for (row, expected) in together.chunks_exact(3).enumerate() {
            let mut alone = [T::default(); 3];
            network.predict(&mut ws, &Source::new(&data.x[row * 6..][..6], 1, 6), &mut alone).unwrap();
            assert_eq!(alone, expected, "{activation}");
        }
    }
}

#[test]
fn row_is_independent_of_its_batch_f32() {
    row_is_independent_of_its_batch::<f32>("float32");
}

#[test]
fn row_is_independent_of_its_batch_f64() {
    row_is_independent_of_its_batch::<f64>("float64");
}

fn epoch_is_its_steps<T: Real>(dtype: &str) {
    let (n, batch_size) = (50, 8);
    let data = data::<T>(n);
    let x = Source::new(&data.x, n, 6);
    let all = Batch { x: &x, y: Targets::Labels(&data.labels), sample_weight: None };
    for (optimizer, l2) in optimizers().iter().flat_map(|optimizer| [(optimizer, 0.01), (optimizer, 0.0)]) {
        let mut by_epoch = Network::<T>::new(with(dtype, optimizer, l2, ACTIVATIONS[0])).unwrap();
        let mut by_step = by_epoch.try_clone().unwrap();
        let mut by_gradient = by_epoch.try_clone().unwrap();
        let mut ws = Workspace::new(&by_epoch).unwrap();
        for _ in 0..3 {
            let mut epoch = by_epoch.start_epoch(n, batch_size, true).unwrap();
            let order = epoch.order().unwrap().to_vec();
            // Interrupted whenever `keep_going` is called.
            while !by_epoch.train(&mut ws, &all, &mut epoch, &mut || false).unwrap() {}
            let mut sum = 0.0;
            for rows in order.chunks(batch_size) {
                let x = Selected::new(&x, rows);
                let labels: Vec<u32> = rows.iter().map(|&i| data.labels[i as usize]).collect();
                let batch = Batch { x: &x, y: Targets::Labels(&labels), sample_weight: None };
                sum += by_step.step(&mut ws, &batch).unwrap() * rows.len() as f64;
                let mut flat = vec![T::default(); by_gradient.n_parameters()];
                by_gradient.gradient(&mut ws, &batch, true, &mut flat).unwrap();
                by_gradient.apply_gradient(&mut ws, &flat).unwrap();
            }
            assert_eq!(epoch.loss(), sum / n as f64);
            assert_eq!(parameters(&by_epoch), parameters(&by_step));
            assert_eq!(parameters(&by_epoch), parameters(&by_gradient));
            by_step.set_epoch_count(by_epoch.epoch_count());
        }
        assert_eq!((by_epoch.epoch_count(), by_epoch.step_count()), (3, 21));
    }
}

#[test]
fn epoch_is_its_steps_f32() {
    epoch_is_its_steps::<f32>("float32");
}

#[test]
fn epoch_is_its_steps_f64() {
    epoch_is_its_steps::<f64>("float64");
}

/// One step with x scaled by `size`: either it equals its gradient applied, or it is refused and changes nothing.
/// Returns whether it was made.
fn step_of_size<T: Real>(dtype: &str, optimizer: &str, size: f64) -> bool {
    let n = 20;
    let mut data = data::<T>(n);
    data.x.iter_mut().for_each(|x| *x *= T::from_f64(size));
    let x = Source::new(&data.x, n, 6);
    let batch = Batch { x: &x, y: Targets::Labels(&data.labels), sample_weight: None };
    let mut by_step = Network::<T>::new(with(dtype, optimizer, 0.0, r#"{"name": "relu"}"#)).unwrap();
    let mut by_gradient = by_step.try_clone().unwrap();
    let before = parameters(&by_step);
    let mut ws = Workspace::new(&by_step).unwrap();
    let made = by_step.step(&mut ws, &batch).is_ok();
    let mut flat = vec![T::default(); by_gradient.n_parameters()];
    by_gradient.gradient(&mut ws, &batch, true, &mut flat).unwrap();
    assert_eq!(by_gradient.apply_gradient(&mut ws, &flat).is_ok(), made, "{optimizer} {size}");
    assert_eq!(parameters(&by_step), parameters(&by_gradient), "{optimizer} {size}");
    assert_eq!(parameters(&by_step) == before, !made, "{optimizer} {size}");
    assert_eq!(by_step.step_count(), u64::from(made));
    made
}

#[test]
fn step_of_any_size_is_its_gradient_applied_or_changes_nothing() {
    for optimizer in &optimizers() {
        let made = (-3..38).map(|power| step_of_size::<f32>("float32", optimizer, 10f64.powi(power)));
        let made: Vec<bool> = made.collect();
        // Steps on small gradients are made, on large ones refused, with a single change from one to the other.
        assert!(made[0] && !made[made.len() - 1] && made.is_sorted_by(|a, b| a >= b), "{optimizer} {made:?}");
        for power in [0, 70, 150, 200, 300] {
            assert_eq!(
                step_of_size::<f64>("float64", optimizer, 10f64.powi(power)),
                power < 160,
                "{optimizer} {power}"
            );
        }
    }
}

#[test]
fn weightless_batch_changes_nothing() {
    let mut network = Network::<f64>::new(spec("float64", &optimizers()[3])).unwrap();
    let mut ws = Workspace::new(&network).unwrap();
    let data = data::<f64>(4);
    let x = Source::new(&data.x, 4, 6);
    let batch = Batch { x: &x, y: Targets::Labels(&data.labels), sample_weight: Some(&[0.0; 4]) };
    let before = parameters(&network);
    assert_eq!(network.step(&mut ws, &batch).unwrap(), 0.0);
    assert_eq!((network.step_count(), parameters(&network)), (0, before));
    let mut flat = vec![1.0; network.n_parameters()];
    assert_eq!(network.gradient(&mut ws, &batch, true, &mut flat).unwrap(), 0.0);
    assert!(flat.iter().all(|&g| g == 0.0));
}

#[test]
fn steps_and_predictions_allocate_nothing() {
    let n = 300;
    let data = data::<f32>(n);
    let x = Source::new(&data.x, n, 6);
    let batch = Batch { x: &x, y: Targets::Labels(&data.labels), sample_weight: None };
    let optimizers = optimizers();
    let kinds = optimizers.iter().flat_map(|optimizer| [0.01, 0.0].map(|l2| (optimizer, l2, ACTIVATIONS[0])));
    for (optimizer, l2, activation) in kinds.chain(ACTIVATIONS.map(|activation| (&optimizers[3], 0.0, activation))) {
        let spec = with("float32", optimizer, l2, activation);
        let name = spec.to_json();
        let mut network = Network::<f32>::new(spec).unwrap();
        let mut ws = Workspace::new(&network).unwrap();
        let mut out = vec![0.0; x.rows() * 3];
        let mut flat = vec![0.0; network.n_parameters()];
        let mut once = || {
            network.step(&mut ws, &batch).unwrap();
            network.predict(&mut ws, &x, &mut out).unwrap();
            network.gradient(&mut ws, &batch, true, &mut flat).unwrap();
            network.apply_gradient(&mut ws, &flat).unwrap();
        };
        once();
        let counted = allocation_counter::measure(|| (0..5).for_each(|_| once()));
        assert_eq!(counted.count_total, 0, "{name}");
    }
}

/// A table that stops the computation before its tile number `last`.
struct Stops<'a> {
    rows: Source<'a>,
    last: usize,
    asked: AtomicUsize,
}

impl Rows<f64> for Stops<'_> {
    fn rows(&self) -> usize {
        self.rows.rows()
    }
    fn columns(&self) -> usize {
        self.rows.columns()
    }
    fn read(&self, row: usize, into: &mut [f64]) {
        self.rows.read(row, into);
    }
    fn keep_going(&self, _rows: usize) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) < self.last
    }
}

#[test]
fn what_is_stopped_between_two_tiles_changes_nothing() {
    let n = 2000;
    let data = data::<f64>(n);
    let one_thread = spec("float64", &optimizers()[0]).to_json().replace(r#""n_threads":null"#, r#""n_threads":1"#);
    let mut network = Network::<f64>::new(Spec::from_json(&one_thread).unwrap()).unwrap();
    let mut ws = Workspace::new(&network).unwrap();
    let (mut out, mut flat) = (vec![0.0; n * 6], vec![0.0; network.n_parameters()]);
    let before = parameters(&network);
    for last in [0, 1, 3] {
        let x = Stops { rows: Source::new(&data.x, n, 6), last, asked: AtomicUsize::new(0) };
        let again = || x.asked.store(0, Ordering::Relaxed);
        let batch = Batch { x: &x, y: Targets::Labels(&data.labels), sample_weight: None };
        let d_output = Source::new(&data.x[..n * 3], n, 3);
        assert_eq!(network.predict(&mut ws, &x, &mut out[..n * 3]), Err(Error::Interrupted));
        again();
        assert_eq!(network.loss(&mut ws, &batch), Err(Error::Interrupted));
        again();
        assert_eq!(network.gradient(&mut ws, &batch, true, &mut flat), Err(Error::Interrupted));
        again();
        assert_eq!(network.backward(&mut ws, &x, &d_output, true, &mut flat, &mut out), Err(Error::Interrupted));
        again();
        assert_eq!(network.step(&mut ws, &batch), Err(Error::Interrupted));
        let mut epoch = network.start_epoch(n, n, false).unwrap();
        again();
        assert_eq!(network.train(&mut ws, &batch, &mut epoch, &mut || true), Err(Error::Interrupted));
        assert!(parameters(&network) == before && network.step_count() == 0);
        // What is left of the epoch can still be made.
        let whole = Batch { x: &x.rows, ..batch };
        let mut twin = network.try_clone().unwrap();
        assert_eq!(twin.train(&mut ws, &whole, &mut epoch, &mut || true), Ok(true));
    }
}

#[test]
fn first_weights_can_be_stopped() {
    let stopped = |init: &str, units: usize| {
        let spec = spec("float64", &optimizers()[0]).to_json();
        let spec = spec.replace("he_normal", init).replace(r#""units":17"#, &format!(r#""units":{units}"#));
        Network::<f64>::new_while(Spec::from_json(&spec).unwrap(), &mut || false).err()
    };
    assert_eq!(stopped("he_normal", 50_000), Some(Error::Interrupted));
    assert_eq!(stopped("he_normal", 17), None);
}
