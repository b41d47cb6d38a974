//! Carrier performance in the browser: a page that is part of this program, and the API behind it. It talks
//! only to `ClickHouse`, as a user with read access, and stores nothing, except what somebody with a token says of a parcel.
//!
//! | module | what |
//! |---|---|
//! | [`assets`] | the files of the page, built by npm from `dashboard/` |
//! | [`hosts`] | under which names it may be asked |
//! | [`parameters`] | what may be asked, pure |
//! | [`endpoints`] | which statements answer which question: one row an endpoint |
//! | [`figures`] | the figures whose parcels can be listed |
//! | [`annotate`] | corrections by hand: all that is ever written, and to Kafka |
//! | [`cursor`] | where a page of parcels ends |
//! | [`download`] | an answer as CSV |
//! | [`database`] | how a statement is run, and what a failure means |
//! | [`rows`] | what it gave, on its way into an answer |
//! | [`answer`] | what is answered instead |
//! | [`catalog`] | names of carriers, codes and provinces, in both languages, and the contracts that are called |
//! | [`changes`] | carriers and lanes that have become better or worse, as a metric |
//! | [`own_metrics`] | what the other roles of this process say of themselves |

mod annotate;
mod answer;
mod assets;
mod catalog;
mod changes;
mod cursor;
mod database;
mod download;
mod endpoints;
mod figures;
mod hosts;
mod own_metrics;
mod parameters;
mod rows;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use courierflow_schemas::carriers::Carriers;
use futures_util::future::try_join_all;
use jiff::Zoned;
use jiff::tz::TimeZone;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tower_http::compression::CompressionLayer;

use self::annotate::Desk;
use self::answer::Refusal;
use self::cursor::Cursor;
use self::database::Database;
use self::endpoints::{COHORT_OF, ENDPOINTS, Endpoint};
use self::figures::Figure;
use self::hosts::Hosts;
use self::parameters::{Bounds, Question};
use self::rows::{Answer, Row};
use crate::config::Config;
use crate::health::Health;

/// The views of the page; each has its own path, and all are served from the same file.
const VIEWS: &[&str] = &[
    "/",
    "/transit",
    "/exceptions",
    "/lanes",
    "/attention",
    "/parcels",
    "/subscriptions",
    "/parcel",
    "/order",
    "/pipeline",
];

const DESCRIPTION: &str = include_str!("openapi.json");

/// Beijing time, because days of pickup are days in China.
const CHINA: &str = "Asia/Shanghai";

#[derive(Clone)]
struct Dashboard {
    database: Database,
    carriers: &'static Carriers,
    max_days: u16,
    catalog: Arc<Value>,
    metrics: PrometheusHandle,
    health: Health,
}

/// The page and its API. Both also work while the database is away, and then say so. Call it in a runtime: what the database knows of changes is
/// published from then on.
pub fn router(config: &Config, metrics: PrometheusHandle, health: Health) -> Router {
    let dashboard = Dashboard {
        database: Database::new(&config.clickhouse, &config.dashboard),
        carriers: config.carriers,
        max_days: config.dashboard.max_days,
        catalog: Arc::new(catalog::catalog(
            config.carriers,
            &config.subscribe.accounts,
            config.dashboard.max_days,
        )),
        metrics,
        health,
    };
    if let Ok(about_all) = parameters::read("", &[], dashboard.bounds(parameters::ROWS)) {
        tokio::spawn(changes::publish(dashboard.database.clone(), about_all));
    }
    let mut router = Router::new()
        .route("/api/v1/openapi.json", get(describe))
        .route("/api/v1/catalog", get(show_catalog))
        .route("/api/v1/process", get(show_process))
        .route("/api/{*path}", get(no_such_endpoint))
        .route("/assets/{name}", get(file))
        .route("/favicon.svg", get(file));
    for endpoint in ENDPOINTS {
        router = router.route(
            endpoint.path,
            get(
                move |State(dashboard): State<Dashboard>, RawQuery(query): RawQuery, headers: HeaderMap| async move {
                    let query = query.unwrap_or_default();
                    if download::is_wanted(&headers) {
                        dashboard.download(endpoint, &query).await
                    } else {
                        dashboard.answer(endpoint, &query).await
                    }
                },
            ),
        );
    }
    let desk = Desk::new(config, database::reader(&config.clickhouse, &config.dashboard));
    router = router.route(
        "/api/v1/annotations",
        post(move |headers: HeaderMap, body: Bytes| async move { desk.take(&headers, body).await })
            .layer(DefaultBodyLimit::max(annotate::MAX_BYTES)),
    );
    for view in VIEWS {
        router = router.route(view, get(page));
    }
    router = router
        .route("/{nowhere}", get(no_such_page))
        .route("/{nowhere}/", get(beyond_a_page))
        .route("/{nowhere}/{*beyond}", get(beyond_a_page));
    // The files of the page are already compressed, and this layer leaves them alone.
    let hosts = Hosts::new(&config.dashboard.allowed_hosts);
    router
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(hosts, hosts::check))
        .with_state(dashboard)
}

