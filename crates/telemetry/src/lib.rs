//! Demand from CSV files and Prometheus
