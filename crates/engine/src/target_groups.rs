//! The account's target groups, listed once for everyone who asks: the check for a service's last healthy target, the
//! fleet lane's first look and the paths need the same pages.

use futures::lock::Mutex;

use crate::ports::{LoadBalancers, PortResult, TargetGroup};

/// A listing that the first caller makes; others wait for it. An error is not kept: the next caller asks again.
#[derive(Default)]
pub(crate) struct TargetGroups(Mutex<Option<Vec<TargetGroup>>>);

impl TargetGroups {
    /// All of them.
    pub(crate) async fn list(&self, cloud: &dyn LoadBalancers) -> PortResult<Vec<TargetGroup>> {
        let mut listed = self.0.lock().await;
        if let Some(groups) = &*listed {
            return Ok(groups.clone());
        }
        let groups = cloud.describe_target_groups().await?;
        *listed = Some(groups.clone());
        Ok(groups)
    }

    /// What is listed next is listed again.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}
