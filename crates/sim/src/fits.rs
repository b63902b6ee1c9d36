//! Fits that runs on the same demand share.
//!
//! A fit is a pure function of its window, and the window depends on demand and lead time alone, not on who
//! buys what. So policies, objectives and what-ifs on one history need each fit once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fleetcast_engine::FitJob;
use fleetcast_model::Fitted;

/// Component, request, and fingerprint of the window.
type Key = (u16, u64, u64);

/// Results of fits, shared between runs and threads.
#[derive(Clone, Debug, Default)]
pub struct SharedFits(Arc<Mutex<BTreeMap<Key, Arc<OnceLock<Fitted>>>>>);

impl SharedFits {
    /// The result of a job: from before if it was done before, else by running it now.
    pub fn run(&self, job: &FitJob) -> Fitted {
        let (component, request) = job.key();
        let key = (component.0, request, job.fingerprint());
        let slot = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key).or_default())
        };
        slot.get_or_init(|| job.run()).clone()
    }
}
