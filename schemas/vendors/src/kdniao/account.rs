//! Keys of a Kdniao account: `app_keys`, and `business_id`, the `EBusinessID` that answers carry.

use crate::account::{Account, AccountKeys, KeyError};

pub(super) fn account(mut account: Account, keys: &mut AccountKeys) -> Result<Account, KeyError> {
    let (business_id, app_keys) = (keys.text("business_id"), keys.secrets("app_keys", account.unsigned));
    account.contract_id = business_id?;
    account.secrets = app_keys?;
    Ok(account)
}
