//! The shipped configuration file is the reference for users: it names every key of both services, and each value shown as
//! a default is the default.

mod keys;
mod shipped;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;

use courierflow_ingest::config::Config as IngestConfig;
use courierflow_processor::config::Config as ProcessorConfig;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::{SettingsError, load};
use courierflow_tests::stack::repository;
use courierflow_vendors::account::{Account, AccountKeys, Unsigned};
use courierflow_vendors::protocol;
use serde::de::DeserializeOwned;

use self::keys::Keys;

/// The lists of tables: their values are not defaults, and their keys are explained in one place.
const LISTS: [&str; 4] = [
    "dashboard.annotators",
    "ingest.accounts",
    "ingest.subscriptions.tokens",
    "subscribe.accounts",
];
/// A key without a default, whose value is the local stack's.
const LOCAL: &str = "derive.id_key_file";
/// The minimum that a file needs.
const MINIMAL: &str = r#"ingest.accounts = [{ name = "a", vendor = "kuaidi100", unsigned = "accept" }]"#;

fn path() -> PathBuf {
    repository().join("deploy/local/courierflow.toml")
}

fn text() -> String {
    std::fs::read_to_string(path()).unwrap()
}

/// A line of the file.
#[derive(Debug)]
enum Line<'a> {
    /// `[section]` or `[[section]]`, possibly commented out.
    Section(&'a str),
    /// `key = value`, possibly commented out.
    Key(Shown<'a>),
    /// A comment for readers.
    Prose,
    Blank,
}

/// A key of the file.
#[derive(Debug)]
struct Shown<'a> {
    name: &'a str,
    value: &'a str,
    /// It has no default; the value is an example.
    is_example: bool,
}

fn line(line: &str) -> Line<'_> {
    if line.is_empty() {
        return Line::Blank;
    }
    let (content, in_force) = match line.strip_prefix('#') {
        Some(comment) => (comment.strip_prefix(' ').unwrap_or(comment), false),
        None => (line, true),
    };
    let section = content.trim_start_matches('[').trim_end_matches(']');
    if content.starts_with('[') && content.ends_with(']') && is_name(&section.replace('.', "")) {
        return Line::Section(section);
    }
    if let Some((name, rest)) = content.split_once(" = ")
        && (is_name(name) || name.starts_with('"') && name.ends_with('"'))
    {
        let (value, remark) = rest.split_once('#').unwrap_or((rest, ""));
        return Line::Key(Shown {
            name,
            value: value.trim(),
            is_example: remark.trim() == "example",
        });
    }
    assert!(!in_force, "the test cannot read this line: {line}");
    Line::Prose
}

fn is_name(name: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_of_name)
}

/// Every key of the file with its section.
fn shown(text: &str) -> Vec<(&str, Shown<'_>)> {
    let mut section = "";
    let mut shown = Vec::new();
    for text in text.lines() {
        match line(text) {
            Line::Section(name) => section = name,
            Line::Key(key) => shown.push((section, key)),
            Line::Prose | Line::Blank => {}
        }
    }
    shown
}

/// The keys that have a default, as one line of TOML each.
fn defaults(text: &str) -> Vec<(String, &str)> {
    shown(text)
        .into_iter()
        .filter(|(section, key)| !LISTS.contains(section) && !key.is_example)
        .map(|(section, key)| (format!("{section}.{}", key.name), key.value))
        .collect()
}

