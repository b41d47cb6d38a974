//! The parameters of the API, read from the query string and checked. Pure.
//!
//! Every value is bound by the server as a parameter of a statement, never written into the statement's text.

use courierflow_schemas::carriers::UNKNOWN_CARRIER;
use courierflow_schemas::identifier::{self, is_identifier, is_name};
use courierflow_schemas::provinces;
use courierflow_schemas::records::{Status, Vendor};
use jiff::ToSpan;
use jiff::civil::Date;

use super::answer::Refusal;
use super::cursor::Cursor;
use super::figures::{FIGURES, Figure};

/// Most carriers in a request, as many as fit on a page.
const MAX_CARRIERS: usize = 20;
/// Number of days if the request names none.
const DEFAULT_DAYS: i32 = 30;

/// Why a subscription needs somebody: the values of `attention` in the view `subscription_attention`.
pub(super) const ATTENTION: [&str; 5] = ["ACCOUNT_STOPPED", "FOREIGN", "NO_FIRST_PUSH", "QUOTA", "REJECTED"];

/// A parameter of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    From,
    To,
    Carrier,
    Vendor,
    Origin,
    Dest,
    Account,
    Attention,
    Number,
    Reference,
    Limit,
    Figure,
    Status,
    Reason,
    Code,
    Party,
    Cursor,
    Table,
}

impl Parameter {
    const ALL: [Self; 18] = [
        Self::From,
        Self::To,
        Self::Carrier,
        Self::Vendor,
        Self::Origin,
        Self::Dest,
        Self::Account,
        Self::Attention,
        Self::Number,
        Self::Reference,
        Self::Limit,
        Self::Figure,
        Self::Status,
        Self::Reason,
        Self::Code,
        Self::Party,
        Self::Cursor,
        Self::Table,
    ];

    /// Its name in a URL.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
            Self::Carrier => "carrier",
            Self::Vendor => "vendor",
            Self::Origin => "origin",
            Self::Dest => "dest",
            Self::Account => "account",
            Self::Attention => "attention",
            Self::Number => "number",
            Self::Reference => "reference",
            Self::Limit => "limit",
            Self::Figure => "figure",
            Self::Status => "status",
            Self::Reason => "reason",
            Self::Code => "code",
            Self::Party => "party",
            Self::Cursor => "cursor",
            Self::Table => "table",
        }
    }
}

/// A checked request: which parcels, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// First day of pickup, or of what else the endpoint counts; China time.
    pub(super) from: Date,
    /// Last day of it, China time.
    pub(super) to: Date,
    /// Canonical codes; empty means all.
    pub(super) carriers: Vec<String>,
    /// None means all.
    pub(super) vendor: Option<Vendor>,
    /// Code of the province, `CN44`; None means all.
    pub(super) origin: Option<String>,
    pub(super) dest: Option<String>,
    /// Name of a contract with a vendor; None means all.
    pub(super) account: Option<String>,
    /// One of [`ATTENTION`]; None means all.
    pub(super) attention: Option<&'static str>,
    /// As ingest keeps it (rules 3.1, 3.4): upper case. Empty if not asked for.
    pub(super) number: String,
    /// The subscriber's own name of an order. Empty if not asked for.
    pub(super) reference: String,
    pub(super) limit: u32,
    /// Whose parcels are listed.
    pub(super) figure: &'static Figure,
    /// None means all.
    pub(super) status: Option<&'static str>,
    /// None means all, with an exception or without.
    pub(super) exception: Option<ExceptionName>,
    /// Where the page before ended; the default is before the first one.
    pub(super) after: Cursor,
    /// The member of the answer that is wanted as a file; None means its first.
    pub(super) table: Option<String>,
}

/// An exception by one of its names, as in view `parcel_exception`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExceptionName {
    /// code, reason or party
    pub(super) kind: &'static str,
    pub(super) name: String,
}

