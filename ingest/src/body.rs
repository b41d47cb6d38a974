//! Reads the body of a push within its limits: bytes of the body, bytes in flight, and time. Nothing beyond a limit is
//! kept, whatever Content-Length says.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use bytes::BytesMut;
use tokio::time::timeout;

use crate::admission::{Full, Place};
use crate::answer::Refusal;

/// How long, and up to how many bytes, the rest of a refused body is read and discarded. A connection that is closed with
/// unread bytes is reset, and the sender would not see the answer.
const DISCARD_TIME: Duration = Duration::from_secs(1);
const DISCARD_BYTES: usize = 4 * 1024 * 1024;

/// Reads the whole body, or returns why it is refused.
pub async fn read(body: &mut Body, limit: usize, time: Duration, place: &mut Place) -> Result<Bytes, Refusal> {
    timeout(time, read_frames(body, limit, place))
        .await
        .unwrap_or(Err(Refusal::TooSlow))
}

async fn read_frames(body: &mut Body, limit: usize, place: &mut Place) -> Result<Bytes, Refusal> {
    // The announced length; 0 for a chunked body.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Refusal::TooLarge);
    }
    // Most bodies arrive in one chunk, which need not be copied.
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut length = 0_usize;
    while let Some(data) = next_data(body).await? {
        length += data.len();
        if length > limit {
            return Err(Refusal::TooLarge);
        }
        place.grow(data.len()).map_err(|Full| Refusal::Busy)?;
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
    Ok(if joined.is_empty() { first } else { joined.freeze() })
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
