//! How a dense layer lies in memory. Two kinds of layer gain by another form (docs/design/2026-11-26-speed.md).

use crate::limits::Limits;

/// How a layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// w as (n_in, n_out), outputs as rows. Deltas go back through a transposed copy of w.
    Rows,
    /// wᵀ in place of w, outputs and losses with the rows of the batch in columns: a last layer of few outputs. No vector
    /// is half empty, and the loss needs no sums across a vector. Deltas go back through wᵀ as it is.
    Columns,
    /// Deltas go back through w itself: a layer of many weights. Copying w costs more than transposing the activations
    /// and deltas of a batch.
    InPlace,
}

impl Form {
    /// The form of a layer; every product has the same bits in each.
    pub(crate) fn of(n_in: usize, n_out: usize, is_plain_last: bool, limits: &Limits) -> Self {
        if is_plain_last && n_out <= limits.outputs_in_columns {
            Form::Columns
        } else if n_in * n_out >= limits.weights_in_place {
            Form::InPlace
        } else {
            Form::Rows
        }
    }
}