/// The limits of the configuration, and the day of the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) today: Date,
    pub(super) max_days: u16,
    /// Rows of a list: those of one that names no limit, and the most.
    pub(super) rows: (u32, u32),
}

/// Rows of a list in an answer: so many unless the request says otherwise, and most.
pub(super) const ROWS: (u32, u32) = (100, 500);

/// Reads a query string with parameters of `allowed`.
pub(super) fn read(query: &str, allowed: &[Parameter], bounds: Bounds) -> Result<Question, Refusal> {
    let mut values: Vec<(Parameter, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // The language of the page is in the same URL and means nothing here.
        let Some(parameter) = Parameter::ALL.into_iter().find(|parameter| parameter.as_str() == name) else {
            return Err(Refusal::bad_parameter(
                &name.chars().take(40).collect::<String>(),
                "unknown_parameter",
                &format!("is not known here; there are {}", list(allowed)),
            ));
        };
        let refuse = |reason: &str| Err(Refusal::bad_parameter(parameter.as_str(), "bad_parameter", reason));
        if !allowed.contains(&parameter) {
            return refuse(&format!("does not apply here; there are {}", list(allowed)));
        }
        if values.iter().any(|(known, _)| *known == parameter) {
            return refuse("is there twice; several carriers are separated by commas");
        }
        values.push((parameter, value.into_owned()));
    }
    // Forms send an empty value for a field that was not filled in.
    let value = |parameter| {
        values
            .iter()
            .find(|(known, _)| *known == parameter)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };

    let (from, to) = dates(value(Parameter::From), value(Parameter::To), bounds)?;
    let number = value(Parameter::Number).map_or(Ok(String::new()), number)?;
    if number.is_empty() && allowed.contains(&Parameter::Number) {
        return Err(Refusal::bad_parameter(
            "number",
            "missing_parameter",
            "is missing: the tracking number of a parcel",
        ));
    }
    let reference = value(Parameter::Reference).map_or(Ok(String::new()), reference)?;
    if reference.is_empty() && allowed.contains(&Parameter::Reference) {
        return Err(Refusal::bad_parameter(
            "reference",
            "missing_parameter",
            "is missing: the subscriber's own name of an order",
        ));
    }
    Ok(Question {
        from,
        to,
        carriers: value(Parameter::Carrier).map_or(Ok(Vec::new()), carriers)?,
        vendor: value(Parameter::Vendor).map(vendor).transpose()?,
        origin: value(Parameter::Origin)
            .map(|text| province("origin", text))
            .transpose()?,
        dest: value(Parameter::Dest).map(|text| province("dest", text)).transpose()?,
        account: value(Parameter::Account).map(account).transpose()?,
        attention: value(Parameter::Attention).map(attention).transpose()?,
        number,
        reference,
        limit: value(Parameter::Limit).map_or(Ok(bounds.rows.0), |text| limit(text, bounds.rows.1))?,
        figure: value(Parameter::Figure).map_or(Ok(Figure::every_parcel()), figure)?,
        status: value(Parameter::Status).map(status).transpose()?,
        exception: exception(&[
            ("code", value(Parameter::Code)),
            ("reason", value(Parameter::Reason)),
            ("party", value(Parameter::Party)),
        ])?,
        after: value(Parameter::Cursor).map_or(Ok(Cursor::default()), cursor)?,
        table: value(Parameter::Table).map(str::to_owned),
    })
}

fn list(parameters: &[Parameter]) -> String {
    if parameters.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.as_str()).collect();
    names.join(", ")
}

fn dates(from: Option<&str>, to: Option<&str>, bounds: Bounds) -> Result<(Date, Date), Refusal> {
    let to = to.map_or(Ok(bounds.today), |text| date("to", text))?;
    let from = match from {
        Some(text) => date("from", text)?,
        None => to.saturating_sub((DEFAULT_DAYS - 1).days()),
    };
    if from > to {
        return Err(Refusal::bad_parameter(
            "from",
            "reversed_dates",
            &format!("{from} is after to, {to}"),
        ));
    }
    let days = from
        .until(to)
        .map_or(i32::MAX, |span| span.get_days().saturating_add(1));
    if days > i32::from(bounds.max_days) {
        return Err(Refusal::bad_parameter(
            "from",
            "too_many_days",
            &format!("{from} to {to} are {days} days, more than {}", bounds.max_days),
        ));
    }
    Ok((from, to))
}

