//! The options of `simulator serve`.

use std::net::SocketAddr;

use clap::Args;

use super::{Contracts, Faults, ServeConfig};
use crate::simulator::clock::{DAY, HOUR, Seconds};

/// Where the vendors listen, which parcels exist, how time passes, what was agreed, and what goes wrong.
#[derive(Clone, Debug, Args)]
pub struct ServeArguments {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// How many parcels exist; a number that is none of theirs is one that no carrier knows
    #[arg(long, default_value_t = 1_000)]
    parcels: u32,
    /// Another seed, other parcels
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the simulated clock starts: so long ago (-12d, -36h, -90m), or a moment such as 2026-11-30T15:59:30Z
    #[arg(long, default_value = "-12d", allow_hyphen_values = true, value_parser = Start::parse)]
    from: Start,
    /// For how many days from then on parcels are ordered; if not given, until five days ago
    #[arg(long)]
    order_days: Option<u32>,
    /// Simulated seconds in one real second, until the simulated clock has caught up with the real one
    #[arg(long, default_value_t = 7_200.0)]
    speed: f64,
    /// Units that each contract has left to spend; without it as many as are wanted
    #[arg(long)]
    units: Option<u64>,
    #[command(flatten)]
    contracts: ContractArguments,
    #[command(flatten)]
    faults: FaultArguments,
}

/// A moment, or how long before the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    At(Seconds),
    Before(Seconds),
}

impl Start {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(before) = text.strip_prefix('-') else {
            let moment = text.parse::<jiff::Timestamp>();
            return moment
                .map(|at| Self::At(at.as_second()))
                .map_err(|error| error.to_string());
        };
        let units = [('d', DAY), ('h', HOUR), ('m', 60)];
        let found = units.iter().find_map(|(suffix, seconds)| {
            let number: u32 = before.strip_suffix(*suffix)?.parse().ok()?;
            Some(Self::Before(Seconds::from(number) * seconds))
        });
        found.ok_or_else(|| "must be like -12d, -36h or -90m".to_owned())
    }
}

#[derive(Clone, Debug, Args)]
struct ContractArguments {
    /// `key` of Kuaidi100's enterprise contract
    #[arg(
        long,
        env = "KUAIDI100_KEY",
        hide_env_values = true,
        default_value = "courierflow-demo-key"
    )]
    kuaidi100_key: String,
    /// `customer` of that contract
    #[arg(
        long,
        env = "KUAIDI100_CUSTOMER",
        hide_env_values = true,
        default_value = "courierflow-demo-customer"
    )]
    kuaidi100_customer: String,
    /// `AppCode` of the marketplace's contract
    #[arg(
        long,
        env = "KUAIDI100_APP_CODE",
        hide_env_values = true,
        default_value = "courierflow-demo-app-code"
    )]
    kuaidi100_app_code: String,
    /// `EBusinessID` of Kdniao's contract
    #[arg(long, default_value = "1000001")]
    kdniao_business_id: String,
    /// App key of that contract
    #[arg(
        long,
        env = "KDNIAO_APP_KEY",
        hide_env_values = true,
        default_value = "courierflow-demo-app-key"
    )]
    kdniao_app_key: String,
    /// Callback URL in Kdniao's console, for subscriptions that name none
    #[arg(long, default_value = "http://127.0.0.1:8080/v1/push/kdniao/demo")]
    kdniao_callback: String,
    /// API key of 17TRACK
    #[arg(
        long = "17track-api-key",
        env = "SEVENTEENTRACK_API_KEY",
        hide_env_values = true,
        default_value = "17track-demo-key-0001"
    )]
    seventeentrack_key: String,
    /// Callback URL in 17TRACK's console
    #[arg(
        long = "17track-callback",
        default_value = "http://127.0.0.1:8080/v1/push/17track/demo"
    )]
    seventeentrack_callback: String,
}

