//! An item as somebody wrote it: a JSON object, or a line of a CSV file. Both are read by the same names; a member that is null,
//! blank or missing is the same.

use serde_json::{Map, Value};

use super::error::{Code, ItemError};

/// Longest name of an unknown member that is told back.
const MAX_NAME_LENGTH: usize = 64;

/// The members of a request for a subscription.
pub(super) const SUBSCRIBE: [&str; 14] = [
    "tracking_number",
    "carrier",
    "auto_carrier",
    "vendor",
    "account",
    "phone",
    "from",
    "to",
    "product",
    "international",
    "reference",
    "not_before",
    "force",
    "request_id",
];

/// The members of a cancellation.
pub(super) const CANCEL: [&str; 4] = ["tracking_number", "vendor", "account", "request_id"];

/// The members of `international`.
pub(super) const INTERNATIONAL: [&str; 4] = [
    "departure_country",
    "departure_carrier",
    "destination_country",
    "destination_carrier",
];

/// Members that are true or false.
const FLAGS: [&str; 2] = ["auto_carrier", "force"];

/// The columns of a CSV file: the members, with those of `international` beside the others.
pub fn columns() -> impl Iterator<Item = &'static str> {
    let members = SUBSCRIBE.into_iter().filter(|name| *name != "international");
    members.chain(INTERNATIONAL)
}

/// What somebody asks for.
#[derive(Clone, PartialEq)]
pub struct Item(Value);

/// It may hold a telephone number.
impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Item(…)")
    }
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Item {
    /// A line of a CSV file: columns of [`columns`] with their texts.
    pub fn from_line<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut members = Map::new();
        let mut international = Map::new();
        for (name, text) in columns {
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let value = match text {
                "true" if FLAGS.contains(&name) => Value::Bool(true),
                "false" if FLAGS.contains(&name) => Value::Bool(false),
                text => Value::from(text),
            };
            if INTERNATIONAL.contains(&name) {
                international.insert(name.to_owned(), value);
            } else {
                members.insert(name.to_owned(), value);
            }
        }
        if !international.is_empty() {
            members.insert("international".to_owned(), Value::Object(international));
        }
        Self(Value::Object(members))
    }

    /// Gives it an id if it has none.
    pub fn default_request_id(&mut self, id: &str) {
        if let Value::Object(members) = &mut self.0 {
            let own = members.entry("request_id").or_insert(Value::Null);
            if own.is_null() {
                *own = Value::from(id);
            }
        }
    }

    /// A text to tell an item by, if it has one and it is short.
    pub fn short_text(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.as_str()?;
        (text.len() <= MAX_NAME_LENGTH).then_some(text)
    }

    /// Its members, if all of them are known.
    pub(super) fn members(&self, known: &[&str]) -> Result<Members<'_>, ItemError> {
        let Value::Object(members) = &self.0 else {
            return Err(Code::NotAnObject.at(""));
        };
        Members::new(members, known, Code::UnknownField)
    }
}

/// The members of an object.
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    /// Refuses members that are not `known`.
    pub(super) fn new(members: &'a Map<String, Value>, known: &[&str], code: Code) -> Result<Self, ItemError> {
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(code.at(unknown.chars().take(MAX_NAME_LENGTH).collect::<String>())),
            None => Ok(Self(members)),
        }
    }

    /// A text without the blanks around it; `None` if nothing is left. Other types are refused with `code`.
    pub(super) fn text(&self, name: &'static str, code: Code) -> Result<Option<&'a str>, ItemError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(_) => Err(code.says(name, "must be a text")),
        }
    }

    /// True or false; false if it is missing.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ItemError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Code::BadFlag.at(name)),
        }
    }

    /// Another object; `None` if it is missing.
    pub(super) fn object(&self, name: &'static str, code: Code) -> Result<Option<&'a Map<String, Value>>, ItemError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(code.at(name)),
        }
    }
}