impl Dashboard {
    async fn answer(&self, endpoint: &Endpoint, query: &str) -> Result<Response<Body>, Refusal> {
        let mut question = parameters::read(query, endpoint.takes, self.bounds(parameters::ROWS))?;
        if question.table.is_some() {
            let reason = "is for files: it needs the header Accept: text/csv";
            return Err(Refusal::bad_parameter("table", "bad_parameter", reason));
        }
        let page = question.limit;
        // One more than a page shows whether there is another.
        question.limit += u32::from(endpoint.is_paged());

        // Run them concurrently: most of their time is planning, which the server does on one core. Each takes its own permit.
        let asked = endpoint.statements.iter().map(async |(key, statement)| {
            let found = self.database.rows(*statement, &question).await?;
            Ok::<_, Refusal>((key, found))
        });
        let mut found = try_join_all(asked).await?;
        let size = found.iter().map(|(_, rows)| rows.size()).sum();
        self.database.check_size(size)?;

        let mut answer = Answer::with_capacity(size);
        if endpoint.is_about_days() {
            answer.value("from", &question.from.to_string().into());
            answer.value("to", &question.to.to_string().into());
        }
        if endpoint.is_paged() {
            let page = usize::try_from(page).unwrap_or(usize::MAX);
            let last = found.first_mut().and_then(|(_, rows)| rows.end_page(page));
            let next = last.and_then(|row| Cursor::of(&row)).map(|cursor| cursor.write());
            answer.value("next", &next.into());
        }
        let mut rows = 0;
        let mut cohort = None;
        for (key, found) in found {
            if *key == COHORT_OF {
                cohort = found.first();
            } else {
                rows += found.len();
            }
            answer.rows(key, found);
        }
        let explanation = (rows == 0).then(|| explain_nothing(endpoint, &question, cohort.as_ref(), self.carriers));
        answer.value("explanation", &explanation.into());
        let headers = [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/json")];
        Ok((headers, answer.finish()).into_response())
    }
}

impl Dashboard {
    fn bounds(&self, rows: (u32, u32)) -> Bounds {
        let today = Zoned::now()
            .in_tz(CHINA)
            .map_or_else(|_| Zoned::now().with_time_zone(TimeZone::UTC).date(), |now| now.date());
        Bounds {
            today,
            max_days: self.max_days,
            rows,
        }
    }

