//! dropout:  a = mask ⊙ x,  mask = 1 / (1 − rate) with probability 1 − rate, else 0;  d_x = mask ⊙ d_a.
//! Outside training a = x.   Srivastava et al. 2014, in the inverted form, which leaves prediction alone.
//!
//! A unit is kept where its 32 random bits, a number of (seed, layer, update, row, unit), are at least rate · 2³². Forward
//! and backward see the same mask, and so does whoever resumes.

use super::{At, By, Draws, Keeps, LayerMemory, LayerPlan, Propagate, Scratch, Slope, WayBack};
use crate::Real;
use crate::check::fraction;
use crate::rng::{Counter, Purpose};
use chainrule_kernels::small::Drops;
use chainrule_kernels::{Matrix, MatrixMut};
use serde::{Deserialize, Serialize};

/// A layer that drops units at random while training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of units dropped, in [0, 1).
    pub rate: f64,
}

impl Dropout {
    /// How units are dropped by the layer at `position`; none outside training.
    pub(crate) fn drops<T: Real>(&self, draws: Option<Draws>, position: usize) -> Option<Drops<T>> {
        let draws = draws.filter(|_| self.rate > 0.0)?;
        let key = Counter::new(draws.seed, Purpose::Dropout, position as u64, draws.update).key();
        let threshold = (self.rate * 2f64.powi(32)) as u32;
        Some(Drops { key, threshold, kept: T::from_f64(1.0 / (1.0 - self.rate)) })
    }
}

impl Propagate for Dropout {
    fn n_out(&self, n_in: usize) -> usize {
        n_in
    }

    fn check(&self) -> Result<(), String> {
        fraction("rate", self.rate)
    }

    /// The mask.
    fn keeps<T: Real>(&self, plan: &LayerPlan) -> Keeps {
        Keeps { a_row: vec![plan.n_in], ..Keeps::default() }
    }

    fn forward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        x: MatrixMut<'_, T>,
        a: By<MatrixMut<'_, T>>,
    ) {
        let mut a = a.in_rows();
        let (Some(Drops { key, threshold, kept }), Some(draws)) = (self.drops(at.draws, at.plan.position), at.draws)
        else {
            return a.data_mut().copy_from_slice(x.data());
        };
        let (first_row, mask) = (draws.first_row as u64, memory.kept_mut(0, x.rows(), x.columns()));
        chainrule_kernels::dropout(at.machine, key, first_row, threshold, kept, x.as_ref(), mask, a);
    }

    /// What comes in, and the mask.
    fn shown<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        x: Matrix<'_, T>,
        a: Matrix<'_, T>,
        mut z: MatrixMut<'_, T>,
        slope: MatrixMut<'_, T>,
    ) {
        z.data_mut().copy_from_slice(x.data());
        self.slope(at, memory, a).write(at.machine, slope);
    }

    fn slope<'a, T: Real>(&self, at: At<'_, T>, memory: &'a LayerMemory<T>, a: Matrix<'a, T>) -> Slope<'a, T> {
        let drops = at.draws.is_some() && self.rate > 0.0;
        if drops { Slope::Times(memory.kept(0, a.rows(), a.columns())) } else { Slope::One }
    }

    fn backward<T: Real>(
        &self,
        at: At<'_, T>,
        _memory: &mut LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        WayBack { delta, .. }: WayBack<'_, T>,
        below: Slope<'_, T>,
        mut d_x: MatrixMut<'_, T>,
    ) {
        let delta = delta.in_rows();
        d_x.data_mut().copy_from_slice(delta.data());
        below.apply(at.machine, d_x);
    }
}
