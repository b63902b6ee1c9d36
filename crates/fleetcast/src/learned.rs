//! What was learned of the use per request, in words: the figures beside the profile's, deploys, the ceiling.

use fleetcast_capacity::Figure;
use fleetcast_engine::{Engine, LearnedView};
use fleetcast_model::{InteractionType, Resource, UseDrift};

/// Figures told of each component at most, those that differ most from the profile first.
const FIGURES_MAX: usize = 6;
/// Profiles that are right within this factor are said to be confirmed.
const CONFIRMED: f64 = 0.05;

/// Notes for the end of a backtest.
pub fn notes(engine: &Engine, components: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    for (place, name) in components.iter().enumerate() {
        let explained = engine.explain(place);
        let Some(learned) = &explained.learned else {
            continue;
        };
        let types: Vec<InteractionType> = explained
            .volumes
            .iter()
            .map(|(kind, _)| kind.clone())
            .collect();
        let figures = figures(learned, &types);
        if !figures.is_empty() {
            notes.push(format!("{name}: {}", figures.join("; ")));
        }
        notes.extend(
            learned
                .drifts
                .iter()
                .map(|one| format!("{name}: {}", drift(one))),
        );
        notes.extend(ceiling(learned).map(|words| format!("{name}: {words}")));
    }
    notes
}

/// Who decides each resource, with the figures of both: `0.021 CPU seconds a search, learned from 12,340 samples; the
/// persona says 0.03`.
pub fn figures(learned: &LearnedView, types: &[InteractionType]) -> Vec<String> {
    let mut figures: Vec<&Figure> = learned.figures.iter().collect();
    let off = |figure: &Figure| {
        if figure.profile > 0.0 && figure.each > 0.0 {
            (figure.each / figure.profile).ln().abs()
        } else {
            f64::from(u8::from(figure.each > figure.profile))
        }
    };
    // What nobody states and nothing uses is not worth a word.
    figures.retain(|figure| figure.profile > 0.0 || figure.each > 1e-12);
    figures.sort_by(|a, b| off(b).total_cmp(&off(a)));
    figures
        .into_iter()
        .take(FIGURES_MAX)
        .filter_map(|one| Some(words(one, types.get(one.kind)?, learned)))
        .collect()
}

fn words(figure: &Figure, kind: &InteractionType, learned: &LearnedView) -> String {
    let (times, unit) = shown_in(figure.resource);
    let each = significant(figure.each * times);
    let profile = significant(figure.profile * times);
    let samples = grouped(figure.samples);
    let decides = learned.decides.contains(&figure.resource);
    if !decides {
        return format!(
            "{profile} {unit} for each {kind} by the persona, which still decides; {samples} samples say {each}"
        );
    }
    if (figure.each / figure.profile.max(f64::MIN_POSITIVE) - 1.0).abs() < CONFIRMED {
        return format!(
            "{each} {unit} for each {kind}, learned from {samples} samples, as the persona says"
        );
    }
    format!(
        "{each} {unit} for each {kind}, learned from {samples} samples; the persona says {profile}"
    )
}

/// A deploy, as far as use tells it.
pub fn drift(drift: &UseDrift) -> String {
    let (more, change) = if drift.factor >= 1.0 {
        ("more", drift.factor - 1.0)
    } else {
        ("less", 1.0 - drift.factor)
    };
    format!(
        "{} for each request is about {:.0} % {more} since {}, found at {} (a deploy?); what was learned before is forgotten faster",
        short(drift.resource),
        change * 100.0,
        drift.since,
        drift.found,
    )
}

/// The units beyond which more do not help.
pub fn ceiling(learned: &LearnedView) -> Option<String> {
    let ceiling = learned.ceiling?;
    Some(format!(
        "warning: more than {:.0} units would not help: the CPU for each request grows with the units (universal scalability law, contention {:.4}, coherency {:.6}, seen up to {:.0} units); larger units would, or less shared work between them",
        ceiling.units, ceiling.contention, ceiling.coherency, ceiling.seen_units
    ))
}

/// What turns an amount for each interaction a minute into one for each interaction, with its unit; of memory and
/// storage, which are held and not spent, it stays one for each interaction a minute.
fn shown_in(resource: Resource) -> (f64, &'static str) {
    match resource {
        Resource::Cpu | Resource::Unit => (60.0, "CPU seconds"),
        Resource::Memory => (1e-6, "MB of memory a minute"),
        Resource::DiskIo => (60.0, "disk operations"),
        Resource::Bandwidth => (60.0 / 8.0, "kB of traffic"),
        Resource::Storage => (1e-6, "MB of storage a minute"),
    }
}

fn short(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu | Resource::Unit => "CPU",
        Resource::Memory => "memory",
        Resource::DiskIo => "disk I/O",
        Resource::Bandwidth => "bandwidth",
        Resource::Storage => "storage",
    }
}

/// Three significant digits.
fn significant(value: f64) -> String {
    if value <= 0.0 {
        return "0".into();
    }
    let digits = 2 - value.log10().floor() as i32;
    if digits <= 0 {
        grouped(value.round() as u64)
    } else {
        format!("{value:.*}", digits.clamp(1, 9) as usize)
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(decides: Vec<Resource>) -> LearnedView {
        LearnedView {
            figures: vec![Figure {
                resource: Resource::Cpu,
                kind: 0,
                each: 0.021 / 60.0,
                profile: 0.03 / 60.0,
                evidence: 0.9,
                samples: 12_340,
            }],
            decides,
            bases: Vec::new(),
            drifts: Vec::new(),
            ceiling: None,
            memory_follows_seconds: 0.0,
        }
    }

    #[test]
    fn words_say_who_decides_and_give_both_figures() {
        let types = [InteractionType::Search];
        assert_eq!(
            figures(&view(vec![Resource::Cpu]), &types),
            [
                "0.0210 CPU seconds for each search, learned from 12,340 samples; the persona says 0.0300"
            ]
        );
        assert_eq!(
            figures(&view(Vec::new()), &types),
            [
                "0.0300 CPU seconds for each search by the persona, which still decides; 12,340 samples say 0.0210"
            ]
        );
    }

    #[test]
    fn a_deploy_is_told_with_its_size_and_moment() {
        let found: UseDrift = UseDrift {
            resource: Resource::Cpu,
            since: "2026-03-10T12:00:00Z".parse().unwrap(),
            found: "2026-03-10T12:15:00Z".parse().unwrap(),
            factor: 1.4,
        };
        let words = drift(&found);
        assert!(
            words.starts_with("CPU for each request is about 40 % more since 2026-03-10T12:00:00Z"),
            "{words}"
        );
    }
}
