//! Losses of a row, l(a, y), with their derivative dl/da; a is the raw output of the last layer.
//!
//! Value and derivative come from one function, so they cannot disagree. A loss with a link (softmax, sigmoid)
//! applies it inside, from the raw output, in the stable form; [`Link`] tells what turns outputs into predictions.
//! To add one: a file beside this one, a line in the list below, and its twin in the Python reference.

mod domain;
mod link;

pub(crate) use domain::Domain;
pub(crate) use half_squared_error::Square;
pub use link::Link;

use crate::Real;
use crate::activation::Activation;
use chainrule_kernels::{Machine, Matrix, MatrixMut};

crate::kind::kind! {
    /// A loss.
    #[derive(Copy)]
    Loss by "name", each_loss, ($) {
        mse::{Mse => "mse"},
        half_squared_error::{HalfSquaredError => "half_squared_error"},
        absolute_error::{AbsoluteError => "absolute_error"},
        huber::{Huber => "huber"},
        log_cosh::{LogCosh => "log_cosh"},
        quantile::{Quantile => "quantile"},
        poisson::{Poisson => "poisson"},
        gaussian_nll::{GaussianNll => "gaussian_nll"},
        cross_entropy::{CrossEntropy => "cross_entropy"},
        kl_divergence::{KlDivergence => "kl_divergence"},
        focal::{Focal => "focal"},
        binary_cross_entropy::{BinaryCrossEntropy => "binary_cross_entropy"},
        binary_focal::{BinaryFocal => "binary_focal"},
        hinge::{Hinge => "hinge"},
        squared_hinge::{SquaredHinge => "squared_hinge"},
    }
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

    /// What a target may be.
    fn domain(self) -> Domain {
        Domain::Numbers
    }

    /// How many columns y has where there are so many outputs.
    fn targets(self, outputs: usize) -> usize {
        outputs
    }

    /// What is wrong with so many outputs, if anything.
    fn check_outputs(self, outputs: usize) -> Result<(), String> {
        if self.domain() == Domain::Probabilities && outputs < 2 {
            return Err(format!(
                "needs at least 2 outputs, got {outputs}; for one output use \"binary_cross_entropy\""
            ));
        }
        Ok(())
    }

    /// What is wrong with the parameters, if anything.
    fn check(self) -> Result<(), String> {
        Ok(())
    }

    /// l(aᵢ, yᵢ) and its derivative by aᵢ for each row i, into `out`.
    fn evaluate<T: Real>(self, machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>);

    /// How it is computed with the rows of the batch in columns, for labels or for values of so many outputs; none for
    /// losses that are computed row by row alone.
    fn columns(self, _labels: bool, _outputs: usize) -> Option<Columns> {
        None
    }
}

/// A loss with the rows of the batch in columns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Columns {
    /// Cross-entropy of labels.
    CrossEntropy,
    /// A sum over outputs.
    Sum(Square),
}

impl Columns {
    /// The term of the sum; that of cross-entropy is not used.
    pub(crate) fn term(self) -> Square {
        match self {
            Columns::CrossEntropy => Square { factor: 0.0 },
            Columns::Sum(term) => term,
        }
    }
}

/// l = Σ_j l_j(a_j, y_j), from (l_j, dl_j/da_j) = f(a_j, y_j): value and derivative come from one function, which
/// computes in double precision whatever the network's dtype is.
fn sum_over_outputs<T: Real>(
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
    f: impl Fn(f64, f64) -> (f64, f64),
) {
    over_outputs(1.0, a, y, out, f);
}

/// l = (1/k) Σ_j l_j(a_j, y_j) of k outputs, as [`sum_over_outputs`].
fn mean_over_outputs<T: Real>(
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
    f: impl Fn(f64, f64) -> (f64, f64),
) {
    over_outputs(1.0 / a.columns() as f64, a, y, out, f);
}

fn over_outputs<T: Real>(
    share: f64,
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
            *d = T::from_f64(share * slope) * scale[i];
        }
        *loss = share * sum;
    }
}

/// y x, and 0 where y is 0, however large x is: what does not count does not turn infinity into NaN.
fn weighted(y: f64, x: f64) -> f64 {
    if y == 0.0 { 0.0 } else { y * x }
}

impl Loss {
    /// What turns the raw output into a prediction.
    pub fn link(&self) -> Link {
        each_loss!(self, l => l.link())
    }

    /// Whether integer labels will do for y.
    pub fn takes_labels(&self) -> bool {
        self.domain() == Domain::Probabilities
    }

    /// What a target may be.
    pub(crate) fn domain(&self) -> Domain {
        each_loss!(self, l => l.domain())
    }

    /// How many columns y has where the network has so many outputs.
    pub fn targets(&self, outputs: usize) -> usize {
        each_loss!(self, l => l.targets(outputs))
    }

    /// What is wrong with the parameters, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        each_loss!(self, l => l.check())
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
        each_loss!(self, l => l.check_outputs(outputs)).map_err(|text| format!("loss {:?} {text}", self.name()))
    }
}
