//! Keeps an answer as it came: its bytes, and the id that AWS gave the request.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::AfterDeserializationInterceptorContextRef, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

/// An answer as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw {
    pub bytes: Vec<u8>,
    /// The request's id.
    pub request: Option<String>,
}

/// An interceptor that keeps the last answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keep(Arc<Mutex<Raw>>);

impl Keep {
    pub(crate) fn take(&self) -> Raw {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Keep {
    fn name(&self) -> &'static str {
        "Keep"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        let id = ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| answer.headers().get(*name));
        let bytes = answer.body().bytes().unwrap_or_default().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Raw { bytes, request: id.map(str::to_owned) };
        Ok(())
    }
}

/// Sends a request; gives the answer, and the answer as it came.
macro_rules! keep {
    ($operation:literal, $request:expr) => {{
        let kept = $crate::evidence::raw::Keep::default();
        let answer = $request.customize().interceptor(kept.clone()).send().await;
        $crate::error::Explain::explain(answer, $operation).map(|answer| (answer, kept.take()))
    }};
}
pub(crate) use keep;
