//! The cells and the quantile head, on burn's tensors.

use burn_tensor::{Device, Tensor, TensorData, activation};

use crate::quantiles::{COUNT, MEDIAN, SCORES};
use crate::spec::{Cell, RecurrentSpec};
use crate::window::{Batch, DECAYS, PER_LEAD, PER_STEP};
use fleetcast_forecast::Rng;

/// Where the weights of a network stand in one flat row of numbers, in which they are kept, stored and
/// stepped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    cell: Cell,
    /// Numbers in a segment.
    inputs: usize,
    pub(crate) hidden: usize,
    /// Rows and columns of each matrix, in the order of [`Weights`].
    shapes: [[usize; 2]; MATRICES],
}

/// Matrices of a network.
const MATRICES: usize = 9;

impl Layout {
    /// The layout of what was specified, whose numbers are in range.
    pub(crate) fn new(spec: &RecurrentSpec) -> Self {
        let (inputs, hidden) = (spec.segment * PER_STEP, spec.hidden);
        let gates = match spec.cell {
            Cell::Gru => 3 * hidden,
            Cell::Lstm => 4 * hidden,
        };
        Self {
            cell: spec.cell,
            inputs,
            hidden,
            shapes: [
                [inputs, gates],
                [hidden, gates],
                [1, gates],
                [hidden, hidden],
                [PER_LEAD, hidden],
                [1, hidden],
                [hidden, COUNT],
                [PER_LEAD + 1, COUNT],
                [hidden, DECAYS],
            ],
        }
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.shapes
            .iter()
            .map(|[rows, columns]| rows * columns)
            .sum()
    }

    /// Weights before training: even within ±√(6 ÷ (rows + columns)) (Glorot and Bengio 2010), and 0
    /// where the answer is put together, so that it starts as the profile with a normal spread.
    pub(crate) fn first_weights(&self, seed: u64) -> Vec<f32> {
        let mut weights = Vec::with_capacity(self.len());
        for (matrix, &[rows, columns]) in self.shapes.iter().enumerate() {
            let mut rng = Rng::new(seed, matrix as u64);
            let reach = (6.0 / (rows + columns) as f64).sqrt();
            for row in 0..rows {
                for column in 0..columns {
                    weights.push(match matrix {
                        0 | 1 | 3 | 4 => reach * (2.0 * rng.uniform() - 1.0),
                        2 => self.first_bias(column),
                        7 if row == PER_LEAD => first_answer(column),
                        _ => 0.0,
                    } as f32);
                }
            }
        }
        weights
    }

    /// Gates start open enough to remember: the forget gate of an LSTM (Gers et al. 2000), the update gate
    /// of a GRU, which here is the share of the old state that is kept.
    fn first_bias(&self, column: usize) -> f64 {
        let gate = column / self.hidden;
        match (self.cell, gate) {
            (Cell::Lstm, 1) | (Cell::Gru, 1) => 1.0,
            _ => 0.0,
        }
    }

    /// Puts weights onto a device, in a flat row for gradients and cut into matrices.
    pub(crate) fn load(
        &self,
        weights: &[f32],
        device: &Device,
        learn: bool,
    ) -> (Tensor<1>, Weights) {
        let flat =
            Tensor::<1>::from_data(TensorData::new(weights.to_vec(), [weights.len()]), device);
        let flat = if learn { flat.require_grad() } else { flat };
        let mut from = 0;
        let matrices = self.shapes.map(|[rows, columns]| {
            let matrix = flat
                .clone()
                .narrow(0, from, rows * columns)
                .reshape([rows, columns]);
            from += rows * columns;
            matrix
        });
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
        let [answer_known, answer_bias] = [
            direct.clone().narrow(0, 0, PER_LEAD),
            direct.narrow(0, PER_LEAD, 1),
        ];
        let cumulate = Tensor::from_data(TensorData::new(cumulate(), [COUNT - 1, COUNT]), device);
        let weights = Weights {
            cell: self.cell,
            inputs: self.inputs,
            hidden: self.hidden,
            input,
            state,
            gates,
            from_state,
            from_known,
            head,
            answer,
            answer_known,
            answer_bias,
            fading,
            cumulate,
        };
        (flat, weights)
    }
}

/// The weights of a network on a device.
pub(crate) struct Weights {
    cell: Cell,
    inputs: usize,
    hidden: usize,
    /// The cell: from the input, from the state, bias.
    input: Tensor<2>,
    state: Tensor<2>,
    gates: Tensor<2>,
    /// The decoder's one hidden layer: from the state, from what is known of the lead, bias.
    from_state: Tensor<2>,
    from_known: Tensor<2>,
    head: Tensor<2>,
    /// The answer: from the hidden layer, from what is known of the lead, bias.
    answer: Tensor<2>,
    answer_known: Tensor<2>,
    answer_bias: Tensor<2>,
    /// What the state adds to the median at each speed of fading.
    fading: Tensor<2>,
    /// From the distances between quantiles to the quantiles.
    cumulate: Tensor<2>,
}

