//! A request as it lies on the topic. Other teams may write there, so it is held to the rules of an item. What breaks one is taken
//! out of the record: its refusal is read by everybody, and a text in the wrong place may be a telephone number.

use courierflow_schemas::identifier::is_name;
use courierflow_schemas::records::{International, Product, Reason, SubscriptionRequest, TimestampMillis};
use jiff::Timestamp;

use super::account::SubscribeAccount;
use super::phone::PhoneNumber;
use super::{LONGEST_DELAY, MAX_ID_LENGTH, international, is_id, place, tells};
use crate::api::order::is_number;
use crate::api::phone::is_needed;

/// A request without what breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What may be used of it, and shown.
    pub asked: SubscriptionRequest,
    /// Why it is refused, if it is.
    pub wrong: Option<Reason>,
}

/// Whether a number, which is the record's key and cannot be taken out of it, can be shown to everybody: as short as an id and without
/// blanks. It may still be none that vendors take.
pub fn is_showable(number: &str) -> bool {
    is_id(number)
}

/// The rules that hold for every account.
pub fn checked(asked: &SubscriptionRequest, now: Timestamp) -> Checked {
    let mut check = Check { wrong: None };
    let number = &asked.tracking_number;
    if !is_number(number) || number.bytes().any(|byte| byte.is_ascii_lowercase()) {
        check.refuse(Reason::BadData);
    }
    let read_phone = |text: &str| PhoneNumber::read(text);
    let phone = check.read(asked.phone.as_deref(), Reason::Phone, read_phone);
    let is_shown = |text: &str| is_name(text) && !phone.as_ref().is_some_and(|phone| tells(text, number, phone));
    let reference = check.text(asked.reference.as_deref(), Reason::BadData, is_shown);
    let mut request_id = check.id(&asked.request_id);
    if phone.as_ref().is_some_and(|phone| tells(&request_id, number, phone)) {
        check.refuse(Reason::BadData);
        request_id.clear();
    }
    let read_place = |text: &str| place::read(text);
    let checked = SubscriptionRequest {
        request_id,
        requester: check.id(&asked.requester),
        action: asked.action,
        requested_at: asked.requested_at,
        vendor: check.text(asked.vendor.as_deref(), Reason::BadData, is_name),
        account: check.text(asked.account.as_deref(), Reason::BadData, is_name),
        carrier: check.text(asked.carrier.as_deref(), Reason::UnknownCarrier, is_carrier),
        tracking_number: number.clone(),
        phone: phone.map(PhoneNumber::into_digits),
        from: check.read(asked.from.as_deref(), Reason::BadPlace, read_place),
        to: check.read(asked.to.as_deref(), Reason::BadPlace, read_place),
        product: check.keep(asked.product, |product| *product != Product::Other),
        international: asked.international.as_ref().map(|ends| check.ends(ends)),
        reference,
        not_before: check.keep(asked.not_before, |time| is_soon(*time, now)),
        force: asked.force,
    };
    Checked {
        asked: checked,
        wrong: check.wrong,
    }
}

/// The rules of the account that is asked. `carrier` is the canonical code; `None` if it is to be detected. Places that the API needs and
/// that are missing are not refused: another account may do without them.
pub fn of_account(
    asked: SubscriptionRequest,
    account: &SubscribeAccount,
    carrier: Option<&str>,
) -> Result<SubscriptionRequest, Reason> {
    if carrier.is_some_and(is_needed) && asked.phone.is_none() {
        return Err(Reason::Phone);
    }
    let phone = asked.phone.as_deref().and_then(PhoneNumber::read);
    Ok(SubscriptionRequest {
        phone: phone.map(|phone| phone.kept(account.phone)),
        ..asked
    })
}

/// The rules, one after the other.
struct Check {
    /// The first one that is broken.
    wrong: Option<Reason>,
}

impl Check {
    fn refuse(&mut self, reason: Reason) {
        self.wrong.get_or_insert(reason);
    }

    /// What `read` makes of a text; a blank one is none.
    fn read<T>(&mut self, text: Option<&str>, reason: Reason, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = text.map(str::trim).filter(|text| !text.is_empty())?;
        let found = read(text);
        if found.is_none() {
            self.refuse(reason);
        }
        found
    }

    fn text(&mut self, text: Option<&str>, reason: Reason, is_good: impl FnOnce(&str) -> bool) -> Option<String> {
        self.read(text, reason, |text| is_good(text).then(|| text.to_owned()))
    }

