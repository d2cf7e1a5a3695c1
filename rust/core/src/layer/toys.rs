//! Two toy layers that prove what a layer may be: one that holds layers, and one that depends on all rows of a batch, keeps
//! numbers of the batch and has buffers. Tests alone have them.

use super::{At, By, Chain, Keeps, Layer, LayerMemory, LayerPlan, Products, Propagate, Rows, Scratch, Slope, WayBack};
use crate::Real;
use crate::tensor::{Declared, First, Group};
use chainrule_kernels::{Machine, Map2, MatrixMut, Vector, elementwise};
use serde::{Deserialize, Serialize};

/// a = x + inner(x): as many outputs as inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToyResidual {
    /// What is inside.
    pub layers: Vec<Layer>,
}

/// a = gain ⊙ (x − μ) / σ + shift, with μ and σ² of each column over all rows of a batch in training, else the running
/// ones: running ← running + ½ (of the batch − running).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToyStatistics {}

#[derive(Clone, Copy)]
struct Plus;

impl Map2 for Plus {
    #[inline(always)]
    fn map<V: Vector>(self, x: V, y: V) -> V {
        x + y
    }
}

impl ToyResidual {
    fn inner<'a, T>(at: At<'a, T>) -> &'a Chain {
        at.plan.inner.as_ref().expect("a chain inside")
    }
}

impl Propagate for ToyResidual {
    fn n_out(&self, n_in: usize) -> usize {
        n_in
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn check_inputs(&self, n_in: usize) -> Result<(), String> {
        let units = self.layers.iter().fold(n_in, |n, layer| layer.n_out(n));
        if units == n_in { Ok(()) } else { Err(format!("{n_in} inputs but {units} outputs")) }
    }

    fn inside(&self) -> &[Layer] {
        &self.layers
    }

    fn forward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        scratch: &mut Scratch<T>,
        x: MatrixMut<'_, T>,
        a: By<MatrixMut<'_, T>>,
    ) {
        let (mut a, inner) = (a.in_rows(), memory.inner.as_mut().expect("a chain inside"));
        let (chain, len, rows) = (Self::inner(at), x.data().len(), x.rows());
        inner.a[0][..len].copy_from_slice(x.data());
        chain.forward(at.surroundings(), inner, scratch, rows);
        a.data_mut().copy_from_slice(x.data());
        elementwise::map2(at.machine, a.data_mut(), &inner.a[chain.layers.len()][..len], Plus);
    }

    fn start_back<T: Real>(&self, at: At<'_, T>, memory: &mut LayerMemory<T>) {
        let inner = memory.inner.as_mut().expect("a chain inside");
        Self::inner(at).start_back(at.surroundings(), inner, true);
    }

    fn backward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { delta, .. }: WayBack<'_, T>,
        below: Slope<'_, T>,
        mut d_x: MatrixMut<'_, T>,
    ) {
        let (delta, inner) = (delta.in_rows(), memory.inner.as_mut().expect("a chain inside"));
        let (chain, len) = (Self::inner(at), delta.data().len());
        inner.d[chain.layers.len()][..len].copy_from_slice(delta.data());
        chain.backward(at.surroundings(), inner, scratch, delta.rows(), true);
        d_x.data_mut().copy_from_slice(delta.data());
        elementwise::map2(at.machine, d_x.data_mut(), &inner.d[0][..len], Plus);
        below.apply(at.machine, d_x);
    }

    fn sums<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { x, .. }: WayBack<'_, T>,
        accumulate: bool,
        gradient: &mut [T],
    ) -> T {
        let inner = memory.inner.as_ref().expect("a chain inside");
        let (chain, rows, with) = (Self::inner(at), x.rows(), at.surroundings());
        chain.sums(with, inner, scratch, rows, accumulate, gradient);
        let most = crate::bounds::small_squares();
        let is_small = accumulate || chain.bound(with, inner, scratch, (rows, false), most, gradient);
        if is_small { T::ZERO } else { T::MAX }
    }

    fn products<T: Real>(
        &self,
        machine: Machine,
        plan: &LayerPlan,
        memory: &LayerMemory<T>,
        scratch: &mut Scratch<T>,
        WayBack { x, .. }: WayBack<'_, T>,
        take: &mut Products<'_, T>,
    ) {
        let (Some(chain), Some(inner)) = (&plan.inner, &memory.inner) else { unreachable!("a chain inside") };
        chain.products(machine, inner, scratch, x.rows(), take);
    }
}

const EPS: f64 = 1e-3;

