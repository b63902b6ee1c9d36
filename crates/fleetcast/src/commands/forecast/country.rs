//! Holidays of a country, for models that learn from them.

use anyhow::Result;
use fleetcast_forecast::Model;

use crate::files::BadInput;

/// The model with the holidays of a place. Refuses a model that cannot learn from them: a holiday that is
/// asked for and then ignored would be worse.
pub fn with_holidays(model: Model, name: &str, place: Option<&str>) -> Result<Model> {
    match place {
        None => Ok(model),
        Some(place) => Err(BadInput(format!(
            "--country {place}: `{name}` does not learn from holidays; leave --country out, or choose a model that does"
        ))
        .into()),
    }
}