/// The whole file with all commented-out lines enabled.
fn all_in_force(text: &str) -> String {
    let lines = text.lines().map(|text| match line(text) {
        Line::Section(_) | Line::Key(_) => text.strip_prefix("# ").unwrap_or(text),
        Line::Prose | Line::Blank => text,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads a text as a service does, but without the checks of its values and the files that they name.
fn read<C: DeserializeOwned + Debug>(text: &str) -> Result<C, SettingsError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("courierflow.toml");
    std::fs::write(&path, text).unwrap();
    load(&path)
}

/// The configurations that both services read from a text.
fn both(text: &str) -> Result<String, SettingsError> {
    let (ingest, processor) = (read::<IngestConfig>(text)?, read::<ProcessorConfig>(text)?);
    Ok(format!("{ingest:#?}\n{processor:#?}"))
}

#[test]
fn the_file_names_every_key_and_no_other() {
    let text = text();
    let (ingest, processor) = (keys::of::<IngestConfig>(), keys::of::<ProcessorConfig>());
    let tables: BTreeSet<&String> = ingest.tables.iter().chain(&processor.tables).collect();
    let known: BTreeSet<&String> = [&ingest, &processor]
        .into_iter()
        .flat_map(|keys| &keys.values)
        .collect();
    let known: BTreeSet<&String> = known.union(&tables).copied().collect();

    let named: Vec<String> = shown(&text)
        .into_iter()
        .map(|(section, key)| {
            if tables.contains(&section.to_owned()) {
                section.to_owned()
            } else {
                format!("{section}.{}", key.name)
            }
        })
        .collect();
    assert_eq!(named.iter().collect::<BTreeSet<_>>(), known);

    for name in named {
        let times = shown(&text)
            .iter()
            .filter(|(section, key)| format!("{section}.{}", key.name) == name)
            .count();
        assert!(
            times <= 1 || LISTS.iter().any(|list| name.starts_with(list)),
            "{name} is there {times} times"
        );
    }
}

#[test]
fn each_service_passes_over_what_only_the_other_reads() {
    let section = |path: &String| path.split('.').next().unwrap_or_default().to_owned();
    let read = |keys: &Keys| keys.values.iter().map(section).collect::<BTreeSet<_>>();
    // Of a key in a list only whether it is there may matter.
    let sections = |keys: &Keys| {
        keys.ignored
            .iter()
            .filter(|path| !path.contains('.'))
            .cloned()
            .collect()
    };
    let ignored = |keys: &Keys| -> BTreeSet<String> { sections(keys) };
    let (ingest, processor) = (keys::of::<IngestConfig>(), keys::of::<ProcessorConfig>());
    assert_eq!(ignored(&ingest), &read(&processor) - &read(&ingest));
    assert_eq!(ignored(&processor), &read(&ingest) - &read(&processor));
}

#[test]
fn every_value_shown_as_a_default_is_the_default() {
    let text = text();
    let without = both(MINIMAL).unwrap();
    for (key, value) in defaults(&text).into_iter().filter(|(key, _)| key != LOCAL) {
        let written = both(&format!("{key} = {value}\n{MINIMAL}"));
        assert_eq!(written.unwrap(), without, "{key} = {value}");

        // A different value must be noticed, or the comparison above proves nothing.
        let other = match (value, value.strip_suffix('"')) {
            ("true" | "false", _) => (value == "false").to_string(),
            ("[]", _) => r#"["other.example"]"#.to_owned(),
            (list, _) if list.starts_with('[') => "[1]".to_owned(),
            (_, Some(start)) => format!("{start}x\""),
            (_, None) => (value.parse::<f64>().unwrap() + 1.0).to_string(),
        };
        let written = both(&format!("{key} = {other}\n{MINIMAL}"));
        assert!(written.is_err() || written.unwrap() != without, "{key} = {other}");
    }
}

#[test]
fn exactly_the_keys_without_a_default_are_shown_by_example() {
    let (ingest, processor) = (keys::of::<IngestConfig>(), keys::of::<ProcessorConfig>());
    let tables = [ingest.tables, processor.tables].concat();
    let optional: BTreeSet<String> = [ingest.optional, processor.optional].concat().into_iter().collect();
    let text = text();
    let examples = shown(&text)
        .into_iter()
        .filter(|(section, key)| key.is_example && !tables.contains(&(*section).to_owned()))
        .map(|(section, key)| format!("{section}.{}", key.name));
    assert_eq!(examples.chain([LOCAL.to_owned()]).collect::<BTreeSet<_>>(), optional);
}

#[test]
fn the_file_is_accepted_as_it_is_and_with_everything_in_force() {
    IngestConfig::load(&path()).unwrap();
    ProcessorConfig::load(&path()).unwrap();

    let text = all_in_force(&text());
    let ingest: IngestConfig = read(&text).unwrap();
    let processor: ProcessorConfig = read(&text).unwrap();
    // Keys after or below a section that is commented out.
    assert!(ingest.kafka.properties_file.is_some());
    assert!(ingest.kafka.properties.contains_key("security.protocol"));
    assert_eq!(ingest.ingest.accounts.len(), 6);
    assert!(processor.clickhouse.password_file.is_some());
}

#[test]
fn every_key_is_explained_above_it() {
    let text = text();
    let (mut section, mut explained) = ("", false);
    for text in text.lines() {
        match line(text) {
            Line::Section(name) => (section, explained) = (name, false),
            Line::Blank => explained = false,
            Line::Prose => explained = true,
            Line::Key(key) => assert!(
                explained || LISTS.contains(&section) || matches!(section, "kafka.properties" | "registry.headers"),
                "{section}.{} is not explained",
                key.name
            ),
        }
    }
    // There are several of each list, so their keys are explained once, in a table above the first.
    let (ingest, processor) = (keys::of::<IngestConfig>(), keys::of::<ProcessorConfig>());
    let listed = [ingest.values, processor.values]
        .concat()
        .into_iter()
        .filter_map(|key| {
            let list = LISTS.iter().find(|list| key.starts_with(*list))?;
            key.strip_prefix(list)?.strip_prefix('.').map(str::to_owned)
        });
    let mut names = vec!["name".to_owned(), "vendor".to_owned(), "unsigned".to_owned()];
    names.extend(listed);
    for vendor in Vendor::ALL {
        let mut keys = AccountKeys::new(BTreeMap::default());
        // It fails because the keys are missing, after requesting all of them.
        drop(protocol(vendor).account(account_of(vendor), &mut keys));
        assert!(!keys.known().is_empty(), "{vendor}");
        names.extend_from_slice(keys.known());
    }
    for name in names {
        let row = format!("#   {name} ");
        assert!(
            text.lines().any(|line| format!("{line} ").starts_with(&row)),
            "{name} is not explained"
        );
    }
}

fn account_of(vendor: Vendor) -> Account {
    Account {
        name: "a".to_owned(),
        vendor,
        contract_id: String::new(),
        secrets: Vec::new(),
        unsigned: Unsigned::Reject,
        unsigned_end: false,
    }
}

#[test]
fn an_account_needs_no_more_than_the_file_says() {
    let config: IngestConfig = read(r#"ingest.accounts = [{ name = "a", vendor = "kdniao" }]"#).unwrap();
    let account = &config.ingest.accounts[0];
    assert_eq!(account.unsigned, Unsigned::Reject);
    assert!(account.keys.is_empty());
    for required in [r#"{ name = "a" }"#, r#"{ vendor = "kdniao" }"#] {
        assert!(
            read::<IngestConfig>(&format!("ingest.accounts = [{required}]")).is_err(),
            "{required}"
        );
    }
}
