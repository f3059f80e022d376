//! The Lambda function's binary.

use std::{process::ExitCode, sync::Arc};

use brig_lambda::{app::App, config::Config, handle, telemetry};
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

// One thread: the work waits for AWS, and a Lambda function of this size has less than one processor.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::start();
    let config = match Config::from_environment() {
        Ok(config) => config,
        Err(error) => {
            tracing::error!(%error, "Brig does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let app = match App::start(config).await {
        Ok(app) => Arc::new(app),
        Err(error) => {
            tracing::error!(%error, "Brig does not start: {error}");
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
