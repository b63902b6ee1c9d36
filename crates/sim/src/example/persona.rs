//! What the synthetic shop's authors expect of its customers: rounded, and sometimes wrong.

use fleetcast_model::{
    Bytes, EngagementPattern, InteractionType, Iops, KilobitsPerSecond, MilliCores, PatternName,
    Persona, PersonaName, ResourceProfile, Share, TimeWindow, Variability, WindowLength,
};
use jiff::Span;
use jiff::civil::{DateTime, date};

use super::fleet::{API, CHECKOUT, WEB, component_name};
use super::{TIME_ZONE, TYPES};

/// When a pattern recurs, and how many interactions a minute of each kind it adds then, in the order
/// of `TYPES`.
struct Recurrence {
    name: &'static str,
    start: DateTime,
    hours: u32,
    rule: &'static str,
    /// Weights of equal parts of the window.
    shape: &'static [f64],
    confidence: f64,
    per_minute: [f64; 4],
}

const RECURRENCES: [Recurrence; 4] = [
    Recurrence {
        name: "base",
        start: date(2026, 3, 2).at(0, 0, 0, 0),
        hours: 24,
        rule: "FREQ=DAILY",
        shape: &[],
        confidence: 0.9,
        per_minute: [270.0, 380.0, 25.0, 200.0],
    },
    Recurrence {
        name: "weekday-day",
        start: date(2026, 3, 2).at(8, 0, 0, 0),
        hours: 10,
        rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        shape: &[0.6, 1.0, 1.3, 1.5, 1.4, 1.2, 0.8, 0.6, 0.6, 1.0],
        confidence: 0.8,
        per_minute: [900.0, 1_250.0, 75.0, 240.0],
    },
    Recurrence {
        name: "weekday-evening",
        start: date(2026, 3, 2).at(18, 0, 0, 0),
        hours: 5,
        rule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        shape: &[0.8, 1.1, 1.2, 1.1, 0.8],
        confidence: 0.7,
        per_minute: [1_400.0, 2_300.0, 230.0, 500.0],
    },
    Recurrence {
        name: "weekend",
        start: date(2026, 3, 7).at(10, 0, 0, 0),
        hours: 13,
        rule: "FREQ=WEEKLY;BYDAY=SA,SU",
        shape: &[],
        confidence: 0.6,
        per_minute: [1_050.0, 1_600.0, 130.0, 280.0],
    },
];

/// What carrying one kind of interaction takes.
struct Cost {
    component: &'static str,
    latency_target_ms: u32,
    /// So many interactions a minute take 16 cores.
    per_minute_on_16_cores: f64,
    /// Bytes of an answer, which bandwidth has to carry.
    answer_bytes: f64,
}

fn cost(kind: &InteractionType) -> Cost {
    let (component, latency_target_ms, per_minute_on_16_cores, answer_bytes) = match kind {
        InteractionType::Search => (WEB, 250, 2_400.0, 60_000.0),
        InteractionType::ContentView => (WEB, 200, 4_800.0, 200_000.0),
        InteractionType::Transaction => (CHECKOUT, 400, 800.0, 30_000.0),
        _ => (API, 200, 9_600.0, 10_000.0),
    };
    Cost {
        component,
        latency_target_ms,
        per_minute_on_16_cores,
        answer_bytes,
    }
}

pub(super) fn persona() -> Persona {
    let each = || {
        RECURRENCES.iter().flat_map(|recurrence| {
            TYPES
                .into_iter()
                .zip(recurrence.per_minute)
                .map(move |one| (recurrence, one))
        })
    };
    Persona {
        name: PersonaName::new("synthetic-shop-customers").expect("a name"),
        engagement_patterns: each()
            .map(|(recurrence, (kind, rate))| pattern(recurrence, kind, rate))
            .collect(),
        resource_profiles: each()
            .map(|(recurrence, (kind, rate))| profile(recurrence, &kind, rate))
            .collect(),
    }
}

fn pattern(recurrence: &Recurrence, kind: InteractionType, per_minute: f64) -> EngagementPattern {
    let hours = recurrence.hours;
    // A whole day is a day in civil time: 23 hours where the clocks go forward.
    let length = if hours == 24 {
        Span::new().days(1)
    } else {
        Span::new().hours(hours)
    };
    EngagementPattern {
        name: pattern_name(recurrence, &kind),
        time_window: TimeWindow::Recurring {
            length: WindowLength(length),
            start: recurrence.start,
            time_zone: TIME_ZONE.to_string(),
            rule: recurrence.rule.to_string(),
        },
        expected_volume: per_minute * 60.0 * f64::from(hours),
        latency_target_ms: cost(&kind).latency_target_ms,
        interaction_type: kind,
        shape: recurrence.shape.to_vec(),
        confidence: Share::new(recurrence.confidence).expect("a share"),
    }
}

fn profile(recurrence: &Recurrence, kind: &InteractionType, per_minute: f64) -> ResourceProfile {
    let cost = cost(kind);
    let cores = per_minute * 16.0 / cost.per_minute_on_16_cores;
    let up = |value: f64| value.ceil() as u64;
    ResourceProfile {
        pattern_name: pattern_name(recurrence, kind),
        component: Some(component_name(cost.component)),
        // Whole tenths of a core, and 2 GB for each core as in a unit.
        cpu: MilliCores::new(up(cores * 10.0) * 100),
        memory: Bytes::new(up(cores * 10.0) * 120_000_000),
        disk_io: Iops::new(up(per_minute / 12.0)),
        bandwidth: KilobitsPerSecond::new(up(per_minute / 60.0 * cost.answer_bytes * 8.0 / 1e3)),
        storage: None,
        variability: Variability::default(),
    }
}

fn pattern_name(recurrence: &Recurrence, kind: &InteractionType) -> PatternName {
    PatternName::new(&format!("{}-{kind}", recurrence.name)).expect("a name")
}
