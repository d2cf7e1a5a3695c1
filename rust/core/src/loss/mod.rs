//! Losses l(a, y) of one row with their derivative dl/da; a is the raw output of the last layer.
//!
//! One function computes value and derivative, so the two cannot disagree. A loss with a link (softmax, sigmoid, exp)
//! takes the raw output and applies the link inside, in the stable form. [`Link`] turns raw outputs into predictions.
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

/// The targets of a tile.
#[derive(Clone, Copy)]
pub(crate) enum TileTargets<'a, T> {
    Labels(&'a [u32]),
    Values(Matrix<'a, T>),
}

/// The results of a loss for the rows of a tile, and working memory.
pub(crate) struct TileLoss<'a, T> {
    /// wᵢ / Σ w of each row.
    pub(crate) scale: &'a [T],
    /// dᵢ = scaleᵢ · dl/da. Shape of a; the padding is zero and stays zero.
    pub(crate) d: MatrixMut<'a, T>,
    /// l of each row.
    pub(crate) row_loss: &'a mut [f64],
    /// Working memory: one number for each row.
    pub(crate) scratch: &'a mut [T],
}

/// The interface of forward and backward propagation to any loss.
pub(crate) trait RowLoss: Copy {
    /// The function from the raw output to the prediction.
    fn link(self) -> Link {
        Link::Identity
    }

    /// The numbers that are allowed as targets.
    fn domain(self) -> Domain {
        Domain::Numbers
    }

    /// The number of columns of y for a network with `outputs` outputs.
    fn targets(self, outputs: usize) -> usize {
        outputs
    }

    /// Refuses a number of outputs for which the loss is not defined.
    fn check_outputs(self, outputs: usize) -> Result<(), String> {
        if self.domain() == Domain::Probabilities && outputs < 2 {
            return Err(format!(
                "needs at least 2 outputs, got {outputs}; for one output use \"binary_cross_entropy\""
            ));
        }
        Ok(())
    }

    /// Refuses parameters that are out of range.
    fn check(self) -> Result<(), String> {
        Ok(())
    }

    /// out ← l(aᵢ, yᵢ) and its derivative by aᵢ, for each row i.
    fn evaluate<T: Real>(self, machine: Machine, a: Matrix<'_, T>, y: TileTargets<'_, T>, out: TileLoss<'_, T>);

    /// The form of the loss in columns, for labels or for values; None if it exists in rows only.
    fn columns(self, _labels: bool, _outputs: usize) -> Option<Columns> {
        None
    }
}

/// A loss in columns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Columns {
    /// Cross-entropy of labels.
    CrossEntropy,
    /// l = Σ_j term(a_j, y_j).
    Sum(Square),
}

impl Columns {
    /// The term of the sum. The kernels ignore it for labels.
    pub(crate) fn term(self) -> Square {
        match self {
            Columns::CrossEntropy => Square { factor: 0.0 },
            Columns::Sum(term) => term,
        }
    }
}

/// l = Σ_j l_j(a_j, y_j)  with (l_j, dl_j/da_j) = f(a_j, y_j). f computes in double precision for either dtype.
fn sum_over_outputs<T: Real>(
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
    f: impl Fn(f64, f64) -> (f64, f64),
) {
    over_outputs(1.0, a, y, out, f);
}

/// l = (1/k) Σ_j l_j(a_j, y_j)  over k outputs, with f as in [`sum_over_outputs`].
fn mean_over_outputs<T: Real>(
    a: Matrix<'_, T>,
    y: TileTargets<'_, T>,
    out: TileLoss<'_, T>,
    f: impl Fn(f64, f64) -> (f64, f64),
) {
    over_outputs(1.0 / a.columns() as f64, a, y, out, f);
}

/// l = share · Σ_j l_j(a_j, y_j).
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

/// y · x, but 0 where y = 0, even if x is infinite: 0 · ∞ would be NaN.
fn weighted(y: f64, x: f64) -> f64 {
    if y == 0.0 { 0.0 } else { y * x }
}

impl Loss {
    /// The function from the raw output to the prediction.
    pub fn link(&self) -> Link {
        each_loss!(self, l => l.link())
    }

    /// Whether y may be integer labels.
    pub fn takes_labels(&self) -> bool {
        self.domain() == Domain::Probabilities
    }

    /// The numbers that are allowed as targets.
    pub(crate) fn domain(&self) -> Domain {
        each_loss!(self, l => l.domain())
    }

    /// The number of columns of y for a network with `outputs` outputs.
    pub fn targets(&self, outputs: usize) -> usize {
        each_loss!(self, l => l.targets(outputs))
    }

    /// Refuses parameters that are out of range.
    pub(crate) fn check(&self) -> Result<(), String> {
        each_loss!(self, l => l.check())
    }

    /// Refuses an output layer that does not fit this loss: the wrong number of outputs, or an activation that repeats
    /// the link.
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
