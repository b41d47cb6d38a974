//! Which carrier a vendor's code means: the mapping of `carriers.csv`, a user's own file laid over it, and the look-up in both.
//!
//! One company has one canonical code, whatever the vendor calls it. A vendor's code that the mapping does not have passes
//! through as it is. If another company has that text as its canonical code, it passes through behind the vendor's name and a
//! dot (`kdniao.sf`), which no canonical code can hold: parcels of two companies never meet under one code.

mod file;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

pub use file::CarriersFileError;

use crate::identifier;
use crate::records::Vendor;

/// The mapping file that is part of the program: one row for each vendor and code.
pub const CARRIERS_CSV: &str = include_str!("../../carriers.csv");

/// Canonical code of a parcel whose carrier the vendor did not name.
pub const UNKNOWN_CARRIER: &str = "unknown";

/// One row of a mapping file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Whose code it is.
    pub vendor: Vendor,
    /// The vendor's code, lower case; [`Carrier::written`] is what the vendor knows.
    pub code: String,
    /// Our canonical code: `[a-z0-9-]+`. Several codes of a vendor may mean one carrier.
    pub carrier: String,
    /// What the vendor's code is called in Chinese.
    pub name: String,
    /// The same in English.
    pub name_en: String,
    /// These names are the usual ones of the carrier.
    pub usual: bool,
    /// All of its parcels cross borders, even when a push names no time zone.
    pub international: bool,
    /// IANA zone in which it tells its times, where one zone is certain.
    pub zone: Option<String>,
    /// ISO 3166 code of the country in which it is at home, where that is known.
    pub country: Option<String>,
}

/// A carrier and its usual names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Canonical code.
    pub code: String,
    /// The name that users know, in Chinese.
    pub name: String,
    /// The same in English.
    pub name_en: String,
}

/// What the name of a carrier means to a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// One of its codes.
    One(&'a Carrier),
    /// Any of several codes of the same carrier, none of which is the usual one.
    Several,
    /// None.
    Unknown,
}

/// All rows, and what follows from them.
#[derive(Clone, PartialEq, Eq)]
pub struct Carriers {
    /// In order of vendor and code, for the look-up.
    rows: Vec<Carrier>,
    /// In order of canonical code.
    companies: Vec<Company>,
}

static BUILT_IN: LazyLock<Carriers> = LazyLock::new(|| {
    // A row that cannot be read is left out, so that a bad file cannot stop a service; the tests refuse such a file.
    let rows = file::rows(CARRIERS_CSV.as_bytes()).into_iter().flatten();
    let rows: Vec<Carrier> = rows.flatten().map(|(_, row)| row).collect();
    let companies = rows.iter().filter(|row| row.usual).map(Company::of);
    let companies = companies.map(|company| (company.code.clone(), company)).collect();
    Carriers::new(rows, companies)
});

impl Carriers {
    /// The mapping that is part of the program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The mapping that is part of the program, with a user's rows laid over it. `text` is a CSV file with the columns of
    /// `carriers.csv`: a row with the vendor and code of a built-in one replaces it, others are added. A row marked `usual` gives
    /// its carrier the names; a carrier that is new needs such a row if several rows name it.
    pub fn with_file(text: &[u8]) -> Result<Self, CarriersFileError> {
        let Self { rows, companies } = Self::built_in();
        let mut rows: BTreeMap<(Vendor, String), Carrier> = rows.iter().cloned().map(keyed).collect();
        let mut companies: BTreeMap<String, Company> = (companies.iter().cloned())
            .map(|company| (company.code.clone(), company))
            .collect();
        let own = file::checked_rows(text)?;
        companies.extend(file::companies(&own, &companies)?);
        rows.extend(own.into_iter().map(|(_, row)| keyed(row)));
        Ok(Self::new(rows.into_values().collect(), companies))
    }

    /// Carriers to which no row leads any more are left out.
    fn new(mut rows: Vec<Carrier>, mut companies: BTreeMap<String, Company>) -> Self {
        rows.sort_by(|a, b| (a.vendor, &a.code).cmp(&(b.vendor, &b.code)));
        let mut named: Vec<&str> = rows.iter().map(|row| row.carrier.as_str()).collect();
        named.sort_unstable();
        companies.retain(|code, _| named.binary_search(&code.as_str()).is_ok());
        Self {
            companies: companies.into_values().collect(),
            rows,
        }
    }

