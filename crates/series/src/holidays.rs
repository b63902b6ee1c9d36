//! The public holidays of countries.
//!
//! Which days are holidays is a matter of each country's law, and changes: the dates come from the Python
//! package `holidays`, which its maintainers keep up with the laws (`peers/public_holidays.py` writes
//! `data/holidays.txt` and says from which version). No Rust package is kept as well: those on the registry
//! are single releases, for few countries, or generated once from the same source. Dates to come that
//! hang on the sight of the moon, or on a decree, are estimates.

use std::collections::BTreeSet;

use jiff::civil::Date;

/// The table; its form is described in the script that writes it.
const TABLE: &str = include_str!("../data/holidays.txt");

/// The public holidays of a country or a part of one, from 1995 to 2040.
///
/// ```
/// use fleetcast_series::Holidays;
/// use jiff::civil::date;
///
/// let bavaria = Holidays::of("DE-BY").unwrap();
/// assert_eq!(bavaria.on(date(2026, 1, 6)), Some("Epiphany"));
/// assert_eq!(bavaria.between(date(2026, 12, 24), date(2026, 12, 31)).count(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holidays {
    place: &'static str,
    /// Oldest first, and by name within a day.
    days: Vec<(Date, &'static str)>,
}

impl Holidays {
    /// The holidays of a country by its ISO 3166-1 code of two letters (`DE`), or of a part of it by
    /// its ISO 3166-2 code (`DE-BY`) where parts have holidays of their own. Without the part, the
    /// holidays that the whole country has. Upper or lower case.
    pub fn of(place: &str) -> Result<Self, UnknownCountry> {
        let wanted = place.trim();
        let country = wanted.split('-').next().unwrap_or_default();
        let unknown = || UnknownCountry(place.to_string());
        let (mut found, lines) = section(country).ok_or_else(unknown)?;
        let mut days = BTreeSet::new();
        days.extend(lines.flat_map(parse));
        if wanted.len() > country.len() {
            let (part, lines) = section(wanted).ok_or_else(unknown)?;
            found = part;
            for line in lines {
                match line.strip_prefix('-') {
                    Some(line) => parse(line).for_each(|day| {
                        days.remove(&day);
                    }),
                    None => days.extend(parse(line)),
                }
            }
        }
        Ok(Self {
            place: found,
            days: days.into_iter().collect(),
        })
    }

    /// The codes of all countries and parts of countries that [`Self::of`] knows.
    pub fn places() -> impl Iterator<Item = &'static str> {
        headings().map(|(code, _)| code)
    }

    /// The code of the country, or of its part.
    pub fn place(&self) -> &'static str {
        self.place
    }

    /// The holiday on a day; the first by name if there are two.
    pub fn on(&self, day: Date) -> Option<&'static str> {
        self.between(day, day).next().map(|(_, name)| name)
    }

    /// The holidays from one day to another, both included, oldest first. A day with two holidays
    /// comes twice.
    pub fn between(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, &'static str)> {
        let first = self.days.partition_point(|(day, _)| *day < from);
        self.days[first..]
            .iter()
            .copied()
            .take_while(move |(day, _)| *day <= to)
    }
}

/// The caller asked for the holidays of a place that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the holidays of `{0}` are not known; known are {list}",
    list = headings()
        .map(|(code, _)| code)
        .filter(|code| code.len() == 2)
        .collect::<Vec<_>>()
        .join(", ")
)]
pub struct UnknownCountry(pub String);

/// The codes in the table, and what stands from there on.
fn headings() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.split("\n=").skip(1).map(|section| {
        let end = section.find([' ', '\n']).unwrap_or(section.len());
        (&section[..end], section)
    })
}

/// The code and the lines of one place.
fn section(place: &str) -> Option<(&'static str, impl Iterator<Item = &'static str>)> {
    let (code, section) = headings().find(|(code, _)| code.eq_ignore_ascii_case(place))?;
    Some((code, section.lines().skip(1)))
}

