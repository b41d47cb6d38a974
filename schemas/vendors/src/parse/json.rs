//! A single pass over a JSON text that reads only what is needed: members of the outer levels are visited by name;
//! everything else is checked to be JSON and skipped, without building values and without an allocation per trace item.
//! Values are returned as slices of the text, so that a parcel can be stored byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr2_iter, memmem};
use serde::de::IgnoredAny;

use super::repair::repaired;

/// Deepest nesting of objects and arrays that is accepted (rule 2.1).
pub const MAX_DEPTH: usize = 64;

/// The text is not JSON, or does not have the requested shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

/// A place in a JSON text.
pub struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// At the start of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next byte that is not blank.
    pub fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.as_bytes().first().copied()
    }

    /// The text from here on.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    fn take(&mut self, expected: u8) -> Result<(), NotJson> {
        if self.peek() == Some(expected) {
            self.rest = self.rest.get(1..).ok_or(NotJson)?;
            Ok(())
        } else {
            Err(NotJson)
        }
    }

    /// Skips a value of any type and returns its text.
    pub fn value(&mut self) -> Result<&'a str, NotJson> {
        self.peek();
        // `IgnoredAny` checks the grammar iteratively, so that deep nesting cannot exhaust the stack.
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(IgnoredAny)) => {
                let (value, rest) = self.rest.split_at_checked(values.byte_offset()).ok_or(NotJson)?;
                self.rest = rest;
                Ok(value)
            }
            Some(Err(_)) | None => Err(NotJson),
        }
    }

    /// Visits the members of an object in order. `member` must skip the value, for instance with [`Self::value`].
    pub fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Result<(), NotJson>) -> Result<(), NotJson> {
        self.take(b'{')?;
        if self.peek() == Some(b'}') {
            return self.take(b'}');
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(NotJson);
            }
            let key = self.value()?;
            self.take(b':')?;
            // A key that is valid JSON but not a valid string (a lone surrogate) is none of the keys we look for.
            member(&unquote(key).unwrap_or_default(), self)?;
            if self.peek() != Some(b',') {
                return self.take(b'}');
            }
            self.take(b',')?;
        }
    }

    /// Visits the elements of an array in order. `element` must skip the value.
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), NotJson>) -> Result<(), NotJson> {
        self.take(b'[')?;
        if self.peek() == Some(b']') {
            return self.take(b']');
        }
        loop {
            element(self)?;
            if self.peek() != Some(b',') {
                return self.take(b']');
            }
            self.take(b',')?;
        }
    }

    /// Nothing but blanks may follow.
    pub fn end(&mut self) -> Result<(), NotJson> {
        if self.peek().is_none() { Ok(()) } else { Err(NotJson) }
    }
}

/// True if the text is one JSON value.
pub fn is_json(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    cursor.value().and_then(|_| cursor.end()).is_ok()
}

/// The text of a JSON string or integer; vendors write numbers as strings and strings as numbers. `None` for all other
/// values (a fraction, a number with an exponent) and for strings that are not valid text (a lone surrogate).
pub fn text_of(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => unquote(value),
        b'-' | b'0'..=b'9' if !value.contains(['.', 'e', 'E']) => Some(Cow::Borrowed(value)),
        _ => None,
    }
}

fn unquote(string: &str) -> Option<Cow<'_, str>> {
    if string.contains('\\') {
        return serde_json::from_str(string).ok().map(Cow::Owned);
    }
    string.strip_prefix('"')?.strip_suffix('"').map(Cow::Borrowed)
}

/// True if objects and arrays are nested deeper than [`MAX_DEPTH`]. It also works for a text that turns out not to be
/// JSON.
pub fn is_too_deep(text: &str) -> bool {
    // Nesting deeper than 64 needs more than 64 opening brackets. Almost every push has fewer, even counting those inside
    // strings.
    if memchr2_iter(b'{', b'[', text.as_bytes()).nth(MAX_DEPTH).is_none() {
        return false;
    }
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            // The escaped character, which may be a quote.
            b'\\' if in_string => drop(bytes.next()),
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The index that a key of an object stands for if the object stands for an array, as PHP writes it (rule 2.2).
pub fn index(key: &str) -> Option<u32> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    key.parse().ok()
}

