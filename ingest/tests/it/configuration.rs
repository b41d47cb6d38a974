//! The configuration: the local file has its accounts, and every wrong value is one line that names its key.

use std::path::{Path, PathBuf};

use courierflow_ingest::config::Config;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::Secret;
use courierflow_vendors::account::Unsigned;

const LOCAL_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/local/courierflow.toml");

#[test]
fn local_file_has_two_accounts_of_each_vendor() {
    let config = Config::load(Path::new(LOCAL_FILE)).unwrap();
    let accounts = config.ingest.accounts().unwrap();
    assert_eq!(accounts.len(), 6);
    for (vendor, name, secrets, unsigned, business_id) in [
        (
            Vendor::Kuaidi100,
            "demo",
            &["courierflow-demo-salt"][..],
            Unsigned::Reject,
            "",
        ),
        (Vendor::Kuaidi100, "open", &[], Unsigned::Accept, ""),
        (
            Vendor::Kdniao,
            "demo",
            &["courierflow-demo-app-key"],
            Unsigned::Reject,
            "1000001",
        ),
        (Vendor::Kdniao, "open", &[], Unsigned::Accept, "1000001"),
        (
            Vendor::SeventeenTrack,
            "demo",
            &["17track-demo-key-0001"],
            Unsigned::Reject,
            "",
        ),
        (Vendor::SeventeenTrack, "open", &[], Unsigned::Accept, ""),
    ] {
        let account = &accounts.get(vendor, name).unwrap().account;
        assert_eq!(account.secrets.iter().map(Secret::expose).collect::<Vec<_>>(), secrets);
        assert_eq!(
            (account.unsigned, account.contract_id.as_str()),
            (unsigned, business_id)
        );
        // A secret is not seen where an account is printed.
        assert!(!format!("{account:?}").contains("courierflow-demo"));
        assert!(!format!("{account:?}").contains("17track-demo-key"));
        assert!(!account.unsigned_end);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of wrong values")]
fn wrong_values_name_their_key() {
    let demo = r#"{name="demo",vendor="kuaidi100",salts=["s"]}"#;
    let accounts = |accounts: &str| format!("[ingest]\naccounts=[{accounts}]");
    let value = |line: &str| format!("[ingest]\n{line}\naccounts=[{demo}]");
    let cases = [
        (String::new(), "ingest"),
        ("[ingest]".to_owned(), "ingest.accounts"),
        (accounts(""), "ingest.accounts"),
        (
            accounts(r#"{name="demo",vendor="kuaidi100"}"#),
            "ingest.accounts[0].salts",
        ),
        (
            accounts(r#"{name="demo",vendor="kuaidi100",salts=["s"],max_pushes_per_minute=0}"#),
            "ingest.accounts[0].max_pushes_per_minute",
        ),
        (
            accounts(r#"{name="demo",vendor="kuaidi100",salts=["s"],max_pushes_per_minute="many"}"#),
            "ingest.accounts",
        ),
        (
            accounts(r#"{name="demo",vendor="kuaidi100",salts=["s"],max_pushes_per_minute=-1}"#),
            "ingest.accounts",
        ),
        (
            accounts(r#"{name="demo",vendor="kuaidi100",salts=["s"],reference="OrderCode"}"#),
            "ingest.accounts[0].reference",
        ),
        (
            accounts(r#"{name="demo",vendor="kuaidi100",salts=["s"],reference="query:o",reference_pattern="("}"#),
            "ingest.accounts[0].reference_pattern",
        ),
        (
            accounts(r#"{name="demo",vendor="kuaidi100",salts=["s"],reference_pattern="."}"#),
            "ingest.accounts[0].reference_pattern",
        ),
        (
            accounts(r#"{name="demo",vendor="kdniao",business_id="1"}"#),
            "ingest.accounts[0].app_keys",
        ),
        (
            accounts(r#"{name="demo",vendor="kdniao",app_keys=["k"]}"#),
            "ingest.accounts[0].business_id",
        ),
        (accounts(&format!("{demo},{demo}")), "ingest.accounts[1].name"),
        (
            accounts(r#"{name="",vendor="kuaidi100",salts=["s"]}"#),
            "ingest.accounts[0].name",
        ),
        (
            accounts(r#"{name="a/b",vendor="kuaidi100",salts=["s"]}"#),
            "ingest.accounts[0].name",
        ),
        (
            accounts(r#"{name="演示",vendor="kuaidi100",salts=["s"]}"#),
            "ingest.accounts[0].name",
        ),
        (
            accounts(&format!(
                r#"{{name="{}",vendor="kuaidi100",salts=["s"]}}"#,
                "a".repeat(65)
            )),
            "ingest.accounts[0].name",
        ),
        (
            accounts(r#"{name="a",vendor="kuaidi100",salts=["s",""]}"#),
            "ingest.accounts[0].salts",
        ),
        (
            accounts(r#"{name="a",vendor="kuaidi100",app_keys=["s"]}"#),
            "ingest.accounts[0].app_keys",
        ),
        (
            accounts(r#"{name="a",vendor="kuaidi100",salts=["s"],business_id="1"}"#),
            "ingest.accounts[0].business_id",
        ),
        (
            accounts(r#"{name="a",vendor="kdniao",business_id="1",salts=["s"]}"#),
            "ingest.accounts[0].salts",
        ),
        (
            accounts(r#"{name="a",vendor="kuaidi100",salt_file="/nowhere/salts"}"#),
            "ingest.accounts[0].salt_file",
        ),
        (
            accounts(r#"{name="a",vendor="17track"}"#),
            "ingest.accounts[0].api_keys",
        ),
        (
            accounts(r#"{name="a",vendor="17track",api_keys=["k"],unsigned_stopped="perhaps"}"#),
            "ingest.accounts[0].unsigned_stopped",
        ),
        (
            accounts(r#"{name="a",vendor="kdniao",business_id="1",app_keys=["k"],unsigned_stopped="accept"}"#),
            "ingest.accounts[0].unsigned_stopped",
        ),
        (accounts(r#"{name="a",vendor="fedex",salts=["s"]}"#), "vendor"),
        (
            accounts(r#"{name="a",vendor="kuaidi100",salts=["s"],unsigned="maybe"}"#),
            "unsigned",
        ),
        (
            accounts(r#"{name="a",vendor="kuaidi100",salts=["s"],salt="t"}"#),
            "salt",
        ),
        (value("listen = \"everywhere\""), "ingest.listen"),
        (value("max_connections = 0"), "ingest.max_connections"),
        (value("max_in_flight_requests = 0"), "ingest.max_in_flight_requests"),
        (value("max_in_flight_bytes = 1000"), "ingest.max_in_flight_bytes"),
        (value("max_body_bytes = 0"), "ingest.max_body_bytes"),
        (value("max_body_bytes = 4194305"), "ingest.max_body_bytes"),
        (value("body_timeout_ms = 0"), "ingest.body_timeout_ms"),
        (value("idle_timeout_ms = 0"), "ingest.idle_timeout_ms"),
        (value("head_timeout_ms = 0"), "ingest.head_timeout_ms"),
        (value("write_timeout_ms = 0"), "ingest.write_timeout_ms"),
        (value("ack_timeout_ms = 99"), "ingest.ack_timeout_ms"),
        (value("ack_timeout_ms = 8.5"), "ingest.ack_timeout_ms"),
        (value("ack_timeout_ms = -1"), "ingest.ack_timeout_ms"),
        (value("ack_timeout_ms = 20000"), "ingest.drain_timeout_ms"),
        (value("linger_ms = 8000"), "ingest.linger_ms"),
        (value("queue_kbytes = 4095"), "ingest.queue_kbytes"),
        (value("queue_messages = 99"), "ingest.queue_messages"),
        (value("acktimeout = 1"), "acktimeout"),
        (format!("{}\n[ingestion]", value("")), "ingestion"),
        (format!("{}\n[kafka]\nbroker = \"x\"", value("")), "broker"),
        (format!("{}\n[registry]\nport = 1", value("")), "port"),
    ];
    for (text, key) in cases {
        let file = write(&text);
        let error = Config::load(file.path()).unwrap_err().to_string();
        assert!(error.contains(key), "{key} is not in {error:?}, for\n{text}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let error = Config::load(Path::new("/nowhere/courierflow.toml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/courierflow.toml"), "{error}");
}

#[test]
fn wrong_values_do_not_show_a_secret() {
    let accounts = |salts: &str| format!("[ingest]\naccounts=[{{name=\"demo\",vendor=\"kuaidi100\",salts={salts}}}]");
    let fine = accounts("[\"s\"]");
    for (text, key) in [
        (accounts("\"hush\""), "ingest.accounts[0].salts"),
        (format!("kafka.brokers=\" \"\n{fine}"), "kafka.brokers"),
        (format!("registry.url=\"http://a:hush@b\"\n{fine}"), "registry.url"),
    ] {
        let error = Config::load(write(&text).path()).unwrap_err().to_string();
        assert!(error.contains(key) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn secrets_from_files() {
    let salts = write("first\r\n\n  second \n");
    let keys = write("key\n");
    let path = |file: &tempfile::NamedTempFile| PathBuf::from(file.path()).display().to_string();
    let text = format!(
        "[ingest]\n[[ingest.accounts]]\nname=\"a\"\nvendor=\"kuaidi100\"\nsalts=[\"inline\"]\nsalt_file={:?}\n\
         [[ingest.accounts]]\nname=\"b\"\nvendor=\"kdniao\"\nbusiness_id=7\napp_key_file={:?}\n[derive]\nworkers=2\n[sink]\n[clickhouse]\n[processor]\nx=[1]",
        path(&salts),
        path(&keys)
    );
    let accounts = Config::load(write(&text).path()).unwrap().ingest.accounts().unwrap();
    let secrets = |vendor, name| -> Vec<String> {
        accounts
            .get(vendor, name)
            .unwrap()
            .account
            .secrets
            .iter()
            .map(|secret| secret.expose().to_owned())
            .collect()
    };
    assert_eq!(secrets(Vendor::Kuaidi100, "a"), ["inline", "first", "second"]);
    assert_eq!(secrets(Vendor::Kdniao, "b"), ["key"]);
    assert_eq!(accounts.get(Vendor::Kdniao, "b").unwrap().account.contract_id, "7");
    // An empty file is a mistake, not an account without secrets.
    let empty = write(" \n");
    let text = format!(
        "[ingest]\naccounts=[{{name=\"a\",vendor=\"kuaidi100\",salts=[\"s\"],salt_file={:?}}}]",
        path(&empty)
    );
    let error = Config::load(write(&text).path()).unwrap_err().to_string();
    assert!(error.contains("ingest.accounts[0].salt_file"), "{error}");
}

fn write(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}
