//! Regular series with missing values, and calendars

mod calendar;
mod calendar_events;
mod calendar_rule;
mod calendar_shape;
mod calendar_window;
mod demand;
mod holidays;
mod regular;
mod sliding_maximum;
mod step;

pub use calendar::{CalendarError, PersonaCalendar};
pub use calendar_events::{
    DemandOf, event_factor, event_factor_of, event_uplift, event_uplift_of, next_event_change,
};
pub use calendar_rule::RuleError;
pub use calendar_window::Occurrence;
pub use demand::{Demand, DemandError, DemandKey, ValueUnit};
pub use holidays::{Holidays, UnknownCountry};
pub use regular::{Aggregate, Gap, NotAMultiple, Series};
pub use sliding_maximum::SlidingMaximum;
pub use step::Step;
