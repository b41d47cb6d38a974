//! The table `carrier_mapping`: the rows that the program works with, so that SQL knows which codes are mapped.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use clickhouse::Row;
use courierflow_schemas::carriers::Carriers;
use serde::{Deserialize, Serialize};

use super::clickhouse::{Change, Database, MigrateError};

const TABLE: &str = "carrier_mapping";

/// A row of the table; the columns are described there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Row, Serialize, Deserialize)]
struct Mapped {
    vendor: String,
    code: String,
    carrier: String,
    name_zh: String,
    name_en: String,
    is_international: bool,
    zone: String,
    country: String,
}

/// Replaces the rows if they are not those of `carriers`. A reader sees all the old ones or all the new ones.
pub(super) async fn bring_up_to_date(
    database: &Database<'_>,
    carriers: &Carriers,
) -> Result<Option<Change>, MigrateError> {
    let wanted: BTreeSet<Mapped> = rows(carriers).collect();
    let change = Change::MappedCarriers { codes: wanted.len() };
    if !database.may_change() && !database.has(TABLE).await? {
        return Ok(Some(change));
    }
    let query = format!(
        "SELECT vendor, code, carrier, name_zh, name_en, is_international, zone, country FROM {}.{TABLE}",
        database.name
    );
    let present: Vec<Mapped> = database.rows(&query).await?;
    if present.len() == wanted.len() && present.iter().all(|row| wanted.contains(row)) {
        return Ok(None);
    }
    if !database.may_change() {
        return Ok(Some(change));
    }
    drop_left_over(database).await?;
    // A name of its own: two that run at the same time fill two tables.
    let run = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let filled = format!("{TABLE}_{run:x}_{}", std::process::id());
    let replaced = replace(database, &filled, &wanted).await;
    // Now the old rows, or what a failed insert left.
    let dropped = execute(
        database,
        &format!("DROP TABLE IF EXISTS {}.{filled} SYNC", database.name),
    )
    .await;
    replaced.and(dropped)?;
    Ok(Some(change))
}

/// What a `migrate` filled that was killed.
async fn drop_left_over(database: &Database<'_>) -> Result<(), MigrateError> {
    let query = format!(
        "SELECT name FROM system.tables WHERE database = '{}' AND startsWith(name, '{TABLE}_')
            AND metadata_modification_time < now() - INTERVAL 1 HOUR",
        database.name
    );
    let names: Vec<String> = database.rows(&query).await?;
    for name in names {
        execute(database, &format!("DROP TABLE IF EXISTS {}.{name} SYNC", database.name)).await?;
    }
    Ok(())
}

async fn replace(database: &Database<'_>, filled: &str, rows: &BTreeSet<Mapped>) -> Result<(), MigrateError> {
    let name = database.name;
    execute(database, &format!("CREATE TABLE {name}.{filled} AS {name}.{TABLE}")).await?;
    database.insert(filled, rows).await?;
    execute(database, &format!("EXCHANGE TABLES {name}.{filled} AND {name}.{TABLE}")).await
}

async fn execute(database: &Database<'_>, statement: &str) -> Result<(), MigrateError> {
    database
        .execute(statement)
        .await
        .map_err(|source| database.server(source))
}

fn rows(carriers: &Carriers) -> impl Iterator<Item = Mapped> {
    carriers.rows().iter().map(|row| {
        // Every row leads to a carrier that has names.
        let company = carriers.company(&row.carrier);
        Mapped {
            vendor: row.vendor.as_str().to_owned(),
            code: row.code.clone(),
            carrier: row.carrier.clone(),
            name_zh: company.map_or_else(|| row.name.clone(), |company| company.name.clone()),
            name_en: company.map_or_else(|| row.name_en.clone(), |company| company.name_en.clone()),
            is_international: row.international,
            zone: row.zone.clone().unwrap_or_default(),
            country: row.country.clone().unwrap_or_default(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_the_usual_names_of_its_carrier() {
        let rows: Vec<Mapped> = rows(Carriers::built_in()).collect();
        assert_eq!(rows.len(), Carriers::built_in().rows().len());
        let row = |vendor: &str, code: &str| {
            let row = rows
                .iter()
                .find(|row| row.vendor == vendor && row.code == code)
                .unwrap();
            [&row.carrier, &row.name_zh, &row.name_en, &row.zone, &row.country].map(String::as_str)
        };
        // The file calls these codes 邮政快递包裹 and 新加坡特快专递.
        assert_eq!(row("kdniao", "yzpy"), ["chinapost", "中国邮政", "China Post", "", "CN"]);
        assert_eq!(
            row("kuaidi100", "speedpost"),
            ["singpost", "新加坡邮政", "Singapore Post", "Asia/Singapore", "SG"]
        );
    }
}
