//! The form and JSON front of ingest, for accounts of every vendor.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| courierflow_tests::fuzz::body_of_a_push(body));
