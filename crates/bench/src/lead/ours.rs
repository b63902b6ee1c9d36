//! What Fleetcast buys from.

use fleetcast_forecast::lead::{LeadConfig, LeadForecaster, fit};

use super::{Forecaster, LEVELS, Setting};

pub struct Ours(LeadForecaster);

impl Ours {
    pub fn new(setting: Setting) -> Self {
        Self(LeadForecaster::new(LeadConfig {
            step_seconds: setting.step_seconds,
            lead_steps: setting.lead,
            boot_steps: setting.lead.saturating_sub(1),
            challenger: true,
        }))
    }
}

impl Forecaster for Ours {
    fn observe(&mut self, demand: Option<f64>) {
        self.0.observe(demand);
        // As in the engine, but for the step that a fit takes there.
        if let Some(window) = self.0.fit_due() {
            self.0.install(window.form(), fit(&window));
        }
    }

    fn quantiles(&mut self) -> [f64; LEVELS.len()] {
        let forecast = self.0.forecast();
        LEVELS.map(|level| forecast.at(level))
    }
}