/// The days of one line: name, bar, then dates of running years, where `1995:` sets the year and
/// `x3` stands for three years with the same date.
fn parse(line: &'static str) -> impl Iterator<Item = (Date, &'static str)> {
    let (name, words) = line.split_once('|').unwrap_or_default();
    let mut year: i16 = 0;
    words.split(' ').flat_map(move |word| {
        let date = match word.split_once(':') {
            Some((set, date)) => {
                year = set.parse().unwrap_or_default();
                date
            }
            None => word,
        };
        let (date, times) = date.split_once('x').unwrap_or((date, "1"));
        let number: i8 = date
            .get(..2)
            .and_then(|n| n.parse().ok())
            .unwrap_or_default();
        let day: i8 = date
            .get(2..)
            .and_then(|n| n.parse().ok())
            .unwrap_or_default();
        let first = year;
        year += times.parse::<i16>().unwrap_or_default();
        (first..year).filter_map(move |year| Some((Date::new(year, number, day).ok()?, name)))
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(place: &str, year: i16, expected: &[(i8, i8, &str)]) {
        let holidays = Holidays::of(place).unwrap();
        let found: Vec<_> = holidays
            .between(date(year, 1, 1), date(year, 12, 31))
            .map(|(day, name)| (day.month(), day.day(), name))
            .collect();
        assert_eq!(found, expected, "{place} in {year}");
    }

    #[test]
    fn the_days_are_those_of_the_law() {
        check(
            "US",
            2026,
            &[
                (1, 1, "New Year's Day"),
                (1, 19, "Martin Luther King Jr. Day"),
                (2, 16, "Washington's Birthday"),
                (5, 25, "Memorial Day"),
                (6, 19, "Juneteenth National Independence Day"),
                (7, 3, "Independence Day (observed)"),
                (7, 4, "Independence Day"),
                (9, 7, "Labor Day"),
                (10, 12, "Columbus Day"),
                (11, 11, "Veterans Day"),
                (11, 26, "Thanksgiving Day"),
                (12, 25, "Christmas Day"),
            ],
        );
        check(
            "GB-SCT",
            2019,
            &[
                (1, 1, "New Year's Day"),
                (1, 2, "New Year Holiday"),
                (4, 19, "Good Friday"),
                (5, 6, "May Day"),
                (5, 27, "Spring Bank Holiday"),
                (8, 5, "Summer Bank Holiday"),
                (11, 30, "Saint Andrew's Day"),
                (12, 2, "Saint Andrew's Day (observed)"),
                (12, 25, "Christmas Day"),
                (12, 26, "Boxing Day"),
            ],
        );
        // The Reformation's fifth centenary was a holiday in all of Germany, the others in some parts.
        let germany = Holidays::of("de").unwrap();
        assert_eq!(germany.on(date(2017, 10, 31)), Some("Reformation Day"));
        assert_eq!(germany.on(date(2018, 10, 31)), None);
        let saxony = Holidays::of("DE-SN").unwrap();
        assert_eq!(saxony.on(date(2018, 10, 31)), Some("Reformation Day"));
        assert_eq!(saxony.place(), "DE-SN");
    }

    #[test]
    fn the_whole_table_is_read() {
        let dates: usize = TABLE
            .lines()
            .filter_map(|line| line.split_once('|'))
            .flat_map(|(_, words)| words.split(' '))
            .map(|word| word.split_once('x').map_or(1, |(_, n)| n.parse().unwrap()))
            .sum();
        let lines = TABLE.lines().filter(|line| line.contains('|'));
        let read = lines.flat_map(parse).count();
        assert_eq!(read, dates);
        for place in Holidays::places() {
            let holidays = Holidays::of(place).unwrap();
            assert!(
                holidays.days.len() > 100,
                "{place}: {}",
                holidays.days.len()
            );
        }
    }

    #[test]
    fn unknown_places_are_refused_by_name() {
        for place in ["", "XX", "D", "DE-XX", "-", "FR-BRE"] {
            let error = Holidays::of(place).unwrap_err();
            assert_eq!(error, UnknownCountry(place.to_string()));
            assert!(error.to_string().contains("DE, DK"), "{error}");
        }
    }
}
