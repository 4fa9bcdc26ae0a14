//! A small seeded generator for drawings.
//! In: a seed. Out: numbers that are the same on every machine and in every version.

/// SplitMix64, written out here because drawings must not change when a dependency does.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The generator of a seed and any number of sub-keys.
    pub(crate) fn new(keys: &[u64]) -> Self {
        let mut dice = Self(0x5851_F42D_4C95_7F2D);
        for &key in keys {
            dice.0 ^= key;
            dice.0 = dice.next();
        }
        dice
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..1`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// A number in `low..high`.
    pub(crate) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A number around 0 with about the given deviation, never beyond 2.5 deviations.
    pub(crate) fn bell(&mut self, deviation: f32) -> f32 {
        let sum: f32 = (0..4).map(|_| self.unit()).sum();
        // Four uniform numbers have mean 2 and variance 1/3; their sum ends at 2 / sqrt(1/3) = 3.46 deviations.
        ((sum - 2.0) * 3f32.sqrt()).clamp(-2.5, 2.5) * deviation
    }

    /// Whether an event of the given probability happens.
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// One of the choices, each as likely as its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, f32)]) -> T {
        let total: f32 = choices.iter().map(|c| c.1).sum();
        let mut rest = self.unit() * total;
        for &(choice, weight) in choices {
            rest -= weight;
            if rest < 0.0 {
                return choice;
            }
        }
        choices[choices.len() - 1].0
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() % choices.len() as u64) as usize]
    }
}
