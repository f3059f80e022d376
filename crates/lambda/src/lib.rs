//! Composes Brig into a Lambda function: settings from the environment, clients made once, events handed to the engine.

pub mod app;
pub mod config;
mod handler;
mod metrics;
pub mod telemetry;

pub use handler::handle;
pub use metrics::names as metric_names;
