//! What network to train, and how long.

use serde::{Deserialize, Serialize};

use fleetcast_forecast::ModelName;

use crate::compute::Compute;

/// The recurrent cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Gated recurrent unit.
    #[default]
    Gru,
    /// Long short-term memory.
    Lstm,
}

/// A recurrent network that has not been trained, and how to train it.
///
/// Numbers out of their range are taken as the nearest in it. The defaults train on one series of eight
/// weeks of hours in a few seconds of one core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecurrentSpec {
    /// The cell.
    pub cell: Cell,
    /// Units of the cell's state, 1 to 512.
    pub hidden: usize,
    /// Steps that are read, 1 to 4,096: rounded up to whole segments.
    pub context: usize,
    /// Steps that the cell reads at once, 1 to 64. Fewer see more finely and cost more.
    pub segment: usize,
    /// Leads that are learned, 1 to 1,024 steps; those beyond are answered like the last.
    pub chunk: usize,
    /// Steps of training, at most 1,000,000, once on trial and once for good; with 0 the untrained network
    /// answers with the profile.
    pub steps: usize,
    /// Moments of history in one step of training, 1 to 4,096.
    pub batch: usize,
    /// The largest learning rate; it rises over the first steps and falls to 0 by a cosine.
    pub learning_rate: f64,
    /// How strongly weights are pulled to 0 (decoupled from the gradient; Loshchilov and Hutter 2019).
    pub weight_decay: f64,
    /// What draws first weights and moments of history.
    pub seed: u64,
    /// Where training runs.
    #[serde(default)]
    pub compute: Compute,
}

impl RecurrentSpec {
    /// A network of this cell with the defaults.
    pub fn new(cell: Cell) -> Self {
        Self {
            cell,
            hidden: 32,
            // A week of hours, or a day and a sixth of ten minutes: seasons come in through the profile,
            // so that the cell needs only what is going on now.
            context: 168,
            segment: 6,
            chunk: 48,
            steps: 400,
            batch: 48,
            learning_rate: 4e-3,
            weight_decay: 1e-2,
            seed: 1,
            compute: Compute::Cpu,
        }
    }

    /// The name of the model.
    pub fn model(&self) -> ModelName {
        match self.cell {
            Cell::Gru => ModelName::Gru,
            Cell::Lstm => ModelName::Lstm,
        }
    }

    /// The same with every number in its range.
    pub(crate) fn bounded(&self) -> Self {
        let rate = |value: f64, most: f64| if value > 0.0 { value.min(most) } else { 0.0 };
        Self {
            hidden: self.hidden.clamp(1, 512),
            context: self.context.clamp(1, 4096),
            segment: self.segment.clamp(1, 64),
            chunk: self.chunk.clamp(1, 1024),
            steps: self.steps.min(1_000_000),
            batch: self.batch.clamp(1, 4096),
            learning_rate: rate(self.learning_rate, 1.0),
            weight_decay: rate(self.weight_decay, 1.0),
            ..self.clone()
        }
    }

    /// Segments that are read.
    pub(crate) fn segments(&self) -> usize {
        self.context.div_ceil(self.segment)
    }

    /// Steps that are read.
    pub(crate) fn reads(&self) -> usize {
        self.segments() * self.segment
    }
}

impl Default for RecurrentSpec {
    fn default() -> Self {
        Self::new(Cell::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_numbers_are_bounded() {
        let absurd = RecurrentSpec {
            hidden: 0,
            context: usize::MAX,
            segment: 0,
            chunk: 0,
            steps: usize::MAX,
            batch: 0,
            learning_rate: f64::NAN,
            weight_decay: -1.0,
            ..RecurrentSpec::default()
        };
        let bounded = absurd.bounded();
        assert_eq!(
            (
                bounded.hidden,
                bounded.segment,
                bounded.chunk,
                bounded.batch
            ),
            (1, 1, 1, 1)
        );
        assert_eq!((bounded.learning_rate, bounded.weight_decay), (0.0, 0.0));
        assert_eq!(bounded.segments(), 4096);
        assert_eq!(RecurrentSpec::default().bounded(), RecurrentSpec::default());
    }
}
