//! Prints, as JSON, the IAM actions that each duty needs, the denial that a containment puts on a role, and the names of the
//! metrics that are written and of what a chat message tells buttons: what the tests of the templates compare with.

use brig_core::{
    iam::power::{Duty, at_home, elsewhere, there},
    model::deny_policy::{self, RoleDeny},
    report::message,
    trigger,
};
use serde_json::json;

fn main() {
    let instance = "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0".to_owned();
    let shown = json!({
        "contain": {"there": there(Duty::Contain), "at_home": at_home(Duty::Contain), "elsewhere": elsewhere(Duty::Contain)},
        "release": {"there": there(Duty::Release), "at_home": at_home(Duty::Release), "elsewhere": elsewhere(Duty::Release)},
        "investigate": {"there": there(Duty::Investigate), "at_home": at_home(Duty::Investigate)},
        "denial": {"instance": instance, "policy": deny_policy::render(std::slice::from_ref(&instance), RoleDeny::Instance)},
        "undoing": trigger::UNDOING,
        "metrics": brig_lambda::metric_names().into_iter().chain(brig_investigate::METRICS).collect::<Vec<_>>(),
        "chat": message::chat::CONTEXT,
    });
    println!("{shown}");
}
