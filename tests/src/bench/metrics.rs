//! What a service under measurement says of itself.

use anyhow::Context;

use crate::stack::Service;

/// Sum of a metric over its label sets; of some of them, when `name` goes on with the beginning of the labels.
pub(super) fn sum(service: &Service, name: &str) -> anyhow::Result<f64> {
    sum_where(service, name, "")
}

/// The same of the label sets that contain a label, written as in `/metrics`.
pub(super) fn sum_where(service: &Service, name: &str, label: &str) -> anyhow::Result<f64> {
    let text = ureq::get(format!("{}/metrics", service.url()))
        .call()?
        .body_mut()
        .read_to_string()?;
    let values = text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label))
        .filter_map(|line| line.rsplit(' ').next());
    let mut sum = None;
    for value in values {
        sum = Some(sum.unwrap_or(0.0) + value.parse::<f64>()?);
    }
    sum.with_context(|| format!("no metric {name}"))
}

/// Resident memory of a service.
pub(super) fn mebibytes(service: &Service) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("a size in kB")?;
    Ok(kibibytes.trim().parse::<f64>()? / 1024.0)
}
