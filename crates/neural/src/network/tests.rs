//! The network against one written out by hand in 64-bit floats, which also gives its slopes.

use super::*;
use crate::quantiles::LEVELS;

fn tiny(cell: Cell) -> RecurrentSpec {
    RecurrentSpec {
        cell,
        hidden: 3,
        context: 6,
        segment: 2,
        chunk: 2,
        ..RecurrentSpec::default()
    }
}

/// A batch of random numbers, of which one target is missing.
fn batch(spec: &RecurrentSpec) -> Batch {
    let mut rng = Rng::new(9, 9);
    let mut draw = |count: usize, size: f64| -> Vec<f32> {
        (0..count).map(|_| (size * rng.normal()) as f32).collect()
    };
    let windows = 4;
    let rows = windows * spec.chunk;
    let mut batch = Batch {
        windows,
        leads: spec.chunk,
        segments: (0..spec.segments())
            .map(|_| draw(windows * spec.segment * PER_STEP, 1.0))
            .collect(),
        known: draw(rows * PER_LEAD, 1.0),
        target: draw(rows, 2.0),
        weight: draw(rows, 1.0).into_iter().map(f32::abs).collect(),
    };
    batch.weight[3] = 0.0;
    batch
}

/// Weights that are nowhere 0, so that every gradient has work to do.
fn weights(layout: &Layout) -> Vec<f32> {
    let mut rng = Rng::new(5, 5);
    (0..layout.len())
        .map(|_| (0.4 * rng.normal()) as f32)
        .collect()
}

