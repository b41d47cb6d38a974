//! Strangers who hold what the services need: connections, places for pushes, memory for answers. Each attack goes on while the
//! test asks: whatever the server closes is opened again. No time is asserted beyond the patience of all tests.

use std::fmt::Write as _;

use courierflow_tests::attack::{Attack, connect};
use courierflow_tests::stack::{Launch, Service, Stack};

use crate::harness::sharing::Sharing;
use crate::harness::{PATIENCE, agent, eventually, metric, migrated, post, processor, ready, tables};

/// The limit of file descriptors that most systems give a process.
const USUAL_FILE_LIMIT: u32 = 1024;

/// Servers for the tests of this room that can share them: it is our services that are attacked, each test's own.
static ATTACKED: Sharing<Box<dyn Stack>> = Sharing::new();

/// The status of an answer, on a connection of its own.
fn status(url: &str) -> Result<u16, String> {
    let answer = agent().get(url).call().map_err(|error| error.to_string())?;
    Ok(answer.status().as_u16())
}

/// Probes are answered on new connections, more than once.
fn assert_probes_answer(service: &Service) {
    for path in ["/livez", "/readyz", "/metrics"].repeat(3) {
        assert_eq!(status(&format!("{}{path}", service.url())), Ok(200), "{path}");
    }
}