impl ToyStatistics {
    /// (μ, 1 / σ) of column `j`: of the batch, which `memory` keeps, or running ones.
    fn of<T: Real>(at: At<'_, T>, memory: &LayerMemory<T>, j: usize) -> (f64, f64) {
        let n = at.plan.n_in;
        if at.draws.is_some() {
            return (memory.batch[j].to_f64(), memory.batch[n + j].to_f64());
        }
        let [mean, variance] = [0, 1].map(|k| at.buffers[at.plan.buffers[k].at.start + j].to_f64());
        (mean, 1.0 / (variance + EPS).sqrt())
    }

    fn gain<T: Real>(at: At<'_, T>, j: usize) -> f64 {
        at.parameters[at.plan.tensors[0].at.start + j].to_f64()
    }
}

impl Propagate for ToyStatistics {
    fn n_out(&self, n_in: usize) -> usize {
        n_in
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }

    fn rows(&self) -> Rows {
        Rows::Together
    }

    fn tensors(&self, n_in: usize) -> Vec<Declared> {
        vec![
            Declared::vector("gain", n_in, Group::Weight, First::Ones),
            Declared::vector("shift", n_in, Group::Bias, First::Zeros),
        ]
    }

    fn buffers(&self, n_in: usize) -> Vec<Declared> {
        vec![
            Declared::vector("running_mean", n_in, Group::Bias, First::Zeros),
            Declared::vector("running_variance", n_in, Group::Bias, First::Ones),
        ]
    }

    fn keeps<T: Real>(&self, plan: &LayerPlan) -> Keeps {
        Keeps { a_batch: 2 * plan.n_in, ..Keeps::default() }
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
        let (n, rows, x) = (at.plan.n_in, x.rows(), x.as_ref());
        let first = at.plan.buffers[0].at.start;
        for j in 0..n {
            if at.draws.is_some() {
                let column = || (0..rows).map(|i| x.row(i)[j].to_f64());
                let mean = column().sum::<f64>() / rows as f64;
                let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows as f64;
                memory.batch[j] = T::from_f64(mean);
                memory.batch[n + j] = T::from_f64(1.0 / (variance + EPS).sqrt());
                for (k, of_batch) in [mean, variance].into_iter().enumerate() {
                    let place = at.plan.buffers[k].at.start + j;
                    let old = at.buffers[place].to_f64();
                    memory.buffers[place - first] = T::from_f64(old + 0.5 * (of_batch - old));
                }
            }
            let ((mean, root), gain) = (Self::of(at, memory, j), Self::gain(at, j));
            let shift = at.parameters[at.plan.tensors[1].at.start + j].to_f64();
            for i in 0..rows {
                a.row_mut(i)[j] = T::from_f64(gain * (x.row(i)[j].to_f64() - mean) * root + shift);
            }
        }
        let (columns, stride) = (a.columns(), a.stride());
        a.data_mut().chunks_exact_mut(stride).for_each(|row| row[columns..].fill(T::ZERO));
    }

    fn backward<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &mut LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        WayBack { x, delta }: WayBack<'_, T>,
        below: Slope<'_, T>,
        mut d_x: MatrixMut<'_, T>,
    ) {
        let delta = delta.in_rows();
        let rows = x.rows();
        d_x.data_mut().fill(T::ZERO);
        for j in 0..at.plan.n_in {
            let ((mean, root), gain) = (Self::of(at, memory, j), Self::gain(at, j));
            let normal = |i: usize| (x.row(i)[j].to_f64() - mean) * root;
            let d = |i: usize| delta.row(i)[j].to_f64();
            // Outside training μ and σ are numbers like any other.
            let share = if at.draws.is_some() { 1.0 / rows as f64 } else { 0.0 };
            let (sum, dot) = (0..rows).fold((0.0, 0.0), |(sum, dot), i| (sum + d(i), dot + d(i) * normal(i)));
            for i in 0..rows {
                d_x.row_mut(i)[j] = T::from_f64(gain * root * (d(i) - share * (sum + normal(i) * dot)));
            }
        }
        below.apply(at.machine, d_x);
    }

    fn sums<T: Real>(
        &self,
        at: At<'_, T>,
        memory: &LayerMemory<T>,
        _scratch: &mut Scratch<T>,
        WayBack { x, delta }: WayBack<'_, T>,
        accumulate: bool,
        gradient: &mut [T],
    ) -> T {
        let delta = delta.in_rows();
        for j in 0..at.plan.n_in {
            let (mean, root) = Self::of(at, memory, j);
            let (mut d_gain, mut d_shift) = (0.0, 0.0);
            for i in 0..x.rows() {
                let d = delta.row(i)[j].to_f64();
                d_gain += d * (x.row(i)[j].to_f64() - mean) * root;
                d_shift += d;
            }
            for (tensor, value) in at.plan.tensors.iter().zip([d_gain, d_shift]) {
                let place = &mut gradient[tensor.at.start + j];
                *place = if accumulate { *place } else { T::ZERO } + T::from_f64(value);
            }
        }
        chainrule_kernels::squares(at.machine, delta.data())
    }
}
