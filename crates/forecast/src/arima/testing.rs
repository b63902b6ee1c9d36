//! Made-up series for tests.

use crate::rng::Rng;

/// A process of these lags with innovations of variance 1, around 20.
pub(super) fn simulated(ar: &[f64], ma: &[f64], steps: usize, seed: u64) -> Vec<Option<f64>> {
    let mut rng = Rng::new(seed, 0);
    let (mut values, mut noises) = (Vec::<f64>::new(), Vec::<f64>::new());
    for _ in 0..steps + 100 {
        // Twelve even draws have the variance 1 and are nearly normal.
        let noise = (0..12).map(|_| rng.uniform()).sum::<f64>() - 6.0;
        let told: f64 = ar.iter().zip(values.iter().rev()).map(|(a, b)| a * b).sum();
        let echo: f64 = ma.iter().zip(noises.iter().rev()).map(|(a, b)| a * b).sum();
        values.push(told + echo + noise);
        noises.push(noise);
    }
    values[100..]
        .iter()
        .map(|value| Some(value + 20.0))
        .collect()
}