#[derive(Clone, Debug, Args)]
struct FaultArguments {
    /// Share of calls that are answered with a server error
    #[arg(long, default_value_t = 0.0)]
    server_errors: f64,
    /// Share of calls that are answered late
    #[arg(long, default_value_t = 0.0)]
    slow: f64,
    /// How late, real milliseconds
    #[arg(long, default_value_t = 7_000)]
    slow_ms: u64,
    /// Share of calls that are never answered; 0.01 without a value
    #[arg(long, default_value_t = 0.0, num_args = 0..=1, default_missing_value = "0.01")]
    hang: f64,
    /// Share of subscriptions that are taken, but the connection is closed without an answer
    #[arg(long, default_value_t = 0.0)]
    drop_after_accept: f64,
    /// Share of calls that are answered with a page of HTML
    #[arg(long, default_value_t = 0.0)]
    html: f64,
    /// Share of calls that are refused as too many (429)
    #[arg(long, default_value_t = 0.0)]
    rate_limited: f64,
    /// Share of pushes that are never sent
    #[arg(long, default_value_t = 0.0)]
    lost_pushes: f64,
    /// Share of tracking numbers whose pushes may be lost
    #[arg(long, default_value_t = 1.0)]
    lost_parcels: f64,
    /// Share of queries that are answered from a cache
    #[arg(long, default_value_t = 0.0)]
    stale_answers: f64,
    /// How old such an answer is, simulated hours
    #[arg(long, default_value_t = 8)]
    stale_hours: i64,
    /// Share of Kdniao's queries that find nothing although there is something
    #[arg(long, default_value_t = 0.0)]
    empty_answers: f64,
}

impl ServeArguments {
    /// What to serve, if it is that moment now (seconds UTC).
    pub fn config(&self, now: Seconds) -> ServeConfig {
        let (contracts, faults) = (self.contracts.clone(), &self.faults);
        ServeConfig {
            seed: self.seed,
            parcels: self.parcels,
            from: match self.from {
                Start::At(at) => at,
                Start::Before(seconds) => now - seconds,
            },
            order_days: self.order_days,
            speed: self.speed,
            contracts: Contracts {
                kuaidi100_key: contracts.kuaidi100_key,
                kuaidi100_customer: contracts.kuaidi100_customer,
                kuaidi100_app_code: contracts.kuaidi100_app_code,
                kdniao_business_id: contracts.kdniao_business_id,
                kdniao_app_key: contracts.kdniao_app_key,
                kdniao_callback: contracts.kdniao_callback,
                seventeentrack_key: contracts.seventeentrack_key,
                seventeentrack_callback: contracts.seventeentrack_callback,
            },
            faults: Faults {
                server_errors: faults.server_errors,
                slow: faults.slow,
                slow_ms: faults.slow_ms,
                hang: faults.hang,
                drop_after_accept: faults.drop_after_accept,
                html: faults.html,
                rate_limited: faults.rate_limited,
                lost_pushes: faults.lost_pushes,
                lost_parcels: faults.lost_parcels,
                stale_answers: faults.stale_answers,
                stale_hours: faults.stale_hours,
                empty_answers: faults.empty_answers,
                forced: Vec::new(),
            },
            units: self.units,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        arguments: ServeArguments,
    }

    #[test]
    fn the_clock_starts_some_time_ago_or_at_a_moment() {
        for (from, expected) in [
            ("-12d", Some(-12 * DAY)),
            ("-36h", Some(-36 * HOUR)),
            ("-90m", Some(-5_400)),
            ("1970-01-02T00:00:00Z", Some(DAY)),
            ("12d", None),
            ("-12", None),
            ("-d", None),
        ] {
            let program = Program::try_parse_from(["serve", "--from", from]);
            let start = program.ok().map(|program| program.arguments.config(0).from);
            assert_eq!(start, expected, "{from}");
        }
    }

    #[test]
    fn the_options_of_the_specification_are_there() {
        let line = "serve --listen 127.0.0.1:8090 --parcels 5 --seed 3 --from -12d --speed 7200 --units 9 --server-errors 0.02 \
                    --slow 0.01 --hang --drop-after-accept 0.01 --lost-pushes 0.03 --html 0.005 --stale-answers 0.05";
        let config = Program::try_parse_from(line.split_whitespace())
            .unwrap()
            .arguments
            .config(0);
        assert_eq!((config.parcels, config.seed, config.units), (5, 3, Some(9)));
        assert_eq!((config.faults.hang, config.faults.html), (0.01, 0.005));
    }
}