#[test]
fn half_sent_requests_do_not_take_the_processor_its_descriptors() {
    let stack = migrated("half-requests");
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let processor = ready(
        &processor("run", &stack).file_limit(USUAL_FILE_LIMIT),
        "processor",
        &stack,
    );
    let _attack = Attack::begin(&processor, 1_045, "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
    assert_probes_answer(&processor);
    post::one_picked_up(&ingest.url(), "HALF1");
    eventually("a push has its row", || {
        match tables::transitions_of(&stack, "HALF1").len() {
            0 => Err("no transition".to_owned()),
            _ => Ok(()),
        }
    });
    assert_probes_answer(&processor);
    let log = processor.log().unwrap();
    assert!(!log.contains("Too many open files"), "{log}");
    assert!(metric(&processor, "courierflow_processor_connections_closed_total").unwrap() > 0.0);
}

#[test]
fn slow_bodies_without_a_signature_take_no_places() {
    let stack = ATTACKED.get(|| migrated("attacks"));
    for (name, launch) in [
        ("slow-ingest", Launch::ingest()),
        ("slow-ingest-few-files", Launch::ingest().file_limit(USUAL_FILE_LIMIT)),
    ] {
        let ingest = ready(&launch, name, &**stack);
        let slow = "POST /v1/push/kuaidi100/demo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nparam=";
        let _attack = Attack::begin(&ingest, 1_030, slow).unwrap();
        for push in 0..20 {
            post::one_picked_up(&ingest.url(), &format!("SLOW{push}"));
        }
        assert_probes_answer(&ingest);
    }
}

#[test]
fn silent_connections_do_not_keep_probes_and_pushes_out() {
    let stack = ATTACKED.get(|| migrated("attacks"));
    for (name, launch, connections) in [
        ("silent-ingest", Launch::ingest(), 4_110),
        (
            "silent-ingest-few-files",
            Launch::ingest().file_limit(USUAL_FILE_LIMIT),
            1_136,
        ),
    ] {
        let ingest = ready(&launch, name, &**stack);
        let _attack = Attack::begin(&ingest, connections, "").unwrap();
        assert_probes_answer(&ingest);
        post::one_picked_up(&ingest.url(), "SILENT1");
        let log = ingest.log().unwrap();
        assert!(!log.contains("Too many open files"), "{log}");
    }
}

/// Events of the parcel.
const LARGE: usize = 2_000;

/// A parcel with so many events, and such long texts, that its answer is megabytes.
fn post_large_parcel(ingest: &Service, number: &str) {
    let text = "x".repeat(700);
    let mut items = String::new();
    for second in 0..LARGE {
        let (minutes, seconds) = (second / 60, second % 60);
        let time = format!("2026-08-01 {:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60);
        let code = if second % 2 == 0 { "1002" } else { "5" };
        write!(
            items,
            r#"{{"context":"{text} {second}","ftime":"{time}","statusCode":"{code}"}},"#
        )
        .unwrap();
    }
    let items = items.trim_end_matches(',');
    let param = format!(
        r#"{{"status":"polling","lastResult":{{"nu":"{number}","com":"yunda","state":"0","ischeck":"0","data":[{items}]}}}}"#
    );
    let answer = post::kuaidi100(&ingest.url(), &param).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The most memory that the process has ever had, in bytes.
fn peak_memory(service: &Service) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// A large answer is refused where answers may not be large.
fn assert_the_size_of_answers_is_configured(stack: &dyn Stack, path: &str) {
    let launch = processor("dashboard", stack).env("COURIERFLOW__DASHBOARD__MAX_ANSWER_BYTES", "65536");
    let dashboard = ready(&launch, "small-answers", stack);
    let mut refused = agent().get(format!("{}{path}", dashboard.url())).call().unwrap();
    let said: serde_json::Value = refused.body_mut().read_json().unwrap();
    assert_eq!(
        (refused.status().as_u16(), &said["error"]["code"]),
        (422, &"too_much".into()),
        "{said}"
    );
}

#[test]
fn clients_that_do_not_read_take_no_more_memory_than_answers_may() {
    const CLIENTS: usize = 40;
    let stack = ATTACKED.get(|| migrated("attacks"));
    let ingest = ready(&Launch::ingest(), "unread-ingest", &**stack);
    let mut loading = ready(&processor("run", &**stack), "unread-processor", &**stack);
    post_large_parcel(&ingest, "LARGE1");
    let path = "/api/v1/parcel?number=LARGE1";
    eventually("the parcel is in the tables", || {
        let transitions = tables::transitions_of(&**stack, "LARGE1").len();
        if transitions >= LARGE - 1 {
            Ok(())
        } else {
            Err(format!("{transitions} transitions"))
        }
    });
    assert!(loading.terminate(PATIENCE).unwrap().success());

    let dashboard = ready(&processor("dashboard", &**stack), "unread-dashboard", &**stack);
    let answer = agent().get(format!("{}{path}", dashboard.url())).call();
    let size = answer
        .unwrap()
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_vec()
        .unwrap()
        .len();
    assert!(size > 1_500_000, "{size} bytes");
    assert_the_size_of_answers_is_configured(&**stack, path);
    let before = peak_memory(&dashboard);
    let counted = "courierflow_dashboard_query_seconds_count";
    let asked_before = metric(&dashboard, counted).unwrap();
    let address = dashboard.url().trim_start_matches("http://").to_owned();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").repeat(2);
    let held: Vec<_> = (0..CLIENTS).map(|_| connect(&address, &request).unwrap()).collect();
    eventually("all have been answered, one way or the other", || {
        let asked = metric(&dashboard, counted)? - asked_before;
        #[expect(clippy::cast_precision_loss, reason = "40")]
        let all = 2.0 * CLIENTS as f64;
        if asked >= all {
            Ok(())
        } else {
            Err(format!("{asked} statements of {all}"))
        }
    });
    let grown = peak_memory(&dashboard) - before;
    assert!(
        grown < CLIENTS * size / 2,
        "{grown} bytes more for answers of {size} bytes"
    );
    assert_probes_answer(&dashboard);
    // They are closed, and then others are answered again.
    eventually("who does not read is closed", || {
        match metric(
            &dashboard,
            r#"courierflow_processor_connections_closed_total{reason="not_reading"}"#,
        )? {
            0.0 => Err("nobody is closed".to_owned()),
            _ => Ok(()),
        }
    });
    eventually("others are answered", || {
        match status(&format!("{}{path}", dashboard.url()))? {
            200 => Ok(()),
            other => Err(format!("status {other}")),
        }
    });
    drop(held);
}

#[test]
fn health_and_metrics_have_a_listener_of_their_own() {
    let stack = ATTACKED.get(|| migrated("attacks"));
    for (launch, key) in [
        (Launch::ingest(), "COURIERFLOW__INGEST__ADMIN_LISTEN"),
        (processor("run", &**stack), "COURIERFLOW__PROCESSOR__ADMIN_LISTEN"),
    ] {
        let admin = format!("127.0.0.1:{}", stack.reserve_port().unwrap());
        let service = launch
            .env(key, &admin)
            .file_limit(USUAL_FILE_LIMIT)
            .start(key, &**stack)
            .unwrap();
        eventually("it is ready", || match status(&format!("http://{admin}/readyz"))? {
            200 => Ok(()),
            other => Err(format!("status {other}")),
        });
        let _attack = Attack::begin(&service, 1_045, "GET / HTTP/1.1\r\nHost").unwrap();
        for path in ["/livez", "/readyz", "/metrics"] {
            assert_eq!(status(&format!("http://{admin}{path}")), Ok(200), "{path}");
            assert_eq!(status(&format!("{}{path}", service.url())), Ok(404), "{path}");
        }
        let metrics = agent().get(format!("http://{admin}/metrics")).call().unwrap();
        let metrics = metrics.into_body().read_to_string().unwrap();
        for told in ["\ncourierflow_build_info{version=", "\nprocess_max_fds 1024\n"] {
            assert!(metrics.contains(told), "{told} is not in\n{metrics}");
        }
    }
}

#[test]
fn a_limit_of_descriptors_that_nothing_can_work_with_ends_the_start() {
    let stack = ATTACKED.get(|| migrated("attacks"));
    for (launch, name, key) in [
        (Launch::ingest(), "few-files-ingest", "ingest.max_connections"),
        (
            processor("run", &**stack),
            "few-files-processor",
            "processor.max_connections",
        ),
    ] {
        let mut service = launch.file_limit(64).start(name, &**stack).unwrap();
        let ended = service.wait(PATIENCE).unwrap();
        let log = service.log().unwrap();
        assert_eq!(ended.code(), Some(2), "{log}");
        let line = log
            .lines()
            .find(|line| line.contains(key))
            .unwrap_or_else(|| panic!("{log}"));
        assert!(line.contains("ulimit -n") && line.contains("64"), "{line}");
    }
}
