//! Accounts with a limit: what they are answered, and that neither strangers nor other accounts have a part in it.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use courierflow_ingest::config::IngestSettings;
use sha2::{Digest, Sha256};

use crate::support::{
    Answer, Broker, CROSS_BORDER, INTERNATIONAL, Service, hex, kdniao_form, kuaidi100_form, settings,
};

const SEVENTEEN_TRACK: &str = include_str!("../samples/17track-a-cross-border.json");

/// The accounts of the other tests, each with this limit.
fn limited(pushes: u32) -> IngestSettings {
    let mut settings = settings();
    for account in &mut settings.accounts {
        account.max_pushes_per_minute = Some(pushes);
    }
    settings
}

async fn push_17track(service: &Service, api_key: &str) -> Answer {
    let sign = hex(&Sha256::digest(format!("{SEVENTEEN_TRACK}/{api_key}")));
    let request = Request::post("/v1/push/17track/demo").header("sign", sign);
    service.send(request.body(Body::from(SEVENTEEN_TRACK)).unwrap()).await
}

fn assert_over_limit(answer: &Answer, text: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.body.contains(text), "{}", answer.body);
    let reason = "too many pushes of this account, try again later";
    assert!(answer.body.contains(reason), "{}", answer.body);
    let seconds: u64 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    // Two a minute: the next one after half a minute at most.
    assert!((1..=30).contains(&seconds), "{seconds}");
}

fn count(metrics: &str, labels: &str) -> u64 {
    let name = format!("courierflow_ingest_account_pushes_total{{{labels}}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

#[tokio::test]
async fn over_the_limit_a_push_is_refused_in_the_vendors_words() {
    let service = Service::with(&limited(2), Broker::default());
    for _ in 0..2 {
        let kuaidi100 = service
            .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
            .await;
        let kdniao = service.post("/v1/push/kdniao/demo", kdniao_form(CROSS_BORDER)).await;
        let seventeen_track = push_17track(&service, "17track-demo-key-0001").await;
        for answer in [kuaidi100, kdniao, seventeen_track] {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        }
    }
    assert_eq!(service.published().len(), 6);
    let answer = service
        .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
        .await;
    assert_over_limit(&answer, r#"{"result":false,"returnCode":"500","#);
    let answer = service.post("/v1/push/kdniao/demo", kdniao_form(CROSS_BORDER)).await;
    assert_over_limit(&answer, r#""Success":false"#);
    let answer = push_17track(&service, "17track-demo-key-0001").await;
    assert_over_limit(&answer, r#"{"code":-1,"#);
    // A signed push that would be dead-lettered is a push, too.
    let answer = service.post("/v1/push/kuaidi100/demo", kuaidi100_form("{}")).await;
    assert_over_limit(&answer, r#""result":false"#);
    assert_eq!(service.published(), []);

    let metrics = service.get("/metrics").await.body;
    for (vendor, refused) in [("kuaidi100", 2), ("kdniao", 1), ("17track", 1)] {
        let of = |account, outcome| {
            let labels = format!(r#"vendor="{vendor}",account="{account}",outcome="{outcome}""#);
            count(&metrics, &labels)
        };
        assert_eq!(of("demo", "stored"), 2, "{vendor}");
        assert_eq!(of("demo", "over_limit"), refused, "{vendor}");
        assert_eq!(of("open", "over_limit"), 0, "{vendor}");
    }
}

#[tokio::test]
async fn strangers_cannot_use_up_what_an_account_may_send() {
    let service = Service::with(&limited(2), Broker::default());
    for body in [
        kuaidi100_form(INTERNATIONAL).replace("sign=", "sign=x"),
        "param=%7B%7D".to_owned(),
        "hello".to_owned(),
    ] {
        for _ in 0..10 {
            let answer = service.post("/v1/push/kuaidi100/demo", body.clone()).await;
            assert!(answer.status == 401 || answer.status == 400, "{}", answer.body);
        }
    }
    for _ in 0..10 {
        assert_eq!(push_17track(&service, "guessed").await.status, StatusCode::UNAUTHORIZED);
    }
    // An account that takes unsigned pushes beside signed ones: anybody can send those, and they count apart.
    let unsigned = format!("param={}", crate::support::encode(INTERNATIONAL.as_bytes()));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(
            service
                .post("/v1/push/kuaidi100/both", unsigned.clone())
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [200, 200, 429]);
    for account in ["demo", "both"] {
        let path = format!("/v1/push/kuaidi100/{account}");
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(service.post(&path, kuaidi100_form(INTERNATIONAL)).await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 429], "{account}");
    }
    assert_eq!(
        push_17track(&service, "17track-demo-key-0001").await.status,
        StatusCode::OK
    );
    let metrics = service.get("/metrics").await.body;
    let refused = r#"vendor="kuaidi100",account="demo",outcome="unauthorized""#;
    assert_eq!(count(&metrics, refused), 20);
}

#[tokio::test]
async fn one_accounts_flood_is_not_the_others_business() {
    let mut settings = settings();
    settings.accounts[0].max_pushes_per_minute = Some(1);
    let service = Service::with(&settings, Broker::default());
    let mut refused = 0;
    for _ in 0..20 {
        let answer = service
            .post("/v1/push/kuaidi100/demo", kuaidi100_form(INTERNATIONAL))
            .await;
        refused += u32::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
        let answer = service
            .post("/v1/push/kuaidi100/both", kuaidi100_form(INTERNATIONAL))
            .await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(refused, 19);
}
