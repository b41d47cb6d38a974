//! Reading JSON that is only roughly what the vendor's documents say: numbers as strings, strings as numbers, nulls,
//! missing, unknown and repeated keys. A value of the wrong type counts as absent; only a text that is not JSON is an
//! error. Strings borrow from the payload where they have no escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use courierflow_schemas::identifier;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json;

/// A JSON object that reads its own keys.
pub(crate) trait ReadObject<'de>: Sized {
    /// `first` is the object's first key if it has already been read.
    fn read_object<A: MapAccess<'de>>(first: Option<Key<'de>>, map: A) -> Result<Self, A::Error>;
}

/// Declares an object with the keys that we read; the last of repeated keys wins, all others are skipped. A key in capitals may
/// be written in a second way, behind `or`: relays rename keys. The documented key takes precedence, wherever it appears.
macro_rules! lenient_object {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])* $key:literal $(or $other:literal)? => $field:ident: $type:ty,)+
    }) => {
        $(#[$meta])*
        #[derive(Default)]
        pub(crate) struct $name<'a> {
            $($(#[$field_meta])* pub(crate) $field: $type,)+
            // For an object without texts.
            _lifetime: std::marker::PhantomData<&'a ()>,
        }

        impl<'de: 'a, 'a> $crate::parse::lenient_json::ReadObject<'de> for $name<'a> {
            fn read_object<A: serde::de::MapAccess<'de>>(
                first: Option<$crate::parse::lenient_json::Key<'de>>,
                mut map: A,
            ) -> Result<Self, A::Error> {
                let mut object = Self::default();
                #[allow(unused_mut, unused_variables, reason = "in objects whose keys have one spelling")]
                let mut documented: Vec<&'static str> = Vec::new();
                let mut next = first;
                loop {
                    let key = match next.take() {
                        Some(key) => key,
                        None => match map.next_key::<$crate::parse::lenient_json::Key<'de>>()? {
                            Some(key) => key,
                            None => return Ok(object),
                        },
                    };
                    match key.as_str() {
                        $($key => {
                            object.$field = map.next_value()?;
                            $(let _ = $other; documented.push($key);)?
                        })+
                        $($($other => {
                            let value = map.next_value()?;
                            if !documented.contains(&$key) {
                                object.$field = value;
                            }
                        })?)+
                        _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                    }
                }
            }
        }
    };
}
pub(crate) use lenient_object;

/// The key of an object's field.
pub(crate) struct Key<'a>(Cow<'a, str>);

impl Key<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its value, if it is a number.
    fn number(&self) -> Option<u32> {
        json::index(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// Implements `Visitor` methods that ignore a value of the wrong type.
macro_rules! absent {
    ($value:expr; $($method:ident($type:ty)),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> { Ok($value) })*
    };
}

macro_rules! absent_unit {
    ($value:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}

macro_rules! absent_seq {
    ($value:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

macro_rules! absent_map {
    ($value:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

/// A string, or a number as its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text<'a>(Option<Cow<'a, str>>);

impl<'a> Text<'a> {
    /// As sent.
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// As sent, empty when absent.
    pub(crate) fn verbatim_or_empty(self) -> Cow<'a, str> {
        self.0.unwrap_or_default()
    }

    /// As sent, absent when blank.
    pub(crate) fn verbatim(self) -> Option<Cow<'a, str>> {
        self.0.filter(|text| !text.trim().is_empty())
    }

    /// A carrier code: normalised, absent when it counts as missing (rule 3.4) or is nothing that may become a key.
    pub(crate) fn code(self) -> Option<Cow<'a, str>> {
        let code = match self.0? {
            Cow::Borrowed(text) => identifier::carrier_code(text),
            Cow::Owned(text) => Cow::Owned(identifier::carrier_code(&text).into_owned()),
        };
        Some(code).filter(|code| !code.is_empty() && identifier::is_identifier(code))
    }

    /// A parcel's number that nothing but a number was asked for: without blanks, in ASCII upper case. Absent when it has other characters
    /// than letters, digits and hyphens, which may be a text about a person.
    pub(crate) fn number(&self) -> Option<Cow<'a, str>> {
        let mut number = identifier::normalised(self.as_str()?).to_ascii_uppercase();
        number.retain(|letter| !letter.is_whitespace());
        let is_number = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
        ((1..=identifier::MAX_BYTES).contains(&number.len()) && number.bytes().all(is_number))
            .then_some(Cow::Owned(number))
    }

    /// Trimmed, absent when blank.
    pub(crate) fn trimmed(self) -> Option<Cow<'a, str>> {
        let text = match self.0? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
            type Value = Text<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Owned(text))))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Text<'a>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }
            /// A tracking number of more than 19 digits arrives here. Its last digits are lost, but it is there; the
            /// envelope has them all. Nothing else that we read is as long. Never written out to its 300 digits.
            fn visit_f64<E>(self, number: f64) -> Result<Text<'a>, E> {
                let is_long_integer = number.is_finite() && number.fract() == 0.0 && number >= 1e15;
                Ok(Text(is_long_integer.then(|| match number {
                    ..1e40 => Cow::Owned(number.to_string()),
                    _ => Cow::Owned(format!("{number:e}")),
                })))
            }
            absent!(Text(None); visit_bool(bool));
            absent_unit!(Text(None));
            absent_seq!(Text(None));
            absent_map!(Text(None));
        }
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

