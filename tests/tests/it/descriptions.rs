//! The descriptions that are made for the tools of others say what the code says. `UPDATE_GOLDEN=1` writes them anew.

use std::path::Path;

use courierflow_processor::dead_letter::{self, Coordinates};
use courierflow_schemas::topics::{self, Topic};
use courierflow_service::traces;
use courierflow_tests::{asyncapi, dbt_sources};

#[test]
fn asyncapi_describes_the_topics() {
    assert_written(&asyncapi::path(), &asyncapi::document().unwrap());
}

#[test]
fn dbt_has_the_tables_and_views_of_the_ddl() {
    assert_written(&dbt_sources::path(), &dbt_sources::sources().unwrap());
}

#[test]
fn headers_have_the_names_that_the_programs_give_them() {
    let names = |topic: &str| -> Vec<&str> {
        let topic: &Topic = topics::ALL.iter().find(|known| known.name == topic).unwrap();
        topic.headers.iter().map(|header| header.name).collect()
    };
    let of_shipments = [courierflow_domain::memory::HEADER, traces::HEADER];
    assert_eq!(names(topics::SHIPMENT), of_shipments);
    assert_eq!(names(topics::TRANSITION), [traces::HEADER]);
    for header in [dead_letter::replay::REPLAYED_FROM, traces::HEADER] {
        assert!(names(topics::PUSH).contains(&header), "{header}");
    }
    let found_at = Coordinates {
        topic: topics::PUSH,
        partition: 0,
        offset: 0,
        timestamp: None,
    };
    let written = dead_letter::headers(&found_at, "malformed", &"");
    let written = written.iter().map(|(name, _)| *name).chain([traces::HEADER]);
    assert_eq!(names(topics::DERIVE_DEAD), written.collect::<Vec<_>>());
}

fn assert_written(path: &Path, should_be: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, should_be).unwrap();
        return;
    }
    let is = std::fs::read_to_string(path).unwrap();
    let place = path.display();
    for (line, (is, should_be)) in is.lines().zip(should_be.lines()).enumerate() {
        assert_eq!(is, should_be, "{place}:{}: UPDATE_GOLDEN=1 writes it anew", line + 1);
    }
    assert_eq!(is, should_be, "{place}: UPDATE_GOLDEN=1 writes it anew");
}
