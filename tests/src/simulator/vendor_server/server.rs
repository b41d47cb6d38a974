//! The program around the desk: it gives it the time, listens, and sends its pushes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use courierflow_schemas::records::Vendor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::ServeConfig;
use super::clock::{ClockChange, VendorClock, moment};
use super::connection::{CuttableListener, Scissors};
use super::desk::{Desk, Outgoing};
use super::http::router;
use super::parcels::World;
use crate::simulator::clock::{DAY, Seconds};
use crate::simulator::sender::{Answer, answer};

/// How often the desk looks for what is due, real time. At 7,200 times the speed of time these are two simulated minutes.
const TICK: Duration = Duration::from_millis(20);

/// How long a vendor waits for the answer to a push. Of Kdniao nothing is known.
const fn patience(vendor: Vendor) -> Duration {
    match vendor {
        Vendor::Kuaidi100 | Vendor::Kdniao => Duration::from_secs(20),
        Vendor::SeventeenTrack => Duration::from_secs(3),
    }
}

/// Pushes in flight at most.
const PUSHES_IN_FLIGHT: usize = 64;

/// Days before the present in which no parcel is ordered any more, so that most of them arrive.
const DAYS_TO_ARRIVE: i64 = 5;

/// The desk and its clock, shared by everything that runs.
#[derive(Debug)]
pub(crate) struct Vendors {
    desk: Mutex<Desk>,
    clock: Mutex<VendorClock>,
    /// The clock was changed: look at once what is due.
    woken: Notify,
}

impl Vendors {
    pub(crate) fn new(config: ServeConfig, real: i64) -> Self {
        let present = real.div_euclid(1_000_000);
        let days = (present - config.from).div_euclid(DAY) - DAYS_TO_ARRIVE;
        let world = World {
            seed: config.seed,
            parcels: config.parcels,
            from: config.from,
            order_days: config.order_days.unwrap_or(u32::try_from(days.max(1)).unwrap_or(1)),
        };
        Self {
            desk: Mutex::new(Desk::new(config.contracts, &world, config.faults, config.units)),
            clock: Mutex::new(VendorClock::new(real, config.from, config.speed)),
            woken: Notify::new(),
        }
    }

    /// The desk. Nobody waits for anything while holding it.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on after its program has ended.
    pub(crate) fn resume(&self) {
        let now = self.now();
        self.desk().resume(now);
    }

    /// The simulated time.
    pub(crate) fn now(&self) -> Seconds {
        self.clock().now(real_now())
    }

    /// The simulated time, and how far the clock of limits is ahead of it.
    pub(crate) fn now_and_ahead(&self) -> (Seconds, Seconds) {
        let (clock, real) = (self.clock(), real_now());
        (clock.now(real), clock.ahead(real))
    }

    fn clock(&self) -> VendorClock {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change_clock(&self, change: &ClockChange) -> Result<(), &'static str> {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        *clock = clock.changed(change, real_now())?;
        drop(clock);
        self.woken.notify_one();
        Ok(())
    }

    pub(crate) fn clock_json(&self) -> Value {
        json!({"now": moment(self.now()), "speed": self.clock().speed()})
    }
}

/// Microseconds since 1970 UTC.
pub(crate) fn real_now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

/// Plays the vendors until `stop` is over. Calls and pushes that are under way then are not waited for: a vendor that
/// goes away does not either.
pub(crate) async fn run(
    listener: TcpListener,
    vendors: Arc<Vendors>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()?;
    let service = router(Arc::clone(&vendors)).into_make_service_with_connect_info::<Scissors>();
    tokio::select! {
        served = axum::serve(CuttableListener(listener), service).into_future() => served?,
        () = push(vendors, client) => {}
        () = stop => {}
    }
    Ok(())
}

/// Sends what the desk has to tell, for ever.
async fn push(vendors: Arc<Vendors>, client: reqwest::Client) {
    let in_flight = Arc::new(Semaphore::new(PUSHES_IN_FLIGHT));
    let mut senders = JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = vendors.woken.notified() => {}
        }
        let now = vendors.now();
        let outgoing = vendors.desk().work(now);
        for push in outgoing {
            senders.spawn(deliver(
                Arc::clone(&vendors),
                client.clone(),
                Arc::clone(&in_flight),
                push,
            ));
        }
        while senders.try_join_next().is_some() {}
    }
}

/// Sends a push, then those about the same number that have waited for it.
async fn deliver(vendors: Arc<Vendors>, client: reqwest::Client, in_flight: Arc<Semaphore>, push: Outgoing) {
    let mut next = Some(push);
    while let Some(push) = next {
        let is_success = {
            let _permit = in_flight.acquire().await;
            post(&client, &push).await
        };
        let now = vendors.now();
        next = vendors.desk().answered(push.id, is_success, now);
    }
}

/// Whether the push was taken: only the vendor's own words for success count.
async fn post(client: &reqwest::Client, push: &Outgoing) -> bool {
    let request = client.post(&push.url).timeout(patience(push.vendor));
    let mut request = request.body(push.body.clone());
    for (name, value) in &push.headers {
        request = request.header(*name, value);
    }
    let Ok(response) = request.send().await else {
        return false;
    };
    let status = response.status().as_u16();
    match response.bytes().await {
        Ok(body) => answer(push.vendor, status, &body) == Answer::Success,
        Err(_) => false,
    }
}

/// Listens; the error names the address.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!("cannot listen on {address}: the port is in use"),
        _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
    })
}