    /// An id, which may not be missing. It is compared with others, so it is not trimmed.
    fn id(&mut self, text: &str) -> String {
        if is_id(text) {
            return text.to_owned();
        }
        self.refuse(Reason::BadData);
        String::new()
    }

    fn keep<T: Copy>(&mut self, value: Option<T>, is_good: impl FnOnce(&T) -> bool) -> Option<T> {
        let kept = value.filter(is_good);
        if kept.is_none() && value.is_some() {
            self.refuse(Reason::BadData);
        }
        kept
    }

    fn ends(&mut self, ends: &International) -> International {
        let mut country =
            |text: &Option<String>| self.text(text.as_deref(), Reason::BadData, international::is_country);
        let (departure_country, destination_country) =
            (country(&ends.departure_country), country(&ends.destination_country));
        let mut carrier =
            |text: &Option<String>| self.text(text.as_deref(), Reason::BadData, international::is_carrier);
        International {
            departure_country,
            departure_carrier: carrier(&ends.departure_carrier),
            destination_country,
            destination_carrier: carrier(&ends.destination_carrier),
        }
    }
}

/// A code of a carrier, be it known or not: as short as an id, and not as many digits as a telephone number has.
fn is_carrier(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() <= MAX_ID_LENGTH && is_name(text) && digits < SHORTEST_PHONE
}

/// As few digits as a telephone number may have.
const SHORTEST_PHONE: usize = 7;

