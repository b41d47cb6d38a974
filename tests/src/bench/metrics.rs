//! What a service under measurement says of itself.

use anyhow::Context;

use crate::stack::Service;

/// Sum of a metric over its label sets; of some of them, when `name` goes on with the beginning of the labels.
pub(super) fn sum(service: &Service, name: &str) -> anyhow::Result<f64> {
    let text = ureq::get(format!("{}/metrics", service.url()))
        .call()?
        .body_mut()
        .read_to_string()?;
    let values = text
        .lines()
        .filter(|line| line.starts_with(name))
        .filter_map(|line| line.rsplit(' ').next());
    let mut sum = None;
    for value in values {
        sum = Some(sum.unwrap_or(0.0) + value.parse::<f64>()?);
    }
    sum.with_context(|| format!("no metric {name}"))
}
