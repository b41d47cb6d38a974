//! The configuration with which the vendors are called.

use std::collections::BTreeMap;
use std::path::PathBuf;

use courierflow_tests::stack::{Launch, Stack};

use crate::harness::processor;
use crate::harness::vendors::{APP_CODE, BUSINESS_ID, BUSINESS_KEY, SEVENTEENTRACK_KEY};
pub(crate) use crate::harness::vendors::{CUSTOMER, KEY, SALT, Vendors};

/// Of somebody who may ask over HTTP.
pub(crate) const TOKEN: &str = "token-of-the-test-0123456789abcdef";
/// The contracts beside that of the enterprise: vendor, account, API. The marketplace pushes to an account that needs no salt.
pub(crate) const OTHERS: [(&str, &str, &str); 3] = [
    ("kuaidi100", "open", "kuaidi100_market"),
    ("kdniao", "demo", "kdniao_cross_border"),
    ("17track", "demo", "17track"),
];
/// What is short for the tests; the values are TOML.
const SUBSCRIBE: [(&str, &str); 8] = [
    ("call_timeout_ms", "1000"),
    ("retry_ms", "[100, 200, 200, 200, 200, 200]"),
    ("in_doubt_ms", "200"),
    ("throttled_ms", "200"),
    ("unsent_ms", "200"),
    ("not_recognised_ms", "300"),
    ("probe_ms", "500"),
    ("first_push_late_ms", "86400000"),
];

/// What the account has with Kuaidi100.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contract {
    Enterprise,
    Market,
    Map,
}

/// The local configuration with an account of the vendors and short delays, some of them changed. Its file can be read by ingest, too.
pub(crate) struct Configuration {
    subscribe: BTreeMap<&'static str, String>,
    account: &'static str,
    contract: Contract,
    /// There are the other contracts, too.
    has_others: bool,
    /// Where the vendors push to.
    callback_base: String,
    /// Further lines of the account.
    more: &'static str,
}

impl Configuration {
    pub(crate) fn new() -> Self {
        let subscribe = SUBSCRIBE.into_iter().map(|(key, value)| (key, value.to_owned()));
        Self {
            subscribe: subscribe.collect(),
            account: "demo",
            contract: Contract::Enterprise,
            has_others: false,
            more: "",
            callback_base: "http://127.0.0.1:9".to_owned(),
        }
    }

    /// Another value of a key of `[subscribe]`.
    pub(crate) fn set(mut self, key: &'static str, value: &impl ToString) -> Self {
        self.subscribe.insert(key, value.to_string());
        self
    }

    /// Another name of the account.
    pub(crate) fn account(mut self, name: &'static str) -> Self {
        self.account = name;
        self
    }

    /// The account's contract is that of the marketplace, whose gateway comes before the vendor.
    pub(crate) fn market(mut self) -> Self {
        self.contract = Contract::Market;
        self
    }

    /// The account's contract is that of parcels on a map, which needs both places of a parcel.
    pub(crate) fn map(mut self) -> Self {
        self.contract = Contract::Map;
        self
    }

    /// There are accounts with the other contracts, too, after this one; whoever may ask may use all of them.
    pub(crate) fn others(mut self) -> Self {
        self.has_others = true;
        self
    }

    /// Further lines of the account.
    pub(crate) fn more(mut self, lines: &'static str) -> Self {
        self.more = lines;
        self
    }

    pub(crate) fn callback_base(mut self, base: String) -> Self {
        self.callback_base = base;
        self
    }

    /// Starts the role, or `run`, with it.
    pub(crate) fn launch(&self, subcommand: &str, stack: &dyn Stack, vendors: &Vendors) -> Launch {
        processor(subcommand, stack).config(self.write(stack, &vendors.url))
    }

