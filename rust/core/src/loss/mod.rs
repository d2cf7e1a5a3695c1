//! Losses of a row, l(a, y), with their derivative dl/da; a is the raw output of the last layer.
//!
//! Value and derivative come from one function, so they cannot disagree. A loss with a link (softmax, sigmoid)
//! applies it inside, from the raw output, in the stable form; [`Link`] tells what turns outputs into predictions.
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use crate::activation::Activation;
use crate::{Error, Real};
use chainrule_kernels::{Map, Matrix, MatrixMut, Target, Vector, elementwise, math, rows};

crate::registry::kind! {
    /// A loss.
    Loss by "name", each_loss, ($) {
        mse::{Mse => "mse"},
        half_squared_error::{HalfSquaredError => "half_squared_error"},
        cross_entropy::{CrossEntropy => "cross_entropy"},
        binary_cross_entropy::{BinaryCrossEntropy => "binary_cross_entropy"},
    }
}

/// What turns the raw output into a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The raw output is the prediction.
    Identity,
    /// Class probabilities.
    Softmax,
    /// A probability for each output.
    Sigmoid,
}

/// The targets of the rows at hand.
#[derive(Clone, Copy)]
pub(crate) enum TileTargets<'a, T> {
    Labels(&'a [u32]),
    Values(Matrix<'a, T>),
}

/// Where the losses of some rows go, and the memory for it.
pub(crate) struct TileLoss<'a, T> {
    /// wᵢ / Σ w of each row.
    pub(crate) scale: &'a [T],
    /// dᵢ = scaleᵢ · dl/da, of the shape of a; its padding is zero and stays so.
    pub(crate) d: MatrixMut<'a, T>,
    /// l of each row.
    pub(crate) row_loss: &'a mut [f64],
    /// One number a row to work with.
    pub(crate) scratch: &'a mut [T],
}

/// What forward and backward propagation ask of any loss.
pub(crate) trait RowLoss: Copy {
    /// What turns the raw output into a prediction.
    fn link(self) -> Link {
        Link::Identity
    }

    /// Whether y are class probabilities, for which integer labels will do too.
    fn takes_labels(self) -> bool {
        false
    }

    /// How many columns y has where there are so many outputs.
    fn targets(self, outputs: usize) -> usize {
        outputs
    }

    /// Whether `y`, which is finite, may be a target.
    fn allows(self, _y: f64) -> bool {
        true
    }

    /// What a target may be, in words.
    fn takes(self) -> &'static str {
        "finite numbers"
    }

    /// l(aᵢ, yᵢ) and its derivative by aᵢ for each row i, into `out`.
    fn evaluate<T: Real>(self, target: Target, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>);
}

/// How far from 1 the probabilities of a row may sum: float32 rows of some thousand classes stay within it.
const SUM_TOLERANCE: f64 = 1e-4;

/// l = Σ_j l_j(a_j, y_j), from (l_j, dl_j/da_j) = f(a_j, y_j): value and derivative come from one function, which
/// computes in double precision whatever the network's dtype is.
fn sum_over_outputs<T: Real>(
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
    f: impl Fn(f64, f64) -> (f64, f64),
) {
    let TileLoss { scale, mut d, row_loss, .. } = out;
    let TileTargets::Values(y) = y else { unreachable!("labels are refused before any work") };
    for (i, loss) in row_loss.iter_mut().enumerate() {
        let mut sum = 0.0;
        for ((d, &a), &y) in d.row_mut(i).iter_mut().zip(a.row(i)).zip(y.row(i)) {
            let (l, slope) = f(a.to_f64(), y.to_f64());
            sum += l;
            *d = T::from_f64(slope) * scale[i];
        }
        *loss = sum;
    }
}

/// y x, and 0 where y is 0, however large x is: what does not count does not turn infinity into NaN.
fn weighted(y: f64, x: f64) -> f64 {
    if y == 0.0 { 0.0 } else { y * x }
}

#[derive(Clone, Copy)]
struct SigmoidLink;

impl Map for SigmoidLink {
    #[inline(always)]
    fn map<V: Vector>(self, z: V) -> V {
        math::sigmoid(z)
    }
}

impl Loss {
    /// What turns the raw output into a prediction.
    pub fn link(&self) -> Link {
        each_loss!(self, l => l.link())
    }

    /// Whether integer labels will do for y.
    pub fn takes_labels(&self) -> bool {
        each_loss!(self, l => l.takes_labels())
    }

    /// How many columns y has where the network has so many outputs.
    pub fn targets(&self, outputs: usize) -> usize {
        each_loss!(self, l => l.targets(outputs))
    }

    /// Refuses an output layer that this loss cannot stand on.
    pub(crate) fn check_output(&self, activation: &Activation, outputs: usize) -> Result<(), String> {
        let repeats = matches!(
            (self.link(), activation),
            (Link::Softmax, Activation::Softmax(_)) | (Link::Sigmoid, Activation::Sigmoid(_))
        );
        if repeats {
            return Err(format!(
                "loss {:?} applies {} itself, from the raw output: output_activation must be \"identity\", not {:?}",
                self.name(),
                activation.name(),
                activation.name()
            ));
        }
        if self.takes_labels() && outputs < 2 {
            return Err(format!(
                "loss {:?} needs at least 2 outputs, got {outputs}; for one output use \"binary_cross_entropy\"",
                self.name()
            ));
        }
        Ok(())
    }

    /// Refuses a row of targets that this loss does not take; `y` is finite.
    pub(crate) fn check_targets<T: Real>(&self, y: &[T], row: usize) -> Result<(), Error> {
        let wrong = each_loss!(self, l => y.iter().position(|y| !l.allows(y.to_f64())));
        if let Some(column) = wrong {
            let range = each_loss!(self, l => l.takes());
            return Err(Error::TargetRange { loss: self.name(), value: y[column].to_f64(), row, column, range });
        }
        if self.takes_labels() {
            let sum: f64 = y.iter().map(|y| y.to_f64()).sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(Error::TargetSum { loss: self.name(), sum, row });
            }
        }
        Ok(())
    }

    /// Predictions from raw outputs.
    pub(crate) fn predict<T: Real>(
        &self,
        target: Target,
        a: Matrix<'_, T>,
        mut prediction: MatrixMut<'_, T>,
        scratch: &mut [T],
    ) {
        match self.link() {
            Link::Softmax => rows::softmax(target, a, prediction, scratch),
            Link::Identity | Link::Sigmoid => {
                prediction.data_mut()[..a.data().len()].copy_from_slice(a.data());
                if self.link() == Link::Sigmoid {
                    elementwise::map(target, prediction.data_mut(), SigmoidLink);
                }
            }
        }
    }
}
