//! Forecasts of demand: models, calibration, scores
