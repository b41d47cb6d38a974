//! From a record to its bytes.

use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeSeq, SerializeStruct, Serializer};

use super::{DatumError, none_of_ours};

/// Appends the datum of a record to `out`; on error `out` has a part of it.
pub(crate) fn write(record: &impl Serialize, out: &mut Vec<u8>) -> Result<(), DatumError> {
    record.serialize(Datum(out))
}

/// A position in a datum that is being written.
struct Datum<'a>(&'a mut Vec<u8>);

impl Datum<'_> {
    /// Avro's `int` and `long`: zigzag, then seven bits a byte, the lowest first.
    fn number(&mut self, number: i64) {
        let mut rest = (number.wrapping_shl(1) ^ number.wrapping_shr(63)).cast_unsigned();
        loop {
            let [low, ..] = rest.to_le_bytes();
            if rest < 0x80 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
            rest >>= 7;
        }
    }

    fn length(&mut self, length: usize) -> Result<(), DatumError> {
        let length = i64::try_from(length).map_err(DatumError::custom)?;
        self.number(length);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty),+) => {
        $(fn $method(mut self, number: $type) -> Result<(), DatumError> {
            self.number(number.into());
            Ok(())
        })+
    };
}

macro_rules! none_of_ours {
    ($($method:ident($($type:ty),*) -> $ok:ty: $kind:literal,)+) => {
        $(fn $method(self, $(_: $type),*) -> Result<$ok, DatumError> {
            none_of_ours($kind)
        })+
    };
}

impl<'a> Serializer for Datum<'a> {
    type Ok = ();
    type Error = DatumError;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Impossible<(), DatumError>;
    type SerializeTupleStruct = Impossible<(), DatumError>;
    type SerializeTupleVariant = Impossible<(), DatumError>;
    type SerializeMap = Impossible<(), DatumError>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Impossible<(), DatumError>;

    fn serialize_bool(self, flag: bool) -> Result<(), DatumError> {
        self.0.push(flag.into());
        Ok(())
    }

    numbers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32
    );

    fn serialize_str(mut self, text: &str) -> Result<(), DatumError> {
        self.length(text.len())?;
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, fixed: &[u8]) -> Result<(), DatumError> {
        self.0.extend_from_slice(fixed);
        Ok(())
    }

    fn serialize_none(mut self) -> Result<(), DatumError> {
        self.number(0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), DatumError> {
        self.number(1);
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), DatumError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(mut self, _: &'static str, position: u32, _: &'static str) -> Result<(), DatumError> {
        self.number(position.into());
        Ok(())
    }

    fn serialize_seq(mut self, length: Option<usize>) -> Result<Items<'a>, DatumError> {
        match length {
            // An array is blocks of items, and an empty block is its end.
            Some(0) => {}
            Some(length) => self.length(length)?,
            None => return none_of_ours("an array of unknown length"),
        }
        Ok(Items(self.0))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'a>, DatumError> {
        Ok(Fields(self.0))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), DatumError> {
        none_of_ours("a variant with a value")
    }

    none_of_ours! {
        serialize_u64(u64) -> (): "an unsigned long",
        serialize_f32(f32) -> (): "a float",
        serialize_f64(f64) -> (): "a double",
        serialize_char(char) -> (): "a letter",
        serialize_unit() -> (): "a null",
        serialize_unit_struct(&'static str) -> (): "a null",
        serialize_tuple(usize) -> Self::SerializeTuple: "a tuple",
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct: "a tuple",
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant: "a variant with values",
        serialize_map(Option<usize>) -> Self::SerializeMap: "a map",
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant: "a variant with fields",
    }

    /// As `apache-avro` writes and reads.
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The items of an array.
struct Items<'a>(&'a mut Vec<u8>);

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = DatumError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), DatumError> {
        item.serialize(Datum(self.0))
    }

    fn end(self) -> Result<(), DatumError> {
        Datum(self.0).number(0);
        Ok(())
    }
}

/// The fields of a record.
struct Fields<'a>(&'a mut Vec<u8>);

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = DatumError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), DatumError> {
        value.serialize(Datum(self.0))
    }

    fn end(self) -> Result<(), DatumError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datum(value: &impl Serialize) -> Result<Vec<u8>, DatumError> {
        let mut out = Vec::new();
        write(value, &mut out).map(|()| out)
    }

    #[test]
    fn numbers_are_those_of_avros_specification() {
        // The specification's own examples, and the ends.
        for (number, bytes) in [
            (0_i64, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (-2, &[3]),
            (2, &[4]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (8_192, &[0x80, 0x80, 1]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            assert_eq!(datum(&number).as_deref(), Ok(bytes), "{number}");
        }
    }

    #[test]
    fn what_no_record_has_is_refused() {
        assert_eq!(datum(&1.5_f64), Err(DatumError("no record has a double".into())));
        assert_eq!(datum(&('a', 1)), Err(DatumError("no record has a tuple".into())));
        assert_eq!(
            datum(&u64::MAX),
            Err(DatumError("no record has an unsigned long".into()))
        );
    }
}
