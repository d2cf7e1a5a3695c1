//! Dropout masks against their formula, number by number.

use chainrule_kernels::{Buffer, Machine, Matrix, MatrixMut, Real, dropout, mask, padded, stride};

const G: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finalizer (Steele, Lea and Flood 2014).
fn mix64(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The 32 bits of a unit.
fn bits(key: u64, row: u64, column: usize) -> u32 {
    let row_key = mix64(key.wrapping_add(G.wrapping_mul(row.wrapping_add(1))));
    let pair = mix64(row_key.wrapping_add(G.wrapping_mul(column as u64 / 2 + 1)));
    (pair >> (32 * (column % 2))) as u32
}

/// Memory full of sevens, to see what is overwritten and what is not.
fn rubbish<T: Real>(len: usize) -> Buffer<T> {
    let mut buffer = Buffer::zeroed(len).unwrap();
    buffer.fill(T::from_f64(7.0));
    buffer
}

fn matches_the_formula<T: Real>() {
    let kept = T::from_f64(1.25);
    for machine in Machine::available() {
        for columns in (0..=70).chain([512, 513]) {
            let (rows, stride) = (columns % 4 + 1, stride::<T>(columns));
            let key = mix64(columns as u64);
            for first_row in [0, 1 << 40, u64::MAX - 1] {
                for threshold in [0, 1, 1 << 29, u32::MAX] {
                    let mut m = rubbish::<T>(rows * stride);
                    mask(machine, key, first_row, threshold, kept, MatrixMut::new(&mut m, rows, columns, stride));
                    for i in 0..rows {
                        let row = &m[i * stride..][..stride];
                        for (j, &got) in row.iter().enumerate().take(columns) {
                            let is_kept = bits(key, first_row.wrapping_add(i as u64), j) >= threshold;
                            let want = if is_kept { kept } else { T::ZERO };
                            assert!(
                                got == want,
                                "({i}, {j}) of {columns} from {first_row} at {threshold}, {machine:?}"
                            );
                        }
                        assert!(row[columns..padded::<T>(columns)].iter().all(|&x| x == T::ZERO));
                        assert!(row[padded::<T>(columns)..].iter().all(|&x| x == T::from_f64(7.0)));
                    }
                }
            }
        }
    }
}

#[test]
fn mask_matches_the_formula() {
    matches_the_formula::<f32>();
    matches_the_formula::<f64>();
}

fn is_the_mask_and_the_product<T: Real>() {
    let kept = T::from_f64(2.0);
    for machine in Machine::available() {
        for columns in 1..=70 {
            // The mask and a have another stride than x.
            let (rows, x_row, row) = (3, padded::<T>(columns) + T::LINE, padded::<T>(columns));
            let mut x = Buffer::<T>::zeroed(rows * x_row).unwrap();
            x.iter_mut().enumerate().for_each(|(i, x)| *x = T::from_f64(i as f64 - 30.5));
            let (mut m, mut got, mut a) =
                (rubbish::<T>(rows * row), rubbish::<T>(rows * row), rubbish::<T>(rows * row));
            mask(machine, 3, 5, 1 << 31, kept, MatrixMut::new(&mut m, rows, columns, row));
            let into = |data| MatrixMut::new(data, rows, columns, row);
            let from = Matrix::new(&x, rows, columns, x_row);
            dropout(machine, 3, 5, 1 << 31, kept, from, into(&mut got), into(&mut a));
            assert!(*got == *m, "{columns} columns, {machine:?}");
            for (i, &a) in a.iter().enumerate() {
                assert!(a == m[i] * x[i / row * x_row + i % row], "{i} of {columns} columns, {machine:?}");
            }
        }
    }
}

#[test]
fn dropout_is_the_mask_and_the_product() {
    is_the_mask_and_the_product::<f32>();
    is_the_mask_and_the_product::<f64>();
}

#[test]
fn mask_keeps_the_share_that_the_threshold_says() {
    let (rows, columns) = (1000, 1000);
    let stride = stride::<f32>(columns);
    let mut m = Buffer::<f32>::zeroed(rows * stride).unwrap();
    for share in [0.1, 0.5, 0.9] {
        let threshold = ((1.0 - share) * 2f64.powi(32)) as u32;
        mask(Machine::best().unwrap(), 11, 0, threshold, 1.0, MatrixMut::new(&mut m, rows, columns, stride));
        let kept = m.iter().filter(|&&x| x == 1.0).count() as f64;
        // Five standard errors of a million draws.
        assert!((kept / 1e6 - share).abs() < 5.0 * (share * (1.0 - share) / 1e6).sqrt(), "{kept} of {share}");
    }
}

#[test]
#[should_panic(expected = "x and mask differ in shape")]
fn dropout_refuses_another_x() {
    let (mut m, mut a) = ([0.0f32; 16], [0.0f32; 16]);
    let (m, a) = (MatrixMut::new(&mut m, 1, 3, 16), MatrixMut::new(&mut a, 1, 3, 16));
    dropout(Machine::best().unwrap(), 0, 0, 0, 1.0, Matrix::new(&[0.0; 16], 1, 4, 16), m, a);
}

#[test]
#[should_panic(expected = "a and mask differ in shape")]
fn dropout_refuses_another_a() {
    let (mut m, mut a) = ([0.0f32; 16], [0.0f32; 32]);
    let (m, a) = (MatrixMut::new(&mut m, 1, 3, 16), MatrixMut::new(&mut a, 2, 3, 16));
    dropout(Machine::best().unwrap(), 0, 0, 0, 1.0, Matrix::new(&[0.0; 16], 1, 3, 16), m, a);
}
