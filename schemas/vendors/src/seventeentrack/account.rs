//! Keys of a 17TRACK account: `api_keys`, the keys of its API, which sign the pushes too (there is no secret of their own), and
//! `unsigned_stopped`.

use crate::account::{Account, AccountKeys, KeyError};

pub(super) fn account(mut account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
    // All of them are asked for before one is refused, so that the refusal can name them.
    let (api_keys, unsigned_stopped) = (
        keys.secrets("api_keys", account.unsigned),
        keys.word("unsigned_stopped", &["reject", "accept"]),
    );
    account.secrets = api_keys?;
    account.unsigned_end = unsigned_stopped? == "accept";
    Ok(account)
}
