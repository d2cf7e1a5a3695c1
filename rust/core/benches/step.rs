//! Training steps of whole networks: microseconds a step, and GFLOP/s.
//!
//! `cargo bench -p chainrule-core --bench step [-- names... [seconds]]`. One thread, `f32`, ReLU in the hidden layers.
//! The result is the best of short rounds, because a busy machine takes the processor away for milliseconds at a time.
//! `CHAINRULE_TARGET` chooses the instruction set.

use chainrule_core::{Batch, Network, Source, Spec, Targets, Workspace};
use chainrule_kernels::Buffer;
use std::time::Instant;

/// Least seconds of a round.
const ROUND: f64 = 3e-4;

/// Name, units of each layer, rows of a batch, rows of the data, Adam (else SGD), classes (else numbers).
type Workload = (&'static str, &'static [usize], usize, usize, bool, bool);

const WORKLOADS: &[Workload] = &[
    ("iris", &[4, 16, 3], 16, 3200, false, true),
    ("policy", &[8, 64, 64, 4], 64, 6400, true, false),
    ("tab", &[32, 64, 64, 1], 64, 6400, true, false),
    ("digits", &[64, 100, 10], 200, 6400, true, true),
    ("mnist-s", &[784, 128, 10], 128, 4096, true, true),
    ("mnist-l", &[784, 512, 512, 10], 128, 4096, true, true),
    ("wide", &[1024, 2048, 2048, 1000], 256, 4096, false, true),
    ("odd", &[13, 37, 29, 5], 50, 6400, true, true),
    ("deep", &[20, 48, 48, 48, 48, 2], 96, 6400, true, true),
    ("online", &[10, 32, 4], 1, 1600, false, true),
];

fn network(&(_, sizes, _, _, adam, classes): &Workload) -> Network<f32> {
    let last = sizes.len() - 2;
    let layers: Vec<String> = sizes[1..]
        .iter()
        .enumerate()
        .map(|(l, units)| {
            let activation = if l == last { "identity" } else { "relu" };
            format!(
                r#"{{"kind": "dense", "units": {units}, "activation": {{"name": "{activation}"}}, "bias": true,
                    "init": {{"name": "he_normal"}}, "l2": 0.0}}"#
            )
        })
        .collect();
    let loss = if classes { r#"{"name": "cross_entropy", "label_smoothing": 0.0}"# } else { r#"{"name": "mse"}"# };
    let optimizer = if adam {
        r#"{"name": "adam", "learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}"#
    } else {
        r#"{"name": "sgd", "learning_rate": 0.01, "momentum": 0.0, "nesterov": false}"#
    };
    let spec = format!(
        r#"{{"n_inputs": {}, "layers": [{}], "loss": {loss}, "optimizer": {optimizer},
            "dtype": "float32", "seed": 1, "n_threads": null}}"#,
        sizes[0],
        layers.join(",")
    );
    Network::new(Spec::from_json(&spec).expect("a valid spec")).expect("memory")
}

/// Seconds of a step, the best of all rounds.
fn time(workload: &Workload, limit: f64) -> f64 {
    let &(_, sizes, batch_size, rows, _, classes) = workload;
    let wave = |i: usize| ((i.wrapping_mul(2_654_435_761) >> 7) % 1000) as f32 / 500.0 - 1.0;
    let (n_in, n_out) = (sizes[0], sizes[sizes.len() - 1]);
    // A `Buffer` lies on huge pages where the system has them, as numpy's arrays do.
    let mut x = Buffer::zeroed(rows * n_in).expect("memory");
    x.iter_mut().enumerate().for_each(|(i, x)| *x = wave(i));
    let y: Vec<f32> = (0..rows * n_out).map(wave).collect();
    let labels: Vec<u32> = (0..rows).map(|i| (i * 7919 % n_out) as u32).collect();
    let (x, y) = (Source::new(&x, rows, n_in), Source::new(&y, rows, n_out));
    let targets = if classes { Targets::Labels(&labels) } else { Targets::Values(&y) };
    let data = Batch { x: &x, y: targets, sample_weight: None };
    let mut network = network(workload);
    let mut workspace = Workspace::new(&network).expect("memory");
    let (mut best, begun) = (f64::INFINITY, Instant::now());
    while begun.elapsed().as_secs_f64() < limit {
        let mut epoch = network.start_epoch(rows, batch_size, true).expect("an epoch");
        let mut finished = false;
        while !finished {
            let (start, before) = (Instant::now(), epoch.rows_done());
            let mut go_on = || start.elapsed().as_secs_f64() < ROUND;
            finished = network.train(&mut workspace, &data, &mut epoch, &mut go_on).expect("a step");
            let steps = (epoch.rows_done() - before) as f64 / batch_size as f64;
            best = best.min(start.elapsed().as_secs_f64() / steps);
        }
    }
    best
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let seconds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1.0);
    let names: Vec<_> = words.iter().filter(|word| word.parse::<f64>().is_err()).collect();
    for workload in WORKLOADS {
        let &(name, sizes, batch, ..) = workload;
        if !names.is_empty() && !names.iter().any(|n| *n == name) {
            continue;
        }
        let best = time(workload, seconds);
        let weights: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let flop = (batch * (6 * weights - 2 * sizes[0] * sizes[1])) as f64;
        println!("{name:>8}  {:10.3} us  {:6.1} GFLOP/s", best * 1e6, flop / best / 1e9);
    }
}
