//! Compares an answer with its description: types, and exactly the described members.

use serde_json::Value;

/// Panics with the place and the value if the description does not allow it.
pub(crate) fn assert_described(description: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = description.pointer(reference.trim_start_matches('#'));
        return assert_described(description, target.expect(reference), value, place);
    }
    if let Some(values) = schema["enum"].as_array() {
        assert!(values.contains(value), "{place}: {value} is none of {values:?}");
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        other => panic!("{place} has no type: {other}"),
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    // A whole number is a number, too.
    let fits = types.contains(&actual) || actual == "integer" && types.contains(&"number");
    assert!(fits, "{place}: {value} is no {types:?}");
    if let Some(elements) = value.as_array() {
        for element in elements {
            assert_described(description, &schema["items"], element, place);
        }
    }
    let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(members.contains_key(name), "{place} lacks {name}");
    }
    for (name, member) in members {
        let schema = properties
            .get(name)
            .unwrap_or_else(|| panic!("{place}.{name} is not described"));
        assert_described(description, schema, member, &format!("{place}.{name}"));
    }
}
