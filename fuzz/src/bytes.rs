//! Numbers from bytes, such that a short input can mean a long series with seasons.

/// What is left of an input.
pub struct Bytes<'a>(&'a [u8]);

/// Nothing.
const MISSING: u8 = 0;
/// Any number at all, by its eight bytes.
const RAW: u8 = 2;
/// A power of ten, up to 10¹⁵.
const POWER: u8 = 3;
/// What came last, again: how much of it, and how often.
const AGAIN: u8 = 4;

impl<'a> Bytes<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next byte; 0 after the end.
    pub fn next(&mut self) -> u8 {
        self.take().unwrap_or(0)
    }

    /// The next byte as a choice of so many.
    pub fn choice(&mut self, of: usize) -> usize {
        usize::from(self.next()) % of.max(1)
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A series of at most so many steps, to the end of the input. Most bytes are small whole numbers.
    pub fn series(&mut self, most: usize) -> Vec<Option<f64>> {
        let mut values: Vec<Option<f64>> = Vec::new();
        while values.len() < most
            && let Some(byte) = self.take()
        {
            match byte {
                MISSING => values.push(None),
                RAW => values.push(Some(f64::from_bits(u64::from_le_bytes(
                    std::array::from_fn(|_| self.next()),
                )))),
                POWER => values.push(Some(10_f64.powf(f64::from(self.next()) / 17.0))),
                AGAIN => {
                    let (length, times) = (usize::from(self.next()) + 1, self.next());
                    let from = values.len().saturating_sub(length);
                    let again = values[from..].to_vec();
                    for _ in 0..times {
                        let room = most.saturating_sub(values.len());
                        values.extend(again.iter().take(room));
                    }
                }
                small => values.push(Some(f64::from(small) - 1.0)),
            }
        }
        values
    }
}
