//! What an event did, told from a history that is whole.

use fleetcast_model::{Event, EventKind};
use jiff::Timestamp;

use super::course::Tally;
use super::{EventBook, Occurrence, Running, Statement, aftermath, concerned, group_of};

/// What came at a step that an event concerns, and what would have been usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// When the step began.
    pub at: Timestamp,
    /// The demand that came.
    pub came: f64,
    /// The demand without the event.
    pub usual: f64,
}

/// The moments that an event concerns: its eve, itself, its aftermath; of an incident itself alone. From the first
/// until before the second.
pub fn span_of(event: &Event) -> (Timestamp, Timestamp) {
    if event.kind == EventKind::Incident {
        return (event.start, event.end);
    }
    let after = aftermath(event);
    let eve = event.start.checked_sub(after / 2);
    let over = event.end.checked_add(after);
    (
        eve.unwrap_or(Timestamp::MIN),
        over.unwrap_or(Timestamp::MAX),
    )
}

/// Whether a moment lies in [`span_of`] an event.
pub fn concerns(event: &Event, at: Timestamp) -> bool {
    let (from, to) = span_of(event);
    from <= at && at < to
}

impl EventBook {
    /// Learns what an event did by `now` from what came and what was usual, in the place of what was known of this
    /// occurrence. Once its aftermath is over it is kept, and returned.
    pub fn learn(
        &mut self,
        event: &Event,
        statement: Statement,
        samples: &[Sampled],
        now: Timestamp,
    ) -> Option<Occurrence> {
        let group = group_of(event);
        self.running.retain(|running| !running.is(event, &group));
        let mut tally = Tally::default();
        for sample in samples {
            if let Some(place) = concerned(event, sample.at) {
                tally.add(place, sample.came, sample.usual);
            }
        }
        let (_, over) = span_of(event);
        if now < over {
            self.running.push(Running {
                group,
                name: event.name.clone(),
                start: event.start,
                over,
                stated: statement.factor,
                tally,
            });
            return None;
        }
        let occurrence = tally.occurrence(&event.name, statement.factor)?;
        self.groups
            .entry(group)
            .or_default()
            .keep(occurrence.clone());
        Some(occurrence)
    }
}

impl Occurrence {
    /// What the event multiplied demand by at a moment; nothing before its eve and after its aftermath.
    pub fn factor(&self, event: &Event, at: Timestamp) -> f64 {
        concerned(event, at).map_or(1.0, |place| {
            libm::exp(self.course.log_effect(self.log_uplift, place))
        })
    }
}
