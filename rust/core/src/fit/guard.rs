//! An update may be larger than numbers can be. It is refused then, and nothing is changed.
//!
//! To look at all numbers after every update would slow down small steps. So it is proved beforehand, for [`UPDATES`] at a
//! time, that they stay finite: they are not large yet, gradients are bounded, and the rule adds only so much to a number.
//! Where the proof fails, because the rate is huge for example, the network is copied before the update.

use crate::bounds::largest_gradient;
use crate::{Error, Network, Real};
use chainrule_kernels::within;

/// Updates that one proof is for.
const UPDATES: u64 = 32;

impl<T: Real> Network<T> {
    /// Runs `update`, which makes an update or none. If that makes a number infinite or NaN, returns an error, and nothing
    /// is changed.
    #[inline(always)]
    pub(super) fn guarded<R>(&mut self, update: impl FnOnce(&mut Self) -> Result<R, Error>) -> Result<R, Error> {
        if self.finite_until.is_some_and(|until| self.steps < until) || self.stays_finite() {
            return update(self);
        }
        let before = self.try_clone()?;
        let result = update(self)?;
        if self.is_within(T::MAX) {
            self.finite_until = Some(self.steps);
            return Ok(result);
        }
        *self = before;
        Err(Error::UpdateDiverged { at: None })
    }

    /// Whether the next updates leave finite numbers for certain; if so, [`UPDATES`] of them need no other look.
    #[inline(never)]
    fn stays_finite(&mut self) -> bool {
        let proved = self.finite_until.is_some()
            && self.spec.optimizer.stays_finite::<T>(self.steps, UPDATES)
            && self.is_within(largest_gradient());
        if proved {
            self.finite_until = Some(self.steps + UPDATES);
        }
        proved
    }

    /// Whether all numbers that updates change are within ± `most`.
    pub(super) fn is_within(&self, most: T) -> bool {
        let mut parts = [&self.parameters, &self.buffers].into_iter().chain(&self.states);
        parts.all(|part| within(self.machine, part, most))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Batch, Error, Network, Real, Source, Spec, Targets, Workspace};
    use serde_json::{Value, json};

    fn optimizers() -> Vec<Value> {
        serde_json::from_str(include_str!("../../tests/optimizers.json")).unwrap()
    }

    fn network<T: Real>(sizes: &[usize], optimizer: &Value) -> Network<T> {
        let dense = |&units: &usize| {
            json!({"kind": "dense", "units": units, "activation": {"name": "identity"}, "bias": true,
                   "init": {"name": "glorot_uniform"}, "l2": 0.0})
        };
        let spec = json!({"n_inputs": sizes[0], "layers": sizes[1..].iter().map(dense).collect::<Vec<_>>(),
                          "loss": {"name": "half_squared_error"}, "optimizer": optimizer, "dtype": T::NAME, "seed": 0,
                          "n_threads": 1});
        Network::new(Spec::from_json(&spec.to_string()).unwrap()).unwrap()
    }

    /// All numbers that training changes.
    fn numbers<T: Real>(network: &Network<T>) -> (Vec<T>, u64) {
        let parts = std::iter::once(&network.parameters).chain(&network.states);
        (parts.flat_map(|part| part.iter().copied()).collect(), network.step_count())
    }

    /// One update of every way from a loss and a gradient that are finite.
    fn step<T: Real>(network: &mut Network<T>, rows: usize) -> Result<f64, Error> {
        let mut ws = Workspace::new(network)?;
        let x = vec![T::ONE; rows * network.n_inputs()];
        let y = vec![T::from_f64(1e6); rows * network.n_outputs()];
        let y = Source::new(&y, rows, network.n_outputs());
        let batch =
            Batch { x: &Source::new(&x, rows, network.n_inputs()), y: Targets::Values(&y), sample_weight: None };
        network.step(&mut ws, &batch)
    }

    #[test]
    fn update_that_overflows_is_refused_and_changes_nothing() {
        fn check<T: Real>(huge: f64) {
            for mut optimizer in optimizers() {
                // What bounds a step of rprop, and what a first step of adadelta is in proportion to.
                let bound = match optimizer["name"].as_str().unwrap() {
                    "rprop" => "step_max",
                    "adadelta" => "eps",
                    _ => "learning_rate",
                };
                optimizer["learning_rate"] = huge.into();
                optimizer[bound] = huge.into();
                let mut network = network::<T>(&[3, 2], &optimizer);
                let mut ws = Workspace::new(&network).unwrap();
                network.set_parameters(&vec![T::from_f64(0.9 * T::MAX.to_f64()); network.n_parameters()]).unwrap();
                let before = numbers(&network);
                let against = vec![-T::ONE; network.n_parameters()];
                for _ in 0..2 {
                    let result = network.apply_gradient(&mut ws, &against);
                    assert_eq!(result, Err(Error::UpdateDiverged { at: None }), "{optimizer}");
                    assert!(numbers(&network) == before, "{optimizer}");
                }
            }
        }
        check::<f32>(3e38);
        check::<f64>(1.7e308);
    }

    #[test]
    fn every_way_of_a_step_refuses_it() {
        for momentum in [0.0, 0.5] {
            let optimizer = json!({"name": "sgd", "learning_rate": 1e38, "momentum": momentum, "nesterov": false});
            for sizes in [&[4, 3][..], &[4, 16, 3], &[4, 20, 3], &[100, 300, 3]] {
                for rows in [1, 5, 2000] {
                    let mut network = network::<f32>(sizes, &optimizer);
                    let before = numbers(&network);
                    let result = step(&mut network, rows);
                    assert_eq!(result, Err(Error::UpdateDiverged { at: None }), "{sizes:?}, {rows} rows");
                    assert!(numbers(&network) == before);
                    network.set_learning_rate(1e-9).unwrap();
                    step(&mut network, rows).unwrap();
                    assert_eq!(network.step_count(), 1);
                }
            }
        }
    }

    #[test]
    fn usual_options_need_no_copy() {
        for optimizer in optimizers() {
            let mut network = network::<f32>(&[4, 16, 3], &optimizer);
            step(&mut network, 5).unwrap();
            assert_eq!(network.finite_until, Some(super::UPDATES), "{optimizer}");
        }
    }
}
