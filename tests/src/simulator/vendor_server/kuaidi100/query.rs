//! A query at Kuaidi100: `param` of the form, read.

use serde_json::Value;

use crate::simulator::vendor_server::form::text;

/// Companies whose parcels are told only to who knows a telephone number.
const WANT_PHONE: [&str; 3] = ["shunfeng", "shunfengkuaiyun", "fengwang"];

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) carrier: String,
    pub(crate) number: String,
    pub(crate) result_v2: String,
    pub(crate) is_ascending: bool,
    phone: String,
}

impl Query {
    pub(crate) fn read(param: &str) -> Self {
        let param: Value = serde_json::from_str(param).unwrap_or_default();
        Self {
            carrier: text(&param, "/com"),
            number: text(&param, "/num"),
            result_v2: text(&param, "/resultv2"),
            is_ascending: text(&param, "/order") == "asc",
            phone: text(&param, "/phone"),
        }
    }

    /// Whether the carrier wants a telephone number that is not there.
    pub(crate) fn lacks_phone(&self, carrier: &str) -> bool {
        WANT_PHONE.contains(&carrier) && !super::subscribe::is_phone(&self.phone)
    }
}
