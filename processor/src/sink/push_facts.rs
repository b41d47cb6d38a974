//! What the push log says of a payload (rule 56).

use courierflow_schemas::records::{PushEvent, Vendor};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The columns of `push` that are inside the vendor's text.
pub(crate) struct PushFacts {
    pub(crate) carrier: String,
    pub(crate) tracking_status: String,
    pub(crate) items: u16,
}

pub(crate) fn push_facts(event: &PushEvent) -> PushFacts {
    #[derive(Default, Deserialize)]
    struct Payload {
        #[serde(default)]
        status: String,
        #[serde(default, rename = "lastResult")]
        last_result: Option<Items>,
        #[serde(default, rename = "Traces")]
        traces: Vec<IgnoredAny>,
    }
    #[derive(Default, Deserialize)]
    struct Items {
        #[serde(default)]
        data: Vec<IgnoredAny>,
    }
    let payload: Payload = serde_json::from_str(&event.payload).unwrap_or_default();
    let items = match event.vendor {
        Vendor::Kuaidi100 => payload.last_result.map_or(0, |result| result.data.len()),
        Vendor::Kdniao => payload.traces.len(),
    };
    PushFacts {
        carrier: event.vendor_carrier.to_lowercase(),
        tracking_status: payload.status,
        items: u16::try_from(items).unwrap_or(u16::MAX),
    }
}
