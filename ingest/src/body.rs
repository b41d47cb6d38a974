//! Reads the body of a push within its limits: bytes of the body, bytes in memory, time. Nothing beyond a limit is kept,
//! whatever the request announces.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use bytes::BytesMut;
use tokio::time::{Instant, timeout, timeout_at};

use crate::admission::{Arrival, Full};
use crate::answer::Refusal;

/// How long, and up to how many bytes, the rest of a refused body is read and discarded. A connection that is closed with
/// unread bytes is reset, and the sender would not see the answer.
const DISCARD_TIME: Duration = Duration::from_secs(1);
const DISCARD_BYTES: usize = 4 * 1024 * 1024;

/// Limits of one body.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes.
    pub bytes: usize,
    /// For all of it to arrive.
    pub time: Duration,
}

/// The whole body, or why it is refused.
pub async fn read(body: &mut Body, limits: Limits, arrival: &mut Arrival) -> Result<Bytes, Refusal> {
    // The announced length, of a body that is not chunked.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.bytes {
        return Err(Refusal::TooLarge);
    }
    let deadline = Instant::now() + limits.time;
    // Most bodies come in one piece, which is not copied.
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut length = 0_usize;
    loop {
        let data = tokio::select! {
            data = timeout_at(deadline, next_data(body)) => data.unwrap_or(Err(Refusal::TooSlow))?,
            () = arrival.gives_way() => return Err(Refusal::Busy),
        };
        let Some(data) = data else {
            return Ok(if joined.is_empty() { first } else { joined.freeze() });
        };
        length += data.len();
        if length > limits.bytes {
            return Err(Refusal::TooLarge);
        }
        arrival.grow(data.len()).map_err(|Full| Refusal::Busy)?;
        if length == data.len() {
            first = data;
            continue;
        }
        if joined.is_empty() {
            // Allocate in proportion to what has arrived, not to what was announced.
            joined.reserve(announced.min(4 * length).max(length));
            joined.extend_from_slice(&first);
        }
        joined.extend_from_slice(&data);
    }
}

async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            Some(Err(_)) => return Err(Refusal::BrokenBody),
            Some(Ok(frame)) => {
                // Trailers of a chunked body are ignored.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Discards the rest of a refused body for a moment, while the answer is being sent.
pub fn discard(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(timeout(DISCARD_TIME, async move {
        let mut length = 0_usize;
        while let Ok(Some(data)) = next_data(&mut body).await {
            length += data.len();
            if length > DISCARD_BYTES {
                break;
            }
        }
    }));
}
