//! Reproducible random numbers: xoshiro256++ (Blackman and Vigna 2021) seeded by SplitMix64 (Steele, Lea
//! and Flood 2014), one independent stream for each purpose.
//!
//! A stream is a pure function of (seed, purpose, index): the weights of layer l, the permutation of epoch e. No state
//! is carried between calls, so a loaded network draws the same numbers as the one that was saved. A dropout mask needs
//! no stream: each of its numbers is a pure function of its place ([`Counter`]). All arithmetic is IEEE operations and
//! our own logarithm, so the pure-Python reference draws the same bits on every machine.

use crate::Error;
use chainrule_kernels::math::ln_f64;
use chainrule_kernels::{GOLDEN, mix64};

/// The purpose of a stream.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Initial weights; index = position of the layer.
    Weights = 1,
    /// The order of rows in an epoch; index = epoch counter.
    Shuffle = 2,
    /// Dropout masks, drawn by a [`Counter`] from the position of the layer and the number of updates so far. (3 stays
    /// unused: an earlier version drew all masks from one stream under it.)
    Dropout = 4,
}

/// Hashes `seed` and `parts`, one after the other, to a key of 64 bits.
fn key(seed: u64, parts: impl IntoIterator<Item = u64>) -> u64 {
    parts.into_iter().fold(seed, |x, part| mix64(x.wrapping_add(GOLDEN.wrapping_mul(part.wrapping_add(1)))))
}

/// Random numbers as a pure function of their place: (row, unit) of a layer in an update.
///
/// bits(row, pair of units) = mix(key(row) + G · (pair + 1)),  key(row) = mix(key(layer, update) + G · (row + 1)),
/// with mix SplitMix64's finalizer and G its increment. No number depends on an earlier one, so each tile and each
/// thread draws its own, a vector at a time.
#[derive(Clone, Copy, Debug)]
pub struct Counter(u64);

impl Counter {
    /// The numbers for `purpose` of a layer in an update, under `seed`.
    pub fn new(seed: u64, purpose: Purpose, layer: u64, update: u64) -> Self {
        Counter(key(seed, [purpose as u64, layer, update]))
    }

    /// The key of the layer and the update.
    pub fn key(self) -> u64 {
        self.0
    }

    /// 32 random bits for a row and a unit.
    pub fn bits(self, row: u64, unit: u64) -> u32 {
        let pair = key(key(self.0, [row]), [unit / 2]);
        if unit.is_multiple_of(2) { pair as u32 } else { (pair >> 32) as u32 }
    }
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Stream {
    /// The stream for `purpose` and `index`, under `seed`.
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut x = key(seed, [purpose as u64, index]);
        let state = std::array::from_fn(|_| {
            x = x.wrapping_add(GOLDEN);
            mix64(x)
        });
        Stream { state, spare: None }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Standard normal, by Marsaglia's polar method (Marsaglia and Bray 1964). Each round makes two numbers; the second
    /// is kept for the next call.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if 0.0 < s && s < 1.0 {
                let factor = (-2.0 * ln_f64(s) / s).sqrt();
                self.spare = Some(v * factor);
                return u * factor;
            }
        }
    }

    /// Uniform in 0..n without bias (Lemire 2019). `n` is at least 1.
    pub fn below(&mut self, n: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let threshold = n.wrapping_neg() % n; // 2⁶⁴ mod n
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// A permutation of 0..n (Fisher and Yates, from the last element to the first).
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn permutation(&mut self, n: u32) -> Result<Vec<u32>, Error> {
        let mut order = Vec::new();
        order.try_reserve_exact(n as usize).map_err(|_| Error::Memory { bytes: u128::from(n) * 4 })?;
        order.extend(0..n);
        for i in (1..n).rev() {
            order.swap(i as usize, self.below(u64::from(i) + 1) as usize);
        }
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_draw_golden_numbers() {
        let counter = Counter::new(7, Purpose::Dropout, 2, 1000);
        let bits = [(0, 0), (0, 1), (0, 2), (1, 0), (255, 63)].map(|(row, unit)| counter.bits(row, unit));
        assert_eq!(bits, [2170699940, 4115574997, 1950233335, 1403457140, 436948899]);
        assert_eq!(counter.bits(u64::MAX, u64::MAX), 2138834887);
    }

    #[test]
    fn permutation_holds_every_index_once() {
        for n in [0, 1, 2, 3, 10, 1000] {
            let mut order = Stream::new(7, Purpose::Shuffle, 3).permutation(n).unwrap();
            order.sort_unstable();
            assert!(order.iter().enumerate().all(|(i, &x)| i == x as usize));
            assert_eq!(order.len(), n as usize);
        }
    }

    #[test]
    fn normal_has_the_moments_of_a_normal() {
        let mut stream = Stream::new(1, Purpose::Weights, 0);
        let n = 200_000;
        let draws: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let moment = |k| draws.iter().map(|x: &f64| x.powi(k)).sum::<f64>() / n as f64;
        // Standard errors of the first, second and fourth moment: 1/√n, √2/√n, √96/√n. The bound is five of them.
        let root = (n as f64).sqrt();
        assert!(moment(1).abs() < 5.0 / root);
        assert!((moment(2) - 1.0).abs() < 5.0 * 2f64.sqrt() / root);
        assert!((moment(4) - 3.0).abs() < 5.0 * 96f64.sqrt() / root);
    }
}
