//! What to do now: for each outcome what a person on call can decide or run, as a command that works as it is.

use serde_json::{Value, json};

use super::Audience;
use crate::{
    containment::{Conclusion, Containment, StepReport},
    contest,
    policy::{Exemption, Strength},
    text::shell,
};

/// The command that invokes a function with a payload.
fn invoke_command(function: &str, payload: &Value) -> String {
    format!(
        "aws lambda invoke --function-name {} --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload {} /dev/stdout",
        shell(function),
        shell(&payload.to_string())
    )
}

/// A question: how to say yes, and how to say no. No command is offered that would be refused.
fn decide(containment: &Containment, audience: &Audience<'_>, contain: String) -> Vec<String> {
    let mut lines = match audience.exemption {
        Some(Exemption { tag, strength: Strength::Never, .. }) => vec![
            format!(
                "Decide. Nothing was changed. The tag {tag}=never forbids containment, whoever asks. To contain the instance, change the tag first, in account {}:",
                containment.account
            ),
            format!(
                "aws ec2 create-tags --region {} --resources {} --tags {}",
                containment.region,
                containment.instance_id,
                shell(&json!([{"Key": tag, "Value": "reviewed"}]).to_string())
            ),
            "Then:".to_owned(),
        ],
        Some(Exemption { strength: Strength::UnlessForced, .. }) | None => {
            vec!["Decide. Nothing was changed. To contain the instance as planned below:".to_owned()]
        }
    };
    lines.push(contain);
    match &containment.question {
        Some(question) => {
            lines.push("To say no, for the record:".to_owned());
            let no = json!({"action": "decide", "question": question, "answer": "no", "reason": "..."});
            lines.push(invoke_command(audience.function, &no));
        }
        None => lines.push(
            "To say no, do nothing: Brig acts on this only when somebody tells it to. Archive or close it at its source."
                .to_owned(),
        ),
    }
    lines
}

/// What is left to people once it is contained. Whether it runs decides what of its memory there is.
fn take_over(containment: &Containment) -> &'static str {
    let done = |step: &StepReport| step.step == "stop_instances" && matches!(step.outcome, "changed" | "already_done");
    if containment.steps.iter().any(done) {
        "Take over the investigation: Brig told it to STOP, as was asked; stop_instances below says what became of its memory. Snapshots of its EBS volumes are listed below; check that they completed."
    } else {
        "Take over the investigation: Brig did not stop it: what its memory holds is there while it runs. Snapshots of its EBS volumes are listed below; check that they completed."
    }
}

pub(super) fn advice(containment: &Containment, audience: &Audience<'_>) -> Vec<String> {
    let call = |function: &str, extra: Value| {
        let mut payload = json!({
            "instance_id": containment.instance_id,
            "account": containment.account,
            "region": containment.region,
        });
        if let (Some(payload), Some(extra)) = (payload.as_object_mut(), extra.as_object()) {
            payload.extend(extra.clone());
        }
        invoke_command(function, &payload)
    };
    let invoke = |extra: Value| call(audience.function, extra);
    let release = |mut extra: Value| {
        if let Some(extra) = extra.as_object_mut() {
            extra.insert("action".to_owned(), json!("release"));
        }
        call(audience.release_function, extra)
    };
    let originals = || {
        let pk = format!("{}/{}/{}", containment.account, containment.region, containment.instance_id);
        format!(
            "What each change replaced is on record: aws dynamodb query --table-name {} \
             --key-condition-expression 'pk = :pk' --expression-attribute-values {}",
            shell(audience.table),
            shell(&json!({":pk": {"S": pk}}).to_string())
        )
    };
    match containment.outcome {
        Conclusion::Contained | Conclusion::AlreadyContained => vec![
            take_over(containment).to_owned(),
            "Look at what replaced it, and at what else its role could reach: sessions that it got by sts:AssumeRole are not covered by the denial.".to_owned(),
            format!("To take everything back (first with \"action\":\"plan\",\"for\":\"release\" to see what): {}", release(json!({"reason": "..."}))),
            originals(),
        ],
        Conclusion::Partial => vec![
            "Read what could not be done below, grant or repair it, and run this again; it goes on where it stopped:".to_owned(),
            invoke(json!({})),
            originals(),
        ],
        Conclusion::Asked => decide(containment, audience, invoke(json!({"force": true}))),
        Conclusion::Observed => vec![
            "Nothing was changed: Brig observes. To see the plan as it would be now:".to_owned(),
            invoke(json!({"action": "plan"})),
        ],
        Conclusion::Refused => vec!["Nothing was changed. Settle the reason above, then:".to_owned(), invoke(json!({}))],
        Conclusion::Failed => vec![
            "Isolate the instance by hand if this message repeats. Settle the reason above, then:".to_owned(),
            invoke(json!({})),
        ],
        Conclusion::Verified => vec!["Nothing: it is as its containment left it.".to_owned()],
        Conclusion::Repaired => vec![
            "Find out who changed it, and why: somebody who can may do it again.".to_owned(),
            "If it was you, release the instance rather than change it by hand:".to_owned(),
            release(json!({})),
        ],
        Conclusion::Contested => {
            let by = containment.contest.iter().flat_map(|contest| &contest.by);
            let mut advice =
                vec!["Take away the access of whoever undoes it; until then it goes on. First make sure who that is.".to_owned()];
            advice.extend(by.flat_map(|by| contest::take_away(by)));
            advice.push("Then have it repaired; a person's order is not held back:".to_owned());
            advice.push(invoke(json!({"action": "verify"})));
            advice.push("If it was a colleague at work, release the instance, or add their role to BRIG_RESPONDERS:".to_owned());
            advice.push(release(json!({})));
            advice
        }
        Conclusion::Drifted => vec![
            "Find out who changed it, and why. What would be put right is below; to do so:".to_owned(),
            invoke(json!({"action": "verify"})),
        ],
        Conclusion::Contradicted => vec![
            "Most likely something that was open when it was cut still carries traffic, since AWS goes on tracking it. The paths below say which may.".to_owned(),
            "To end it, deny the remote address in the network ACL of its subnet (aws ec2 create-network-acl-entry, before the first rule that allows; everyone in the subnets of that ACL loses the address, and one in the same subnet is not kept out); then look again:".to_owned(),
            invoke(json!({"action": "verify"})),
            "Last resort, which loses its memory unless it hibernates, and which the deployment must allow (AllowStop):".to_owned(),
            invoke(json!({"stop": true})),
            originals(),
        ],
        Conclusion::Unverified => vec![
            "Whether the containment still holds is not known. Settle the reason above, then look again:".to_owned(),
            invoke(json!({"action": "verify"})),
        ],
        Conclusion::Released => vec![
            "Nothing more is needed. Snapshots stay; delete them once nobody needs them, when their locks have ended.".to_owned(),
            "A later finding counts only if its activity is later than this release.".to_owned(),
        ],
        Conclusion::ReleasePartial => vec![
            "Read what could not be done below, settle it, and run this again; it goes on where it stopped:".to_owned(),
            release(json!({})),
            originals(),
        ],
        Conclusion::InProgress | Conclusion::Planned | Conclusion::Ignored => {
            vec!["Look at the function's log for this containment, then run it again:".to_owned(), invoke(json!({}))]
        }
    }
}
