//! How long a push takes. Not a test: `cargo test --release -p courierflow-processor --test core -- --ignored --nocapture speed`.

#![expect(clippy::print_stdout, reason = "its only output")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the clock is what measures"
)]

use std::time::Instant;

use courierflow_domain as domain;
use courierflow_domain::Outcome;
use courierflow_schemas::carriers::Carriers;
use courierflow_vendors::reading::{Reading, push_facts, read};
use serde_json::{Value, json};

use crate::pushes::*;

/// Pushes in a batch, and batches: the best batch is what the code costs, the median what a busy machine makes of it.
const BATCH: u32 = 500;
const BATCHES: usize = 41;

/// A full history of 20 lines as Kuaidi100 sends it with everything switched on.
fn history(coded: bool) -> Vec<Value> {
    let lines = [
        ("102", "揽收任务已分配给周建永"),
        (
            "1",
            "【东莞市】 快件已由 东莞长安揽收（物流问题无需找商家或平台，请联系专属电话 0769-81846477、0769-81846479为您解决）",
        ),
        (
            "0",
            "【东莞市】 快件已发往 东莞转运中心（物流问题无需找商家或平台，请联系专属电话 0769-81846477、0769-81846479为您解决）",
        ),
        (
            "0",
            "【东莞市】 快件已到达 虎门转运中心（物流问题无需找商家或平台，请联系专属电话 95311为您解决）",
        ),
        ("1002", "您的快件由【深圳燕罗分拣中心】准备发往【深圳碧湾营业部】"),
        ("0", "您的快件已发车"),
        ("1002", "您的快件在【深圳福永分拣中心】分拣完成"),
        ("1002", "您的快件已到达【深圳燕罗分拣中心】"),
        (
            "5",
            "您的快件正在派送中, 请您准备签收 (快递员: 黄想成, 联系电话: 18675534564)。",
        ),
        (
            "2",
            "您的快件派送不成功, 原因【暂未联系上客户】, 预计下次派送时间 2022-03-31 23:00",
        ),
    ];
    (0..20)
        .map(|hour| {
            let (code, text) = lines[if hour < 18 { hour % 8 } else { hour - 10 }];
            let line = item(
                &hour_text(hour),
                if coded { code } else { "" },
                &format!("{text}{hour}"),
            );
            let mut line = in_area(line, "CN441900121000", "广东,东莞市,虎门镇");
            if coded {
                line["status"] = "干线".into();
            }
            line["location"] = "广东省 东莞市 虎门转运中心".into();
            line["areaCenter"] = "113.672552,22.814835".into();
            line["areaPinYin"] = "hu men zhen".into();
            line
        })
        .collect()
}

fn measure(what: &str, mut round: impl FnMut()) {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..BATCH {
                round();
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH)
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    println!(
        "{what}: {:.1} µs at best, median {:.1} µs",
        batches[0],
        batches[BATCHES / 2]
    );
}

#[test]
#[ignore = "a measurement"]
fn speed_of_a_push() {
    for (name, coded) in [("with codes", true), ("texts only", false)] {
        let lines = history(coded);
        let route = json!({"from": {"number": "CN441900119000", "name": "广东,东莞市,长安镇"},
            "cur": {"number": "CN441900121000", "name": "x"}, "to": {"number": "CN430102016000", "name": "湖南,长沙市"}});
        let push = |count: usize| {
            kuaidi100(&lines[..count])
                .set("lastResult.routeInfo", route.clone())
                .event()
        };
        let (before, now) = (push(19), push(20));
        let previous = derived(&before).memory;
        println!("{name}: payload of {} bytes", now.payload.len());
        measure("  read", || {
            std::hint::black_box(read(std::hint::black_box(&now), Carriers::built_in()).unwrap());
        });
        measure("  facts for the push log", || {
            std::hint::black_box(push_facts(std::hint::black_box(&now), Carriers::built_in()));
        });
        measure("  read and derive, one line more", || {
            let Ok(Reading::Snapshot(snapshot)) = read(std::hint::black_box(&now), Carriers::built_in()) else {
                panic!()
            };
            let outcome = domain::derive(Some(&previous), || Err(()), &snapshot, OPTIONS);
            assert!(matches!(std::hint::black_box(outcome), Ok(Outcome::Accepted(_))));
        });
        measure("  read and derive, first push", || {
            let Ok(Reading::Snapshot(snapshot)) = read(std::hint::black_box(&now), Carriers::built_in()) else {
                panic!()
            };
            std::hint::black_box(derive(None, &snapshot, OPTIONS));
        });
        let known = derived(&now).memory;
        measure("  read and derive, duplicate", || {
            let Ok(Reading::Snapshot(snapshot)) = read(std::hint::black_box(&now), Carriers::built_in()) else {
                panic!()
            };
            let outcome = domain::derive(Some(&known), || Err(()), &snapshot, OPTIONS);
            assert_eq!(std::hint::black_box(outcome), Ok(Outcome::Duplicate));
        });
    }
}
