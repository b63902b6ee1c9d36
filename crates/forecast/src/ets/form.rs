//! The forms of exponential smoothing.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the trend enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// There is none.
    None,
    /// A straight line.
    Added,
    /// A line that levels off.
    Damped,
}

/// How the season enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seasonality {
    /// There is none.
    None,
    /// Offsets.
    Added,
    /// Factors.
    Multiplied,
}

/// Error, trend and season of an exponential smoothing, written as in the literature: `ANN`, `MAdM`.
///
/// Admissible are those of Hyndman, Koehler, Ord and Snyder (2008) whose variance stays finite: added
/// errors do not go with multiplied seasons. Multiplied trends are left out as they are by default in
/// R's `forecast` and statsforecast: their forecasts grow exponentially.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Form {
    multiplied_errors: bool,
    trend: Trend,
    season: Seasonality,
}

/// There is no such form, or it is not admissible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no admissible form of exponential smoothing; these are: {list}",
    list = Form::all().map(|form| form.to_string()).collect::<Vec<_>>().join(", ")
)]
pub struct InadmissibleForm(pub String);

impl Form {
    /// All admissible forms, errors added first, simple ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        let trends = [Trend::None, Trend::Damped, Trend::Added];
        let seasons = [
            Seasonality::None,
            Seasonality::Added,
            Seasonality::Multiplied,
        ];
        [false, true].into_iter().flat_map(move |errors| {
            trends.into_iter().flat_map(move |trend| {
                seasons
                    .into_iter()
                    .filter_map(move |season| Self::new(errors, trend, season))
            })
        })
    }

    /// The form of these components; `None` unless it is admissible.
    pub fn new(multiplied_errors: bool, trend: Trend, season: Seasonality) -> Option<Self> {
        (multiplied_errors || season != Seasonality::Multiplied).then_some(Self {
            multiplied_errors,
            trend,
            season,
        })
    }

    /// Whether errors are shares of the forecast rather than amounts.
    pub fn multiplied_errors(self) -> bool {
        self.multiplied_errors
    }

    /// How the trend enters.
    pub fn trend(self) -> Trend {
        self.trend
    }

    /// How the season enters.
    pub fn season(self) -> Seasonality {
        self.season
    }

    /// Whether it makes sense only for demand that is never 0.
    pub(super) fn needs_positive(self) -> bool {
        self.multiplied_errors || self.season == Seasonality::Multiplied
    }

    pub(super) fn has_trend(self) -> bool {
        self.trend != Trend::None
    }

    pub(super) fn is_seasonal(self) -> bool {
        self.season != Seasonality::None
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.multiplied_errors { "M" } else { "A" })?;
        f.write_str(match self.trend {
            Trend::None => "N",
            Trend::Added => "A",
            Trend::Damped => "Ad",
        })?;
        f.write_str(match self.season {
            Seasonality::None => "N",
            Seasonality::Added => "A",
            Seasonality::Multiplied => "M",
        })
    }
}

impl FromStr for Form {
    type Err = InadmissibleForm;

    fn from_str(name: &str) -> Result<Self, InadmissibleForm> {
        let plain = name.trim();
        Self::all()
            .find(|form| form.to_string().eq_ignore_ascii_case(plain))
            .ok_or_else(|| InadmissibleForm(name.to_string()))
    }
}

impl TryFrom<String> for Form {
    type Error = InadmissibleForm;

    fn try_from(name: String) -> Result<Self, InadmissibleForm> {
        name.parse()
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        form.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_forms_are_admissible_and_known_by_name() {
        let all: Vec<Form> = Form::all().collect();
        assert_eq!(all.len(), 15);
        for form in all {
            assert_eq!(form.to_string().parse(), Ok(form));
        }
        assert!("ANM".parse::<Form>().is_err());
        assert!("AMN".parse::<Form>().is_err());
        assert_eq!(
            "madm".parse(),
            Ok(Form::new(true, Trend::Damped, Seasonality::Multiplied).unwrap())
        );
    }
}
