//! Logs as JSON lines on standard output, where Lambda collects them.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging: Brig's own lines from info on, those of its libraries from warn on. Events and policies are never logged.
pub fn start() {
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("brig_core", LevelFilter::INFO)
        .with_target("brig_engine", LevelFilter::INFO)
        .with_target("brig_aws", LevelFilter::INFO)
        .with_target("brig_lambda", LevelFilter::INFO)
        .with_target("bootstrap", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false);
    // A second start (tests in one process) keeps the first.
    let _ = tracing_subscriber::registry().with(lines).with(levels).try_init();
}
