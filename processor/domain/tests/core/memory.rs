//! What is remembered of a shipment: it travels in a header, and an older program's bytes must not be misread.

use courierflow_domain::Memory;

use crate::pushes::*;

fn remembered() -> Memory {
    let mut stream = Stream::default();
    stream.accept(&kuaidi100(&codes(&["1", "0"])).event());
    stream
        .accept(
            &kuaidi100(&codes(&["1", "0", "0", "5", "3"]))
                .received("2025-07-02T08:00:00Z")
                .event(),
        )
        .memory
}

#[test]
fn what_was_packed_is_unpacked() {
    let memory = remembered();
    assert_eq!(Memory::from_bytes(&memory.to_bytes().unwrap()).unwrap(), memory);
    assert!(Memory::from_bytes(&[]).is_err());
}

/// If this fails because the packing or the meaning of `Memory` has changed, count `memory::HEADER` up before you put the
/// new bytes here.
#[test]
fn the_packing_belongs_to_the_number_in_its_header() {
    assert_eq!(courierflow_domain::memory::HEADER, "courierflow-memory-2");
    let bytes = remembered().to_bytes().unwrap();
    let hex = format!("{bytes:02x?}").replace([' ', ',', '[', ']'], "");
    let expected = "a0bc02008080dfd7d6af9c068080bedcb4bb9c060000010000000000000180e8ab9ae5650438f2ac\
         f8407abe4900bac5c29fb241e383f894f2e31f3cbadf3e99e1778f937b95287926b4ba1664267799\
         1f16c33e97124bf0ba00e674a401300a527b02ce4615ae3a57013f8080df84de0b47c67f7aeeeb6b\
         2200";
    assert_eq!(hex, expected);
}
