//! What the accounts of a vendor are made of: options of the `simulator` program, and what they are when not given, which
//! is what the local configuration has.

use courierflow_schemas::records::Vendor;

/// A contract with a vendor. Its name is the last segment of the callback URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub vendor: Vendor,
    /// Name of the account.
    pub name: String,
    /// The contract's id at the vendor, where its pushes carry it; else empty.
    pub contract_id: String,
    /// What the vendor signs with; `None`: pushes carry no signature.
    pub secret: Option<String>,
}

/// An option of the program.
#[derive(Debug)]
pub struct AccountOption {
    /// Its name, without the dashes in front.
    pub name: &'static str,
    /// Environment variable that it may come from, if it is a secret.
    pub env: Option<&'static str>,
    /// What it is when not given.
    pub default: &'static str,
    /// What it is, for people.
    pub help: &'static str,
}

/// The options of one vendor.
#[derive(Debug)]
pub struct AccountOptions {
    /// Name of the account whose pushes are signed; empty: there is none.
    pub signed: AccountOption,
    /// What they are signed with.
    pub secret: AccountOption,
    /// The contract's id at the vendor, where pushes carry it.
    pub contract_id: Option<AccountOption>,
    /// Name of the account whose pushes are not signed; empty: there is none.
    pub unsigned: AccountOption,
}

impl AccountOptions {
    /// Every option, in the order of the help page.
    pub fn all(&self) -> impl Iterator<Item = &AccountOption> {
        [&self.signed, &self.secret]
            .into_iter()
            .chain(&self.contract_id)
            .chain([&self.unsigned])
    }

    /// The accounts that the options ask for, signed before unsigned.
    pub fn accounts(&self, vendor: Vendor, value: impl Fn(&AccountOption) -> String) -> Vec<Account> {
        let contract_id = self.contract_id.as_ref().map(&value).unwrap_or_default();
        let account = |name: &AccountOption, secret| Account {
            vendor,
            name: value(name),
            contract_id: contract_id.clone(),
            secret,
        };
        let mut accounts = vec![
            account(&self.signed, Some(value(&self.secret))),
            account(&self.unsigned, None),
        ];
        accounts.retain(|account| !account.name.is_empty());
        accounts
    }
}
