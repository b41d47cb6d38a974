//! Who may ask: bearer tokens, what each may use, and how much a minute.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::HeaderMap;
use courierflow_schemas::records::Vendor;
use courierflow_schemas::settings::Secret;
use courierflow_service::bearer;
use courierflow_vendors::request::MayUse;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

type Budget = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<<MonotonicClock as Clock>::Instant>>;

/// Why a number of items is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverRate {
    /// Until there is room for them.
    Wait(Duration),
    /// There is never room for so many at once.
    Never,
}

/// Somebody who may ask.
#[derive(Debug)]
pub struct Token {
    /// The requester of its records.
    pub name: String,
    tokens: bearer::Tokens,
    accounts: HashSet<(Vendor, String)>,
    budget: Budget,
}

impl Token {
    /// With a full budget, which refills evenly: a minute's worth may come at once.
    pub fn new(
        name: String,
        tokens: &[Secret],
        accounts: HashSet<(Vendor, String)>,
        items_per_minute: NonZeroU32,
    ) -> Self {
        Self {
            name,
            tokens: bearer::Tokens::new(tokens),
            accounts,
            budget: RateLimiter::direct_with_clock(Quota::per_minute(items_per_minute), MonotonicClock),
        }
    }

    /// Takes items off what it may ask for.
    pub fn take(&self, items: usize) -> Result<(), OverRate> {
        let Some(items) = u32::try_from(items).ok().and_then(NonZeroU32::new) else {
            return Ok(());
        };
        match self.budget.check_n(items) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => Err(OverRate::Wait(not_until.wait_time_from(self.budget.clock().now()))),
            Err(_more_than_a_minutes_worth) => Err(OverRate::Never),
        }
    }
}

impl MayUse for Token {
    fn may_use(&self, vendor: Vendor, account: &str) -> bool {
        // A handful of accounts: no key is allocated for the look-up.
        (self.accounts.iter()).any(|(of_vendor, name)| *of_vendor == vendor && name == account)
    }
}

/// All who may ask.
#[derive(Debug, Default)]
pub struct Tokens {
    all: Vec<Token>,
}

impl Tokens {
    /// Adds one; false if one of its tokens is there already.
    pub fn insert(&mut self, token: Token) -> bool {
        if self.all.iter().any(|known| known.tokens.share_one(&token.tokens)) {
            return false;
        }
        self.all.push(token);
        true
    }

    /// Whether one has this name.
    pub fn has_name(&self, name: &str) -> bool {
        self.all.iter().any(|token| token.name == name)
    }

    /// True if nobody may ask.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Their names, in the order of the configuration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|token| token.name.as_str())
    }

    /// Whose token is in `Authorization: Bearer TOKEN`. It takes the same time whichever it is, and if it is none.
    pub fn authenticate(&self, headers: &HeaderMap) -> Option<&Token> {
        bearer::holder(headers, self.all.iter().map(|token| (&token.tokens, token)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    fn token(name: &str, tokens: &[&str], items_per_minute: u32) -> Token {
        let tokens: Vec<Secret> = tokens.iter().copied().map(Secret::new).collect();
        let accounts = HashSet::from([(Vendor::Kuaidi100, "demo".to_owned())]);
        Token::new(
            name.to_owned(),
            &tokens,
            accounts,
            NonZeroU32::new(items_per_minute).unwrap(),
        )
    }

    fn tokens() -> Tokens {
        let mut tokens = Tokens::default();
        assert!(tokens.insert(token("oms", &["oms-token", "older-oms-token"], 10)));
        assert!(tokens.insert(token("shop", &["shop-token"], 10)));
        tokens
    }

    #[test]
    fn whose_token_it_is() {
        let tokens = tokens();
        for (header, name) in [
            ("Bearer oms-token", Some("oms")),
            ("bearer  older-oms-token ", Some("oms")),
            ("BEARER shop-token", Some("shop")),
            ("Bearer shop-toke", None),
            ("Bearer shop-token-", None),
            ("Bearer ", None),
            ("Bearer", None),
            ("Basic shop-token", None),
            ("shop-token", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(header))]);
            let found = tokens.authenticate(&headers).map(|token| token.name.as_str());
            assert_eq!(found, name, "{header}");
        }
        assert!(tokens.authenticate(&HeaderMap::new()).is_none());
        assert!(Tokens::default().authenticate(&HeaderMap::new()).is_none());
    }

    #[test]
    fn nobody_has_the_token_of_another() {
        let mut tokens = tokens();
        assert!(!tokens.insert(token("third", &["new-token", "shop-token"], 10)));
        assert_eq!(tokens.names().collect::<Vec<_>>(), ["oms", "shop"]);
        let printed = format!("{tokens:?}");
        assert!(!printed.contains("oms-token"), "{printed}");
    }

    #[test]
    fn a_minutes_worth_at_once_and_never_more() {
        let token = token("oms", &["oms-token"], 10);
        assert_eq!(token.take(0), Ok(()));
        assert_eq!(token.take(11), Err(OverRate::Never));
        assert_eq!(token.take(10), Ok(()));
        let Err(OverRate::Wait(time)) = token.take(1) else {
            panic!("more than a minute's worth was let in");
        };
        assert!(time <= Duration::from_secs(6), "{time:?}");
    }

    #[test]
    fn its_own_accounts_only() {
        let token = token("oms", &["oms-token"], 10);
        assert!(token.may_use(Vendor::Kuaidi100, "demo"));
        assert!(!token.may_use(Vendor::Kdniao, "demo"));
        assert!(!token.may_use(Vendor::Kuaidi100, "other"));
    }
}
