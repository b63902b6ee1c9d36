//! Numbers drawn from a seed.

/// Draws places. One generator for a search, seeded by its number: equal problems, equal plans.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(number: u64) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ number)
    }

    /// A place below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % limit.max(1) as u64) as usize
    }
}
