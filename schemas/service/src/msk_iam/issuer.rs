//! The thread that renews the token of a region, and the clients that get it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::types::RDKafka;

use super::credentials::Chain;
use super::native::Client;
use super::token::Token;

/// As librdkafka does after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// A process has one region; tests may have several.
static ISSUERS: Mutex<BTreeMap<String, Arc<Issuer>>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
pub(super) struct Issuer {
    state: Mutex<State>,
    /// There is a first token, or a first failure.
    first: Condvar,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Why the last renewal failed.
    failure: Option<String>,
    clients: BTreeMap<u64, Client>,
    last_id: u64,
}

/// While it lives, its client gets tokens. It must not outlive the client.
pub(crate) struct Renewal {
    issuer: Arc<Issuer>,
    id: u64,
}

impl Drop for Renewal {
    fn drop(&mut self) {
        // Whoever gives tokens holds the lock: behind this line nobody uses the client any more.
        self.issuer.state().clients.remove(&self.id);
    }
}

impl Issuer {
    /// That of a region; the first call starts it.
    pub(super) fn of(region: &str) -> Arc<Self> {
        let mut issuers = ISSUERS.lock().unwrap_or_else(PoisonError::into_inner);
        let issuer = issuers.entry(region.to_owned()).or_insert_with(|| {
            let issuer = Arc::new(Self::default());
            let (running, region) = (Arc::clone(&issuer), region.to_owned());
            let started = thread::Builder::new()
                .name("msk-iam".to_owned())
                .spawn(move || running.run(&region));
            if let Err(error) = started {
                issuer.take(Err(error.to_string()));
            }
            issuer
        });
        Arc::clone(issuer)
    }

    /// Gives the client the token at once, if there is one, and all that follow.
    pub(super) fn renew(self: &Arc<Self>, client: *mut RDKafka) -> Renewal {
        let client = Client::new(client);
        let mut state = self.state();
        state.serve(&client);
        state.last_id += 1;
        let id = state.last_id;
        state.clients.insert(id, client);
        Renewal {
            issuer: Arc::clone(self),
            id,
        }
    }

    pub(super) fn wait_until_issued(&self) -> Result<(), String> {
        let waiting = |state: &mut State| state.token.is_none() && state.failure.is_none();
        let state = self
            .first
            .wait_while(self.state(), waiting)
            .unwrap_or_else(PoisonError::into_inner);
        match (&state.token, &state.failure) {
            (None, Some(reason)) => Err(reason.clone()),
            _ => Ok(()),
        }
    }

    fn run(&self, region: &str) {
        let mut chain = None;
        loop {
            let issued = issue(&mut chain, region);
            let pause = pause(&issued, SystemTime::now());
            self.take(issued);
            thread::sleep(pause);
        }
    }

    fn take(&self, issued: Result<Token, String>) {
        let mut state = self.state();
        match issued {
            Ok(token) => {
                tracing::debug!(expires_at_ms = token.expires_at_ms, "a token of Amazon MSK");
                (state.token, state.failure) = (Some(token), None);
            }
            Err(reason) => {
                tracing::warn!(reason, "no new token of Amazon MSK; trying again");
                state.failure = Some(reason);
            }
        }
        for client in state.clients.values() {
            state.serve(client);
        }
        self.first.notify_all();
    }

    /// Nobody waits for anything while holding it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn serve(&self, client: &Client) {
        let given = self.token.as_ref().map(|token| client.give(token));
        if let Some(Err(reason)) = given {
            client.tell_failure(&reason);
        }
        if let Some(reason) = &self.failure {
            client.tell_failure(reason);
        }
    }
}

fn issue(chain: &mut Option<Chain>, region: &str) -> Result<Token, String> {
    let chain = match chain {
        Some(chain) => chain,
        none => none.insert(Chain::new(region)?),
    };
    let credentials = chain.credentials()?;
    Token::new(region, &credentials, SystemTime::now()).map_err(|error| error.to_string())
}

/// Until the next token is made: four fifths of its life, as librdkafka would.
fn pause(issued: &Result<Token, String>, now: SystemTime) -> Duration {
    let Ok(token) = issued else {
        return AFTER_FAILURE;
    };
    let expires_at = Duration::from_millis(token.expires_at_ms.try_into().unwrap_or_default());
    let life = expires_at.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default());
    // Credentials that have expired come from where they will be renewed.
    (life * 4 / 5).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_before_they_expire_and_failures_soon() {
        let now = UNIX_EPOCH + Duration::from_millis(1_785_578_400_123);
        let good_for = |seconds: i64| {
            Ok(Token {
                text: String::new(),
                expires_at_ms: 1_785_578_400_123 + seconds * 1000,
            })
        };
        for (issued, expected) in [
            (good_for(900), Duration::from_mins(12)),
            (good_for(15), Duration::from_secs(12)),
            (good_for(-5), Duration::from_secs(1)),
            (Err(String::new()), AFTER_FAILURE),
        ] {
            assert_eq!(pause(&issued, now), expected, "{issued:?}");
        }
    }
}
