//! `processor annotate`: says of a parcel what its vendor does not, or takes it back.

use clap::{ArgGroup, Args};
use courierflow_processor::annotation::annotate;
use courierflow_processor::annotation::judge::{Wish, time_of_micros};
use courierflow_processor::annotation::parcel::Which;
use courierflow_processor::config::Config;
use courierflow_schemas::records::AnnotationKind;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).args(["delivered", "lost", "destroyed", "exclude", "undo"])))]
#[expect(clippy::struct_excessive_bools, reason = "options of which one is given")]
pub(crate) struct Arguments {
    /// The carrier's number of the parcel.
    #[arg(long)]
    number: String,
    /// Only the parcel of this vendor, if several tell of the number.
    #[arg(long)]
    vendor: Option<String>,
    /// Only the parcel of this vendor contract.
    #[arg(long)]
    account: Option<String>,
    /// Only the parcel of this carrier (canonical code).
    #[arg(long)]
    carrier: Option<String>,
    /// The life of the number that began on this day (2026-11-28); the newest if missing.
    #[arg(long)]
    epoch: Option<Date>,
    /// It was delivered, now or at the time of --at.
    #[arg(long)]
    delivered: bool,
    /// It is lost: it never arrives.
    #[arg(long)]
    lost: bool,
    /// It was destroyed: it never arrives.
    #[arg(long)]
    destroyed: bool,
    /// It counts in no figure and is in no list to act on.
    #[arg(long)]
    exclude: bool,
    /// Take back what was said of it before.
    #[arg(long)]
    undo: bool,
    /// When it was delivered, lost or destroyed, such as 2026-12-01T08:00:00Z.
    #[arg(long, conflicts_with_all = ["exclude", "undo"])]
    at: Option<Timestamp>,
    /// Why, 1 to 500 characters. Telephone numbers and names that are announced as such are masked.
    #[arg(long)]
    reason: String,
    /// Who says it, 1 to 64 characters: everybody who looks at the parcel sees it.
    #[arg(long)]
    by: String,
}

impl Arguments {
    fn kind(&self) -> AnnotationKind {
        if self.delivered {
            AnnotationKind::Delivered
        } else if self.lost {
            AnnotationKind::Lost
        } else if self.destroyed {
            AnnotationKind::Destroyed
        } else if self.exclude {
            AnnotationKind::Excluded
        } else {
            AnnotationKind::None
        }
    }
}

/// Prints the parcel, what was said of it before and what is said now.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<()> {
    let wish = Wish {
        kind: arguments.kind(),
        at: arguments.at,
        reason: arguments.reason,
        by: arguments.by,
    };
    let which = Which {
        number: arguments.number,
        vendor: arguments.vendor,
        account: arguments.account,
        carrier: arguments.carrier,
        epoch: arguments.epoch,
    };
    let (parcel, said) = annotate(config, &config.clickhouse, &which, &wish, Timestamp::now()).await?;
    println!("{parcel}: {} by its vendor's word", parcel.status);
    match &parcel.standing {
        None => println!("before: no correction"),
        Some(standing) => println!(
            "before: {} by {} at {}: {}",
            standing.kind,
            standing.by,
            time_of_micros(standing.annotated_at),
            standing.reason
        ),
    }
    let at = said.occurred_at.and_then(|at| Timestamp::from_millisecond(at.0).ok());
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    match said.kind {
        AnnotationKind::None => println!("now: no correction, by {}: {}", said.annotated_by, said.reason),
        kind => println!("now: {kind}{at}, by {}: {}", said.annotated_by, said.reason),
    }
    println!("stored; the parcel's page follows within seconds, the figures with their next refresh");
    Ok(())
}