/// The elements of an array, or of a value that stands for one (rule 2.2): an object whose keys are all numbers is an
/// array as PHP writes it, in the order of the numbers; any other object is the only element. Other values have no
/// elements.
pub fn elements(value: &str) -> Result<Vec<&str>, NotJson> {
    let mut cursor = Cursor::new(value);
    let mut elements = Vec::new();
    match cursor.peek() {
        Some(b'[') => cursor.array(|cursor| {
            elements.push(cursor.value()?);
            Ok(())
        })?,
        Some(b'{') => {
            let mut members = Vec::new();
            cursor.object(|key, cursor| {
                members.push((index(key), cursor.value()?));
                Ok(())
            })?;
            if members.iter().all(|(number, _)| number.is_some()) {
                members.sort_by_key(|(number, _)| *number);
                elements.extend(members.into_iter().map(|(_, element)| element));
            } else if members.iter().all(|(number, _)| number.is_none()) {
                elements.push(value.trim());
            }
        }
        _ => {}
    }
    Ok(elements)
}

/// The text with members opened that contain an object or array as a JSON string (rule 2.2): `"Data": "[…]"` becomes
/// `"Data": […]`. Only members with these names are opened, at any level, and each only once. A broken text is opened if it can be
/// [repaired](super::repair).
pub fn opened<'a>(text: &'a str, names: &[&str]) -> Cow<'a, str> {
    // Strings that begin like an object or an array are rare; usually two quick searches show that there are none.
    if [&br#""{"#[..], br#""["#]
        .iter()
        .all(|start| memmem::find(text.as_bytes(), start).is_none())
    {
        return Cow::Borrowed(text);
    }
    let mut opened = String::new();
    let mut copied = 0;
    let mut at = 0;
    // Start of the value after a name that we look for.
    let mut value_of_name = None;
    while let Some(string) = next_string(text, at) {
        at = string.end;
        let raw = text.get(string.clone()).unwrap_or_default();
        let behind = text.get(at..).unwrap_or_default();
        let value = behind.trim_start().strip_prefix(':');
        if let Some(value) = value {
            let is_wanted = unquote(raw).is_some_and(|name| names.contains(&&*name));
            value_of_name = is_wanted.then_some(text.len() - value.trim_start().len());
        } else if value_of_name.take() == Some(string.start)
            && let Some(inner) = structure(raw)
        {
            opened.push_str(text.get(copied..string.start).unwrap_or_default());
            opened.push_str(&self::opened(&inner, names));
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    opened.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(opened)
}

/// The next string of a JSON text, including its quotes, from a position outside of strings.
fn next_string(text: &str, from: usize) -> Option<Range<usize>> {
    let start = from + memchr(b'"', text.as_bytes().get(from..)?)?;
    let mut at = start + 1;
    loop {
        at += memchr2(b'"', b'\\', text.as_bytes().get(at..)?)?;
        if text.as_bytes().get(at) == Some(&b'"') {
            return Some(start..at + 1);
        }
        at += 2;
    }
}

/// The object or array that a JSON string contains.
fn structure(raw: &str) -> Option<String> {
    let text = unquote(raw)?;
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let text = repaired(text);
    is_json(&text).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(text: &str) -> Result<Vec<(String, String)>, NotJson> {
        let mut found = Vec::new();
        let mut cursor = Cursor::new(text);
        cursor.object(|key, cursor| {
            found.push((key.to_owned(), cursor.value()?.to_owned()));
            Ok(())
        })?;
        cursor.end()?;
        Ok(found)
    }

    fn elements(text: &str) -> Result<Vec<String>, NotJson> {
        let mut found = Vec::new();
        let mut cursor = Cursor::new(text);
        cursor.array(|cursor| {
            found.push(cursor.value()?.to_owned());
            Ok(())
        })?;
        cursor.end()?;
        Ok(found)
    }

    #[test]
    fn values_are_slices_of_the_text() {
        assert_eq!(
            members(" { \"a\" : [1, {\"b\":null} ] ,\n\"\\u0063\":\"x\\\"y\",\"n\":-1.50e3 , \"t\":true}\n"),
            Ok(vec![
                ("a".to_owned(), "[1, {\"b\":null} ]".to_owned()),
                ("c".to_owned(), "\"x\\\"y\"".to_owned()),
                ("n".to_owned(), "-1.50e3".to_owned()),
                ("t".to_owned(), "true".to_owned()),
            ])
        );
        assert_eq!(members("{}"), Ok(vec![]));
        assert_eq!(elements("[ ]"), Ok(vec![]));
        assert_eq!(
            elements("[ 1 , \"a\",[ ], {}]"),
            Ok(["1", "\"a\"", "[ ]", "{}"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn what_is_not_json() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "{a:1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":1}x",
            "{\"a\":1}{}",
            "{\"a\":01}",
            "{\"a\":1 2}",
            "{\"a\":\"\n\"}",
            "{1:2}",
            "[1]",
            "null",
            "{\"a\":nul}",
            "{\"a\":'x'}",
            "{\"a\":\"\\x\"}",
            "\u{feff}{}",
        ] {
            assert_eq!(members(text), Err(NotJson), "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let long = "780012345678901234567890123456789";
        assert_eq!(text_of(long).as_deref(), Some(long));
        assert_eq!(text_of("\"\\u0059T\"").as_deref(), Some("YT"));
        for other in ["1.5", "1e5", "1E400", "null", "true", "[]", "{}", "\"\\ud800\""] {
            assert_eq!(text_of(other), None, "{other}");
        }
    }

    #[test]
    fn rule_2_1_depth_64_is_the_last_one_accepted() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(&nested(64)));
        assert!(is_too_deep(&nested(65)));
        // Many brackets side by side or inside strings are not deep.
        assert!(!is_too_deep(&format!("[{}{{}}]", "{\"a\":[]},".repeat(500))));
        assert!(!is_too_deep(&format!("[\"\\\"{}\"]", "[".repeat(500))));
        assert!(is_too_deep(&"[".repeat(2_000_000)));
        assert!(is_json(&nested(100_000)), "no recursion");
    }

    /// Texts that are JSON, almost JSON, or nothing like it.
    fn json_like() -> impl Strategy<Value = String> {
        let token = proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\n",
            "\"a\"",
            "\"b\\n\"",
            "\"\\u4e2d\"",
            "\"{\"",
            "1",
            "-0.5e7",
            "01",
            "true",
            "null",
            "\"",
            "\\",
            "中",
            "x",
        ]);
        prop_oneof![
            proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat()),
            any::<String>()
        ]
    }

    /// A JSON tree, to be written with or without blanks.
    fn json_tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn accepts_what_serde_json_accepts(text in json_like()) {
            let expected = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(&text), expected);
            let kind = text.trim_start().chars().next();
            prop_assert_eq!(members(&text).is_ok(), expected && kind == Some('{'));
            prop_assert_eq!(elements(&text).is_ok(), expected && kind == Some('['));
        }

        #[test]
        fn slices_are_the_values(tree in json_tree(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) }.unwrap();
            match &tree {
                serde_json::Value::Object(expected) => {
                    let found = members(&text).unwrap();
                    prop_assert_eq!(found.len(), expected.len());
                    for (key, value) in found {
                        prop_assert_eq!(Some(&serde_json::from_str::<serde_json::Value>(&value).unwrap()), expected.get(&key));
                    }
                }
                serde_json::Value::Array(expected) => {
                    let found: Vec<serde_json::Value> =
                        elements(&text).unwrap().iter().map(|value| serde_json::from_str(value).unwrap()).collect();
                    prop_assert_eq!(&found, expected);
                }
                _ => prop_assert!(is_json(&text)),
            }
        }
    }
}
