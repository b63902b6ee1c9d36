//! The deterministic engine: step, worlds, drive
