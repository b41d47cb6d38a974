//! The body of a call, as a form or as JSON, and members of it, whatever type they are written as.

use std::collections::BTreeMap;

use serde_json::Value;

/// The fields of a body: those of a form, or the members of a JSON object.
pub(crate) fn fields(content_type: &str, body: &[u8]) -> BTreeMap<String, String> {
    if content_type.contains("json") {
        let members: serde_json::Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        return members
            .into_iter()
            .map(|(name, value)| (name, as_text(&value)))
            .collect();
    }
    form_urlencoded::parse(body).into_owned().collect()
}

/// A member of a JSON value, by its pointer; empty if it is missing.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .map(as_text)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_are_read_alike() {
        for (content_type, body) in [
            (
                "application/x-www-form-urlencoded",
                "schema=json&param=%7B%22number%22%3A1%7D",
            ),
            ("application/json", r#"{"schema":"json","param":"{\"number\":1}"}"#),
            (
                "application/json;charset=utf-8",
                r#"{"schema":"json","param":{"number":1}}"#,
            ),
        ] {
            let fields = fields(content_type, body.as_bytes());
            assert_eq!(fields["param"], r#"{"number":1}"#, "{content_type}");
            assert_eq!(fields["schema"], "json");
        }
        let value = serde_json::json!({"parameters": {"resultv2": 4, "salt": " s ", "phone": null}});
        let texts = [
            "/parameters/resultv2",
            "/parameters/salt",
            "/parameters/phone",
            "/number",
        ];
        assert_eq!(texts.map(|pointer| text(&value, pointer)), ["4", "s", "", ""]);
    }
}
