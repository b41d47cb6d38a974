//! Corrections by hand: somebody says of a parcel what its vendor does not, as a record on `courier.annotation.v1`. The sink makes a row
//! of it, and views apply it; derive knows nothing of it.
//!
//! | room | what |
//! |---|---|
//! | [`parcel`] | the parcels that a number may mean, from the tables |
//! | [`judge`] | a wish about one of them → the record, or why not. Pure |
//! | [`send`] | the record → topic, until it is acknowledged |

pub mod judge;
pub mod parcel;
pub mod send;

use courierflow_schemas::records::Annotation;
use jiff::Timestamp;

use crate::config::{ClickHouseSettings, Config};
use judge::{Refusal, Wish};
use parcel::{LookupError, Parcel, Which};
use send::SendError;

/// Why nothing was annotated.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// The parcel is not known, or not known well enough.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// It cannot be said of this parcel.
    #[error("{parcel}: {refusal}")]
    Refused {
        /// Which parcel.
        parcel: String,
        /// Why not.
        refusal: Refusal,
    },
    /// Whether it was stored is not known.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Finds the parcel in `tables`, judges the wish and has the record acknowledged. Returns the parcel as it was, and the record.
pub async fn annotate(
    config: &Config,
    tables: &ClickHouseSettings,
    which: &Which,
    wish: &Wish,
    now: Timestamp,
) -> Result<(Parcel, Annotation), AnnotateError> {
    let parcel = parcel::find(tables, which).await?;
    let record = judge::judge(&parcel, wish, now).map_err(|refusal| AnnotateError::Refused {
        parcel: parcel.to_string(),
        refusal,
    })?;
    send::send(config, &record).await?;
    Ok((parcel, record))
}