    /// One member of an answer as a file.
    async fn download(&self, endpoint: &Endpoint, query: &str) -> Result<Response<Body>, Refusal> {
        let rows = (download::MAX_ROWS, download::MAX_ROWS);
        let question = parameters::read(query, endpoint.takes, self.bounds(rows))?;
        let (key, statement) = endpoint.table(question.table.as_deref())?;
        let download = self.database.download(statement, &question).await?;
        let endpoint = endpoint.path.rsplit('/').next().unwrap_or_default();
        let name = if key == "rows" {
            endpoint.to_owned()
        } else {
            format!("{endpoint}-{key}")
        };
        Ok(download.answer(&name))
    }
}

/// Why there is nothing: in the words of the question, so that a mistyped code is seen. Parcels without a fault are not
/// nothing.
fn explain_nothing(endpoint: &Endpoint, question: &Question, cohort: Option<&Row>, carriers: &Carriers) -> String {
    let mut asked = Vec::new();
    if endpoint.is_about_days() {
        asked.push(format!("{} from {} to {}", endpoint.days(), question.from, question.to));
    }
    if !question.number.is_empty() {
        asked.push(format!("number {}", question.number));
    }
    if !question.reference.is_empty() {
        asked.push(format!("order {}", question.reference));
    }
    for carrier in &question.carriers {
        // Codes that are not mapped pass through from the vendors and may have parcels, too.
        let known = if carriers.company(carrier).is_some() {
            ""
        } else {
            " (not in the list of known carriers)"
        };
        asked.push(format!("carrier {carrier}{known}"));
    }
    if let Some(vendor) = question.vendor {
        asked.push(format!("vendor {vendor}"));
    }
    if let Some(account) = &question.account {
        asked.push(format!("account {account}"));
    }
    if let Some(attention) = question.attention {
        asked.push(format!("attention {attention}"));
    }
    if question.figure != Figure::every_parcel() {
        asked.push(format!("figure {}", question.figure.name));
    }
    if let Some(status) = question.status {
        asked.push(format!("status {status}"));
    }
    if let Some(exception) = &question.exception {
        asked.push(format!("{} {}", exception.kind, exception.name));
    }
    for (name, province) in [("origin", &question.origin), ("destination", &question.dest)] {
        if let Some(province) = province {
            asked.push(format!("{name} {province}"));
        }
    }
    let nothing = cohort.map_or_else(
        || "there is nothing".to_owned(),
        |cohort| {
            let count = |name| cohort.get(name).and_then(Value::as_u64).unwrap_or_default();
            let (settled, parcels) = (count("settled"), count("parcels"));
            format!(
                "there are no exceptions within 7 days of the pickup among {settled} settled parcels ({parcels} in all)"
            )
        },
    );
    if asked.is_empty() {
        nothing
    } else {
        format!("{nothing} for {}", asked.join(", "))
    }
}

async fn describe() -> Response<Body> {
    ([(CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

async fn show_catalog(State(dashboard): State<Dashboard>) -> Response<Body> {
    ([(CACHE_CONTROL, "no-cache")], Json(&*dashboard.catalog)).into_response()
}

async fn show_process(State(dashboard): State<Dashboard>) -> Response<Body> {
    let samples = own_metrics::read(&dashboard.metrics.render());
    let readiness = dashboard.health.readiness();
    let answer = json!({ "readiness": readiness, "samples": samples });
    ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

async fn no_such_endpoint(uri: Uri) -> Refusal {
    let paths: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.path).collect();
    Refusal::because(
        StatusCode::NOT_FOUND,
        "unknown_path",
        format!(
            "there is no {}; there are /api/v1/openapi.json, /api/v1/catalog, /api/v1/process, {}",
            uri.path().chars().take(80).collect::<String>(),
            paths.join(", ")
        ),
    )
}

async fn page(request: HeaderMap) -> Response<Body> {
    assets::serve(assets::PAGE, &request)
}

/// An address of no view: the page says so, with the way to those that there are.
async fn no_such_page(request: HeaderMap) -> Response<Body> {
    let mut page = assets::serve(assets::PAGE, &request);
    if page.status() == StatusCode::OK {
        *page.status_mut() = StatusCode::NOT_FOUND;
    }
    page
}

/// Below a view there is nothing, and the page would look for its files there. Relative, because the page may be below a path of a proxy.
async fn beyond_a_page(uri: Uri) -> Response<Body> {
    let (view, beyond) = uri.path().trim_start_matches('/').split_once('/').unwrap_or_default();
    let up = "../".repeat(beyond.matches('/').count() + 1);
    (StatusCode::SEE_OTHER, [(LOCATION, format!("{up}{view}"))]).into_response()
}

async fn file(uri: Uri, request: HeaderMap) -> Response<Body> {
    assets::serve(uri.path(), &request)
}
