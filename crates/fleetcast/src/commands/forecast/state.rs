//! The fitted model: made anew, or gone on with.

use anyhow::{Context, Result};
use fleetcast_forecast::{Fit, FitError, FittedModel, History, MadeOf, Model, SavedModel};
use jiff::Timestamp;

use super::country::with_holidays;
use super::source::{self, Source};
use crate::cli::ForecastArgs;
use crate::files::{self, BadInput};

/// A fitted model, and the history that it goes with.
pub struct State {
    pub saved: SavedModel,
    /// The name that it was asked for by; `None` for a model that was kept.
    pub asked: Option<String>,
    /// `None`: a kept model that goes on without any.
    pub source: Option<Source>,
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
        let model: Model = name
            .parse()
            .map_err(|error| BadInput(format!("--model: {error}")))?;
        let model = with_holidays(model, &name, args.country.as_deref())?;
        let saved = fit(model, &source)?;
        return Ok(State {
            saved,
            asked: Some(name.trim().to_ascii_lowercase().replace('_', "-")),
            notes: source.notes.clone(),
            source: Some(source),
        });
    };
    let saved = SavedModel::from_json(&files::read(path)?).map_err(|error| {
        BadInput(format!(
            "{}: {}",
            path.display(),
            crate::chain(&error.into())
        ))
    })?;
    let Some(source) = source else {
        return Ok(State {
            saved,
            asked: None,
            source: None,
            notes: Vec::new(),
        });
    };
    let new = saved
        .made_of
        .steps_since(
            source.series.start(),
            source.series.step().seconds(),
            &source.values(),
        )
        .map_err(|error| BadInput(format!("{}: {error}", path.display())))?;
    let mut notes = source.notes.clone();
    let saved = if new == 0 {
        saved
    } else {
        notes.push(format!(
            "the kept model had not seen the last {new} steps: it was fitted again"
        ));
        fit(saved.model, &source)?
    };
    Ok(State {
        saved,
        asked: None,
        source: Some(source),
        notes,
    })
}

/// The name of the default model.
pub fn default_name() -> &'static str {
    Model::names().next().unwrap_or_default()
}

fn fit(model: Model, source: &Source) -> Result<SavedModel> {
    let values = source.values();
    let dates = source.dates();
    let step = source.series.step();
    let seasons = source::seasons(step);
    let history = History::new(&values, seasons)
        .map_err(|error| BadInput(format!("{}: {error}", source.name)))?
        .with_dates(&dates);
    let fitted: FittedModel = model
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
    Ok(SavedModel::new(model, fitted, made_of))
}

fn refused(source: &Source, error: FitError) -> BadInput {
    BadInput(format!("{}: {error}", source.name))
}
