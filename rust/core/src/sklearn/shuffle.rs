//! NumPy's `RandomState.shuffle`, by which scikit-learn orders the rows of an epoch: the Mersenne Twister (Matsumoto
//! and Nishimura 1998, MT19937), and bounded numbers by masking and rejection.

/// Number of words in the state.
const WORDS: usize = 624;
/// Distance between the two words that are combined.
const SHIFT: usize = 397;

/// The state of a `RandomState`.
#[derive(Clone, Debug)]
pub struct Twister {
    words: [u32; WORDS],
    next: usize,
}

impl Twister {
    /// The state `words`, of which the first `next` are used up. None if the lengths do not fit.
    pub fn new(words: &[u32], next: usize) -> Option<Self> {
        let words = words.try_into().ok()?;
        (next <= WORDS).then_some(Twister { words, next })
    }

    /// The words, and the number of them that are used up.
    pub fn state(&self) -> (&[u32], usize) {
        (&self.words, self.next)
    }

    /// `order ← order[shuffled(0, 1, …)]`. `spare` holds the old order afterwards.
    pub(super) fn shuffle(&mut self, order: &mut Vec<u32>, spare: &mut Vec<u32>) {
        let n = order.len();
        spare.clear();
        spare.extend(0..n as u32);
        let mut i = n.max(1) - 1;
        while i > 0 {
            // A random number with as many bits as i. If it is at most i, swap; else swap i with itself and draw again.
            // There is no branch, because the processor could not predict it.
            let number = self.draw() as usize & usize::MAX >> i.leading_zeros();
            let taken = number <= i;
            spare.swap(i, if taken { number } else { i });
            i -= usize::from(taken);
        }
        spare.iter_mut().for_each(|row| *row = order[*row as usize]);
        std::mem::swap(order, spare);
    }

    fn draw(&mut self) -> u32 {
        if self.next == WORDS {
            self.refill();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    fn refill(&mut self) {
        for i in 0..WORDS {
            let y = self.words[i] & 0x8000_0000 | self.words[(i + 1) % WORDS] & 0x7fff_ffff;
            let twist = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[i] = self.words[(i + SHIFT) % WORDS] ^ y >> 1 ^ twist;
        }
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state after `init_genrand` of the published program.
    fn seeded(seed: u32) -> [u32; WORDS] {
        let mut words = [seed; WORDS];
        for i in 1..WORDS {
            let before = words[i - 1];
            words[i] = 1_812_433_253_u32.wrapping_mul(before ^ before >> 30).wrapping_add(i as u32);
        }
        words
    }

    #[test]
    fn draws_are_those_of_the_published_generator() {
        // ISO C++ [rand.predef]: the 10000th number of seed 5489.
        let mut twister = Twister::new(&seeded(5489), WORDS).unwrap();
        assert_eq!((0..10_000).map(|_| twister.draw()).last(), Some(4_123_659_995));
    }

    #[test]
    fn orders_are_permutations_and_a_restored_state_continues() {
        let mut twister = Twister::new(&seeded(1), WORDS).unwrap();
        let (mut order, mut spare): (Vec<u32>, _) = ((0..1000).collect(), Vec::new());
        twister.shuffle(&mut order, &mut spare);
        let (words, next) = twister.state();
        let (mut other, mut again) = (Twister::new(words, next).unwrap(), order.clone());
        twister.shuffle(&mut order, &mut spare);
        other.shuffle(&mut again, &mut spare);
        assert_eq!((twister.state(), &order), (other.state(), &again));
        order.sort_unstable();
        assert!(order.into_iter().eq(0..1000));
        for n in [0, 1] {
            let mut few: Vec<u32> = (0..n).collect();
            twister.shuffle(&mut few, &mut spare);
            assert!(few.into_iter().eq(0..n));
        }
    }

    #[test]
    fn state_of_wrong_length_is_refused() {
        assert!(Twister::new(&[0; WORDS - 1], 0).is_none());
        assert!(Twister::new(&[0; WORDS], WORDS + 1).is_none());
    }
}
