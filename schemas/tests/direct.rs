//! Our own records are written and read without a look at their schema (`datum`). Whatever a schema allows, the bytes and
//! the records are those of `apache-avro`, which stays the reference.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{NamesRef, RecordSchema, ResolvedSchema};
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use courierflow_schemas::records::{
    Annotation, CallReason, PushEvent, Reason, Shipment, Subscription, SubscriptionRequest, SubscriptionSecret,
    Transition, Vendor, VendorCall,
};
use courierflow_schemas::registry::Registry;
use courierflow_schemas::settings::RegistrySettings;
use courierflow_schemas::wire::{Decoder, Encoder, Record};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const ID: u32 = 7;
const HEADER: [u8; 5] = [0, 0, 0, 0, 7];

/// Any value of a record's schema.
fn values_of_record<R: Record>() -> BoxedStrategy<Value> {
    let resolved = ResolvedSchema::try_from(R::schema()).unwrap();
    values_of(R::schema(), resolved.get_names())
}

/// Any value of a schema, as far as the record's type allows it.
fn values_of(schema: &Schema, names: &NamesRef<'_>) -> BoxedStrategy<Value> {
    match schema {
        Schema::Ref { name } => values_of(names.get(name).unwrap(), names),
        Schema::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        // Counts; the type is `u16`.
        Schema::Int => any::<u16>().prop_map(|n| Value::Int(n.into())).boxed(),
        Schema::Date => any::<i32>().prop_map(Value::Date).boxed(),
        Schema::Long => any::<i64>().prop_map(Value::Long).boxed(),
        Schema::TimestampMillis => any::<i64>().prop_map(Value::TimestampMillis).boxed(),
        Schema::TimestampMicros => any::<i64>().prop_map(Value::TimestampMicros).boxed(),
        Schema::String => any::<String>().prop_map(Value::String).boxed(),
        Schema::Fixed(fixed) => vec(any::<u8>(), fixed.size)
            .prop_map(|bytes| Value::Fixed(bytes.len(), bytes))
            .boxed(),
        Schema::Enum(symbols) => select(symbols.symbols.clone().into_iter().enumerate().collect::<Vec<_>>())
            .prop_map(|(position, symbol)| Value::Enum(u32::try_from(position).unwrap(), symbol))
            .boxed(),
        Schema::Array(array) => vec(values_of(&array.items, names), 0..4).prop_map(Value::Array).boxed(),
        Schema::Union(union) => {
            let variants: Vec<_> = (0..).zip(union.variants()).collect();
            let of_each = variants.into_iter().map(|(position, variant)| {
                values_of(variant, names).prop_map(move |value| Value::Union(position, Box::new(value)))
            });
            proptest::strategy::Union::new(of_each).boxed()
        }
        Schema::Null => Just(Value::Null).boxed(),
        Schema::Record(record) => records_of(record, names),
        other => panic!("the schemas have a new kind of type, say how its values look: {other:?}"),
    }
}

fn records_of(record: &RecordSchema, names: &NamesRef<'_>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = record
        .fields
        .iter()
        .map(|field| {
            let values = match (record.name.name(), field.name.as_str()) {
                ("PushEvent" | "Shipment" | "Transition" | "VendorCall", "vendor") => {
                    names_of(Vendor::ALL.map(Vendor::as_str).into())
                }
                ("VendorCall", "reason") => names_of(CallReason::ALL.iter().map(|reason| reason.as_str()).collect()),
                ("Subscription", "reason") => {
                    let name = names_of(Reason::ALL.iter().map(|reason| reason.as_str()).collect());
                    let some = name.prop_map(|name| Value::Union(1, Box::new(name)));
                    prop_oneof![Just(Value::Union(0, Box::new(Value::Null))), some].boxed()
                }
                _ => values_of(&field.schema, names),
            };
            let name = field.name.clone();
            values.prop_map(move |value| (name.clone(), value))
        })
        .collect();
    fields.prop_map(Value::Record).boxed()
}

fn names_of(names: Vec<&'static str>) -> BoxedStrategy<Value> {
    select(names).prop_map(|name| Value::String(name.to_owned())).boxed()
}

/// A decoder that knows `R`'s schema and never needs the registry.
fn decoder<R: Record>() -> Decoder<R> {
    let settings = RegistrySettings {
        // Port 9 (discard) is closed on any sane machine: nothing answers.
        url: "http://127.0.0.1:9".into(),
        ..RegistrySettings::default()
    };
    Decoder::new(Registry::new(&settings), ID)
}

fn written_by_apache(schema: &Schema, value: Value) -> Vec<u8> {
    let writer = GenericDatumWriter::builder(schema).build().unwrap();
    writer.write_value_to_vec(value).unwrap()
}

fn read_by_apache<R: Record>(mut datum: &[u8]) -> Option<R> {
    let reader = GenericDatumReader::builder(R::schema())
        .human_readable(false)
        .build()
        .unwrap();
    let record = reader.read_deser(&mut datum).ok()?;
    datum.is_empty().then_some(record)
}

fn same_both_ways<R: Record + PartialEq + std::fmt::Debug>() {
    proptest!(ProptestConfig::with_cases(200), |(value in values_of_record::<R>())| {
        let datum = written_by_apache(R::schema(), value);
        let bytes = [&HEADER[..], &datum].concat();

        let record = decoder::<R>().decode(&bytes).unwrap();
        let read = read_by_apache(&datum);
        prop_assert_eq!(Some(&record), read.as_ref());

        let mut again = vec![0xEE];
        Encoder::<R>::new(ID).encode(&record, &mut again).unwrap();
        prop_assert_eq!(&again[1..], &bytes[..]);
    });
}

#[test]
fn records_are_written_and_read_as_apache_avro_does() {
    same_both_ways::<PushEvent>();
    same_both_ways::<Shipment>();
    same_both_ways::<Transition>();
    same_both_ways::<SubscriptionRequest>();
    same_both_ways::<Subscription>();
    same_both_ways::<SubscriptionSecret>();
    same_both_ways::<VendorCall>();
    same_both_ways::<Annotation>();
}

/// A damaged record is refused or read; where both decoders read it, they read the same.
#[test]
fn damaged_records_are_read_as_apache_avro_does_or_not_at_all() {
    proptest!(ProptestConfig::with_cases(2_000), |(
        value in values_of_record::<Shipment>(),
        at in any::<Index>(),
        byte in any::<u8>(),
        end in any::<Index>(),
    )| {
        let mut datum = written_by_apache(Shipment::schema(), value);
        let position = at.index(datum.len());
        datum[position] = byte;
        datum.truncate(end.index(datum.len() * 2) + 1);
        let ours = decoder::<Shipment>().decode(&[&HEADER[..], &datum].concat());
        if let (Ok(ours), Some(theirs)) = (ours, read_by_apache::<Shipment>(&datum)) {
            prop_assert_eq!(ours, theirs);
        }
    });
}
