//! What is known to change the demand that is forecast: events, and the holidays of a country.

use std::path::Path;

use anyhow::Result;
use fleetcast_forecast::{Dates, EventEffects, HolidayEffect, KnownEvent, Model, holiday_events};
use fleetcast_model::EventKind;
use fleetcast_series::{DemandKey, DemandOf, Holidays};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::models::AnyModel;
use crate::commands::documents;
use crate::files::BadInput;

/// More events ahead than these are not told one by one.
const TOLD_MAX: usize = 12;

/// Reads the events of a demand that is made of these parts.
pub fn read(path: Option<&Path>, parts: &[(DemandKey, f64)]) -> Result<Vec<KnownEvent>> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let parts: Vec<(DemandOf<'_>, f64)> = parts
        .iter()
        .map(|(key, volume)| {
            let part = DemandOf {
                interaction_type: key.interaction_type.as_ref(),
                component: None,
                region: key.region.as_ref(),
            };
            (part, *volume)
        })
        .collect();
    let events = documents::read_events(path)?;
    Ok(events
        .into_iter()
        .map(|event| KnownEvent::of(event, &parts))
        .collect())
}

/// The model with the holidays of a place: Prophet learns from them itself, for others they are events. `dates` are
/// those of the history.
pub fn with_holidays(
    model: AnyModel,
    place: Option<&str>,
    dates: &Dates,
    events: &mut Vec<KnownEvent>,
) -> Result<AnyModel> {
    let Some(place) = place else {
        return Ok(model);
    };
    let holidays = Holidays::of(place).map_err(|error| BadInput(format!("--country: {error}")))?;
    if let AnyModel::Catalog(Model::Prophet(mut prophet)) = model {
        prophet.holidays.push(HolidayEffect::of(place));
        return Ok(AnyModel::Catalog(Model::Prophet(prophet)));
    }
    let first = dates.civil(0).date();
    let (zone, last) = (dates.zone(), date(9999, 12, 31));
    events.extend(holiday_events(&holidays, first, last, zone));
    Ok(model)
}

/// What is expected of the events ahead, for the reader: a sentence for each that lies within the forecast.
pub fn told(effects: &EventEffects, dates: &Dates, horizon: usize) -> Vec<String> {
    let (from, to) = (dates.at(0), dates.at(horizon));
    let ahead = effects.events().iter().filter(|known| {
        let event = &known.event;
        event.kind != EventKind::Incident && event.end > from && event.start < to
    });
    let mut told: Vec<String> = ahead
        .map(|known| {
            let event = &known.event;
            let middle = event.start + (event.end.duration_since(event.start)) / 2;
            let uplift = effects.uplift(middle.max(from));
            let seen = effects.alike(event);
            let learned = match (seen, event.uplift) {
                (0, Some(_)) => "as stated, nothing was learned of its like yet".to_string(),
                (0, None) => {
                    "nothing is stated, and nothing was learned of its like yet".to_string()
                }
                (1, _) => "learned from one that was alike".to_string(),
                (seen, _) => format!("learned from {seen} that were alike"),
            };
            format!(
                "`{}` from {}: × {:.2} is expected at its middle ({learned})",
                event.name,
                local(event.start, dates),
                uplift.factor
            )
        })
        .collect();
    if told.len() > TOLD_MAX {
        let more = told.len() - TOLD_MAX;
        told.truncate(TOLD_MAX);
        told.push(format!("and {more} more events ahead"));
    }
    told
}

fn local(at: Timestamp, dates: &Dates) -> String {
    let time = at.to_zoned(dates.zone().clone());
    if dates.step() >= SignedDuration::from_hours(24) {
        time.strftime("%Y-%m-%d").to_string()
    } else {
        time.strftime("%Y-%m-%d %H:%M").to_string()
    }
}