impl Weights {
    /// Reads the windows of a batch; one row of state each.
    pub(crate) fn encode(&self, batch: &Batch, device: &Device) -> Tensor<2> {
        let rows = batch.windows;
        let mut output = Tensor::<2>::zeros([rows, self.hidden], device);
        let mut memory = output.clone();
        for segment in &batch.segments {
            let data = TensorData::new(segment.clone(), [rows, self.inputs]);
            let from_input = Tensor::<2>::from_data(data, device).matmul(self.input.clone())
                + self.gates.clone();
            let from_state = output.clone().matmul(self.state.clone());
            (output, memory) = match self.cell {
                Cell::Gru => (self.gru(output, from_input, from_state), memory),
                Cell::Lstm => self.lstm(memory, from_input + from_state),
            };
        }
        output
    }

    /// h' = u h + (1 − u) tanh(x + r s), with gates r and u.
    fn gru(&self, old: Tensor<2>, input: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        let size = self.hidden;
        let gates = activation::sigmoid(
            input.clone().narrow(1, 0, 2 * size) + state.clone().narrow(1, 0, 2 * size),
        );
        let (reset, keep) = (
            gates.clone().narrow(1, 0, size),
            gates.narrow(1, size, size),
        );
        let new =
            (input.narrow(1, 2 * size, size) + reset * state.narrow(1, 2 * size, size)).tanh();
        new.clone() + keep * (old - new)
    }

    /// c' = f c + i tanh(g), h' = o tanh(c'), with gates i, f and o.
    fn lstm(&self, memory: Tensor<2>, gates: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let size = self.hidden;
        let open = activation::sigmoid(gates.clone().narrow(1, 0, 3 * size));
        let new = gates.narrow(1, 3 * size, size).tanh();
        let memory =
            open.clone().narrow(1, size, size) * memory + open.clone().narrow(1, 0, size) * new;
        (
            open.narrow(1, 2 * size, size) * memory.clone().tanh(),
            memory,
        )
    }

    /// Answers the leads of a batch: one row of rising quantiles for each, in usual residuals off the
    /// profile.
    pub(crate) fn decode(&self, state: &Tensor<2>, batch: &Batch, device: &Device) -> Tensor<2> {
        let [windows, leads] = [batch.windows, batch.leads];
        let rows = windows * leads;
        let each_lead = |by_window: Tensor<2>| {
            let [_, columns] = by_window.dims();
            by_window
                .unsqueeze_dim::<3>(1)
                .expand([windows, leads, columns])
                .reshape([rows, columns])
        };
        let data = TensorData::new(batch.known.clone(), [rows, PER_LEAD]);
        let known = Tensor::<2>::from_data(data, device);
        let hidden = activation::relu(
            each_lead(state.clone().matmul(self.from_state.clone()))
                + known.clone().matmul(self.from_known.clone())
                + self.head.clone(),
        );
        let answer = hidden.matmul(self.answer.clone())
            + known.clone().matmul(self.answer_known.clone())
            + self.answer_bias.clone();
        let fading = each_lead(state.clone().matmul(self.fading.clone()));
        let speeds = known.narrow(1, PER_LEAD - DECAYS, DECAYS);
        let median = answer.clone().narrow(1, 0, 1) + (fading * speeds).sum_dim(1);
        let distances = activation::softplus(answer.narrow(1, 1, COUNT - 1), 1.0);
        median + distances.matmul(self.cumulate.clone())
    }

    /// The mean pinball loss of a batch, by the cost of each lead.
    pub(crate) fn loss(&self, batch: &Batch, device: &Device) -> Tensor<1> {
        let rows = batch.windows * batch.leads;
        let column = |values: &[f32]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, 1]), device)
        };
        let answer = self.decode(&self.encode(batch, device), batch, device);
        let off = column(&batch.target) - answer;
        let levels = crate::quantiles::LEVELS.map(|level| level as f32);
        let levels = Tensor::<2>::from_data(TensorData::new(levels.to_vec(), [1, COUNT]), device);
        let pinball = off.clone() * levels + activation::relu(-off);
        let total: f32 = batch.weight.iter().sum();
        let weights = column(&batch.weight) / total.max(f32::MIN_POSITIVE);
        (pinball.mean_dim(1) * weights).sum()
    }
}

/// What an answer starts from: the median on the profile, the others as normal.
fn first_answer(column: usize) -> f64 {
    match column {
        0 => 0.0,
        _ => {
            let width = SCORES[column] - SCORES[column - 1];
            // The inverse of the softplus.
            libm::log(libm::expm1(width))
        }
    }
}

/// The matrix that turns distances between neighbouring quantiles into their places around the median.
fn cumulate() -> Vec<f32> {
    let place = |distance: usize, level: usize| match distance {
        above if above >= MEDIAN && level > above => 1.0,
        below if below < MEDIAN && level <= below => -1.0,
        _ => 0.0,
    };
    (0..COUNT - 1)
        .flat_map(|distance| (0..COUNT).map(move |level| place(distance, level)))
        .collect()
}

#[cfg(test)]
mod tests;
