//! What can be chosen about a Prophet.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Prophet: a piecewise trend, seasons, holidays and regressors, added up.
///
/// The defaults are those of the `prophet` package. Every regressor of the history takes part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prophet {
    /// The shape of the trend.
    pub growth: Growth,
    /// How many times the trend may turn. Fewer if there are not as many observations.
    pub changepoints: usize,
    /// The share of the history, from its start, over which the turns are spread evenly. The rest is left
    /// to find out where the last turn led.
    pub changepoint_share: f64,
    /// The scale of the Laplace prior of each turn, as a share of the largest observation over the
    /// whole history: larger lets the trend bend more, and makes its future less certain.
    pub changepoint_prior: f64,
    /// How seasons, holidays and regressors act on the trend.
    pub mode: SeasonMode,
    /// The season of the day; the package's order is 4.
    pub day: SeasonChoice,
    /// The season of the week; the package's order is 3.
    pub week: SeasonChoice,
    /// The season of the year; the package's order is 10.
    pub year: SeasonChoice,
    /// The scale of the normal prior of those seasons' coefficients.
    pub season_prior: f64,
    /// Seasons of other lengths.
    pub seasons: Vec<CustomSeason>,
    /// Days that differ. They need to know the dates of the steps.
    pub holidays: Vec<HolidayEffect>,
    /// The scale of the normal prior of the history's regressors.
    pub regressor_prior: f64,
}

impl Default for Prophet {
    fn default() -> Self {
        Self {
            growth: Growth::Linear,
            changepoints: 25,
            changepoint_share: 0.8,
            changepoint_prior: 0.05,
            mode: SeasonMode::Added,
            day: SeasonChoice::Automatic,
            week: SeasonChoice::Automatic,
            year: SeasonChoice::Automatic,
            season_prior: 10.0,
            seasons: Vec::new(),
            holidays: Vec::new(),
            regressor_prior: 10.0,
        }
    }
}

/// The shape of the trend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// Straight lines that meet.
    #[default]
    Linear,
    /// None.
    Flat,
    /// Towards what the market holds, or away from it.
    Logistic {
        /// What the trend cannot pass, in the unit of the history.
        capacity: f64,
        /// What it cannot fall under.
        floor: f64,
    },
}

/// How an effect acts on the trend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeasonMode {
    /// As an amount.
    #[default]
    Added,
    /// As a share of the trend.
    Multiplied,
}

/// Whether a season is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeasonChoice {
    /// If the history spans two of it, and its steps are shorter.
    #[default]
    Automatic,
    /// Never.
    Off,
    /// Always, with so many pairs of sine and cosine.
    Order(usize),
}

/// A season of any length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomSeason {
    /// Its length in days.
    pub period_days: f64,
    /// Pairs of sine and cosine.
    pub order: usize,
    /// The scale of the normal prior of their coefficients.
    pub prior: f64,
    /// How it acts on the trend.
    pub mode: SeasonMode,
}

/// What holidays do, learned for each holiday by its name and for each day around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HolidayEffect {
    /// Which days.
    pub days: HolidayDays,
    /// How many days before each are unusual too.
    pub before: u8,
    /// How many days after each are unusual too.
    pub after: u8,
    /// The scale of the normal prior of the effects.
    pub prior: f64,
}

impl HolidayEffect {
    /// The public holidays of a country or a part of it, such as `DE` or `DE-BY`, as the package takes them: each day alone.
    pub fn of(place: &str) -> Self {
        Self::on(HolidayDays::Public(place.to_string()))
    }

    /// These days, as the package takes them: each alone, prior 10.
    pub fn on(days: HolidayDays) -> Self {
        Self {
            days,
            before: 0,
            after: 0,
            prior: 10.0,
        }
    }
}

/// Days that differ from others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayDays {
    /// The public holidays of a place, see [`fleetcast_series::Holidays::of`].
    Public(String),
    /// Days of one kind, past and future.
    Named {
        /// What they are called in explanations.
        name: String,
        /// When they are.
        dates: Vec<Date>,
    },
}

/// More pairs of sine and cosine than the shortest season of any use has; bounds the work.
const ORDER_MAX: usize = 100;

/// The same for turns of the trend.
const CHANGEPOINTS_MAX: usize = 500;

impl Prophet {
    /// Says what is wrong with the settings.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let prior = |scale: f64| (1e-6..=1e6).contains(&scale);
        let order = |order: usize| order <= ORDER_MAX;
        let orders =
            [self.day, self.week, self.year]
                .into_iter()
                .filter_map(|choice| match choice {
                    SeasonChoice::Order(order) => Some(order),
                    SeasonChoice::Automatic | SeasonChoice::Off => None,
                });
        if let Growth::Logistic { capacity, floor } = self.growth
            && !(capacity.is_finite() && floor >= 0.0 && capacity > floor)
        {
            return Err("the capacity must be over the floor, and the floor not negative");
        }
        if self.changepoints > CHANGEPOINTS_MAX {
            return Err("there may be at most 500 changepoints");
        }
        if !(self.changepoint_share > 0.0 && self.changepoint_share <= 1.0) {
            return Err("the share of the history with changepoints must be over 0 and at most 1");
        }
        let mut priors = vec![
            self.changepoint_prior,
            self.season_prior,
            self.regressor_prior,
        ];
        priors.extend(self.seasons.iter().map(|season| season.prior));
        priors.extend(self.holidays.iter().map(|holiday| holiday.prior));
        if !priors.into_iter().all(prior) {
            return Err("the scales of priors must be from 0.000001 to 1000000");
        }
        if !orders
            .chain(self.seasons.iter().map(|season| season.order))
            .all(order)
        {
            return Err("a season's order must be at most 100");
        }
        let length = |season: &CustomSeason| (1e-3..=1e6).contains(&season.period_days);
        if !self.seasons.iter().all(length) {
            return Err("a season must be from a thousandth of a day to a million days long");
        }
        Ok(())
    }
}
