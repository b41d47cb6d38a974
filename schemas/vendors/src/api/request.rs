//! A request to a vendor's API. Keys, telephone numbers and addresses are in it, so nothing of it can be printed.

use std::fmt;

use courierflow_schemas::settings::Secret;
use serde::Serialize;

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";
const JSON: &str = "application/json; charset=UTF-8";

/// One HTTP request. All vendors want a POST.
#[derive(Clone)]
pub struct CallRequest {
    /// `POST`.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(&'static str, Secret)>,
    /// A form or JSON, UTF-8.
    pub body: Secret,
}

impl CallRequest {
    fn new(url: impl Into<String>, content_type: &str, body: String) -> Self {
        Self {
            method: "POST",
            url: url.into(),
            headers: vec![("Content-Type", Secret::new(content_type))],
            body: Secret::new(body),
        }
    }

    /// A form with these fields, in this order.
    pub(crate) fn form(url: &str, fields: &[(&str, &str)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self::new(url, FORM, form.finish())
    }

    /// A JSON body.
    pub(crate) fn json(url: &str, body: &impl Serialize) -> Self {
        Self::new(url, JSON, text(body))
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &Secret) -> Self {
        self.headers.push((name, value.clone()));
        self
    }
}

impl fmt::Debug for CallRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The host is the setting of an operator; a path or query may hold a key.
        let host = self.url.split('/').nth(2).unwrap_or_default();
        f.debug_struct("CallRequest")
            .field("method", &self.method)
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

/// JSON of texts, numbers and lists of them, which cannot fail.
pub(crate) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
