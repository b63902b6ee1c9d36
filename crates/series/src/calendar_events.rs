//! What known events do to demand.

use fleetcast_model::{ComponentName, Event, InteractionType, Region};
use jiff::Timestamp;

/// Whose demand is asked about; what is `None` is not told apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct DemandOf<'a> {
    /// What users do.
    pub interaction_type: Option<&'a InteractionType>,
    /// The component that serves it.
    pub component: Option<&'a ComponentName>,
    /// Where the users are.
    pub region: Option<&'a Region>,
}

/// What the stated uplifts of the events that are on at a moment multiply demand by: for each,
/// 1 + confidence · (uplift − 1). Events whose uplift is to be learned count as 1.
///
/// See [`event_uplift_of`] for what happens where `component` is `None` and for events that are
/// limited to regions.
pub fn event_uplift(
    events: &[Event],
    at: Timestamp,
    interaction_type: &InteractionType,
    component: Option<&ComponentName>,
) -> f64 {
    event_uplift_of(
        events,
        at,
        DemandOf {
            interaction_type: Some(interaction_type),
            component,
            region: None,
        },
    )
}

/// As [`event_uplift`], for any demand.
///
/// An event may be limited to something that is not told apart here, such as a region when the
/// demand of all regions is asked about. Such an event counts in full where it raises demand and not
/// at all where it lowers it: the share that it concerns is unknown, and too much capacity is the
/// safer mistake.
pub fn event_uplift_of(events: &[Event], at: Timestamp, demand: DemandOf<'_>) -> f64 {
    let on = events
        .iter()
        .filter(|event| event.start <= at && at < event.end);
    on.map(|event| factor(event, demand)).product()
}

/// What the stated uplift of one event multiplies demand by while it is on, whenever that is; 1 if none is stated.
pub fn event_factor(
    event: &Event,
    interaction_type: &InteractionType,
    component: Option<&ComponentName>,
) -> f64 {
    let demand = DemandOf {
        interaction_type: Some(interaction_type),
        component,
        region: None,
    };
    factor(event, demand)
}

/// The same for any demand; see [`event_uplift_of`] for an event that is limited to what is not told apart.
pub fn event_factor_of(event: &Event, demand: DemandOf<'_>) -> f64 {
    factor(event, demand)
}

/// The first moment after `after` at which an event starts or ends. `None`: no more events.
pub fn next_event_change(events: &[Event], after: Timestamp) -> Option<Timestamp> {
    events
        .iter()
        .flat_map(|event| [event.start, event.end])
        .filter(|moment| *moment > after)
        .min()
}

fn factor(event: &Event, demand: DemandOf<'_>) -> f64 {
    let scope = &event.scope;
    let concerned = [
        concerns(&scope.interaction_types, demand.interaction_type),
        concerns(&scope.components, demand.component),
        concerns(&scope.regions, demand.region),
    ];
    let Some(uplift) = event.uplift else {
        return 1.0;
    };
    let factor = 1.0 + event.confidence.get() * (uplift - 1.0);
    if concerned.contains(&Concerned::No) {
        1.0
    } else if concerned.contains(&Concerned::InPart) {
        factor.max(1.0)
    } else {
        factor.max(0.0)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Concerned {
    Yes,
    InPart,
    No,
}

/// Whether a list of a scope, where an empty one means everything, holds what is asked about.
fn concerns<T: PartialEq>(scope: &[T], asked: Option<&T>) -> Concerned {
    match asked {
        _ if scope.is_empty() => Concerned::Yes,
        None => Concerned::InPart,
        Some(asked) if scope.contains(asked) => Concerned::Yes,
        Some(_) => Concerned::No,
    }
}

#[cfg(test)]
mod tests {
    use fleetcast_model::{EventKind, EventScope, Share};

    use super::*;

    fn event(uplift: Option<f64>, confidence: f64, scope: EventScope) -> Event {
        Event {
            name: "sale".to_string(),
            kind: EventKind::Campaign,
            start: Timestamp::constant(1_000, 0),
            end: Timestamp::constant(2_000, 0),
            confidence: Share::new(confidence).expect("a share"),
            scope,
            uplift,
        }
    }

    fn uplift(events: &[Event], second: i64) -> f64 {
        event_uplift(
            events,
            Timestamp::constant(second, 0),
            &InteractionType::Search,
            None,
        )
    }

    #[test]
    fn uplifts_multiply_weighted_by_confidence_while_events_last() {
        let events = [
            event(Some(3.0), 0.5, EventScope::default()),
            event(Some(0.5), 1.0, EventScope::default()),
        ];
        for (second, expected) in [(999, 1.0), (1_000, 1.0), (1_999, 1.0), (2_000, 1.0)] {
            assert_eq!(uplift(&events, second), expected, "at {second}");
        }
        assert_eq!(uplift(&events[..1], 1_500), 2.0);
        assert_eq!(uplift(&events[..1], 2_000), 1.0);
        assert_eq!(
            uplift(&[event(None, 1.0, EventScope::default())], 1_500),
            1.0
        );
    }

    #[test]
    fn an_event_concerns_its_scope_only() {
        let payments = EventScope {
            interaction_types: vec![InteractionType::Transaction],
            ..EventScope::default()
        };
        assert_eq!(uplift(&[event(Some(3.0), 1.0, payments)], 1_500), 1.0);
        let api = ComponentName::new("api").expect("a name");
        let web = ComponentName::new("web").expect("a name");
        let limited = EventScope {
            components: vec![api.clone()],
            ..EventScope::default()
        };
        let events = [event(Some(3.0), 1.0, limited)];
        let at = Timestamp::constant(1_500, 0);
        assert_eq!(
            event_uplift(&events, at, &InteractionType::Search, Some(&api)),
            3.0
        );
        assert_eq!(
            event_uplift(&events, at, &InteractionType::Search, Some(&web)),
            1.0
        );
    }

    #[test]
    fn an_event_of_unknown_share_raises_but_never_lowers() {
        let regional = EventScope {
            regions: vec![Region::new("eu").expect("a name")],
            ..EventScope::default()
        };
        assert_eq!(
            uplift(&[event(Some(3.0), 1.0, regional.clone())], 1_500),
            3.0
        );
        assert_eq!(uplift(&[event(Some(0.2), 1.0, regional)], 1_500), 1.0);
    }

    #[test]
    fn changes_are_starts_and_ends() {
        let events = [event(None, 1.0, EventScope::default())];
        let next = |second| {
            next_event_change(&events, Timestamp::constant(second, 0)).map(Timestamp::as_second)
        };
        assert_eq!(
            (next(0), next(1_000), next(2_000)),
            (Some(1_000), Some(2_000), None)
        );
    }
}
