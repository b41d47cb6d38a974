//! ClickHouse and the registry behind TLS with a private CA that asks for certificates.

use std::path::Path;

use courierflow_processor::config::Config;
use courierflow_processor::migrate::clickhouse::{check_clickhouse, migrate_clickhouse};
use courierflow_schemas::registry::Registry;
use courierflow_tests::stack::{self, Server, Stack};

use crate::harness::tls::{Authority, Certified, listen};

fn port_of(url: &str) -> u16 {
    let rest = url.rsplit_once(':').unwrap().1;
    rest.split('/').next().unwrap().parse().unwrap()
}

/// What a client knows: the CA that it trusts, and its own certificate.
struct Client<'a> {
    trusts: &'a Authority,
    is: Option<&'a Certified>,
}

/// The configuration of a client, which finds the servers at these ports.
fn configuration(directory: &Path, client: &Client<'_>, clickhouse: u16, registry: u16) -> Config {
    let write = |name: &str, content: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let ca = write("ca.pem", &client.trusts.pem());
    let own = client.is.map(|own| {
        let (certificate, key) = own.pem();
        format!(
            "certificate_file = '{}'\nkey_file = '{}'\n",
            write("client.pem", &certificate),
            write("client.key", &key)
        )
    });
    let files = format!("ca_file = '{ca}'\n{}", own.unwrap_or_default());
    let id_cache = directory.join("ids.json");
    let text = format!(
        "[clickhouse]\nurl = 'https://127.0.0.1:{clickhouse}'\n{files}\n[registry]\nurl = \
         'https://127.0.0.1:{registry}/apis/ccompat/v7'\nid_cache = '{}'\n{files}",
        id_cache.display()
    );
    Config::load(Path::new(&write("courierflow.toml", text.as_bytes()))).unwrap()
}

#[test]
fn clickhouse_and_the_registry_are_reached_with_a_private_ca_and_a_certificate() {
    let stack = stack::start_with("tls", &[Server::Registry, Server::ClickHouse]).unwrap();
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let (server, client, stranger) = (ours.certify("server"), ours.certify("client"), other.certify("client"));
    let clickhouse = listen(&server, &ours, port_of(&stack.clickhouse_url()));
    let registry = listen(&server, &ours, port_of(&stack.registry_url()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let configuration = |trusts, is| configuration(directory.path(), &Client { trusts, is }, clickhouse, registry);

    let good = configuration(&ours, Some(&client));
    let changes = runtime
        .block_on(migrate_clickhouse(&good.clickhouse, good.carriers))
        .unwrap();
    assert!(changes.len() > 40, "{changes:?}");
    assert_eq!(
        Registry::new(&good.registry).migrate().unwrap().ids,
        Registry::new(&good.registry).schema_ids().unwrap()
    );

    for (what, trusts, is) in [
        ("without a certificate", &ours, None),
        ("with a certificate of another CA", &ours, Some(&stranger)),
        ("a server of another CA", &other, Some(&client)),
    ] {
        let bad = configuration(trusts, is);
        let refused = runtime.block_on(check_clickhouse(&bad.clickhouse, bad.carriers));
        let said = refused.expect_err(what).to_string();
        assert!(said.starts_with("ClickHouse https://127.0.0.1:"), "{what}: {said}");
        let said = Registry::new(&bad.registry).check().expect_err(what).to_string();
        assert!(said.starts_with("registry https://127.0.0.1:"), "{what}: {said}");
    }
}
