//! Amazon GuardDuty: whether it looks
//! (<https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetDetector.html>).

use aws_sdk_guardduty::{Client, types::DetectorStatus};
use brig_engine::ports::Answer;

use crate::error::Explain;

/// A Region has at most one detector.
pub(crate) async fn get_detectors(client: &Client) -> Answer<Vec<bool>> {
    let listed = client.list_detectors().send().await.explain("ListDetectors")?;
    let mut enabled = Vec::new();
    for id in listed.detector_ids() {
        let detector = client.get_detector().detector_id(id).send().await.explain("GetDetector")?;
        enabled.push(detector.status() == Some(&DetectorStatus::Enabled));
    }
    Ok(enabled)
}
