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
    assert_eq!(courierflow_domain::memory::HEADER, "courierflow-memory-4");
    let bytes = remembered().to_bytes().unwrap();
    let hex = format!("{bytes:02x?}").replace([' ', ',', '[', ']'], "");
    let expected = "a0bc02008080dfd7d6af9c068080bedcb4bb9c060101000000000000000100000000000000000000\
         018080ce8ce5650180e8ab9ae5650004cc977dc474ce882d00bac5c29fb208435079595585413cba\
         df3e99e111ce5b3a9a7a0332b4ba1664267798480b38d5def035f0ba00e674a401981bfadd0002d2\
         d23c875958ab2c8080df84de0b8e212864cea2253800";
    assert_eq!(hex, expected);
}
