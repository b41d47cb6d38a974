//! On which partition the records of a tracking number are: that of Kafka's default partitioner, so that every producer
//! agrees (I2). librdkafka computes it for ingest (`partitioner=murmur2_random`); programs that look at records that are
//! there already compute it here.

/// Seed and multiplier of murmur2 as Kafka uses it (`org.apache.kafka.common.utils.Utils.murmur2`).
const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;
const R: u32 = 24;

/// The partition of a record key, of `partitions` (at least 1).
pub fn of_key(key: &[u8], partitions: i32) -> i32 {
    let hash = murmur2(key) & 0x7fff_ffff;
    let count = u32::try_from(partitions).unwrap_or(1).max(1);
    i32::try_from(hash % count).unwrap_or(0)
}

/// The tracking number in a key of `courier.shipment.v1`: `vendor:carrier:tracking number`.
pub fn number_of_shipment(key: &[u8]) -> Option<&[u8]> {
    third_part(key)
}

/// The tracking number in a key of `courier.subscription.v1` and `courier.subscription.secret.v1`:
/// `vendor:account:tracking number`. The name of an account has no colon.
pub fn number_of_subscription(key: &[u8]) -> Option<&[u8]> {
    third_part(key)
}

fn third_part(key: &[u8]) -> Option<&[u8]> {
    key.splitn(3, |byte| *byte == b':').nth(2)
}

fn murmur2(data: &[u8]) -> u32 {
    let mut hash = SEED ^ u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> R;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (byte, shift) in rest.iter().zip([0, 8, 16]) {
            hash ^= u32::from(*byte) << shift;
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of Kafka's own tests of its function.
    #[test]
    fn the_hash_is_that_of_kafka() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }

    #[test]
    fn partitions_are_within_their_number() {
        for partitions in [-1, 0, 1, 8, 12, i32::MAX] {
            let partition = of_key(b"YT2025110300001", partitions);
            assert!(
                (0..partitions.max(1)).contains(&partition),
                "{partition} of {partitions}"
            );
        }
    }

    #[test]
    fn the_number_is_the_rest_of_a_shipments_key() {
        for (key, number) in [
            ("kdniao:yto:YT1", Some("YT1")),
            ("kdniao:yto:A:B", Some("A:B")),
            ("kdniao:yto:", Some("")),
            ("junk", None),
            ("a:b", None),
        ] {
            assert_eq!(number_of_shipment(key.as_bytes()), number.map(str::as_bytes), "{key}");
        }
    }
}
