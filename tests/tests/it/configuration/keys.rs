//! The keys that a configuration type knows, taken from the type itself: its `Deserialize` passes its field names to the
//! deserializer. A list written by hand would become outdated.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Paths of keys (`ingest.accounts.name`) by how the type treats them. The elements of a list share a path.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// Keys with a value.
    pub(crate) values: Vec<String>,
    /// Those of them that may be missing without a default (`Option`).
    pub(crate) optional: Vec<String>,
    /// Tables with keys of the user's choice.
    pub(crate) tables: Vec<String>,
    /// Keys that are ignored, whatever their value.
    pub(crate) ignored: Vec<String>,
}

/// All keys that `C` reads.
pub(crate) fn of<C: DeserializeOwned>() -> Keys {
    let mut keys = Keys::default();
    let mut paths: Vec<Vec<&'static str>> = vec![Vec::new()];
    while let Some(path) = paths.pop() {
        let name = path.join(".");
        match ask::<C>(&path) {
            Answer::Fields(fields) => paths.extend(fields.iter().map(|field| [path.as_slice(), &[*field]].concat())),
            Answer::Value { optional } => {
                keys.optional.extend(optional.then(|| name.clone()));
                keys.values.push(name);
            }
            Answer::Table => keys.tables.push(name),
            Answer::Ignored => keys.ignored.push(name),
        }
    }
    keys
}

/// What a type requests to read at one place.
enum Answer {
    Fields(&'static [&'static str]),
    Value { optional: bool },
    Table,
    Ignored,
}

fn ask<C: DeserializeOwned>(path: &[&'static str]) -> Answer {
    let answer = RefCell::new(None);
    // It always fails: there is nothing to read; the deserializer only records the requests.
    drop(C::deserialize(Place {
        path,
        optional: false,
        answer: &answer,
    }));
    answer
        .into_inner()
        .unwrap_or_else(|| panic!("{path:?} is not read, though it is named as a field"))
}

/// A path to a place: tables with a single key each, with nothing at the end.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a [&'static str],
    optional: bool,
    answer: &'a RefCell<Option<Answer>>,
}

impl Place<'_> {
    fn answer<T>(self, answer: Answer) -> Result<T, Heard> {
        assert!(
            self.path.is_empty(),
            "{:?} is in something that has no fields",
            self.path
        );
        *self.answer.borrow_mut() = Some(answer);
        Err(Heard)
    }
}

impl<'de> Deserializer<'de> for Place<'_> {
    type Error = Heard;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Heard> {
        if self.path.is_empty() {
            self.answer(Answer::Fields(fields))
        } else {
            visitor.visit_map(self)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Heard> {
        visitor.visit_some(Self { optional: true, ..self })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Heard> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Heard> {
        visitor.visit_seq(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Heard> {
        self.answer(Answer::Table)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Heard> {
        self.answer(Answer::Ignored)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Heard> {
        self.answer(Answer::Value {
            optional: self.optional,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct enum identifier
    }
}

impl<'de> MapAccess<'de> for Place<'_> {
    type Error = Heard;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Heard> {
        let Some((key, rest)) = self.path.split_first() else {
            return Ok(None);
        };
        self.path = rest;
        let key: StrDeserializer<'_, Heard> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Heard> {
        seed.deserialize(Self {
            optional: false,
            ..*self
        })
    }
}

impl<'de> SeqAccess<'de> for Place<'_> {
    type Error = Heard;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Heard> {
        seed.deserialize(*self).map(Some)
    }
}

/// Ends the reading.
#[derive(Debug)]
struct Heard;

impl fmt::Display for Heard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nothing to read")
    }
}

impl std::error::Error for Heard {}

impl Error for Heard {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[test]
fn every_kind_of_key_is_found() {
    use serde::Deserialize;
    use serde::de::IgnoredAny;
    use std::collections::BTreeMap;
    use std::net::SocketAddr;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        plain: u16,
        #[serde(rename = "renamed")]
        optional: Option<String>,
        address: SocketAddr,
        nested: Inner,
        list: Vec<Inner>,
        free: BTreeMap<String, String>,
        #[serde(default)]
        not_ours: IgnoredAny,
        #[serde(skip)]
        skipped: u8,
    }

    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Inner {
        texts: Vec<String>,
        choice: Option<Choice>,
    }

    #[derive(Deserialize)]
    enum Choice {
        One,
    }

    let mut keys = of::<Outer>();
    keys.values.sort();
    assert_eq!(
        keys.values,
        [
            "address",
            "list.choice",
            "list.texts",
            "nested.choice",
            "nested.texts",
            "plain",
            "renamed",
        ]
    );
    keys.optional.sort();
    assert_eq!(keys.optional, ["list.choice", "nested.choice", "renamed"]);
    assert_eq!(keys.tables, ["free"]);
    assert_eq!(keys.ignored, ["not_ours"]);
}
