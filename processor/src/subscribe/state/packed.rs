//! Subscriptions as they are held in memory: packed, because there are millions of them, and few are looked at.

use std::collections::HashMap;
use std::mem::take;

use courierflow_schemas::records::{Subscription, SubscriptionSecret};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{Held, Key, number_of};

/// Texts that the subscriptions of an account have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::subscribe) struct Names {
    pub(in crate::subscribe) vendor: String,
    pub(in crate::subscribe) account: String,
    pub(in crate::subscribe) api: String,
}

/// A subscription without the names of its account.
#[derive(Serialize, Deserialize)]
struct Packed {
    /// The place of its account's names, from 1 on; 0 if the subscription has its own.
    names: u16,
    is_parked: bool,
    subscription: Subscription,
    secret: Option<SubscriptionSecret>,
}

/// The subscriptions of a partition, by hash of the tracking number: in each place those of all accounts.
#[derive(Debug)]
pub(in crate::subscribe) struct Partition {
    /// Those of the configured accounts. There are few of them, so they are not given back.
    names: Vec<Names>,
    places: HashMap<u64, Box<[u8]>>,
    /// Bytes of all that is packed.
    packed: usize,
}

impl Partition {
    pub(in crate::subscribe) fn new(names: Vec<Names>) -> Self {
        Self {
            names,
            places: HashMap::new(),
            packed: 0,
        }
    }

    /// Bytes that it takes. A place of the table is its hash, where its text is, and a byte of the table's own.
    pub(super) fn bytes(&self) -> usize {
        const PLACE: usize = size_of::<u64>() + size_of::<Box<[u8]>>() + 1;
        self.packed + self.places.capacity() * PLACE
    }

