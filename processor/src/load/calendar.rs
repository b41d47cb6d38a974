//! The file of a calendar: `country,date,is_working,name`, one line for each day that is not as the day of the week says.
//!
//! ```csv
//! country,date,is_working,name
//! CN,2026-02-14,true,Spring Festival (working day)
//! CN,2026-02-15,false,Spring Festival
//! ```
//!
//! A country has the two letters of ISO 3166. The name may be empty, and its column may be left out.

use clickhouse::Row;
use jiff::Unit;
use jiff::civil::{Date, date};
use serde::Serialize;

use super::Loaded;
use super::lines::{self, Columns, FileError};

const COLUMNS: Columns = Columns {
    names: &["country", "date", "is_working", "name"],
    required: 3,
    told: "country,date,is_working or country,date,is_working,name",
};

/// A day that is not as the day of the week says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// ISO 3166 alpha-2, upper case.
    pub country: String,
    /// Days since 1970, as `ClickHouse` counts.
    pub date: u16,
    /// Whether it is worked.
    pub is_working: bool,
    /// Of the holiday; may be empty.
    pub name: String,
}

/// A row of `calendar`; the columns are described there.
#[derive(Row, Serialize)]
pub struct DayRow {
    country: String,
    date: u16,
    is_working: bool,
    name: String,
    loaded_at: u32,
}

impl Loaded for Day {
    const TABLE: &'static str = "calendar";
    type Row = DayRow;

    fn parse(text: &[u8]) -> Result<Vec<Self>, FileError> {
        lines::read(
            text,
            &COLUMNS,
            "country and date",
            |[country, date, is_working, name]| {
                let day = Self {
                    country: country_code(country)?,
                    date: day_number(date)?,
                    is_working: truth(is_working)?,
                    name: name.to_owned(),
                };
                Ok(((day.country.clone(), day.date), day))
            },
        )
    }

    fn row(self, loaded_at: u32) -> DayRow {
        DayRow {
            country: self.country,
            date: self.date,
            is_working: self.is_working,
            name: self.name,
            loaded_at,
        }
    }
}

fn country_code(text: &str) -> Result<String, String> {
    if text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(format!("country \"{text}\" is not two letters of ISO 3166, such as CN"))
    }
}

fn day_number(text: &str) -> Result<u16, String> {
    let told = || format!("date \"{text}\" is not a day from 1970-01-01 to 2149-06-06, written as 2026-02-17");
    // jiff would also take the time of a day, and days without hyphens.
    if text.len() != "2026-02-17".len() {
        return Err(told());
    }
    let day: Date = text.parse().map_err(|_| told())?;
    let since_1970 = date(1970, 1, 1).until((Unit::Day, day)).map_err(|_| told())?;
    u16::try_from(since_1970.get_days()).map_err(|_| told())
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("is_working \"{text}\" is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::*;

    fn parsed(lines: &str) -> Result<Vec<(String, u16, bool, String)>, String> {
        let text = format!("country,date,is_working,name\n{lines}");
        let days = Day::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(days
            .into_iter()
            .map(|day| (day.country, day.date, day.is_working, day.name))
            .collect())
    }

    #[test]
    fn every_way_to_write_a_day() {
        let row = |country: &str, date, is_working, name: &str| (country.to_owned(), date, is_working, name.to_owned());
        assert_eq!(
            parsed(
                "CN,2026-02-14,TRUE,春节\ncn, 2026-02-15 ,0,\n\nJP,2026-02-15,1,\"a, b\"\nCN,1970-01-01,false,\nCN,2149-06-06,false,\n"
            ),
            Ok(vec![
                row("CN", 20_498, true, "春节"),
                row("CN", 20_499, false, ""),
                row("JP", 20_499, true, "a, b"),
                row("CN", 0, false, ""),
                row("CN", u16::MAX, false, ""),
            ])
        );
        assert_eq!(parsed(""), Ok(vec![]), "the days of the week alone");
        let without_names = Day::parse(b"country,date,is_working\nCN,2026-02-15,false\n").unwrap();
        assert_eq!(without_names.len(), 1);
        assert_eq!(without_names[0].name, "");
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let no_day = |text: &str| {
            format!("line 2: date \"{text}\" is not a day from 1970-01-01 to 2149-06-06, written as 2026-02-17")
        };
        for (lines, message) in [
            (
                "CN,2026-02-15,false,\nCHN,2026-02-16,false,\n",
                "line 3: country \"CHN\" is not two letters of ISO 3166, such as CN".to_owned(),
            ),
            (
                "国,2026-02-16,false,\n",
                "line 2: country \"国\" is not two letters of ISO 3166, such as CN".to_owned(),
            ),
            (
                ",2026-02-16,false,\n",
                "line 2: country \"\" is not two letters of ISO 3166, such as CN".to_owned(),
            ),
            ("CN,2026-02-30,false,\n", no_day("2026-02-30")),
            ("CN,20260215,false,\n", no_day("20260215")),
            ("CN,2026-02-15T00:00,false,\n", no_day("2026-02-15T00:00")),
            ("CN,15.02.2026,false,\n", no_day("15.02.2026")),
            ("CN,1969-12-31,false,\n", no_day("1969-12-31")),
            ("CN,2149-06-07,false,\n", no_day("2149-06-07")),
            (
                "CN,2026-02-15,no,\n",
                "line 2: is_working \"no\" is neither true nor false".to_owned(),
            ),
            (
                "CN,2026-02-15,,\n",
                "line 2: is_working \"\" is neither true nor false".to_owned(),
            ),
            ("CN,2026-02-15,false\n", "line 2: 3 columns instead of 4".to_owned()),
            (
                "CN,2026-02-15,false,\"Spring\nCN,2026-02-16,false,\n",
                "line 2: after \"Spring\" there is a line break or another control character: is a quote not closed?"
                    .to_owned(),
            ),
            (
                "CN,2026-02-15,false,\n\ncn,2026-02-15,true,\n",
                "line 4: the same country and date as in line 2".to_owned(),
            ),
        ] {
            assert_eq!(parsed(lines), Err(message), "{lines}");
        }
        for text in ["", "country,date\nCN,2026-02-15\n", "date,country,is_working\n"] {
            let error = Day::parse(text.as_bytes());
            assert_eq!(error, Err(FileError::Header(COLUMNS.told)), "{text}");
        }
    }

    /// A year of the arrangement of China moves days of rest and makes none: each year has as many days of work as its statutory
    /// holidays leave.
    #[test]
    fn the_calendar_of_china_has_the_statutory_holidays() {
        let text = include_bytes!("../../../deploy/clickhouse/calendar-cn.csv");
        let days = Day::parse(text).unwrap();
        assert!(days.iter().all(|day| day.country == "CN" && !day.name.is_empty()));
        // A holiday is 11 days a year until 2024 and 13 since (order 795 of the State Council).
        for (year, statutory) in [(2024, 11), (2025, 13), (2026, 13)] {
            let mut balance = 0;
            for day in &days {
                let date = date(1970, 1, 1)
                    .checked_add(jiff::Span::new().days(i64::from(day.date)))
                    .unwrap();
                let is_weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
                if date.year() != year {
                    continue;
                }
                assert!(is_weekend || !day.is_working, "{date} is worked anyway");
                match (is_weekend, day.is_working) {
                    (true, true) => balance -= 1,
                    (false, false) => balance += 1,
                    _ => {}
                }
            }
            assert_eq!(balance, statutory, "{year}");
        }
    }
}
