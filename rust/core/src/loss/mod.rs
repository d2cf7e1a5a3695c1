//! Losses of a row, l(a, y), with their derivative dl/da; a is the raw output of the last layer.
//!
//! Value and derivative come from one function, so they cannot disagree. A loss with a link (softmax, sigmoid)
//! applies it inside, from the raw output, in the stable form; [`Link`] tells what turns outputs into predictions.
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

use crate::activation::Activation;
use crate::{Error, Real};
use chainrule_kernels::{Map, Matrix, MatrixMut, Target, Term, Vector, columns, elementwise, math, rows};

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
    const LINK: Link = Link::Identity;
    /// Whether integer labels will do for y.
    const LABELS: bool = false;
    /// The least number of outputs that makes sense.
    const MIN_OUTPUTS: usize = 1;

    /// Refuses targets out of range; `values` are finite.
    fn check<T: Real>(self, _values: &[T], _row: usize) -> Result<(), Error> {
        Ok(())
    }

    /// l(aᵢ, yᵢ) and its derivative by aᵢ for each row i, into `out`.
    fn evaluate<T: Real>(self, target: Target, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>);

    /// Whether [`evaluate_columns`](RowLoss::evaluate_columns) is there, for labels or for values.
    fn has_columns(self, _labels: bool) -> bool {
        false
    }

    /// The same with the rows of the batch in columns: a, y and d are (n_outputs, n), `scale` and `scratch` go on to the end
    /// of a line.
    fn evaluate_columns<T: Real>(
        self,
        _target: Target,
        _a: Matrix<'_, T>,
        _y: TileTargets<'_, T>,
        _out: TileLoss<'_, T>,
    ) {
        unreachable!("asked for without has_columns")
    }
}

/// The columns of a loss that is a sum over outputs.
pub(crate) fn columns_of<T: Real>(
    term: impl Term,
    target: Target,
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
) {
    let TileLoss { scale, d, row_loss, scratch } = out;
    let TileTargets::Values(y) = y else { unreachable!("labels are refused before any work") };
    columns::terms(target, a, y, scale, d, scratch, term);
    row_loss.iter_mut().zip(&*scratch).for_each(|(loss, l)| *loss = l.to_f64());
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
        fn ask<L: RowLoss>(_: &L) -> Link {
            L::LINK
        }
        each_loss!(self, l => ask(l))
    }

    /// Whether integer labels will do for y.
    pub fn takes_labels(&self) -> bool {
        fn ask<L: RowLoss>(_: &L) -> bool {
            L::LABELS
        }
        each_loss!(self, l => ask(l))
    }

    /// Refuses an output layer that this loss cannot stand on.
    pub(crate) fn check_output(&self, activation: &Activation, outputs: usize) -> Result<(), String> {
        fn least<L: RowLoss>(_: &L) -> usize {
            L::MIN_OUTPUTS
        }
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
        let least = each_loss!(self, l => least(l));
        if outputs < least {
            return Err(format!(
                "loss {:?} needs at least {least} outputs, got {outputs}; for one output use \"binary_cross_entropy\"",
                self.name()
            ));
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
