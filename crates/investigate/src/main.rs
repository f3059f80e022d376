//! The binary of the function that looks back and takes evidence.

use std::{process::ExitCode, sync::Arc};

use brig_investigate::{App, Settings, handle};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().json().flatten_event(true).with_target(false).with_max_level(tracing::Level::INFO).init();
    let started = match Settings::read(variable) {
        Ok(settings) => App::start(settings).await,
        Err(error) => Err(error.to_string()),
    };
    let app = match started {
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

#[expect(clippy::disallowed_methods, reason = "this is the one place where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
