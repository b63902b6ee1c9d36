//! The fitted model: made anew, or gone on with.

use anyhow::{Context, Result};
use fleetcast_forecast::{
    Fit, FitError, FittedLocalTime, FittedWithEvents, History, KnownEvent, LocalTime, MadeOf,
    SavedModel, SeasonReport, Update, WithEvents,
};
use jiff::Timestamp;

use super::events;
use super::models::{AnyFitted, AnyModel, plain};
use super::source::{self, Source};
use crate::cli::ForecastArgs;
use crate::files::{self, BadInput};

/// A model as it is kept: fitted by the clock on the wall, to demand without events.
pub type Kept = SavedModel<AnyModel, FittedWithEvents<FittedLocalTime<AnyFitted>>>;

/// A fitted model, and the history that it goes with.
pub struct State {
    pub saved: Kept,
    /// The name that it was asked for by; `None` for a model that was kept.
    pub asked: Option<String>,
    /// `None`: a kept model that goes on without any.
    pub source: Option<Source>,
    /// The seasons of that history, and how far it can be foreseen.
    pub seasons: Option<SeasonReport>,
    /// What was done, for the reader.
    pub notes: Vec<String>,
}

impl State {
    /// Where the first step that is forecast begins.
    pub fn first(&self) -> Timestamp {
        let made_of = &self.saved.made_of;
        let steps = i64::try_from(made_of.steps).unwrap_or(i64::MAX);
        let ahead = i64::from(made_of.step_seconds).saturating_mul(steps);
        made_of
            .start
            .checked_add(jiff::SignedDuration::from_secs(ahead))
            .unwrap_or(Timestamp::MAX)
    }
}

/// Fits the model that is asked for, or reads a kept one and lets it take in what is new.
pub fn fitted(args: &ForecastArgs) -> Result<State> {
    let source = args
        .file
        .as_ref()
        .map(|path| source::read(args, path))
        .transpose()?;
    let Some(path) = &args.load else {
        let source = source.context("a file or a kept model")?;
        let name = args.model.clone().unwrap_or_else(|| default_name().into());
        let model: AnyModel = name
            .parse()
            .map_err(|error| BadInput(format!("--model: {error}")))?;
        let mut known = events::read(args.events.as_deref(), &source.parts)?;
        let country = args.country.as_deref();
        let model = events::with_holidays(model, country, &source.dates(), &mut known)?;
        let found = source::seasons_found(&source.series);
        return Ok(State {
            saved: fit(model, known, &source, &found)?,
            asked: Some(plain(&name)),
            notes: source.notes.clone(),
            seasons: Some(found),
            source: Some(source),
        });
    };
    let mut saved = Kept::from_json(&files::read(path)?).map_err(|error| {
        BadInput(format!(
            "{}: {}",
            path.display(),
            crate::chain(&error.into())
        ))
    })?;
    if let Some(file) = &args.events {
        let whole = [(Default::default(), 1.0)];
        let parts = source.as_ref().map_or(&whole[..], |source| &source.parts);
        if !saved.fitted.expect(events::read(Some(file), parts)?) {
            let text = format!(
                "--events: {} was fitted without events and does not know what they did: fit it again with --events and --save",
                path.display()
            );
            return Err(BadInput(text).into());
        }
    }
    let Some(source) = source else {
        return Ok(State {
            saved,
            asked: None,
            source: None,
            seasons: None,
            notes: Vec::new(),
        });
    };
    let values = source.values();
    let new = saved
        .made_of
        .steps_since(
            source.series.start(),
            source.series.step().seconds(),
            &values,
        )
        .map_err(|error| BadInput(format!("{}: {error}", path.display())))?;
    let mut notes = source.notes.clone();
    if new > 0 {
        take_in(&mut saved, &values[values.len() - new..]);
        let steps = if new == 1 { "step" } else { "steps" };
        notes.push(format!(
            "the kept model took in {new} {steps} that it had not seen"
        ));
    }
    Ok(State {
        saved,
        asked: None,
        seasons: Some(source::seasons_found(&source.series)),
        source: Some(source),
        notes,
    })
}

/// Goes on with what came since, without fitting again.
fn take_in(saved: &mut Kept, new: &[Option<f64>]) {
    for &value in new {
        saved.fitted.update(value);
    }
    let made_of = &mut saved.made_of;
    made_of.steps += new.len();
    made_of.observed += new.iter().flatten().count();
    made_of.last = new.last().copied().unwrap_or(made_of.last);
}

/// The name of the default model.
pub fn default_name() -> &'static str {
    AnyModel::names().next().unwrap_or_default()
}

fn fit(
    model: AnyModel,
    events: Vec<KnownEvent>,
    source: &Source,
    found: &SeasonReport,
) -> Result<Kept> {
    let values = source.values();
    let dates = source.dates();
    let step = source.series.step();
    let seasons = found.seasons;
    let history = History::new(&values, seasons)
        .map_err(|error| BadInput(format!("{}: {error}", source.name)))?
        .with_dates(&dates);
    let by_clock = LocalTime { model };
    let with_events = WithEvents {
        model: by_clock,
        events,
    };
    let fitted = with_events
        .fit(&history)
        .map_err(|error| refused(source, error))?;
    let made_of = MadeOf {
        start: source.series.start(),
        step_seconds: step.seconds(),
        steps: values.len(),
        observed: values.iter().flatten().count(),
        last: values.last().copied().flatten(),
        seasons,
        time_zone: source.zone.iana_name().unwrap_or("UTC").into(),
    };
    Ok(Kept::new(with_events.model.model, fitted, made_of))
}

fn refused(source: &Source, error: FitError) -> BadInput {
    BadInput(format!("{}: {error}", source.name))
}
