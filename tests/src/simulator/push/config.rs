//! What to simulate.

use courierflow_schemas::records::Vendor;

use super::super::clock::Seconds;
use super::super::random::Random;
use super::super::vendors::options::{Account, AccountOption};
use super::super::vendors::service;

/// What to simulate. The same configuration gives the same pushes, byte for byte.
#[derive(Clone, Debug)]
pub struct SimulationConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// How many parcels.
    pub parcels: u32,
    /// The present, seconds UTC: nothing is told that happens later. It is part of the seed, so that a simulation of
    /// another day has other tracking numbers.
    pub now: Seconds,
    /// How long ago the oldest parcels were ordered, days. (Parcels that a vendor gives up for age are older.)
    pub days: u32,
    /// How much goes wrong, 0 to 1: share of pushes repeated, of parcels whose history is rewritten, and so on.
    pub mischief: f64,
    /// Whether some tracking numbers live a second time, more than 30 days after the first.
    pub reuse_numbers: bool,
    /// To which accounts is pushed: of each vendor one with a secret at most, and one without. A vendor without accounts
    /// takes no part.
    pub accounts: Vec<Account>,
}

impl SimulationConfig {
    /// The accounts of the local configuration.
    pub fn local(seed: u64, parcels: u32, now: Seconds) -> Self {
        Self {
            seed,
            parcels,
            now,
            days: 40,
            mischief: 0.05,
            reuse_numbers: false,
            accounts: accounts(|option| option.default.to_owned()),
        }
    }

    /// The vendors that have an account, in the order of [`Vendor::ALL`].
    pub fn vendors(&self) -> impl DoubleEndedIterator<Item = Vendor> {
        let has_account = |vendor: &Vendor| self.accounts.iter().any(|account| account.vendor == *vendor);
        Vendor::ALL.into_iter().filter(has_account)
    }

    /// The account of the vendor's signed pushes.
    pub fn signed(&self, vendor: Vendor) -> Option<&Account> {
        let mut accounts = self.accounts.iter();
        accounts.find(|account| account.vendor == vendor && account.secret.is_some())
    }

    /// The account of the vendor's pushes without a signature.
    pub fn unsigned(&self, vendor: Vendor) -> Option<&Account> {
        let mut accounts = self.accounts.iter();
        accounts.find(|account| account.vendor == vendor && account.secret.is_none())
    }

    /// Draws whether a subscription is one without signatures, as few are. Where there is only one account, nothing is drawn.
    pub fn draws_unsigned(&self, vendor: Vendor, random: &mut Random) -> bool {
        self.signed(vendor).is_none() || (self.unsigned(vendor).is_some() && random.chance(0.15))
    }

    /// A stream of draws of this simulation. Those below `1 << 32` are the parcels' own, the next as many are those of
    /// second lives; the vendors have further ones in their folders.
    pub fn stream(&self, number: u64) -> Random {
        Random::new(self.seed, self.now.unsigned_abs(), number)
    }
}

/// The accounts of all vendors, made of the values of their options.
pub fn accounts(value: impl Fn(&AccountOption) -> String) -> Vec<Account> {
    let of_vendor = |vendor| service(vendor).account_options().accounts(vendor, &value);
    Vendor::ALL.into_iter().flat_map(of_vendor).collect()
}
