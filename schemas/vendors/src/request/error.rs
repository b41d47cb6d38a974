//! Why an item is refused: for every code its name and what it says. None of it holds a value of the item, which may be a
//! telephone number in the wrong place.

use std::borrow::Cow;

/// What is wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Not an object.
    NotAnObject,
    /// A member that there is not.
    UnknownField,
    /// No tracking number, or not one that vendors take.
    BadNumber,
    /// No id of the request, or one that cannot be used.
    BadRequestId,
    /// No vendor with that name can be asked.
    UnknownVendor,
    /// There is no such account.
    UnknownAccount,
    /// The account is another one's.
    ForeignAccount,
    /// No carrier, or one that the account does not take.
    UnknownCarrier,
    /// A carrier, and the wish to have it detected.
    CarrierAndAuto,
    /// Neither true nor false.
    BadFlag,
    /// The carrier tells nothing without a telephone number.
    PhoneRequired,
    /// Not a telephone number.
    BadPhone,
    /// The API wants to know where the parcel comes from or goes to.
    PlacesRequired,
    /// Not a place.
    BadPlace,
    /// Not a product.
    BadProduct,
    /// The two ends of an international parcel are not told right, or the account does not take such parcels.
    BadInternational,
    /// Not a reference.
    BadReference,
    /// Not a time, or one far away.
    BadNotBefore,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::NotAnObject,
        Self::UnknownField,
        Self::BadNumber,
        Self::BadRequestId,
        Self::UnknownVendor,
        Self::UnknownAccount,
        Self::ForeignAccount,
        Self::UnknownCarrier,
        Self::CarrierAndAuto,
        Self::BadFlag,
        Self::PhoneRequired,
        Self::BadPhone,
        Self::PlacesRequired,
        Self::BadPlace,
        Self::BadProduct,
        Self::BadInternational,
        Self::BadReference,
        Self::BadNotBefore,
    ];

    /// Its stable name, and the text for people.
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::NotAnObject => ("not_an_object", "is not a JSON object"),
            Self::UnknownField => ("unknown_field", "there is no such member"),
            Self::BadNumber => ("bad_number", "must be 5 to 50 of A-Z a-z 0-9 -"),
            Self::BadRequestId => (
                "bad_request_id",
                "must be 1 to 64 printable ASCII characters without spaces",
            ),
            Self::UnknownVendor => ("unknown_vendor", "no account of such a vendor can be asked"),
            Self::UnknownAccount => ("unknown_account", "there is no such account"),
            Self::ForeignAccount => ("foreign_account", "the token may not use this account"),
            Self::UnknownCarrier => ("unknown_carrier", "is no carrier that the account takes"),
            Self::CarrierAndAuto => ("carrier_and_auto", "is detected with auto_carrier, so it must be null"),
            Self::BadFlag => ("bad_flag", "must be true or false"),
            Self::PhoneRequired => (
                "phone_required",
                "the carrier tells nothing without it; the last four digits do",
            ),
            Self::BadPhone => (
                "bad_phone",
                "must be one telephone number, or the last four digits of one",
            ),
            Self::PlacesRequired => ("places_required", "is required: province, city, district"),
            Self::BadPlace => (
                "bad_place",
                "must be province, city, district and nothing else, such as 广东省深圳市南山区",
            ),
            Self::BadProduct => ("bad_product", "must be PLAIN, AREA, ADVANCED or FORECAST"),
            Self::BadInternational => (
                "bad_international",
                "must have departure_country, departure_carrier, destination_country or destination_carrier",
            ),
            Self::BadReference => ("bad_reference", "must be 1 to 64 of A-Z a-z 0-9 . _ -"),
            Self::BadNotBefore => (
                "bad_not_before",
                "must be a time with an offset, such as 2026-11-30T18:00:00+08:00",
            ),
        }
    }

    /// Its stable name, in answers and metrics.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The usual error about a member.
    pub(crate) fn at(self, field: impl Into<Cow<'static, str>>) -> ItemError {
        self.says(field, self.row().1)
    }

    /// An error about a member, with words of its own.
    pub(crate) fn says(self, field: impl Into<Cow<'static, str>>, message: &'static str) -> ItemError {
        ItemError {
            code: self,
            message,
            field: field.into(),
        }
    }
}

/// Why one item is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message} ({code})", code = code.as_str())]
pub struct ItemError {
    /// What is wrong.
    pub code: Code,
    /// The same in words, to be read behind the name of the member.
    pub message: &'static str,
    /// The member; empty if it is the item as a whole.
    pub field: Cow<'static, str>,
}