    /// How many places there are: as many as numbers.
    pub(in crate::subscribe) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether a push of any of them was read.
    pub(in crate::subscribe) fn has_had_pushes(&self) -> Result<bool, postcard::Error> {
        for bytes in self.places.values() {
            let held = self.unpack(bytes)?;
            if held.iter().any(|held| held.subscription.first_push_at.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.places.keys().copied()
    }

    /// All in a place. Two numbers may have one hash.
    pub(super) fn at(&self, hash: u64) -> Result<Vec<Held>, postcard::Error> {
        match self.places.get(&hash) {
            Some(bytes) => self.unpack(bytes),
            None => Ok(Vec::new()),
        }
    }

    pub(in crate::subscribe) fn get(&self, key: &str) -> Result<Option<Held>, postcard::Error> {
        let mut held = self.at(hash_of(number_of(key)))?.into_iter();
        Ok(held.find(|held| &*held.key == key))
    }

    /// Puts a subscription in the place of the one with its key, or removes that; returns what was there.
    pub(in crate::subscribe) fn replace(
        &mut self,
        key: &Key,
        next: Option<Held>,
    ) -> Result<Option<Held>, postcard::Error> {
        let hash = hash_of(number_of(key));
        let mut held = self.at(hash)?;
        let index = held.iter().position(|held| held.key == *key);
        let before = index.map(|index| held.swap_remove(index));
        held.extend(next);
        self.put(hash, held)?;
        Ok(before)
    }

    /// What is in a place from now on.
    fn put(&mut self, hash: u64, held: Vec<Held>) -> Result<(), postcard::Error> {
        let packed = if held.is_empty() { None } else { Some(self.pack(held)?) };
        self.packed += packed.as_ref().map_or(0, |bytes| bytes.len());
        let replaced = match packed {
            Some(packed) => self.places.insert(hash, packed),
            None => self.places.remove(&hash),
        };
        self.packed = self.packed.saturating_sub(replaced.map_or(0, |bytes| bytes.len()));
        Ok(())
    }

    fn pack(&self, held: Vec<Held>) -> Result<Box<[u8]>, postcard::Error> {
        let packed = held.into_iter().map(|held| {
            let mut subscription = held.subscription;
            let is_of = |names: &Names| {
                (&names.vendor, &names.account, &names.api)
                    == (&subscription.vendor, &subscription.account, &subscription.api)
            };
            let found = self.names.iter().position(is_of);
            let names = found.and_then(|index| u16::try_from(index + 1).ok()).unwrap_or(0);
            if names > 0 {
                take(&mut subscription.vendor);
                take(&mut subscription.account);
                take(&mut subscription.api);
            }
            Packed {
                names,
                is_parked: held.is_parked,
                subscription,
                secret: held.secret,
            }
        });
        let packed: Vec<Packed> = packed.collect();
        Ok(postcard::to_extend(&packed, Vec::with_capacity(256))?.into_boxed_slice())
    }

    fn unpack(&self, bytes: &[u8]) -> Result<Vec<Held>, postcard::Error> {
        let packed: Vec<Packed> = postcard::from_bytes(bytes)?;
        let held = packed.into_iter().map(|packed| {
            let mut subscription = packed.subscription;
            let index = usize::from(packed.names).checked_sub(1);
            if let Some(names) = index.and_then(|index| self.names.get(index)) {
                subscription.vendor.clone_from(&names.vendor);
                subscription.account.clone_from(&names.account);
                subscription.api.clone_from(&names.api);
            }
            let Subscription { vendor, account, .. } = &subscription;
            Held {
                key: Subscription::key(vendor, account, &subscription.tracking_number).into(),
                subscription,
                secret: packed.secret,
                is_parked: packed.is_parked,
            }
        });
        Ok(held.collect())
    }
}

pub(super) fn hash_of(number: &str) -> u64 {
    xxh3_64(number.as_bytes())
}

#[cfg(test)]
mod tests {
    use courierflow_schemas::records::{CallId, MonthOfCalls, Reason, SubscriptionState, TimestampMillis};

    use super::super::tests::held;
    use super::*;

    fn partition() -> Partition {
        let names = |account: &str| Names {
            vendor: "kuaidi100".to_owned(),
            account: account.to_owned(),
            api: "kuaidi100_enterprise".to_owned(),
        };
        Partition::new(vec![names("other"), names("demo")])
    }

    /// With every field that a packed one could lose.
    fn full(number: &str) -> Held {
        let mut full = held(number, SubscriptionState::Calling, Some(7));
        let subscription = &mut full.subscription;
        "kuaidi100_enterprise".clone_into(&mut subscription.api);
        subscription.reason = Some(Reason::InDoubt);
        subscription.call_id = Some(CallId([7; 16]));
        subscription.former_carriers = vec!["zhongtong".to_owned()];
        subscription.request_ids = vec!["r1".to_owned(), "r2".to_owned()];
        subscription.calls = vec![MonthOfCalls {
            month: 202_611,
            vendor_carrier: "yuantong".to_owned(),
            accepted: 3,
            last_at: TimestampMillis(-5),
        }];
        full.secret = Some(SubscriptionSecret {
            phone: Some("8888".to_owned()),
            ..SubscriptionSecret::default()
        });
        full.is_parked = true;
        full
    }

    #[test]
    fn nothing_is_lost_by_packing_whether_the_account_is_configured_or_not() {
        let mut partition = partition();
        let mut foreign = full("A00000");
        "nobody".clone_into(&mut foreign.subscription.account);
        foreign.key = Subscription::key("kuaidi100", "nobody", "A00000").into();
        for put in [
            &full("A00000"),
            &foreign,
            &held("B00000", SubscriptionState::Active, None),
        ] {
            assert_eq!(partition.replace(&put.key, Some(put.clone())), Ok(None));
            assert_eq!(partition.get(&put.key), Ok(Some(put.clone())));
        }
        assert_eq!(partition.at(hash_of("A00000")).unwrap().len(), 2);
        let key = full("A00000").key;
        assert_eq!(partition.replace(&key, None), Ok(Some(full("A00000"))));
        assert_eq!(partition.get(&key), Ok(None));
        assert_eq!(partition.get(&foreign.key), Ok(Some(foreign)));
    }

    #[test]
    fn what_it_takes_is_counted() {
        let mut partition = partition();
        let key = full("A00000").key;
        let empty = partition.packed;
        let _ = partition.replace(&key, Some(full("A00000"))).unwrap();
        let once = partition.packed;
        let _ = partition.replace(&key, Some(full("A00000"))).unwrap();
        assert_eq!((empty, partition.packed), (0, once));
        let _ = partition.replace(&key, None).unwrap();
        assert_eq!(partition.packed, 0);
    }
}