fn date(field: &str, text: &str) -> Result<Date, Refusal> {
    // jiff also accepts times and zones, of which only the day would be used.
    let looks_right = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse::<Date>()
        .ok()
        .filter(|_| looks_right)
        // What ClickHouse's Date can hold.
        .filter(|date| (1970..=2148).contains(&date.year()))
        .ok_or_else(|| {
            Refusal::bad_parameter(
                field,
                "bad_date",
                &format!(
                    "{} is no date of the form 2026-01-31 between 1970 and 2148",
                    quoted(text)
                ),
            )
        })
}

fn carriers(text: &str) -> Result<Vec<String>, Refusal> {
    let mut carriers: Vec<String> = text
        .split(',')
        .filter(|code| !code.trim().is_empty())
        // What counts as missing is asked for as derived records have it: a filter that vanished would show everything.
        .map(|code| match identifier::carrier_code(code) {
            missing if missing.is_empty() => UNKNOWN_CARRIER.to_owned(),
            code => code.to_lowercase(),
        })
        .collect();
    carriers.sort();
    carriers.dedup();
    let refuse = |reason: String| Err(Refusal::bad_parameter("carrier", "bad_carrier", &reason));
    if carriers.len() > MAX_CARRIERS {
        return refuse(format!("names {} carriers, more than {MAX_CARRIERS}", carriers.len()));
    }
    // Unlisted codes are allowed, because they pass through from vendors.
    match carriers.iter().find(|code| !is_identifier(code)) {
        Some(code) => refuse(format!("{} is no code of a carrier", quoted(code))),
        None => Ok(carriers),
    }
}

fn vendor(text: &str) -> Result<Vendor, Refusal> {
    let known = Vendor::ALL.into_iter().find(|vendor| vendor.as_str() == text);
    known.ok_or_else(|| {
        let names = Vendor::ALL.map(Vendor::as_str).join(" and ");
        Refusal::bad_parameter(
            "vendor",
            "unknown_vendor",
            &format!("{} is no vendor; there are {names}", quoted(text)),
        )
    })
}

/// `CN44`, or a longer area code of the same province.
fn province(field: &str, text: &str) -> Result<String, Refusal> {
    let code = text.get(..4).unwrap_or(text);
    let digits = text.get(2..).unwrap_or_default();
    let known = provinces::PROVINCES.iter().find(|province| province.code == code);
    match known {
        Some(province) if digits.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 14 => {
            Ok(province.code.to_owned())
        }
        _ => Err(Refusal::bad_parameter(
            field,
            "unknown_province",
            &format!("{} is no province: CN and two digits, such as CN44", quoted(text)),
        )),
    }
}

fn account(text: &str) -> Result<String, Refusal> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    let reason = format!("{} is no name of an account", quoted(text));
    Err(Refusal::bad_parameter("account", "bad_account", &reason))
}

fn attention(text: &str) -> Result<&'static str, Refusal> {
    let known = ATTENTION.into_iter().find(|name| *name == text);
    known.ok_or_else(|| {
        let reason = format!("{} is no such reason; there are {}", quoted(text), ATTENTION.join(", "));
        Refusal::bad_parameter("attention", "unknown_attention", &reason)
    })
}

fn number(text: &str) -> Result<String, Refusal> {
    let number = identifier::normalised(text);
    if is_identifier(&number) {
        return Ok(number.to_ascii_uppercase());
    }
    Err(Refusal::bad_parameter(
        "number",
        "bad_number",
        &format!(
            "is no tracking number: 1 to {} bytes without control characters",
            identifier::MAX_BYTES
        ),
    ))
}