/// The loss by plain loops.
fn loss_by_hand(layout: &Layout, weights: &[f64], batch: &Batch) -> f64 {
    let mut from = 0;
    let matrices = layout.shapes.map(|[rows, columns]| {
        let matrix = &weights[from..from + rows * columns];
        from += rows * columns;
        (matrix, columns)
    });
    let times = |row: &[f64], (matrix, columns): (&[f64], usize)| -> Vec<f64> {
        (0..columns)
            .map(|column| {
                row.iter()
                    .enumerate()
                    .map(|(at, value)| value * matrix[at * columns + column])
                    .sum()
            })
            .collect()
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    let row = |values: &[f32], at: usize, size: usize| -> Vec<f64> {
        values[at * size..(at + 1) * size]
            .iter()
            .map(|&value| f64::from(value))
            .collect()
    };
    let [
        input,
        state,
        gates,
        from_state,
        from_known,
        head,
        answer,
        direct,
        fading,
    ] = matrices;
    let size = layout.hidden;
    let (mut total, mut weight_sum) = (0.0, 0.0);
    for window in 0..batch.windows {
        let (mut h, mut c) = (vec![0.0; size], vec![0.0; size]);
        for segment in &batch.segments {
            let x = times(&row(segment, window, layout.inputs), input);
            let s = times(&h, state);
            let b = gates.0;
            for unit in 0..size {
                let gate = |gate: usize| {
                    let at = gate * size + unit;
                    (x[at] + b[at], s[at])
                };
                let open = |at: usize| sigmoid(gate(at).0 + gate(at).1);
                match layout.cell {
                    Cell::Gru => {
                        let new = libm::tanh(gate(2).0 + open(0) * gate(2).1);
                        h[unit] = open(1) * h[unit] + (1.0 - open(1)) * new;
                    }
                    Cell::Lstm => {
                        c[unit] = open(1) * c[unit] + open(0) * libm::tanh(gate(3).0 + gate(3).1);
                        h[unit] = open(2) * libm::tanh(c[unit]);
                    }
                }
            }
        }
        for lead in 0..batch.leads {
            let at = window * batch.leads + lead;
            let mut known = row(&batch.known, at, PER_LEAD);
            let speeds = known[PER_LEAD - DECAYS..].to_vec();
            let hidden: Vec<f64> = times(&h, from_state)
                .into_iter()
                .zip(times(&known, from_known))
                .zip(head.0)
                .map(|((a, b), c)| (a + b + c).max(0.0))
                .collect();
            known.push(1.0);
            let raw: Vec<f64> = times(&hidden, answer)
                .into_iter()
                .zip(times(&known, direct))
                .map(|(a, b)| a + b)
                .collect();
            let faded: f64 = times(&h, fading)
                .iter()
                .zip(&speeds)
                .map(|(a, b)| a * b)
                .sum();
            let wide: Vec<f64> = raw[1..]
                .iter()
                .map(|&x| libm::log1p(libm::exp(x)))
                .collect();
            let mut pinball = 0.0;
            for (level, share) in LEVELS.iter().enumerate() {
                let place = if level >= MEDIAN {
                    wide[MEDIAN..level].iter().sum::<f64>()
                } else {
                    -wide[level..MEDIAN].iter().sum::<f64>()
                };
                let off = f64::from(batch.target[at]) - (raw[0] + faded + place);
                pinball += (share * off).max((share - 1.0) * off) / COUNT as f64;
            }
            let weight = f64::from(batch.weight[at]);
            total += weight * pinball;
            weight_sum += weight;
        }
    }
    total / weight_sum
}

#[test]
fn the_loss_and_its_gradient_are_those_worked_out_by_hand() {
    for cell in [Cell::Gru, Cell::Lstm] {
        let spec = tiny(cell);
        let (layout, batch) = (Layout::new(&spec), batch(&spec));
        let device = Device::flex().autodiff();
        let weights = weights(&layout);
        let (flat, network) = layout.load(&weights, &device, true);
        let loss = network.loss(&batch, &device);
        let value = f64::from(loss.clone().into_scalar::<f32>());
        let gradient = crate::train::numbers(flat.grad(&loss.backward()).unwrap());

        let exact: Vec<f64> = weights.iter().map(|&weight| f64::from(weight)).collect();
        let expected = loss_by_hand(&layout, &exact, &batch);
        assert!(
            (value - expected).abs() < 1e-6,
            "{cell:?}: {value} is not {expected}"
        );
        assert_eq!(gradient.len(), exact.len());
        let mut nothing = 0;
        for at in 0..exact.len() {
            let nudged = |by: f64| {
                let mut nudged = exact.clone();
                nudged[at] += by;
                loss_by_hand(&layout, &nudged, &batch)
            };
            let slope = (nudged(1e-6) - nudged(-1e-6)) / 2e-6;
            let found = f64::from(gradient[at]);
            assert!(
                (found - slope).abs() < 2e-6,
                "{cell:?} weight {at}: {found} is not {slope}"
            );
            nothing += usize::from(slope.abs() < 1e-9);
        }
        assert!(
            nothing < exact.len() / 20,
            "{nothing} slopes are 0: too little was checked"
        );
    }
}

#[test]
fn an_untrained_network_says_the_profile_and_a_normal_spread() {
    for cell in [Cell::Gru, Cell::Lstm] {
        let spec = tiny(cell);
        let (layout, batch) = (Layout::new(&spec), batch(&spec));
        let device = Device::flex();
        let (_, network) = layout.load(&layout.first_weights(1), &device, false);
        let state = network.encode(&batch, &device);
        let answers = crate::train::numbers(network.decode(&state, &batch, &device));
        for (answer, expected) in answers.iter().zip(SCORES.iter().cycle()) {
            assert!(
                (f64::from(*answer) - expected).abs() < 1e-5,
                "{answer} is not {expected}"
            );
        }
    }
}

#[test]
fn quantiles_never_cross_whatever_the_weights() {
    for cell in [Cell::Gru, Cell::Lstm] {
        let spec = tiny(cell);
        let (layout, batch) = (Layout::new(&spec), batch(&spec));
        let device = Device::flex();
        for size in [0.1, 1.0, 100.0] {
            let weights: Vec<f32> = weights(&layout)
                .iter()
                .map(|weight| size * weight)
                .collect();
            let (_, network) = layout.load(&weights, &device, false);
            let state = network.encode(&batch, &device);
            let answers = crate::train::numbers(network.decode(&state, &batch, &device));
            assert!(
                answers.chunks(COUNT).all(|answer| answer.is_sorted()),
                "{cell:?} {size}"
            );
        }
    }
}