    /// The file, with vendors at this address.
    pub(crate) fn write(&self, stack: &dyn Stack, url: &str) -> PathBuf {
        let directory = stack.dir();
        let write = |name: &str, text: &str| {
            let file = directory.join(name);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let (key, app_code) = (write("vendor.key", KEY), write("vendor.app-code", APP_CODE));
        let (salt, token) = (write("vendor.salt", SALT), write("asker.token", TOKEN));
        let local = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/local/courierflow.toml");
        let local = std::fs::read_to_string(local).unwrap();
        let local = replaced(&local, "\".local/data/demo.token\"", &format!("'{token}'"));
        let mut usable = vec![format!("kuaidi100/{}", self.account)];
        let mut others = String::new();
        if self.has_others {
            usable.extend(OTHERS.map(|(vendor, name, _)| format!("{vendor}/{name}")));
            others = self.write_others(url, &write);
        }
        let local = replaced(&local, "[\"kuaidi100/demo\", \"kdniao/demo\"]", &format!("{usable:?}"));
        let keys = self.subscribe.iter().map(|(key, value)| format!("{key} = {value}\n"));
        let slots = directory.join("slots");
        let section = format!(
            r#"
[subscribe]
slot_dir = '{slots}'
{keys}
[[subscribe.accounts]]
name = "{name}"
vendor = "kuaidi100"
{contract}
{salt}
callback_base = "{base}"
max_calls_per_second = 500
max_concurrency = 16
{more}
{others}
"#,
            slots = slots.display(),
            keys = keys.collect::<String>(),
            name = self.account,
            // Of the others ingest knows no salt.
            salt = if self.account == "demo" {
                format!("salt_file = '{salt}'")
            } else {
                String::new()
            },
            base = self.callback_base,
            contract = match self.contract {
                Contract::Enterprise => format!(
                    "api = \"kuaidi100_enterprise\"\nsubscribe_url = \"{url}/poll\"\nkey_file = '{key}'\n\
                     query_url = \"{url}/poll/query.do\"\ncustomer = \"{CUSTOMER}\""
                ),
                Contract::Market =>
                    format!("api = \"kuaidi100_market\"\nsubscribe_url = \"{url}/poll\"\napp_code_file = '{app_code}'"),
                Contract::Map =>
                    format!("api = \"kuaidi100_map\"\nsubscribe_url = \"{url}/pollmap\"\nkey_file = '{key}'"),
            },
            more = self.more,
        );
        // Its own section is replaced.
        let (before, rest) = local.split_once("\n[subscribe]\n").unwrap();
        let (_, after) = rest.split_once("\n[topics]\n").unwrap();
        PathBuf::from(write(
            &format!("subscribe-{}.toml", self.account),
            &format!("{before}\n{section}\n[topics]\n{after}"),
        ))
    }

    /// The accounts with the other contracts. `write` writes a file, and says where it is.
    fn write_others(&self, url: &str, write: &dyn Fn(&str, &str) -> String) -> String {
        let keys = [
            format!(
                "subscribe_url = \"{url}/poll\"\napp_code_file = '{}'",
                write("vendor.app-code", APP_CODE)
            ),
            format!(
                "subscribe_url = \"{url}/api/track/packet\"\nbusiness_id = \"{BUSINESS_ID}\"\napp_key_file = '{}'",
                write("kdniao.app-key", BUSINESS_KEY)
            ),
            format!(
                "subscribe_url = \"{url}/track/v2.4\"\nkey_file = '{}'",
                write("17track.key", SEVENTEENTRACK_KEY)
            ),
        ];
        let accounts = OTHERS.into_iter().zip(keys).map(|((vendor, name, api), keys)| {
            format!(
                "[[subscribe.accounts]]\nname = \"{name}\"\nvendor = \"{vendor}\"\napi = \"{api}\"\n{keys}\n\
                 callback_base = \"{base}\"\nmax_calls_per_second = 500\n",
                base = self.callback_base
            )
        });
        accounts.collect()
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in the local configuration");
    text.replace(from, to)
}

/// The role with the configuration as it is.
pub(crate) fn subscribe(stack: &dyn Stack, vendors: &Vendors) -> Launch {
    Configuration::new().launch("subscribe", stack, vendors)
}
