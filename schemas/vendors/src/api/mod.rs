//! What is asked of the vendors' APIs, and what their answers mean. Pure: an order becomes a request, an answer becomes a class.
//! Somebody else sends the one and receives the other.
//!
//! | room | what |
//! |---|---|
//! | [`order`] | what is asked, and why it cannot be asked |
//! | [`request`] | the HTTP request, of which nothing can be printed |
//! | [`answer`] | what came of a call |
//! | `mask` | the vendors' words as others may read them |
//! | [`table`] | the vendors' codes, one row a code |
//! | [`phone`], [`callback`], [`ids`] | telephone numbers, addresses for pushes, ids of calls |

pub mod answer;
pub mod callback;
pub mod ids;
mod mask;
pub mod order;
pub mod phone;
pub mod request;
pub mod table;

use std::ops::RangeInclusive;

use courierflow_schemas::records::Vendor;

use crate::api::answer::{Answer, Exchange, QueryAnswer};
use crate::api::order::{ApiAccount, OrderError, QueryOrder, SubscribeOrder};
use crate::api::request::CallRequest;
use crate::api::table::AnswerTable;

/// Which API of a vendor an account uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiKind {
    /// Kuaidi100, enterprise contract: a form with the key in it.
    Kuaidi100Enterprise,
    /// Kuaidi100, bought on the cloud's marketplace: JSON with an `AppCode`.
    Kuaidi100Market,
    /// Kuaidi100, map track: both places are needed.
    Kuaidi100Map,
    /// Kdniao, cross-border.
    KdniaoCrossBorder,
    /// Kdniao, domestic.
    KdniaoDomestic,
    /// 17TRACK.
    SeventeenTrack,
}

impl ApiKind {
    /// Every API.
    pub const ALL: [Self; 6] = [
        Self::Kuaidi100Enterprise,
        Self::Kuaidi100Market,
        Self::Kuaidi100Map,
        Self::KdniaoCrossBorder,
        Self::KdniaoDomestic,
        Self::SeventeenTrack,
    ];

    /// Its name in settings, records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kuaidi100Enterprise => "kuaidi100_enterprise",
            Self::Kuaidi100Market => "kuaidi100_market",
            Self::Kuaidi100Map => "kuaidi100_map",
            Self::KdniaoCrossBorder => "kdniao_cross_border",
            Self::KdniaoDomestic => "kdniao_domestic",
            Self::SeventeenTrack => "17track",
        }
    }

    /// The API with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whose API it is.
    pub const fn vendor(self) -> Vendor {
        match self {
            Self::Kuaidi100Enterprise | Self::Kuaidi100Market | Self::Kuaidi100Map => Vendor::Kuaidi100,
            Self::KdniaoCrossBorder | Self::KdniaoDomestic => Vendor::Kdniao,
            Self::SeventeenTrack => Vendor::SeventeenTrack,
        }
    }
}

/// The APIs of a vendor.
pub trait Api: Sync {
    /// How long the numbers are that the vendor takes.
    fn number_lengths(&self) -> RangeInclusive<usize>;

    /// The request that has a parcel followed.
    fn subscribe(&self, account: &ApiAccount, order: &SubscribeOrder<'_>) -> Result<CallRequest, OrderError>;

    /// The request that asks about a parcel now.
    fn query(&self, account: &ApiAccount, order: &QueryOrder<'_>) -> Result<CallRequest, OrderError>;

    /// What came of [`Self::subscribe`].
    fn read_subscribed(&self, kind: ApiKind, exchange: Exchange<'_>) -> Answer;

    /// What came of [`Self::query`].
    fn read_queried<'a>(&self, kind: ApiKind, exchange: Exchange<'a>) -> QueryAnswer<'a>;

    /// Every table that its answers are read with, each with the name of what it answers.
    fn answer_tables(&self) -> &'static [&'static AnswerTable];
}
