//! Links: the functions from the raw output to the prediction. A loss takes the raw output and applies its link inside.

use chainrule_kernels::{Machine, Map, Matrix, MatrixMut, Real, Vector, elementwise, math, rows};

/// The function from the raw output to the prediction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Link {
    /// The raw output is the prediction.
    Identity,
    /// Class probabilities.
    Softmax,
    /// A probability for each output.
    Sigmoid,
    /// A rate for each output, eᵃ.
    Exp,
    /// The first half of the outputs are means, unchanged; the second half gives variances, eᵃ + eps.
    MeanVariance {
        /// The least variance.
        eps: f64,
    },
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Map for Sigmoid {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        math::sigmoid(z)
    }
}

#[derive(Clone, Copy)]
struct Exp;

impl Map for Exp {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        math::exp(z)
    }
}

impl Link {
    /// Predictions from raw outputs.
    pub(crate) fn predict<T: Real>(
        self,
        machine: Machine,
        a: Matrix<'_, T>,
        mut prediction: MatrixMut<'_, T>,
        scratch: &mut [T],
    ) {
        if self == Link::Softmax {
            return rows::softmax(machine, a, prediction, scratch);
        }
        prediction.data_mut()[..a.data().len()].copy_from_slice(a.data());
        match self {
            Link::Identity | Link::Softmax => {}
            Link::Sigmoid => elementwise::map(machine, prediction.data_mut(), Sigmoid),
            Link::Exp => elementwise::map(machine, prediction.data_mut(), Exp),
            Link::MeanVariance { eps } => {
                for i in 0..a.rows() {
                    for s in &mut prediction.row_mut(i)[a.columns() / 2..] {
                        *s = T::from_f64(s.to_f64().exp() + eps);
                    }
                }
            }
        }
    }
}
