//! Keys of a 17TRACK account: `api_keys`, the keys of its API, which also sign the pushes (there is no separate secret), and
//! `unsigned_stopped`.

use crate::account::{Account, AccountKeys, KeyError};

pub(super) fn account(mut account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
    // Take all keys before refusing one, so that the error can list the known keys.
    let (api_keys, unsigned_stopped) = (
        keys.secrets("api_keys", account.unsigned),
        keys.word("unsigned_stopped", &["reject", "accept"]),
    );
    account.secrets = api_keys?;
    account.unsigned_end = unsigned_stopped? == "accept";
    Ok(account)
}
