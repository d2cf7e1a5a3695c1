//! Copies the caller's rows into the network's own memory, and refuses invalid numbers with their row and column.

use super::Rows;
use crate::loss::{Domain, Loss};
use crate::{Error, Machine, Real};
use chainrule_kernels::{MatrixMut, Picks};

/// Copies the rows `picks` of `table` into the rows of `into`, and refuses NaN and infinity. Returns whether all |x| ≤
/// `limit`. Every tile of a batch begins with this, so the caller is asked here whether to go on.
pub(crate) fn gather<T: Real>(
    machine: Machine,
    argument: &'static str,
    table: &dyn Rows<T>,
    picks: Picks<'_>,
    into: &mut MatrixMut<'_, T>,
    limit: T,
) -> Result<bool, Error> {
    if !table.keep_going(picks.len()) {
        return Err(Error::Interrupted);
    }
    let within = match table.source() {
        Some(source) => chainrule_kernels::gather(machine, source, picks, into.reborrow(), limit),
        None => {
            picks.iter().enumerate().for_each(|(i, row)| table.read(row, into.row_mut(i)));
            (0..picks.len()).all(|i| into.row(i).iter().all(|v| v.abs() <= limit))
        }
    };
    if !within {
        refuse_not_finite(argument, picks, table.columns(), |i, column| into.row(i)[column])?;
    }
    Ok(within)
}

/// Copies the rows `picks` of `table` into the columns of `into`, and refuses NaN and infinity. For tables of few
/// columns.
pub(crate) fn gather_columns<T: Real>(
    argument: &'static str,
    table: &dyn Rows<T>,
    picks: Picks<'_>,
    into: &mut MatrixMut<'_, T>,
) -> Result<(), Error> {
    let within = match table.source() {
        Some(source) => chainrule_kernels::gather_columns(source, picks, into.reborrow()),
        None => {
            let mut values = vec![T::ZERO; table.columns()];
            picks.iter().enumerate().fold(true, |within, (i, row)| {
                table.read(row, &mut values);
                values.iter().enumerate().for_each(|(j, &value)| into.row_mut(j)[i] = value);
                within && values.iter().all(|v| v.is_finite())
            })
        }
    };
    if within { Ok(()) } else { refuse_not_finite(argument, picks, table.columns(), |i, column| into.row(column)[i]) }
}

/// Refuses the first number that is not finite. `number` returns the number of the i-th picked row in a column.
fn refuse_not_finite<T: Real>(
    argument: &'static str,
    picks: Picks<'_>,
    columns: usize,
    number: impl Fn(usize, usize) -> T,
) -> Result<(), Error> {
    for (i, row) in picks.iter().enumerate() {
        if let Some(column) = (0..columns).find(|&column| !number(i, column).is_finite()) {
            let value = number(i, column).to_f64();
            return Err(Error::NotFinite { argument, value, row, column, dtype: T::NAME });
        }
    }
    Ok(())
}

/// Copies the labels of the rows `picks`, and refuses a label ≥ k.
pub(crate) fn read_labels(labels: &[u32], picks: Picks<'_>, into: &mut [u32], k: usize) -> Result<(), Error> {
    let mut largest = 0;
    let each = |(to, &label): (&mut u32, &u32)| {
        *to = label;
        largest = label.max(largest);
    };
    match picks {
        Picks::Range { start, len } => into.iter_mut().zip(&labels[start..start + len]).for_each(each),
        Picks::Index(index) => into.iter_mut().zip(index.iter().map(|&row| &labels[row as usize])).for_each(each),
    }
    if largest as usize >= k {
        // Only an error needs the row, so only then is it searched.
        let row = picks.iter().find(|&row| labels[row] as usize >= k).unwrap_or_default();
        return Err(Error::Label { label: labels[row], row, classes: k });
    }
    Ok(())
}

/// Copies the targets of the rows of `tile`, and refuses targets outside the domain of the loss.
pub(crate) fn read_values<T: Real>(
    machine: Machine,
    loss: &Loss,
    values: &dyn Rows<T>,
    tile: Picks<'_>,
    mut into: MatrixMut<'_, T>,
) -> Result<(), Error> {
    gather(machine, "y", values, tile, &mut into, T::MAX)?;
    let domain = loss.domain();
    if domain != Domain::Numbers {
        for (i, row) in tile.iter().enumerate() {
            domain.check(loss.name(), into.row(i), row)?;
        }
    }
    Ok(())
}
