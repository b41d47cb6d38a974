//! Posts simulated pushes as the vendors do: never two at a time about one parcel, in order, again when they fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use courierflow_schemas::records::Vendor;
use serde_json::Value;
use tokio::task::JoinSet;

use super::order::{Ticket, Window};
use super::push::SimulatedPush;
use super::vendors::service;

/// How to send.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// Scheme, host and port of ingest.
    pub ingest_url: String,
    /// Pushes started a second; 0: as fast as the answers come.
    pub rate: f64,
    /// Pushes in flight at most.
    pub concurrency: usize,
    /// How long one push is tried again before it is given up.
    pub give_up_after: Duration,
}

/// What has been done so far.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Pushes taken from the stream and sent at least once.
    pub sent: u64,
    /// Pushes answered with the vendor's success body.
    pub acked: u64,
    /// Parcels in those.
    pub acked_parcels: u64,
    /// Attempts that failed and were made again.
    pub retried: u64,
    /// Pushes that were refused for good, or given up.
    pub failed: u64,
    /// Why the last failed attempt failed.
    pub last_failure: Option<String>,
    /// Time since the start.
    pub elapsed: Duration,
}

impl Progress {
    /// Acknowledged pushes a second since the start.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.acked as f64 / seconds
        } else {
            0.0
        }
    }
}

/// What an answer means to a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Stored.
    Success,
    /// Not now.
    Later(String),
    /// Never: sending it again would not help.
    Refused(String),
}

/// Reads an answer as the vendor reads it: only its own success body counts.
pub fn answer(vendor: Vendor, status: u16, body: &[u8]) -> Answer {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let success = service(vendor).is_success(&parsed);
    let quoted = || {
        format!(
            "HTTP {status}: {}",
            String::from_utf8_lossy(body.get(..200).unwrap_or(body))
        )
    };
    match status {
        200 if success => Answer::Success,
        // A body that is not the vendor's success body is a failure to the vendor, whatever the status says.
        200 | 400 | 401 | 403 | 404 | 405 | 413 | 415 => Answer::Refused(quoted()),
        _ => Answer::Later(quoted()),
    }
}

enum Outcome {
    Acked { retried: u64 },
    Failed { retried: u64, reason: String },
}

/// So many failures without a success between them, and nobody will want the rest to be tried.
const HOPELESS: u32 = 100;

/// Sends everything, or until it is hopeless. `on_progress` is called twice a second; raising `stop` ends the sending after the pushes in flight.
pub async fn send(
    mut pushes: impl Iterator<Item = SimulatedPush>,
    config: &SenderConfig,
    stop: Arc<AtomicBool>,
    mut on_progress: impl FnMut(&Progress),
) -> Result<Progress, reqwest::Error> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(config.concurrency)
        .tcp_nodelay(true)
        .build()?;
    let base: Arc<str> = config.ingest_url.trim_end_matches('/').into();
    let started = Instant::now();
    let mut progress = Progress::default();
    let mut window = Window::default();
    let mut in_flight: JoinSet<(Ticket, u64, Outcome)> = JoinSet::new();
    let mut exhausted = false;
    let mut failed_in_a_row = 0;
    let mut pace = Pace {
        rate: config.rate,
        started,
        next_start: started,
    };
    let mut ticks = tokio::time::interval(Duration::from_millis(500));

    loop {
        let stopping = stop.load(Ordering::Relaxed) || failed_in_a_row >= HOPELESS;
        // Look further ahead than what is in flight: the next pushes may all be about parcels that are being sent.
        if !exhausted && !stopping {
            exhausted = fill(&mut window, &mut pushes, config.concurrency * 16);
        }
        let mut paced = false;
        while !stopping && in_flight.len() < config.concurrency {
            if Instant::now() < pace.next_start {
                paced = true;
                break;
            }
            let Some((ticket, push)) = window.start() else { break };
            pace.start_one();
            progress.sent += 1;
            let (client, base, stop) = (client.clone(), Arc::clone(&base), Arc::clone(&stop));
            let give_up_at = Instant::now() + config.give_up_after;
            in_flight.spawn(async move {
                let parcels = push.tracking_numbers.len() as u64;
                (ticket, parcels, deliver(&client, &base, &push, give_up_at, &stop).await)
            });
        }
        if in_flight.is_empty() && (stopping || (exhausted && window.is_empty())) {
            break;
        }
        tokio::select! {
            Some(done) = in_flight.join_next(), if !in_flight.is_empty() => {
                // A task neither panics nor is aborted; were it so, its push would not be counted as acknowledged.
                if let Ok((ticket, parcels, outcome)) = done {
                    window.finish(ticket);
                    failed_in_a_row = if matches!(outcome, Outcome::Acked { .. }) { 0 } else { failed_in_a_row + 1 };
                    count(&mut progress, parcels, outcome);
                }
            }
            () = tokio::time::sleep_until(pace.next_start.into()), if paced => {}
            _ = ticks.tick() => {
                progress.elapsed = started.elapsed();
                on_progress(&progress);
            }
        }
    }
    progress.elapsed = started.elapsed();
    Ok(progress)
}