    /// The row of a vendor's code ([normalised](identifier::carrier_code), in any case), if there is one.
    pub fn find(&self, vendor: Vendor, code: &str) -> Option<&Carrier> {
        let code = identifier::carrier_code(code);
        // Letter by letter, so that nothing is allocated: Kdniao writes its codes in upper case.
        let lower_case = || code.chars().flat_map(char::to_lowercase);
        let found = (self.rows)
            .binary_search_by(|row| (row.vendor.cmp(&vendor)).then_with(|| row.code.chars().cmp(lower_case())));
        self.rows.get(found.ok()?)
    }

    /// The row that somebody means who names a carrier to a vendor: by the vendor's own code, or by the canonical one. Of several codes
    /// of a canonical one it is the usual one.
    pub fn named(&self, vendor: Vendor, code: &str) -> Named<'_> {
        if let Some(row) = self.find(vendor, code) {
            return Named::One(row);
        }
        let canonical = lower_case(code);
        let first = self.rows.partition_point(|row| row.vendor < vendor);
        let of_vendor = self.rows.iter().skip(first).take_while(|row| row.vendor == vendor);
        let mut found = Named::Unknown;
        for row in of_vendor.filter(|row| row.carrier == canonical) {
            found = match found {
                _ if row.usual => return Named::One(row),
                Named::Unknown => Named::One(row),
                Named::One(_) | Named::Several => Named::Several,
            };
        }
        found
    }

    /// Canonical code of a vendor's code. One that is not mapped stays as it is, in lower case, behind the vendor's name and a dot
    /// if it is the canonical code of a carrier; a missing one is `unknown`.
    pub fn canonical<'a>(&'a self, vendor: Vendor, code: &'a str) -> Cow<'a, str> {
        if let Some(row) = self.find(vendor, code) {
            return Cow::Borrowed(row.carrier.as_str());
        }
        match lower_case(code) {
            blank if blank.is_empty() => Cow::Borrowed(UNKNOWN_CARRIER),
            code if self.company(&code).is_some() => Cow::Owned(format!("{vendor}.{code}")),
            code => code,
        }
    }

    /// Whether a carrier of a record is one of the mapping, or one that the vendor did not name. Others have passed through.
    pub fn is_mapped(&self, carrier: &str) -> bool {
        carrier == UNKNOWN_CARRIER || self.company(carrier).is_some()
    }

    /// The carrier of a canonical code.
    pub fn company(&self, code: &str) -> Option<&Company> {
        let found = self
            .companies
            .binary_search_by(|company| company.code.as_str().cmp(code));
        self.companies.get(found.ok()?)
    }

    /// The carriers, in order of canonical code.
    pub fn companies(&self) -> &[Company] {
        &self.companies
    }

    /// The rows, in order of vendor and code.
    pub fn rows(&self) -> &[Carrier] {
        &self.rows
    }
}

/// Thousands of rows say nothing in a log.
impl fmt::Debug for Carriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Carriers({} rows)", self.rows.len())
    }
}

impl Carrier {
    /// The code as the vendor itself writes it, for calls to the vendor: Kdniao's is in upper case.
    pub fn written(&self) -> Cow<'_, str> {
        match self.vendor {
            Vendor::Kdniao => Cow::Owned(self.code.to_uppercase()),
            Vendor::Kuaidi100 | Vendor::SeventeenTrack => Cow::Borrowed(&self.code),
        }
    }
}

impl Company {
    fn of(row: &Carrier) -> Self {
        Self {
            code: row.carrier.clone(),
            name: row.name.clone(),
            name_en: row.name_en.clone(),
        }
    }
}

fn keyed(row: Carrier) -> ((Vendor, String), Carrier) {
    ((row.vendor, row.code.clone()), row)
}

fn lower_case(code: &str) -> Cow<'_, str> {
    let is_lower_case = |code: &str| {
        code.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match identifier::carrier_code(code) {
        code if is_lower_case(&code) => code,
        code => Cow::Owned(code.to_lowercase()),
    }
}

#[cfg(test)]
mod tests;