fn reference(text: &str) -> Result<String, Refusal> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    let reason = format!("{} is no name of an order: 1 to 64 of A-Z a-z 0-9 . _ -", quoted(text));
    Err(Refusal::bad_parameter("reference", "bad_reference", &reason))
}

fn figure(text: &str) -> Result<&'static Figure, Refusal> {
    let known = FIGURES.iter().find(|figure| figure.name == text);
    known.ok_or_else(|| {
        let names: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        let reason = format!(
            "{} is no figure with parcels; there are {}",
            quoted(text),
            names.join(", ")
        );
        Refusal::bad_parameter("figure", "unknown_figure", &reason)
    })
}

fn status(text: &str) -> Result<&'static str, Refusal> {
    let known = Status::ALL.iter().find(|status| status.as_str() == text);
    known.map(|status| status.as_str()).ok_or_else(|| {
        let names: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
        let reason = format!("{} is no status; there are {}", quoted(text), names.join(", "));
        Refusal::bad_parameter("status", "unknown_status", &reason)
    })
}

/// A code, a reason or a party. They are three names of the same exception, so one is enough. Names are open sets: an unknown one has no
/// parcels.
fn exception(asked: &[(&'static str, Option<&str>)]) -> Result<Option<ExceptionName>, Refusal> {
    let mut names = asked.iter().filter_map(|(kind, name)| Some((*kind, (*name)?)));
    let Some((kind, name)) = names.next() else {
        return Ok(None);
    };
    if let Some((other, _)) = names.next() {
        let reason = format!("does not go with {kind}: an exception is asked for by one of its names");
        return Err(Refusal::bad_parameter(other, "bad_parameter", &reason));
    }
    if !is_identifier(name) {
        let reason = format!("{} is no name of an exception", quoted(name));
        return Err(Refusal::bad_parameter(kind, "bad_exception", &reason));
    }
    let name = name.to_owned();
    Ok(Some(ExceptionName { kind, name }))
}

fn cursor(text: &str) -> Result<Cursor, Refusal> {
    Cursor::read(text).ok_or_else(|| {
        let reason = format!("{} is not what an answer gave as next", quoted(text));
        Refusal::bad_parameter("cursor", "bad_cursor", &reason)
    })
}

fn limit(text: &str, most: u32) -> Result<u32, Refusal> {
    let number = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    number.ok_or_else(|| {
        Refusal::bad_parameter(
            "limit",
            "bad_limit",
            &format!("{} is no number from 1 to {most}", quoted(text)),
        )
    })
}

/// The beginning of a value, quoted in a message.
fn quoted(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    let rest = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{rest}")
}

#[cfg(test)]
mod tests {
    use super::Parameter::{Account, Attention, Carrier, Dest, From, Limit, Number, Origin, To};
    use super::*;

    const FILTERS: &[Parameter] = &[
        From,
        To,
        Carrier,
        Parameter::Vendor,
        Origin,
        Dest,
        Account,
        Attention,
        Limit,
    ];

    fn bounds() -> Bounds {
        Bounds {
            today: jiff::civil::date(2026, 11, 22),
            max_days: 400,
            rows: ROWS,
        }
    }

    fn question(query: &str) -> Question {
        read(query, FILTERS, bounds()).unwrap_or_else(|refusal| panic!("{query}: {refusal:?}"))
    }

    #[test]
    fn without_parameters_the_last_thirty_days_of_everything() {
        let all = question("");
        assert_eq!(
            (all.from.to_string(), all.to.to_string()),
            ("2026-10-24".into(), "2026-11-22".into())
        );
        assert_eq!((all.carriers.len(), all.vendor, all.limit), (0, None, 100));
        assert_eq!((all.origin, all.dest), (None, None));
        assert_eq!((all.account, all.attention), (None, None));
        assert_eq!(
            question("from=&to=&carrier=&vendor=&origin=&dest=&account=&attention=&limit="),
            question("")
        );
    }

    #[test]
    fn what_is_asked_for_is_what_comes_out() {
        let asked = question(
            "from=2026-01-01&to=2026-01-31&carrier=SF,%20zto,sf&vendor=kdniao&origin=CN440305000000&dest=CN31&limit=7",
        );
        assert_eq!(asked.from, jiff::civil::date(2026, 1, 1));
        assert_eq!(asked.to, jiff::civil::date(2026, 1, 31));
        assert_eq!(asked.carriers, ["sf", "zto"]);
        let missing = question("carrier={from:Date},sf,%E2%80%8B").carriers;
        assert_eq!(missing, ["sf", "unknown"], "never no filter at all");
        assert_eq!(asked.vendor, Some(Vendor::Kdniao));
        assert_eq!(
            (asked.origin.as_deref(), asked.dest.as_deref()),
            (Some("CN44"), Some("CN31"))
        );
        assert_eq!(asked.limit, 7);
        let asked = question("account=web-shop.2&attention=QUOTA");
        assert_eq!(
            (asked.account.as_deref(), asked.attention),
            (Some("web-shop.2"), Some("QUOTA"))
        );
        // No character in a value is special, because it is bound as a parameter.
        assert_eq!(
            question("carrier=%27%3B+DROP+TABLE+shipment--").carriers,
            ["'; drop table shipment--"]
        );
        let parcel = read("number=+yt'1%22%5C+", &[Number], bounds()).unwrap();
        assert_eq!(parcel.number, "YT'1\"\\");
        // As people paste it.
        let pasted = read(
            "number=%EF%BB%BF%E3%80%80%EF%BD%99%EF%BD%941%E2%80%8B2%C2%A0",
            &[Number],
            bounds(),
        )
        .unwrap();
        assert_eq!(pasted.number, "YT12");
        assert_eq!(
            question("carrier=%EF%BD%93%EF%BD%86,%E2%80%8Bzto").carriers,
            ["sf", "zto"]
        );
        // A year with a leap day, and one day.
        question("from=2025-10-19&to=2026-11-22");
        question("from=2026-11-22&to=2026-11-22");
    }

    #[test]
    fn a_list_is_of_a_figure_and_of_one_name_of_an_exception() {
        const OF_PARCELS: &[Parameter] = &[
            Parameter::Figure,
            Parameter::Status,
            Parameter::Reason,
            Parameter::Code,
            Parameter::Party,
            Parameter::Cursor,
            Limit,
        ];
        let asked = |query: &str| read(query, OF_PARCELS, bounds());
        let all = asked("figure=&status=&reason=&code=&party=&cursor=").unwrap();
        assert_eq!((all.figure.name, all.status, all.exception), ("parcels", None, None));
        assert_eq!(all.after, Cursor::default());
        let some = asked(
            "figure=late_72h&status=IN_TRANSIT&code=204&cursor=%5B%22sf%22,%221%22,%22kdniao%22,%222026-01-02%22%5D",
        );
        let some = some.unwrap();
        assert_eq!((some.figure.name, some.status), ("late_72h", Some("IN_TRANSIT")));
        let name = "204".to_owned();
        assert_eq!(some.exception, Some(ExceptionName { kind: "code", name }));
        assert_eq!((some.after.carrier.as_str(), some.after.number.as_str()), ("sf", "1"));
        for (query, field, code) in [
            ("figure=late", "figure", "unknown_figure"),
            ("status=in_transit", "status", "unknown_status"),
            ("code=204&reason=REFUSED", "reason", "bad_parameter"),
            ("reason=a%0Ab", "reason", "bad_exception"),
            ("cursor=1", "cursor", "bad_cursor"),
            ("limit=501", "limit", "bad_limit"),
        ] {
            let refusal = asked(query).unwrap_err();
            assert_eq!((refusal.field.as_deref(), refusal.code), (Some(field), code), "{query}");
        }
        let rows = (100_000, 100_000);
        let file = Bounds { rows, ..bounds() };
        assert_eq!(read("", OF_PARCELS, file).unwrap().limit, 100_000);
        assert!(read("limit=100001", OF_PARCELS, file).is_err());
    }

    #[test]
    fn an_order_is_asked_for_by_its_name() {
        let read = |query| read(query, &[Parameter::Reference, Account], bounds());
        assert_eq!(read("reference=+SO-17+").unwrap().reference, "SO-17");
        for (query, code) in [
            ("", "missing_parameter"),
            ("reference=+", "missing_parameter"),
            ("reference=SO+17", "bad_reference"),
            ("reference=%E5%BC%A0", "bad_reference"),
        ] {
            let refusal = read(query).expect_err(query);
            assert_eq!(
                (refusal.field.as_deref(), refusal.code),
                (Some("reference"), code),
                "{query}"
            );
        }
    }

    #[test]
    fn bad_questions_are_refused_with_the_field() {
        let long = "x".repeat(129);
        let many: Vec<String> = (0..21).map(|number| format!("c{number}")).collect();
        for (query, field, code) in [
            ("from=2026-11-23", "from", "reversed_dates"),
            ("from=2026-02-02&to=2026-02-01", "from", "reversed_dates"),
            ("from=2016-01-01&to=2026-01-01", "from", "too_many_days"),
            ("from=2025-10-18&to=2026-11-22", "from", "too_many_days"),
            ("from=yesterday", "from", "bad_date"),
            ("to=2026-02-30", "to", "bad_date"),
            ("to=2026-02-03T00:00", "to", "bad_date"),
            ("to=20260203", "to", "bad_date"),
            ("to=1969-12-31", "to", "bad_date"),
            ("to=9999-12-31", "to", "bad_date"),
            ("from=-009999-01-01", "from", "bad_date"),
            ("vendor=fedex", "vendor", "unknown_vendor"),
            ("vendor=KDNIAO", "vendor", "unknown_vendor"),
            ("origin=CN99", "origin", "unknown_province"),
            ("origin=44", "origin", "unknown_province"),
            ("dest=CN44x", "dest", "unknown_province"),
            ("dest=广东", "dest", "unknown_province"),
            ("carrier=a%00b", "carrier", "bad_carrier"),
            (&format!("carrier={long}"), "carrier", "bad_carrier"),
            (&format!("carrier={}", many.join(",")), "carrier", "bad_carrier"),
            ("account=a+b", "account", "bad_account"),
            ("account=%27", "account", "bad_account"),
            (&format!("account={long}"), "account", "bad_account"),
            ("attention=quota", "attention", "unknown_attention"),
            ("attention=%27+OR+1", "attention", "unknown_attention"),
            ("limit=0", "limit", "bad_limit"),
            ("limit=501", "limit", "bad_limit"),
            ("limit=1e3", "limit", "bad_limit"),
            ("carrier=a&carrier=b", "carrier", "bad_parameter"),
            ("number=1", "number", "bad_parameter"),
            ("query=SELECT+1", "query", "unknown_parameter"),
        ] {
            let refusal = read(query, FILTERS, bounds()).expect_err(query);
            assert_eq!((refusal.field.as_deref(), refusal.code), (Some(field), code), "{query}");
        }
    }

    #[test]
    fn a_parcel_needs_a_number() {
        for (query, code) in [
            ("", "missing_parameter"),
            ("number=%20", "missing_parameter"),
            ("number=%E2%80%8B%20", "missing_parameter"),
            ("number=a%0Ab", "bad_number"),
            (&format!("number={}", "1".repeat(129)), "bad_number"),
        ] {
            let refusal = read(query, &[Number], bounds()).expect_err(query);
            assert_eq!(
                (refusal.field.as_deref(), refusal.code),
                (Some("number"), code),
                "{query}"
            );
        }
    }
}
