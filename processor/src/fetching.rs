//! How consumers fetch.

use rdkafka::ClientConfig;

/// Without these a broker answers a fetch as soon as one record is there, and answering is most of what it does. With them, and the linger of
/// derive's producer, it takes 0.6 of the processor time for an event (`docs/benchmarks.md`). What comes seldom comes later by this wait, of
/// the second or two until its row is seen. Both are the operator's to change.
const PATIENT: [(&str, &str); 2] = [("fetch.min.bytes", "100000"), ("fetch.wait.max.ms", "150")];

/// The property of a consumer that has it verify the checksums of what it fetches. Brokers send what is on their disks as it is, and
/// without this a changed bit is read as another record, or as none.
pub(crate) const CHECK_CRCS: &str = "check.crcs";

/// Lets the broker collect records before it answers, unless the configuration says otherwise.
pub(crate) fn fetch_patiently(consumer: &mut ClientConfig) {
    for (key, value) in PATIENT {
        if consumer.get(key).is_none() {
            consumer.set(key, value);
        }
    }
}