/// Takes pushes from the stream until there are `most` in the window; true when the stream has ended.
fn fill(window: &mut Window<SimulatedPush>, pushes: &mut impl Iterator<Item = SimulatedPush>, most: usize) -> bool {
    while window.len() < most {
        let Some(push) = pushes.next() else { return true };
        let numbers = push.tracking_numbers.clone();
        window.add(push, numbers);
    }
    false
}

/// When pushes may start.
struct Pace {
    /// Starts a second; 0: no limit.
    rate: f64,
    started: Instant,
    next_start: Instant,
}

impl Pace {
    fn start_one(&mut self) {
        if self.rate > 0.0 {
            // Time lost waiting for answers is made up for by a short burst at most.
            let not_before = self.started + self.started.elapsed().saturating_sub(Duration::from_millis(100));
            self.next_start = self.next_start.max(not_before) + Duration::from_secs_f64(1.0 / self.rate);
        }
    }
}

fn count(progress: &mut Progress, parcels: u64, outcome: Outcome) {
    match outcome {
        Outcome::Acked { retried } => {
            progress.acked += 1;
            progress.acked_parcels += parcels;
            progress.retried += retried;
        }
        Outcome::Failed { retried, reason } => {
            progress.failed += 1;
            progress.retried += retried;
            progress.last_failure = Some(reason);
        }
    }
}

/// Sends one push until it is answered with success, refused, or given up.
async fn deliver(
    client: &reqwest::Client,
    base: &str,
    push: &SimulatedPush,
    give_up_at: Instant,
    stop: &AtomicBool,
) -> Outcome {
    let url = format!("{base}{}", push.path);
    let mut retried = 0;
    loop {
        let mut request = client.post(&url).body(push.body.clone());
        for (name, value) in &push.headers {
            request = request.header(*name, value);
        }
        let reason = match attempt(request, push.vendor).await {
            Ok(Answer::Success) => return Outcome::Acked { retried },
            Ok(Answer::Refused(reason)) => return Outcome::Failed { retried, reason },
            Ok(Answer::Later(reason)) => reason,
            Err(error) => format!("no answer: {error}"),
        };
        if Instant::now() >= give_up_at || stop.load(Ordering::Relaxed) {
            return Outcome::Failed { retried, reason };
        }
        retried += 1;
        // 100 ms, doubling up to 3.2 s, each between half and all of it. (A vendor waits half an hour.)
        let wait = Duration::from_millis(100 << retried.min(5)).mul_f64(0.5 + fastrand::f64() / 2.0);
        tokio::time::sleep(wait).await;
    }
}

async fn attempt(request: reqwest::RequestBuilder, vendor: Vendor) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok(answer(vendor, status, &response.bytes().await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_vendors_success_body_is_a_success() {
        let kuaidi100 = r#"{"result":true,"returnCode":"200","message":"成功"}"#;
        let kdniao = r#"{"EBusinessID":"1","UpdateTime":"2026-08-09 07:05:03","Success":true,"Reason":""}"#;
        let refused = |answer: &Answer| matches!(answer, Answer::Refused(_));
        let later = |answer: &Answer| matches!(answer, Answer::Later(_));
        let success = |answer: &Answer| *answer == Answer::Success;
        for (case, vendor, status, body, is) in [
            (
                "kuaidi100",
                Vendor::Kuaidi100,
                200,
                kuaidi100,
                &success as &dyn Fn(&Answer) -> bool,
            ),
            ("kdniao", Vendor::Kdniao, 200, kdniao, &success),
            ("each vendor has its own", Vendor::Kdniao, 200, kuaidi100, &refused),
            (
                "keys are case-sensitive",
                Vendor::Kdniao,
                200,
                r#"{"success":true}"#,
                &refused,
            ),
            ("no body", Vendor::Kuaidi100, 200, "", &refused),
            (
                "wrong signature",
                Vendor::Kuaidi100,
                401,
                r#"{"result":false,"returnCode":"401"}"#,
                &refused,
            ),
            ("success in a failure", Vendor::Kuaidi100, 503, kuaidi100, &later),
            ("broker down", Vendor::Kdniao, 503, r#"{"Success":false}"#, &later),
            ("17track", Vendor::SeventeenTrack, 200, r#"{"code":0}"#, &success),
            (
                "17track refused",
                Vendor::SeventeenTrack,
                401,
                r#"{"code":-1,"message":""}"#,
                &refused,
            ),
        ] {
            assert!(is(&answer(vendor, status, body.as_bytes())), "{case}");
        }
    }
}
