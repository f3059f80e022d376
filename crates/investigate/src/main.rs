//! The binary of the function that looks back.

use std::{process::ExitCode, sync::Arc};

use brig_investigate::{App, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().json().flatten_event(true).with_target(false).with_max_level(tracing::Level::INFO).init();
    let app = match App::start(variable("BRIG_LEDGER_TABLE"), variable("BRIG_MEMBER_ROLE")).await {
        Ok(app) => Arc::new(app),
        Err(error) => {
            tracing::error!(%error, "it does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let served = lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let app = Arc::clone(&app);
        async move { handle(&app, event).await }
    }))
    .await;
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "these are the function's two settings")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
