//! The role and its configuration, and what it has asked.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use courierflow_schemas::records::{CallClass, CallKind, VendorCall};
use courierflow_schemas::topics::VENDOR_CALL;
use courierflow_schemas::wire::Decoder;
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::vendors::{BUSINESS_ID, BUSINESS_KEY, CUSTOMER, KEY, SALT, SEVENTEENTRACK_KEY, Vendors};
use crate::harness::{PATIENCE, eventually, metric, processor, topics};

/// Values of `[reconcile]` with which everything that has a condition is due at once, and a number may be asked often.
pub(crate) const AT_ONCE: &str = "
every_ms = 500
apart_ms = 1000
per_day = 100
per_life = 100
gap_spread_ms = 1
ended_open_ms = [0]
first_push_late_ms = [0]
stalled_ms = [0]
stalled_quiet_ms = 1000
audit_from_ms = 0
audit_until_ms = 1
audit_after_end_ms = 0
audit_within_ms = 3456000000
";

/// The local configuration with an account at each of the vendors.
pub(crate) struct Configuration {
    /// Where the vendors push to.
    callback: String,
    /// Further lines of every account, and of `[reconcile]`.
    account: String,
    reconcile: String,
}

impl Configuration {
    pub(crate) fn new(account: &str, reconcile: &str) -> Self {
        Self {
            callback: "http://127.0.0.1:9".to_owned(),
            account: account.to_owned(),
            reconcile: reconcile.to_owned(),
        }
    }

    pub(super) fn callback(mut self, url: String) -> Self {
        self.callback = url;
        self
    }

    pub(crate) fn write(&self, stack: &dyn Stack, vendors: &Vendors, name: &str) -> PathBuf {
        let directory = stack.dir();
        let file = |name: &str, text: &str| {
            let file = directory.join(name);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let local = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/local/courierflow.toml");
        let local = std::fs::read_to_string(local).unwrap();
        let slots = directory.join("slots");
        let slots = slots.display();
        let reconcile = &self.reconcile;
        let mut sections = format!(
            "[reconcile]\nslot_dir = '{slots}'\ncall_timeout_ms = 2000\n{reconcile}\n[subscribe]\nslot_dir = '{slots}'\n"
        );
        for contract in contracts(&vendors.url, &file) {
            let Self { callback, account, .. } = self;
            write!(
                sections,
                "[[subscribe.accounts]]\nname = \"demo\"\n{contract}callback_base = \"{callback}\"\nmax_concurrency = 16\n\
                 max_calls_per_second = 200\n{account}\n"
            )
            .unwrap();
        }
        // Its own sections are replaced.
        let (before, rest) = local.split_once("\n[subscribe]\n").unwrap();
        let (_, after) = rest.split_once("\n[topics]\n").unwrap();
        PathBuf::from(file(name, &format!("{before}\n{sections}\n[topics]\n{after}")))
    }
}

/// What is agreed with each vendor. The first one gets the requests that name none.
fn contracts(url: &str, file: &dyn Fn(&str, &str) -> String) -> [String; 3] {
    let (key, salt) = (file("vendor.key", KEY), file("vendor.salt", SALT));
    let business_key = file("kdniao.app-key", BUSINESS_KEY);
    let seventeentrack_key = file("17track.key", SEVENTEENTRACK_KEY);
    [
        format!(
            r#"vendor = "kuaidi100"
api = "kuaidi100_enterprise"
subscribe_url = "{url}/poll"
query_url = "{url}/poll/query.do"
key_file = '{key}'
customer = "{CUSTOMER}"
salt_file = '{salt}'
"#
        ),
        format!(
            r#"vendor = "kdniao"
api = "kdniao_cross_border"
subscribe_url = "{url}/api/track/packet"
query_url = "{url}/api/track/packet"
business_id = "{BUSINESS_ID}"
app_key_file = '{business_key}'
"#
        ),
        format!(
            r#"vendor = "17track"
api = "17track"
subscribe_url = "{url}/track/v2.4"
query_url = "{url}/track/v2.4"
key_file = '{seventeentrack_key}'
"#
        ),
    ]
}

/// The role alone, with accounts that are only asked.
pub(crate) fn reconcile(stack: &dyn Stack, vendors: &Vendors, account: &str, settings: &str) -> Launch {
    let file = Configuration::new(account, settings).write(stack, vendors, "reconcile.toml");
    processor("reconcile", stack).config(file)
}

pub(crate) fn reconcile_ends(mut reconcile: Service) {
    reconcile.terminate(PATIENCE).unwrap();
}

/// The role is counted by rounds: after two more of them everything that was due has been planned.
pub(crate) fn two_rounds(service: &Service) {
    let rounds = || metric(service, "courierflow_reconcile_rounds_total");
    // One that has just been started has made none.
    let before = rounds().unwrap_or_default();
    eventually("two more rounds", || match rounds()? {
        now if now >= before + 2.0 => Ok(()),
        now => Err(now.to_string()),
    });
}

/// Every query that is recorded, in order within its partition.
pub(super) fn queries(stack: &dyn Stack) -> Vec<VendorCall> {
    let registry = topics::registry(stack);
    let ids = registry.schema_ids().unwrap();
    let mut decoder = Decoder::<VendorCall>::new(registry, ids.vendor_call);
    let records = topics::read(stack, VENDOR_CALL);
    let values = records.iter().filter_map(|record| record.value.as_deref());
    let calls = values.map(|value| decoder.decode(value).unwrap());
    calls.filter(|call| call.kind == CallKind::Query).collect()
}

pub(super) fn numbers_of<'a>(calls: impl IntoIterator<Item = &'a VendorCall>) -> BTreeSet<String> {
    calls.into_iter().map(|call| call.tracking_number.clone()).collect()
}

/// Polls until so many queries are recorded.
pub(super) fn wait_for_queries(stack: &dyn Stack, count: usize) -> Vec<VendorCall> {
    eventually("queries are recorded", || {
        let queries = queries(stack);
        if queries.len() >= count {
            Ok(queries)
        } else {
            Err(format!("{} of {count}", queries.len()))
        }
    })
}

/// Those that reached somebody. On a machine that stands still a call may not be sent; then it is made again.
pub(super) fn sent_queries(stack: &dyn Stack) -> Vec<VendorCall> {
    let mut queries = queries(stack);
    queries.retain(|call| call.class != CallClass::Retry || call.http_status.is_some());
    queries
}
