//! The disk of a broker gives back other bytes than were written. Brokers send what is on their disks without looking at it.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use courierflow_schemas::topics::{PUSH, SHIPMENT, on_broker};
use courierflow_tests::stack::{Launch, LocalStack, Stack};

use crate::harness::{
    DERIVE_GROUP, PATIENCE, migrate, post, processor, ready, topics, wait_until_derived, wait_until_in_tables,
    wait_until_part_says,
};
use crate::replay::replay;

/// What the client says of a batch whose checksum is wrong.
const BAD: &str = "Bad message";

/// A batch of a partition's log, in the file that has it.
struct Batch {
    file: PathBuf,
    at: u64,
    length: u64,
}

impl Batch {
    /// All batches of the first segment. A batch begins with its first offset and, in four bytes, the length of what follows.
    fn all(stack: &dyn Stack, topic: &'static str, partition: i32) -> Vec<Self> {
        const HEAD: u64 = 12;
        let directory = format!("data/kafka/{}-{partition}", on_broker(topic));
        let file = stack.dir().join(directory).join("00000000000000000000.log");
        let bytes = std::fs::read(&file).unwrap();
        let mut batches = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((length, _)) = rest.get(8..).and_then(|rest| rest.split_first_chunk::<4>()) {
            let length = HEAD + u64::from(u32::from_be_bytes(*length));
            batches.push(Self {
                file: file.clone(),
                at: (bytes.len() - rest.len()) as u64,
                length,
            });
            rest = rest.get(usize::try_from(length).unwrap()..).unwrap_or_default();
        }
        batches
    }

    /// Changes a bit of its last record, or changes it back.
    fn flip(&self) {
        let file = OpenOptions::new().read(true).write(true).open(&self.file).unwrap();
        let (mut byte, place) = ([0], self.at + self.length - 2);
        file.read_exact_at(&mut byte, place).unwrap();
        file.write_all_at(&[byte[0] ^ 1], place).unwrap();
    }
}

#[test]
fn i1_what_a_disk_has_changed_is_passed_over_by_nobody() {
    // The log of a broker in a container is out of reach.
    let stack = LocalStack::start("changed-bytes").unwrap();
    migrate(&stack);
    let ingest = ready(&Launch::ingest(), "ingest", &stack);
    let numbers: Vec<_> = topics::numbers_on(3, "BYTES").take(3).collect();
    for number in &numbers {
        post::one_picked_up(&ingest.url(), number);
    }
    let batches = Batch::all(&stack, PUSH, 3);
    let [_, changed, _] = batches.as_slice() else {
        panic!("{} batches instead of one a push", batches.len());
    };
    changed.flip();
    let mut running = processor("run", &stack).start("processor", &stack).unwrap();
    for part in ["derive-", "sink-push"] {
        wait_until_part_says(&running, part, &[BAD]);
    }
    let log = std::fs::read_to_string(stack.dir().join("log/processor.log")).unwrap();
    let says_where =
        |line: &str| line.contains("a batch cannot be read") && line.contains(&format!("{PUSH}/3 at offset 1"));
    assert!(log.lines().filter(|line| says_where(line)).count() >= 2, "{log}");
    for group in [DERIVE_GROUP, "courierflow-sink-push"] {
        let committed = topics::committed(&stack, group, PUSH, [3].into_iter()).unwrap();
        assert!(
            committed.get(&3).is_none_or(|next| *next <= 1),
            "{group}: {committed:?}"
        );
    }
    let said = replay(&stack, &["--from", "earliest"]).unwrap_err();
    assert!(
        said.contains(BAD) && said.contains(&format!("{PUSH}/3 at offset 1")),
        "{said}"
    );

    // The disk is mended, say from a replica.
    changed.flip();
    running.wait_ready(PATIENCE).unwrap();
    wait_until_in_tables(&stack);
    for number in &numbers {
        assert_eq!(topics::shipments_of(&stack, number).len(), 1, "{number}");
    }
    running.terminate(PATIENCE).unwrap();

    // The state is not guessed either.
    let batches = Batch::all(&stack, SHIPMENT, 3);
    batches[0].flip();
    running.restart().unwrap();
    wait_until_part_says(&running, "derive-", &[BAD]);
    batches[0].flip();
    running.wait_ready(PATIENCE).unwrap();
    post::one_picked_up(&ingest.url(), &numbers[0]);
    wait_until_derived(&stack);
    assert_eq!(
        topics::shipments_of(&stack, &numbers[0]).len(),
        1,
        "the repeated push is a duplicate"
    );
}
