//! Tables, charts and HTML from results