/// true or false, also as 1 and 0, also as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(Some(flag)))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Flag, E> {
                Ok(Flag(u64::try_from(number).ok().and_then(flag_of_number)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Flag, E> {
                Ok(Flag(flag_of_number(number)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Flag, E> {
                Ok(Flag(match text.trim() {
                    "1" => Some(true),
                    "0" => Some(false),
                    word if word.eq_ignore_ascii_case("true") => Some(true),
                    word if word.eq_ignore_ascii_case("false") => Some(false),
                    _ => None,
                }))
            }
            absent!(Flag(None); visit_f64(f64));
            absent_unit!(Flag(None));
            absent_seq!(Flag(None));
            absent_map!(Flag(None));
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

fn flag_of_number(number: u64) -> Option<bool> {
    match number {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// An object, or nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<'de, T: ReadObject<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: ReadObject<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::read_object(None, map).map(|object| Object(Some(object)))
            }
            absent!(Object(None);
                visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));
            absent_unit!(Object(None));
            absent_seq!(Object(None));
        }
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

/// The objects of an array in order; elements of another type are skipped (rule 4.1). An object in its place is an
/// array of one; an object whose keys are all numbers is the array that PHP writes so, in the order of the numbers
/// (rule 2.2).
#[derive(Clone, Debug)]
pub(crate) struct Objects<T>(pub(crate) Vec<T>);

// Not derived: that would ask for `T: Default`.
impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: ReadObject<'de>> Deserialize<'de> for Objects<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectsVisitor<T>(PhantomData<T>);
        impl<'de, T: ReadObject<'de>> Visitor<'de> for ObjectsVisitor<T> {
            type Value = Objects<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of objects")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut objects = Vec::new();
                while let Some(Object(element)) = seq.next_element::<Object<T>>()? {
                    objects.extend(element);
                }
                Ok(Objects(objects))
            }
            absent!(Objects::default();
                visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));
            absent_unit!(Objects::default());
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let Some(first) = map.next_key::<Key<'de>>()? else {
                    return Ok(Objects::default());
                };
                if first.number().is_none() {
                    return T::read_object(Some(first), map).map(|object| Objects(vec![object]));
                }
                let mut numbered = Vec::new();
                let mut next = Some(first);
                while let Some(key) = next {
                    let Object(element) = map.next_value::<Object<T>>()?;
                    numbered.push((key.number(), element));
                    next = map.next_key()?;
                }
                // Neither an array nor an element.
                if numbered.iter().any(|(number, _)| number.is_none()) {
                    return Ok(Objects::default());
                }
                numbered.sort_by_key(|(number, _)| *number);
                Ok(Objects(
                    numbered.into_iter().filter_map(|(_, element)| element).collect(),
                ))
            }
        }
        deserializer.deserialize_any(ObjectsVisitor(PhantomData))
    }
}

/// Number of elements of an array, of any type, or of a value that stands for one (see [`Objects`]); 0 for anything
/// else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ElementCount(pub(crate) usize);

impl<'de> Deserialize<'de> for ElementCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl<'de> Visitor<'de> for CountVisitor {
            type Value = ElementCount;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut count: usize = 0;
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    count = count.saturating_add(1);
                }
                Ok(ElementCount(count))
            }
            absent!(ElementCount(0);
                visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str));
            absent_unit!(ElementCount(0));
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut numbers, mut others): (usize, usize) = (0, 0);
                while let Some((key, IgnoredAny)) = map.next_entry::<Key<'de>, IgnoredAny>()? {
                    let count = if key.number().is_some() {
                        &mut numbers
                    } else {
                        &mut others
                    };
                    *count = count.saturating_add(1);
                }
                Ok(ElementCount(match (numbers, others) {
                    (numbers, 0) => numbers,
                    (0, _) => 1,
                    _ => 0,
                }))
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}

/// Why a text is not an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoObject {
    /// Not JSON at all.
    NotJson,
    /// JSON, but an array, a string, a number …
    OtherType,
}

/// Reads a JSON text whose outermost value is an object.
pub(crate) fn parse_object<'de, T: ReadObject<'de>>(text: &'de str) -> Result<T, NoObject> {
    match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(Some(object))) => Ok(object),
        Ok(Object(None)) => Err(NoObject::OtherType),
        Err(_) => Err(NoObject::NotJson),
    }
}
