//! A fitted model that outlives the program.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{FittedModel, Model, SeasonSpec};

/// The form of a stored model. It changes when a stored model of before could no longer be read, or
/// would forecast something else.
const SCHEMA: &str = "forecast-model/v1";

/// A fitted model, what it is a fit of, and to what. By default both are those of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedModel<M = Model, F = FittedModel> {
    schema: String,
    /// What was asked for; a refit needs it.
    pub model: M,
    /// What came of it.
    pub fitted: F,
    /// What it was fitted to.
    pub made_of: MadeOf,
}

/// What a model was fitted to, so that nobody asks it to go on with something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MadeOf {
    /// Where the first step begins.
    pub start: Timestamp,
    /// The length of a step.
    pub step_seconds: u32,
    /// Steps, with the missing ones.
    pub steps: usize,
    /// Steps that were observed.
    pub observed: usize,
    /// The value of the last step; `None` if it was missing.
    pub last: Option<f64>,
    /// The lengths of the seasons.
    pub seasons: SeasonSpec,
    /// Where people live (IANA name).
    pub time_zone: String,
}

/// Why a stored model was refused.
#[derive(Debug, thiserror::Error)]
pub enum SavedModelError {
    /// Give another file.
    #[error("this is no stored model: it is not JSON with a `schema`")]
    NotAModel(#[source] serde_json::Error),
    /// Fit it again with this version.
    #[error(
        "this is a model of the form `{found}` and this version reads `{SCHEMA}`: fit and save it again"
    )]
    OtherSchema {
        /// The form that the file names.
        found: String,
    },
    /// Fit it again.
    #[error("the stored model is damaged or was written by another version: fit and save it again")]
    Damaged(#[source] serde_json::Error),
    /// Give the history that the model was fitted to, or a later one.
    #[error("the stored model does not go with this history: {0}")]
    OtherHistory(String),
}

impl<M, F> SavedModel<M, F> {
    /// Keeps a fitted model.
    pub fn new(model: M, fitted: F, made_of: MadeOf) -> Self {
        Self {
            schema: SCHEMA.into(),
            model,
            fitted,
            made_of,
        }
    }

    /// Reads what [`Self::to_json`] wrote. The form is checked before the content.
    pub fn from_json(text: &str) -> Result<Self, SavedModelError>
    where
        M: DeserializeOwned,
        F: DeserializeOwned,
    {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let head: Head = serde_json::from_str(text).map_err(SavedModelError::NotAModel)?;
        if head.schema != SCHEMA {
            return Err(SavedModelError::OtherSchema { found: head.schema });
        }
        serde_json::from_str(text).map_err(SavedModelError::Damaged)
    }

    /// The model as one line of JSON, equal for equal models.
    ///
    /// # Panics
    /// Never: the types hold no maps and no numbers that JSON lacks.
    pub fn to_json(&self) -> String
    where
        M: Serialize,
        F: Serialize,
    {
        serde_json::to_string(self).expect("a model is plain data")
    }
}

impl MadeOf {
    /// How many steps of a later history the model has not seen. It must have the same step, start
    /// where this one starts or later, and hold this one's last step with the value that the model
    /// saw there.
    pub fn steps_since(
        &self,
        start: Timestamp,
        step_seconds: u32,
        values: &[Option<f64>],
    ) -> Result<usize, SavedModelError> {
        let refuse = |why: String| Err(SavedModelError::OtherHistory(why));
        if step_seconds != self.step_seconds {
            return refuse(format!(
                "its steps last {} s and these {step_seconds} s",
                self.step_seconds
            ));
        }
        let seconds = start.as_second() - self.start.as_second();
        let step = i64::from(self.step_seconds.max(1));
        if seconds % step != 0 {
            return refuse(format!(
                "its steps begin at {} and these at {start}, between two of them",
                self.start
            ));
        }
        // The model's last step, counted in the new history.
        let last = self.steps as i64 - 1 - seconds / step;
        let Some(&value) = usize::try_from(last).ok().and_then(|last| values.get(last)) else {
            return refuse(format!(
                "its last step, of {} that begin at {}, is not in it",
                self.steps, self.start
            ));
        };
        if value != self.last {
            let shown =
                |value: Option<f64>| value.map_or("nothing".into(), |value| value.to_string());
            return refuse(format!(
                "in its last step the model saw {} and this has {}",
                shown(self.last),
                shown(value)
            ));
        }
        Ok(values.len() - 1 - last as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::traffic;
    use crate::{Fit, Predict};

    fn saved() -> SavedModel {
        let traffic = traffic(3.0, 24, 100.0, 3);
        let model = Model::default();
        let fitted = model.fit(&traffic.history()).unwrap();
        let made_of = MadeOf {
            start: Timestamp::UNIX_EPOCH,
            step_seconds: 3600,
            steps: 504,
            observed: 504,
            last: traffic.values[503],
            seasons: traffic.seasons,
            time_zone: "UTC".into(),
        };
        SavedModel::new(model, fitted, made_of)
    }

    #[test]
    fn a_stored_model_forecasts_the_same() {
        let saved = saved();
        let text = saved.to_json();
        let read = SavedModel::from_json(&text).unwrap();
        assert_eq!(read, saved);
        assert_eq!(read.to_json(), text);
        assert_eq!(read.fitted.paths(48, 20, 1), saved.fitted.paths(48, 20, 1));
    }

    #[test]
    fn what_is_no_stored_model_of_this_form_is_refused() {
        let text = saved().to_json();
        let other = text.replacen("forecast-model/v1", "forecast-model/v9", 1);
        for (text, words) in [
            ("", "not JSON"),
            ("[1]", "not JSON"),
            (
                other.as_str(),
                "of the form `forecast-model/v9` and this version reads `forecast-model/v1`",
            ),
            (r#"{"schema":"forecast-model/v1"}"#, "damaged"),
            (&text[..text.len() / 2], "not JSON"),
        ] {
            let error = <SavedModel>::from_json(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_history_must_go_on_where_the_model_ends() {
        let made_of = saved().made_of;
        let mut values = traffic(4.0, 24, 100.0, 3).values;
        let start = made_of.start;
        assert_eq!(made_of.steps_since(start, 3600, &values).unwrap(), 168);
        assert_eq!(made_of.steps_since(start, 3600, &values[..504]).unwrap(), 0);
        // A later start is as good while it holds the last step.
        let later = Timestamp::from_second(400 * 3600).unwrap();
        assert_eq!(
            made_of.steps_since(later, 3600, &values[400..]).unwrap(),
            168
        );
        let refused = |start, step, values: &[Option<f64>]| {
            made_of
                .steps_since(start, step, values)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(start, 60, &values).contains("last 3600 s and these 60 s"));
        assert!(refused(start, 3600, &values[..503]).contains("is not in it"));
        let beside = Timestamp::from_second(90).unwrap();
        assert!(refused(beside, 3600, &values).contains("between two of them"));
        values[503] = None;
        assert!(refused(start, 3600, &values).contains("this has nothing"));
    }
}
