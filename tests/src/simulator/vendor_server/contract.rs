//! The contracts of the subscriber with the vendors: keys, and whether a call was signed with them.

use courierflow_schemas::records::Vendor;
use serde::Serialize;

use crate::simulator::vendors::{kdniao, kuaidi100};

/// Which contract a call belongs to. Each has numbers, months and units of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contract {
    /// Kuaidi100 with a `key`: forms to `/poll` and `/pollmap`, and queries.
    Enterprise,
    /// Kuaidi100 through a marketplace, with an `AppCode`.
    Market,
    /// Kdniao.
    Kdniao,
    /// 17TRACK.
    #[serde(rename = "17track")]
    SeventeenTrack,
}

impl Contract {
    pub(crate) const ALL: [Self; 4] = [Self::Enterprise, Self::Market, Self::Kdniao, Self::SeventeenTrack];

    pub(crate) const fn vendor(self) -> Vendor {
        match self {
            Self::Enterprise | Self::Market => Vendor::Kuaidi100,
            Self::Kdniao => Vendor::Kdniao,
            Self::SeventeenTrack => Vendor::SeventeenTrack,
        }
    }
}

/// What the subscriber has agreed with the vendors.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    /// `key` of Kuaidi100's enterprise contract.
    pub kuaidi100_key: String,
    /// `customer` of the same contract, for queries.
    pub kuaidi100_customer: String,
    /// Header `X-Apig-AppCode` of the marketplace.
    pub kuaidi100_app_code: String,
    /// `EBusinessID` of Kdniao.
    pub kdniao_business_id: String,
    /// App key of Kdniao, which signs calls and pushes.
    pub kdniao_app_key: String,
    /// Callback URL in Kdniao's console, for subscriptions that name none; empty: there is none.
    pub kdniao_callback: String,
    /// API key of 17TRACK, which signs pushes.
    pub seventeentrack_key: String,
    /// Callback URL in 17TRACK's console, the only place for it; empty: nothing is pushed.
    pub seventeentrack_callback: String,
}

impl Contracts {
    /// Whether `sign` of a Kuaidi100 query is upper-case hex of `MD5(param ++ key ++ customer)`.
    pub(crate) fn signed_query(&self, param: &str, customer: &str, sign: &str) -> bool {
        let expected = kuaidi100::digest(&format!("{param}{}{}", self.kuaidi100_key, self.kuaidi100_customer));
        customer == self.kuaidi100_customer && sign == expected
    }

    /// Whether `DataSign` of a Kdniao call is Base64 of the lower-case hex of `MD5(RequestData ++ app key)`.
    pub(crate) fn signed_request(&self, request_data: &str, sign: &str) -> bool {
        sign == kdniao::sign(request_data, &self.kdniao_app_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_calls_are_those_of_the_documents() {
        let contracts = Contracts {
            kuaidi100_key: "KEY".to_owned(),
            kuaidi100_customer: "CUSTOMER".to_owned(),
            kuaidi100_app_code: String::new(),
            kdniao_business_id: String::new(),
            kdniao_app_key: "test-app-key".to_owned(),
            kdniao_callback: String::new(),
            seventeentrack_key: String::new(),
            seventeentrack_callback: String::new(),
        };
        let param = r#"{"com":"yuantong","num":"YT0000000000001"}"#;
        let sign = "44D23543466635E993984157E23828A3";
        assert!(contracts.signed_query(param, "CUSTOMER", sign));
        assert!(!contracts.signed_query(param, "OTHER", sign), "somebody else");
        assert!(!contracts.signed_query(&param.replace("01\"", "02\""), "CUSTOMER", sign));
        assert!(!contracts.signed_query(param, "CUSTOMER", &sign.to_lowercase()));
        let request_data = r#"{"ShipperCode":"COE","LogisticCode":"EL796371469MO"}"#;
        let sign = "Y2JlZDZmZmMyNDliNWMxZGVlOTdiZTRmZTRkM2RiMDQ=";
        assert!(contracts.signed_request(request_data, sign));
        assert!(!contracts.signed_request(&request_data.replace("COE", "COF"), sign));
    }
}
