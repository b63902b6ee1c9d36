//! Regular series with missing values, and calendars
