//! Holidays of a country, for models that learn from them.

use anyhow::Result;
use fleetcast_forecast::{HolidayEffect, Model};
use fleetcast_series::Holidays;

use super::models::AnyModel;
use crate::files::BadInput;

/// The model with the holidays of a place. Refuses a model that cannot learn from them: a holiday that is
/// asked for and then ignored would be worse.
pub fn with_holidays(model: AnyModel, name: &str, place: Option<&str>) -> Result<AnyModel> {
    let Some(place) = place else {
        return Ok(model);
    };
    let AnyModel::Catalog(Model::Prophet(mut prophet)) = model else {
        let text = format!(
            "--country {place}: `{name}` does not learn from holidays, only prophet does: add --model prophet, or leave --country out"
        );
        return Err(BadInput(text).into());
    };
    Holidays::of(place).map_err(|error| BadInput(format!("--country: {error}")))?;
    prophet.holidays.push(HolidayEffect::of(place));
    Ok(AnyModel::Catalog(Model::Prophet(prophet)))
}
