//! Gives tokens to clients of librdkafka. rdkafka does so only for events that it polls itself.
#![allow(
    unsafe_code,
    reason = "rdkafka has no function for this, only the bindings of librdkafka's own"
)]

use std::ffi::{CStr, CString, c_char};

use rdkafka::bindings::{rd_kafka_oauthbearer_set_token, rd_kafka_oauthbearer_set_token_failure};
use rdkafka::types::{RDKafka, RDKafkaRespErr};

use super::token::Token;

/// Who we are is in the token; librdkafka wants a name nevertheless.
const PRINCIPAL: &CStr = c"courierflow";

/// A client that lives: see [`super::issuer::Renewal`].
pub(super) struct Client(*mut RDKafka);

// SAFETY: all functions of librdkafka on a client may be called by any thread.
unsafe impl Send for Client {}

impl Client {
    pub(super) fn new(client: *mut RDKafka) -> Self {
        Self(client)
    }

    /// The client connects with it from now on, and authenticates open connections anew when the brokers want it.
    pub(super) fn give(&self, token: &Token) -> Result<(), String> {
        let text = CString::new(token.text.as_str()).map_err(|error| error.to_string())?;
        let mut said: [c_char; 512] = [0; 512];
        // SAFETY: the client lives; the texts end with a zero and outlive the call, which copies them; there are no extensions; and the
        // buffer is as large as told.
        let code = unsafe {
            rd_kafka_oauthbearer_set_token(
                self.0,
                text.as_ptr(),
                token.expires_at_ms,
                PRINCIPAL.as_ptr(),
                std::ptr::null_mut(),
                0,
                said.as_mut_ptr(),
                said.len(),
            )
        };
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Ok(());
        }
        // SAFETY: librdkafka ends its text with a zero within the buffer, which has been zeroed besides.
        let said = unsafe { CStr::from_ptr(said.as_ptr()) };
        Err(said.to_string_lossy().into_owned())
    }

    /// The client tells it as an error, and keeps the token that it may have.
    pub(super) fn tell_failure(&self, reason: &str) {
        let reason = CString::new(reason.replace('\0', " ")).unwrap_or_default();
        // SAFETY: the client lives; the text ends with a zero and outlives the call, which copies it.
        unsafe { rd_kafka_oauthbearer_set_token_failure(self.0, reason.as_ptr()) };
    }
}
