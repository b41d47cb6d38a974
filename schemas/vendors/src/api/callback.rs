//! The address that a vendor shall push to.

use courierflow_schemas::records::{Subscription, Vendor};
use xxhash_rust::xxh3::xxh3_64;

use super::order::OrderError;

/// Kdniao takes no longer one.
pub const LONGEST: usize = 255;

/// `{base}/v1/push/{vendor}/{account}?s={tag}`. The query comes back with every push, so that a push can be tied to its
/// subscription although the vendor has corrected the carrier or tells another number.
pub fn url(base: &str, vendor: Vendor, account: &str, tracking_number: &str) -> Result<String, OrderError> {
    let base = base.trim_end_matches('/');
    if base.is_empty() {
        return Err(OrderError::Missing("callback_base"));
    }
    let tag = tag(vendor, account, tracking_number);
    let url = format!("{base}/v1/push/{vendor}/{account}?s={tag}");
    if url.len() > LONGEST {
        return Err(OrderError::CallbackTooLong);
    }
    Ok(url)
}

/// 16 hex digits of XXH3-64 of the subscription's key.
pub fn tag(vendor: Vendor, account: &str, tracking_number: &str) -> String {
    let key = Subscription::key(vendor.as_str(), account, tracking_number);
    format!("{:016x}", xxh3_64(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_pinned() {
        // Pushes of earlier subscriptions carry it for months.
        let url = url("http://push.example.com/", Vendor::Kuaidi100, "demo", "YT0000000000001");
        let tag = tag(Vendor::Kuaidi100, "demo", "YT0000000000001");
        assert_eq!(tag.len(), 16);
        assert_eq!(
            url,
            Ok(format!("http://push.example.com/v1/push/kuaidi100/demo?s={tag}"))
        );
    }

    #[test]
    fn an_address_has_255_bytes_at_most() {
        let longest = LONGEST - "/v1/push/kdniao/demo?s=0123456789abcdef".len();
        let base = |bytes: usize| "b".repeat(bytes);
        let url = |base: &str| url(base, Vendor::Kdniao, "demo", "EL796371469MO");
        assert_eq!(url(&base(longest)).map(|url| url.len()), Ok(LONGEST));
        assert_eq!(url(&base(longest + 1)), Err(OrderError::CallbackTooLong));
        assert_eq!(url(""), Err(OrderError::Missing("callback_base")));
    }
}