fn is_soon(time: TimestampMillis, now: Timestamp) -> bool {
    let latest = now.saturating_add(LONGEST_DELAY);
    latest.is_ok_and(|latest| time.0 <= latest.as_millisecond())
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{RequestAction, TimestampMicros};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_796_000_000_000;

    fn now() -> Timestamp {
        Timestamp::from_millisecond(NOW).unwrap()
    }

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn good() -> SubscriptionRequest {
        SubscriptionRequest {
            request_id: "r1".to_owned(),
            requester: "oms".to_owned(),
            action: RequestAction::Subscribe,
            requested_at: TimestampMicros(NOW * 1_000),
            vendor: Some(text("kuaidi100")),
            account: Some(text("demo")),
            carrier: Some(text("shunfeng")),
            tracking_number: "SF0000000000001".to_owned(),
            phone: Some(text("134-8888-8889")),
            from: Some(text("广东省, 深圳市, 南山区")),
            to: Some(text("北京市朝阳区")),
            product: Some(Product::Advanced),
            international: Some(International {
                departure_country: Some(text("CN")),
                departure_carrier: Some(text("ems")),
                destination_country: None,
                destination_carrier: Some(text(" ")),
            }),
            reference: Some(text("order-17")),
            not_before: Some(TimestampMillis(NOW + 1)),
            force: false,
        }
    }

    #[test]
    fn what_is_good_is_kept_as_an_item_would_be() {
        let expected = SubscriptionRequest {
            phone: Some(text("13488888889")),
            from: Some(text("广东省,深圳市,南山区")),
            international: Some(International {
                destination_carrier: None,
                ..good().international.unwrap()
            }),
            ..good()
        };
        let Checked { asked, wrong } = checked(&good(), now());
        assert_eq!((&asked, wrong), (&expected, None));
        assert!(asked == expected);
        // And once more: what ingest has read passes.
        assert_eq!(checked(&asked, now()), Checked { asked, wrong: None });
    }

    #[test]
    fn what_breaks_a_rule_is_refused_and_taken_out() {
        type Change = fn(&mut SubscriptionRequest, String);
        let long = "9".repeat(65);
        let person = "张三 13488888889 科技园路1号";
        let cases: [(&str, Change, Reason, &[&str]); 9] = [
            (
                "request_id",
                |asked, text| asked.request_id = text,
                Reason::BadData,
                &["", person, &long, "13488888889"],
            ),
            (
                "requester",
                |asked, text| asked.requester = text,
                Reason::BadData,
                &["", person, &long],
            ),
            (
                "vendor",
                |asked, text| asked.vendor = Some(text),
                Reason::BadData,
                &[person, &long],
            ),
            (
                "account",
                |asked, text| asked.account = Some(text),
                Reason::BadData,
                &[person, &long],
            ),
            (
                "carrier",
                |asked, text| asked.carrier = Some(text),
                Reason::UnknownCarrier,
                &[person, &long, "13488888889"],
            ),
            (
                "phone",
                |asked, text| asked.phone = Some(text),
                Reason::Phone,
                &[person, &long, "888"],
            ),
            (
                "from",
                |asked, text| asked.from = Some(text),
                Reason::BadPlace,
                &[person, &long, "广东省深圳市南山区粤海街道"],
            ),
            (
                "to",
                |asked, text| asked.to = Some(text),
                Reason::BadPlace,
                &[person, &long, "深圳"],
            ),
            (
                "reference",
                |asked, text| asked.reference = Some(text),
                Reason::BadData,
                &[person, &long, "a-134-8888-8889"],
            ),
        ];
        for (field, change, reason, texts) in cases {
            for wrong in texts {
                let mut asked = good();
                change(&mut asked, (*wrong).to_owned());
                let found = checked(&asked, now());
                assert_eq!(found.wrong, Some(reason), "{field} {wrong}");
                let left = serde_json::to_value(&found.asked).unwrap();
                let is_blank = left[field] == json!(null) || left[field] == json!("");
                assert!(is_blank, "{field} {wrong}");
            }
        }
    }

    #[test]
    fn times_products_ends_and_numbers_have_rules_too() {
        type Change = fn(&mut SubscriptionRequest);
        let cases: [(&str, Change); 5] = [
            ("not_before", |asked| {
                asked.not_before = Some(TimestampMillis(NOW + 90 * 86_400_000 + 1));
            }),
            ("product", |asked| asked.product = Some(Product::Other)),
            ("international", |asked| {
                asked.international = Some(International {
                    departure_country: Some(text("13488888889")),
                    ..International::default()
                });
            }),
            ("lower case", |asked| {
                asked.tracking_number = "sf0000000000001".to_owned();
            }),
            ("too long", |asked| asked.tracking_number = "1".repeat(51)),
        ];
        for (name, change) in cases {
            let mut asked = good();
            change(&mut asked);
            let found = checked(&asked, now());
            assert_eq!(found.wrong, Some(Reason::BadData), "{name}");
            let left = serde_json::to_string(&found.asked).unwrap();
            assert!(!left.contains("13488888889\",\"departure_carrier"), "{name}");
        }
        let mut asked = good();
        asked.not_before = Some(TimestampMillis(NOW + 90 * 86_400_000));
        assert_eq!(checked(&asked, now()).wrong, None);
    }

    #[test]
    fn the_account_decides_what_is_kept_of_a_telephone_number() {
        let account = |policy: &str| -> SubscribeAccount {
            let account =
                json!({"name": "demo", "vendor": "kuaidi100", "api": "kuaidi100_enterprise", "phone": policy});
            serde_json::from_value(account).unwrap()
        };
        for (policy, kept) in [("tail", "8889"), ("full", "13488888889")] {
            let asked = of_account(good(), &account(policy), Some("sf")).unwrap();
            assert_eq!(asked.phone.as_deref(), Some(kept), "{policy}");
        }
        let without = || SubscriptionRequest { phone: None, ..good() };
        assert_eq!(of_account(without(), &account("tail"), Some("sf")), Err(Reason::Phone));
        assert!(of_account(without(), &account("tail"), None).is_ok());
    }

    #[test]
    fn a_number_that_nobody_may_see_is_told_from_one_that_is_only_wrong() {
        for (number, expected) in [
            ("yt1", true),
            ("张三", false),
            ("YT 1", false),
            (&"1".repeat(65), false),
        ] {
            assert_eq!(is_showable(number), expected, "{number}");
        }
    }

    proptest! {
        /// Whatever somebody writes: what is left is short.
        #[test]
        fn what_is_left_is_short(text in ".{0,400}", long in "[A-Za-z0-9]{0,400}") {
            for wild in [text, long] {
                let some = || Some(wild.clone());
                let asked = SubscriptionRequest {
                    request_id: wild.clone(),
                    requester: wild.clone(),
                    vendor: some(),
                    account: some(),
                    carrier: some(),
                    phone: some(),
                    from: some(),
                    to: some(),
                    reference: some(),
                    ..good()
                };
                let left = serde_json::to_string(&checked(&asked, now()).asked).unwrap();
                prop_assert!(left.len() < 1_500, "{}", left.len());
            }
        }
    }
}
