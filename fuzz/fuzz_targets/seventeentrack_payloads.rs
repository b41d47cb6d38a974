//! Payloads of 17TRACK as derive reads them, one after the other.

#![no_main]

use courierflow_schemas::records::Vendor;

libfuzzer_sys::fuzz_target!(|payloads: &[u8]| {
    courierflow_tests::fuzz::payloads_of_a_parcel(Vendor::SeventeenTrack, payloads);
});
