//! From bytes to a record. Bytes that are not a datum are an error, whatever they are.

use serde::Deserialize;
use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, SeqAccess, VariantAccess, Visitor,
};

use super::{DatumError, none_of_ours};

/// Size of every `fixed` in our schemas.
const FIXED_BYTES: usize = 16;

/// The record at the beginning of `bytes`, and what follows it.
pub(crate) fn read<'de, R: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(R, &'de [u8]), DatumError> {
    let mut datum = Datum(bytes);
    let record = R::deserialize(&mut datum)?;
    Ok((record, datum.0))
}

/// What is left to be read of a datum.
struct Datum<'de>(&'de [u8]);

impl<'de> Datum<'de> {
    fn bytes(&mut self, length: usize) -> Result<&'de [u8], DatumError> {
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| DatumError(format!("{length} bytes are announced, {} are there", self.0.len())))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, DatumError> {
        let (byte, rest) = self
            .0
            .split_first()
            .ok_or_else(|| DatumError("it ends too early".into()))?;
        self.0 = rest;
        Ok(*byte)
    }

    /// Avro's `int` and `long`: seven bits a byte, the lowest first, then zigzag.
    fn number(&mut self) -> Result<i64, DatumError> {
        let mut number: u64 = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let placed = bits << shift;
            if placed >> shift != bits {
                break;
            }
            number |= placed;
            if byte < 0x80 {
                return Ok((number >> 1).cast_signed() ^ (number & 1).cast_signed().wrapping_neg());
            }
        }
        Err(DatumError("a number has more than 64 bits".into()))
    }

    fn length(&mut self) -> Result<usize, DatumError> {
        usize::try_from(self.number()?).map_err(DatumError::custom)
    }

    fn text(&mut self) -> Result<&'de str, DatumError> {
        let length = self.length()?;
        // Several times faster than the standard library's with Chinese texts, of which payloads are full.
        simdutf8::basic::from_utf8(self.bytes(length)?).map_err(DatumError::custom)
    }
}

macro_rules! numbers {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
            visitor.visit_i64(self.number()?)
        })+
    };
}

macro_rules! none_of_ours {
    ($($method:ident($($type:ty),*): $kind:literal,)+) => {
        $(fn $method<V: Visitor<'de>>(self, $(_: $type,)* _: V) -> Result<V::Value, DatumError> {
            none_of_ours($kind)
        })+
    };
}

impl<'de> Deserializer<'de> for &mut Datum<'de> {
    type Error = DatumError;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            other => Err(DatumError(format!("{other} is neither true nor false"))),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_borrowed_bytes(self.bytes(FIXED_BYTES)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        match self.number()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            other => Err(DatumError(format!("a union has no variant {other}"))),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        let mut items = Items { datum: self, left: 0 };
        items.begin_block()?;
        visitor.visit_seq(items)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DatumError> {
        visitor.visit_seq(Fields {
            datum: self,
            left: fields.len(),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DatumError> {
        visitor.visit_enum(Symbol(self))
    }

    none_of_ours! {
        deserialize_any(): "just anything",
        deserialize_ignored_any(): "just anything",
        deserialize_identifier(): "a name of a field",
        deserialize_u64(): "an unsigned long",
        deserialize_f32(): "a float",
        deserialize_f64(): "a double",
        deserialize_char(): "a letter",
        deserialize_unit(): "a null",
        deserialize_unit_struct(&'static str): "a null",
        deserialize_tuple(usize): "a tuple",
        deserialize_tuple_struct(&'static str, usize): "a tuple",
        deserialize_map(): "a map",
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The items of an array: blocks of them, the last of which is empty.
struct Items<'a, 'de> {
    datum: &'a mut Datum<'de>,
    /// Items that the block still has.
    left: usize,
}

impl Items<'_, '_> {
    fn begin_block(&mut self) -> Result<(), DatumError> {
        let mut count = self.datum.number()?;
        if count < 0 {
            // Its size in bytes follows, for readers that skip it.
            self.datum.length()?;
            count = count.checked_neg().unwrap_or(i64::MAX);
        }
        self.left = usize::try_from(count).map_err(DatumError::custom)?;
        // Each item has a byte at least, so that a false count takes no memory.
        if self.left > self.datum.0.len() {
            return Err(DatumError(format!("{count} items are announced")));
        }
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DatumError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DatumError> {
        if self.left == 0 {
            return Ok(None);
        }
        let item = seed.deserialize(&mut *self.datum)?;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.begin_block()?;
        }
        Ok(Some(item))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The fields of a record.
struct Fields<'a, 'de> {
    datum: &'a mut Datum<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = DatumError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, DatumError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.datum).map(Some)
    }
}

/// An enum's value: the position of its symbol.
struct Symbol<'a, 'de>(&'a mut Datum<'de>);

impl<'de> EnumAccess<'de> for Symbol<'_, 'de> {
    type Error = DatumError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), DatumError> {
        let position = u32::try_from(self.0.number()?).map_err(DatumError::custom)?;
        let position: U32Deserializer<DatumError> = position.into_deserializer();
        Ok((seed.deserialize(position)?, self))
    }
}

impl<'de> VariantAccess<'de> for Symbol<'_, 'de> {
    type Error = DatumError;

    fn unit_variant(self) -> Result<(), DatumError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DatumError> {
        none_of_ours("a variant with a value")
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DatumError> {
        none_of_ours("a variant with values")
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, DatumError> {
        none_of_ours("a variant with fields")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error<T: for<'de> Deserialize<'de> + std::fmt::Debug>(bytes: &[u8]) -> String {
        read::<T>(bytes).unwrap_err().to_string()
    }

    #[test]
    fn numbers_are_those_of_avros_specification() {
        for (number, bytes) in [
            (0, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            // Longer than it must be.
            (1, &[0x82, 0x80, 0]),
        ] {
            assert_eq!(read::<i64>(bytes), Ok((number, &[][..])), "{number}");
        }
        let too_large = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        assert_eq!(error::<i64>(&too_large), "a number has more than 64 bits");
        assert_eq!(error::<i64>(&[0x80; 11]), "a number has more than 64 bits");
        assert_eq!(error::<i64>(&[0x80]), "it ends too early");
        assert!(error::<u16>(&[1]).contains("integer `-1`, expected u16"));
    }

    #[test]
    fn arrays_may_have_several_blocks_with_or_without_their_size() {
        assert_eq!(read::<Vec<i64>>(&[0, 9]), Ok((vec![], &[9][..])));
        assert_eq!(read::<Vec<i64>>(&[4, 2, 4, 2, 6, 0]), Ok((vec![1, 2, 3], &[][..])));
        assert_eq!(
            read::<Vec<i64>>(&[3, 4, 2, 4, 1, 2, 6, 0]),
            Ok((vec![1, 2, 3], &[][..]))
        );
        assert_eq!(error::<Vec<i64>>(&[20, 0]), "10 items are announced");
        assert_eq!(error::<Vec<i64>>(&[2, 0]), "it ends too early");
    }

    #[test]
    fn what_is_no_value_is_an_error() {
        assert_eq!(error::<bool>(&[2]), "2 is neither true nor false");
        assert_eq!(error::<Option<bool>>(&[4]), "a union has no variant 2");
        assert_eq!(error::<String>(&[6, b'a']), "3 bytes are announced, 1 are there");
        assert!(error::<String>(&[1]).contains("out of range"));
        assert!(error::<String>(&[2, 0xff]).contains("utf-8"));
    }
}
