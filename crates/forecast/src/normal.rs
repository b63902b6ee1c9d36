//! The normal distribution.

use std::f64::consts::{PI, SQRT_2};

/// The share of a standard normal distribution under `score`.
pub(crate) fn normal_share(score: f64) -> f64 {
    0.5 * libm::erfc(-score / SQRT_2)
}

/// The standard normal quantile of `level`, which lies strictly between 0 and 1; −∞ and +∞ at
/// and beyond the ends. Acklam's rational approximation with one step of Halley's method: exact to
/// about 1e-14.
pub(crate) fn normal_quantile(level: f64) -> f64 {
    if level <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if level >= 1.0 {
        return f64::INFINITY;
    }
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
    ];
    const TAIL: f64 = 0.024_25;
    let polynomial =
        |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |share: f64| {
        let q = (-2.0 * libm::log(share)).sqrt();
        polynomial(&C, q) / (polynomial(&D, q) * q + 1.0)
    };
    let rough = if level < TAIL {
        tail(level)
    } else if level > 1.0 - TAIL {
        -tail(1.0 - level)
    } else {
        let q = level - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / (polynomial(&B, r) * r + 1.0)
    };
    let error = 0.5 * libm::erfc(-rough / SQRT_2) - level;
    let step = error * (2.0 * PI).sqrt() * libm::exp(rough * rough / 2.0);
    rough - step / (1.0 + rough * step / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // scipy.stats.norm.ppf, scipy 1.17.1.
        let table = [
            (0.5, 0.0),
            (0.8, 0.841_621_233_572_914_3),
            (0.975, 1.959_963_984_540_054),
            (0.999, 3.090_232_306_167_813_5),
            (1e-6, -4.753_424_308_822_899),
        ];
        for (level, expected) in table {
            let quantile = normal_quantile(level);
            assert!(
                (quantile - expected).abs() < 1e-10,
                "{level}: {quantile} is not {expected}"
            );
        }
    }
}
