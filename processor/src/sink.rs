#![allow(missing_docs)]
pub fn start(
    _: &crate::config::Config,
    _: &courierflow_schemas::registry::Registry,
    _: courierflow_schemas::registry::SchemaIds,
    _: &tokio::runtime::Handle,
    _: &crate::health::Health,
    _: &crate::shutdown::Shutdown,
) -> anyhow::Result<Vec<std::thread::JoinHandle<()>>> {
    Ok(vec![])
}
