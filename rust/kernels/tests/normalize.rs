//! Layer normalization and its way back beside the formulas in double precision.

use chainrule_kernels::{Buffer, Machine, Matrix, MatrixMut, Real, normalize, normalize_back, stride};

const EPS: f64 = 1e-5;

fn waves<T: Real>(len: usize, scale: f64) -> Buffer<T> {
    let mut buffer = Buffer::zeroed(len).unwrap();
    let wave = |i: usize| T::from_f64(((i.wrapping_mul(2_654_435_761) >> 9) as f64 % 1000.0 / 500.0 - 0.9) * scale);
    buffer.iter_mut().enumerate().for_each(|(i, x)| *x = wave(i));
    buffer
}

/// x̂, a and d_x of a row, from x, gain and delta; the gain is the shift too.
fn row(x: &[f64], gain: &[f64], delta: &[f64]) -> [Vec<f64>; 3] {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let root = 1.0 / (variance + EPS).sqrt();
    let x_hat: Vec<f64> = x.iter().map(|x| (x - mean) * root).collect();
    let a = x_hat.iter().zip(gain).map(|(x, gain)| gain * x + gain).collect();
    let g: Vec<f64> = delta.iter().zip(gain).map(|(d, gain)| d * gain).collect();
    let (mean, along) = (g.iter().sum::<f64>() / n, g.iter().zip(&x_hat).map(|(g, x)| g * x).sum::<f64>() / n);
    let d_x = g.iter().zip(&x_hat).map(|(g, x)| (g - mean - x * along) * root).collect();
    [x_hat, a, d_x]
}

/// What the kernels make of it: x̂, a and d_x in their padded rows.
fn computed<T: Real>(machine: Machine, rows: usize, columns: usize, scale: f64) -> [Buffer<T>; 3] {
    let pitch = stride::<T>(columns);
    let (x, delta, gain) = (waves::<T>(rows * pitch, scale), waves::<T>(rows * pitch, 1.0), waves::<T>(pitch, 2.0));
    let [mut x_hat, mut a, mut d_x] = [1.0; 3].map(|fill| waves::<T>(rows * pitch, fill));
    let mut root = vec![T::ZERO; rows];
    let x = Matrix::new(&x, rows, columns, pitch);
    let [to_x_hat, to_a] = [&mut x_hat, &mut a].map(|to| MatrixMut::new(to, rows, columns, pitch));
    normalize(machine, x, (&gain, &gain), EPS, to_x_hat, &mut root, to_a);
    let (delta, normal) = (Matrix::new(&delta, rows, columns, pitch), Matrix::new(&x_hat, rows, columns, pitch));
    normalize_back(machine, delta, &gain, normal, &root, MatrixMut::new(&mut d_x, rows, columns, pitch));
    [x_hat, a, d_x]
}

fn is_the_formula<T: Real>(unit: f64) {
    for columns in 1..70 {
        let (rows, pitch) = (3, stride::<T>(columns));
        for scale in [1.0, 1e-3, 1e4] {
            let numbers =
                |scale: f64, len: usize| -> Vec<f64> { waves::<T>(len, scale).iter().map(|x| x.to_f64()).collect() };
            let (x, delta, gain) = (numbers(scale, rows * pitch), numbers(1.0, rows * pitch), numbers(2.0, pitch));
            let all: Vec<_> =
                Machine::available().into_iter().map(|m| (m, computed::<T>(m, rows, columns, scale))).collect();
            for (machine, found) in &all {
                for i in 0..rows {
                    let expected = row(&x[i * pitch..][..columns], &gain[..columns], &delta[i * pitch..][..columns]);
                    for (found, expected) in found.iter().zip(expected) {
                        let (real, padding) =
                            found[i * pitch..][..pitch.min(columns.next_multiple_of(T::LINE))].split_at(columns);
                        // Rounding of a sum of n terms, through a root and a product, in units of what goes in.
                        let largest = expected.iter().fold(4.0f64, |most, x| most.max(x.abs()));
                        let allowed = 40.0
                            * unit
                            * (columns as f64).sqrt()
                            * largest
                            * (1.0 / EPS.sqrt() / scale).clamp(1.0, 400.0);
                        for (got, want) in real.iter().zip(&expected) {
                            assert!(
                                (got.to_f64() - want).abs() <= allowed,
                                "{columns} x {scale} on {machine:?}: {got} {want}"
                            );
                        }
                        assert!(padding.iter().all(|&x| x == T::ZERO), "{columns} on {machine:?}");
                    }
                }
            }
            for (machine, found) in all.iter().filter(|(machine, _)| machine.name() != "portable") {
                assert!(found.iter().zip(&all[0].1).all(|(one, other)| **one == **other), "{columns} on {machine:?}");
            }
        }
    }
}

#[test]
fn layer_normalization_is_its_formula_f32() {
    is_the_formula::<f32>(f64::from(f32::EPSILON));
}

#[test]
fn layer_normalization_is_its_formula_f64() {
    is_the_formula::<f64>(f64::EPSILON);
}

/// Deviations just below and above the root of the largest number: their squares add up to a number, or overflow.
fn overflow_is_told<T: Real>(largest: f64) {
    for machine in Machine::available() {
        for columns in [2, 3, 17, 70] {
            let safe = computed::<T>(machine, 2, columns, 0.4 * (largest / columns as f64).sqrt());
            assert!(safe.iter().all(|found| found.iter().all(|x| x.is_finite())), "{columns} on {machine:?}");
            let [x_hat, a, d_x] = computed::<T>(machine, 2, columns, 1e4 * largest.sqrt());
            for found in [x_hat, a, d_x] {
                assert!(found[..columns].iter().all(|x| x.to_f64().is_nan()), "{columns} on {machine:?}");
                assert!(found[columns..stride::<T>(columns)].iter().all(|&x| x == T::ZERO), "{columns} on {machine:?}");
            }
        }
    }
}

#[test]
fn a_variance_that_overflows_is_not_a_number() {
    overflow_is_told::<f32>(f64::from(f32::MAX));
    overflow_is_told::<f64>(f64::MAX);
}
