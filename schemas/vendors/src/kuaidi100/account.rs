//! Keys of a Kuaidi100 account: `salts`, the salts of the subscriptions.

use crate::account::{Account, AccountKeys, KeyError};

pub(super) fn account(mut account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
    account.secrets = keys.secrets("salts", account.unsigned)?;
    Ok(account)
}
