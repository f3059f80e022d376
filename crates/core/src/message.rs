//! What people are told: one SNS message whose first sentence an on-call person can act on, and the response entry as
//! JSON for machines.

mod notice;

use serde_json::{Value, json};

pub use notice::Unhandled;

use crate::{
    containment::{Conclusion, Containment, Resolution, StepReport},
    contest,
    finding::Finding,
    paths,
    verdict::Truth,
};

/// SNS's limit for a message with all its variants, in bytes
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>).
const LARGEST: usize = 256 * 1024 - 4096;
const LONGEST_SUBJECT: usize = 99;
/// Two parts: one has 160 characters, and the end of the sentence is what matters
/// (<https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>).
const LONGEST_SMS: usize = 306;

/// A message, ready to publish with `MessageStructure` json.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// At most 99 ASCII characters.
    pub subject: String,
    /// The JSON object of variants by protocol.
    pub body: String,
    /// Attributes: name, SNS data type, value; never an empty value.
    pub attributes: Vec<(&'static str, &'static str, String)>,
}

/// What the texts need beside the containment itself.
#[derive(Debug, Clone)]
pub struct Audience<'a> {
    /// The function's name, for the command lines in the text.
    pub function: &'a str,
    /// The name of the function that releases.
    pub release_function: &'a str,
    /// The ledger table's name.
    pub table: &'a str,
    /// The instance's name tag.
    pub instance_name: Option<&'a str>,
}

/// Composes the message about a containment.
#[must_use]
pub fn compose(containment: &Containment, finding: &Finding, audience: &Audience<'_>) -> Message {
    let subject = ascii(
        &format!(
            "[Brig] {}: {} in {}/{}",
            heading(containment.outcome),
            containment.instance_id,
            containment.account,
            containment.region
        ),
        LONGEST_SUBJECT,
    );
    let sms = ascii(&format!("Brig {}: {}", heading(containment.outcome), containment.verdict.summary), LONGEST_SMS);
    let body = [usize::MAX, 400, 100, 25, 5, 0]
        .into_iter()
        .map(|most| variants(containment, finding, audience, &sms, most))
        .find(|body| body.len() <= LARGEST)
        .unwrap_or_else(|| json!({"default": containment.verdict.summary}).to_string());
    let mut attributes = vec![
        ("outcome", "String", containment.outcome.word().to_owned()),
        ("account", "String", containment.account.to_string()),
        ("region", "String", containment.region.to_string()),
        ("instance_id", "String", containment.instance_id.to_string()),
    ];
    if let Some(severity) = finding.severity {
        attributes.push(("severity", "Number", severity.to_string()));
    }
    Message { subject, body, attributes }
}

/// The message about an address that no instance is known for.
#[must_use]
pub fn unresolved(resolution: &Resolution) -> Message {
    let text = format!("{}\n\nWhy: {}\n", resolution.verdict.summary, resolution.reason);
    let mut entry = serde_json::to_value(resolution).unwrap_or(Value::Null);
    if let Some(map) = entry.as_object_mut() {
        map.insert("schema".to_owned(), json!(1));
    }
    let entry = entry.to_string();
    let body = json!({"default": text, "email": text, "sms": ascii(&resolution.verdict.summary, LONGEST_SMS),
        "sqs": entry, "lambda": entry, "http": entry, "https": entry, "firehose": entry});
    let subject = format!(
        "[Brig] {}: {} in {}/{}",
        heading(resolution.outcome),
        resolution.address,
        resolution.account,
        resolution.region
    );
    Message {
        subject: ascii(&subject, LONGEST_SUBJECT),
        body: body.to_string(),
        attributes: vec![
            ("outcome", "String", resolution.outcome.word().to_owned()),
            ("account", "String", resolution.account.to_string()),
            ("region", "String", resolution.region.to_string()),
        ],
    }
}

/// The text that a person reads. `most` bounds each list of steps.
#[must_use]
pub fn text(containment: &Containment, finding: &Finding, audience: &Audience<'_>, most: usize) -> String {
    let mut text = String::new();
    let mut line = |content: &str| {
        text.push_str(content);
        text.push('\n');
    };
    line(&containment.verdict.summary);
    line("");
    if let Some(name) = audience.instance_name {
        line(&format!("Instance: {} ({name})", containment.instance_id));
    }
    line(&format!("Where: account {}, {}", containment.account, containment.region));
    let severity = finding.severity.map_or_else(String::new, |severity| format!(", severity {severity}"));
    line(&format!("Why: {}{severity} [{}]", containment.reason, finding.id));
    if let Some(id) = &containment.containment_id {
        line(&format!("Containment: {id}"));
    }
    line("");
    line("What to do now");
    for advice in advice(containment, audience) {
        line(&format!("- {advice}"));
    }
    let done = |outcome: &str| matches!(outcome, "changed" | "already_done");
    let planned = containment.steps.iter().any(|step| step.outcome == "planned");
    section(
        &mut line,
        if planned { "What would be done" } else { "What could not be done" },
        containment,
        most,
        |outcome| !done(outcome),
    );
    section(&mut line, if planned { "What is so already" } else { "What was done" }, containment, most, done);
    what_is_left(&mut line, containment, most);
    if finding.source.is_abuse() && !planned {
        line("");
        line("Draft of an answer to AWS, which expects one within 24 hours (check it before you send it)");
        for sentence in reply(containment) {
            line(&format!("  {sentence}"));
        }
    }
    if !containment.notes.is_empty() {
        line("");
        line("What you should know");
        listed(&mut line, &containment.notes, most);
    }
    text
}

/// What an abuse desk asks: what was found, what was done, when.
fn reply(containment: &Containment) -> Vec<String> {
    let denied = containment.steps.iter().any(|step| step.step == "deny_role");
    let credentials = if denied { containment.verdict.credentials } else { Truth::Unknown };
    let when = containment.containment_id.as_ref().and_then(|id| id.as_str().rsplit('-').next()).unwrap_or_default();
    let done: Vec<&str> = [
        (
            containment.verdict.network,
            "its network interfaces were isolated by security groups, which leave DNS to AWS's own resolver open",
        ),
        (credentials, "its role denies its sessions everything"),
        (containment.verdict.fleet, "it was taken out of its Auto Scaling group and load balancers"),
        (containment.verdict.evidence, "its volumes are kept, and snapshots of them were begun for the investigation"),
    ]
    .into_iter()
    .filter(|(truth, _)| *truth == Truth::Yes)
    .map(|(_, text)| text)
    .collect();
    let whole = matches!(containment.outcome, Conclusion::Contained | Conclusion::AlreadyContained);
    let (contained, so_far) = if whole {
        ("have contained the instance", done.join("; "))
    } else if done.is_empty() {
        ("are looking into it", "nothing has been changed yet".to_owned())
    } else {
        ("have begun to contain the instance", done.join("; "))
    };
    vec![
        format!("Thank you for the report about {} in {}.", containment.instance_id, containment.region),
        format!("We {contained} (started {when} UTC): {so_far}."),
        "We are investigating how it was compromised and will take it out of use or rebuild it.".to_owned(),
    ]
}

fn section(
    line: &mut impl FnMut(&str),
    title: &str,
    containment: &Containment,
    most: usize,
    belongs: impl Fn(&str) -> bool,
) {
    let shown = |step: &StepReport| {
        let detail = if step.detail.is_empty() { String::new() } else { format!(" - {}", step.detail) };
        format!("{}: {} {}{detail}", step.outcome, step.step, step.resource)
    };
    let steps: Vec<String> = containment.steps.iter().filter(|step| belongs(step.outcome)).map(shown).collect();
    if steps.is_empty() {
        return;
    }
    line("");
    line(title);
    listed(line, &steps, most);
}

/// What is left of each path, the worst first.
fn what_is_left(line: &mut impl FnMut(&str), containment: &Containment, most: usize) {
    let paths = paths::lines(&containment.verdict.paths);
    if paths.is_empty() {
        return;
    }
    line("");
    match containment.timings_ms.untrack_window {
        Some(window) => line(&format!("What is left of each path (the untrack window was open for {window} ms)")),
        None => line("What is left of each path"),
    }
    if let Some(proof) = &containment.verdict.proof {
        line(&format!("- {}", proof.detail));
    }
    listed(line, &paths, most);
}

/// Lines of a list; past `most` they are counted.
fn listed(line: &mut impl FnMut(&str), items: &[String], most: usize) {
    for item in items.iter().take(most) {
        line(&format!("- {item}"));
    }
    let more = items.len().saturating_sub(most);
    if more > 0 {
        line(&format!("- and {more} more"));
    }
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

fn advice(containment: &Containment, audience: &Audience<'_>) -> Vec<String> {
    let call = |function: &str, extra: &str| {
        let payload = format!(
            "{{\"instance_id\":\"{}\",\"account\":\"{}\",\"region\":\"{}\"{extra}}}",
            containment.instance_id, containment.account, containment.region
        );
        format!(
            "aws lambda invoke --function-name {function} --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload '{payload}' /dev/stdout"
        )
    };
    let invoke = |extra: &str| call(audience.function, extra);
    let release = |extra: &str| call(audience.release_function, &format!(",\"action\":\"release\"{extra}"));
    let originals = || {
        format!(
            "What each change replaced is on record: aws dynamodb query --table-name {} \
             --key-condition-expression 'pk = :pk' --expression-attribute-values '{{\":pk\":{{\"S\":\"{}/{}/{}\"}}}}'",
            audience.table, containment.account, containment.region, containment.instance_id
        )
    };
    match containment.outcome {
        Conclusion::Contained | Conclusion::AlreadyContained => vec![
            take_over(containment).to_owned(),
            "Look at what replaced it, and at what else its role could reach: sessions that it got by sts:AssumeRole are not covered by the denial.".to_owned(),
            format!("To take everything back (first with \"action\":\"plan\",\"for\":\"release\" to see what): {}", release(",\"reason\":\"...\"")),
            originals(),
        ],
        Conclusion::Partial => vec![
            "Read what could not be done below, grant or repair it, and run this again; it goes on where it stopped:".to_owned(),
            invoke(""),
            originals(),
        ],
        Conclusion::Asked => vec![
            "Decide. Nothing was changed. To contain the instance as planned below:".to_owned(),
            invoke(",\"force\":true"),
        ],
        Conclusion::Observed => vec![
            "Nothing was changed: Brig observes. To see the plan as it would be now:".to_owned(),
            invoke(",\"action\":\"plan\""),
        ],
        Conclusion::Refused => vec!["Nothing was changed. Settle the reason above, then:".to_owned(), invoke("")],
        Conclusion::Failed => vec![
            "Isolate the instance by hand if this message repeats. Settle the reason above, then:".to_owned(),
            invoke(""),
        ],
        Conclusion::Verified => vec!["Nothing: it is as its containment left it.".to_owned()],
        Conclusion::Repaired => vec![
            "Find out who changed it, and why: somebody who can may do it again.".to_owned(),
            "If it was you, release the instance rather than change it by hand:".to_owned(),
            release(""),
        ],
        Conclusion::Contested => {
            let by = containment.contest.iter().flat_map(|contest| &contest.by);
            let mut advice =
                vec!["Take away the access of whoever undoes it; until then it goes on. First make sure who that is.".to_owned()];
            advice.extend(by.flat_map(|by| contest::take_away(by)));
            advice.push("Then have it repaired; a person's order is not held back:".to_owned());
            advice.push(invoke(",\"action\":\"verify\""));
            advice.push("If it was a colleague at work, release the instance, or add their role to BRIG_RESPONDERS:".to_owned());
            advice.push(release(""));
            advice
        }
        Conclusion::Drifted => vec![
            "Find out who changed it, and why. What would be put right is below; to do so:".to_owned(),
            invoke(",\"action\":\"verify\""),
        ],
        Conclusion::Contradicted => vec![
            "Most likely something that was open when it was cut still carries traffic, since AWS goes on tracking it. The paths below say which may.".to_owned(),
            "To end it, deny the remote address in the network ACL of its subnet (aws ec2 create-network-acl-entry, before the first rule that allows; everyone in the subnets of that ACL loses the address, and one in the same subnet is not kept out); then look again:".to_owned(),
            invoke(",\"action\":\"verify\""),
            "Last resort, which loses its memory unless it hibernates, and which the deployment must allow (AllowStop):".to_owned(),
            invoke(",\"stop\":true"),
            originals(),
        ],
        Conclusion::Released => vec![
            "Nothing more is needed. Snapshots stay; delete them once nobody needs them, when their locks have ended.".to_owned(),
            "A later finding counts only if its activity is later than this release.".to_owned(),
        ],
        Conclusion::ReleasePartial => vec![
            "Read what could not be done below, settle it, and run this again; it goes on where it stopped:".to_owned(),
            release(""),
            originals(),
        ],
        Conclusion::InProgress | Conclusion::Planned | Conclusion::Ignored => {
            vec!["Look at the function's log for this containment, then run it again:".to_owned(), invoke("")]
        }
    }
}

fn variants(containment: &Containment, finding: &Finding, audience: &Audience<'_>, sms: &str, most: usize) -> String {
    let text = text(containment, finding, audience, most);
    let entry = entry(containment, most).to_string();
    let mut body = json!({"default": text, "email": text, "sms": sms});
    if let Some(map) = body.as_object_mut() {
        for protocol in ["sqs", "lambda", "http", "https", "firehose"] {
            map.insert(protocol.to_owned(), Value::from(entry.clone()));
        }
    }
    body.to_string()
}

/// The response entry with its schema's number; lists longer than `most` are cut and counted.
fn entry(containment: &Containment, most: usize) -> Value {
    let mut value = serde_json::to_value(containment).unwrap_or(Value::Null);
    let mut more = vec![("schema".to_owned(), json!(1))];
    for (name, list) in [("steps", "/steps"), ("notes", "/notes"), ("paths", "/verdict/paths")] {
        let Some(items) = value.pointer_mut(list).and_then(Value::as_array_mut) else { continue };
        let cut = items.len().saturating_sub(most);
        items.truncate(most);
        if cut > 0 {
            more.push((format!("{name}_cut"), json!(cut)));
        }
    }
    if let Some(map) = value.as_object_mut() {
        map.extend(more);
    }
    value
}

fn heading(outcome: Conclusion) -> &'static str {
    match outcome {
        Conclusion::Contained => "contained",
        Conclusion::AlreadyContained => "already contained",
        Conclusion::Partial => "ONLY PARTLY CONTAINED",
        Conclusion::InProgress => "in progress",
        Conclusion::Observed => "observed, nothing done",
        Conclusion::Planned => "planned, nothing done",
        Conclusion::Asked => "DECISION NEEDED",
        Conclusion::Ignored => "ignored",
        Conclusion::Refused => "REFUSED",
        Conclusion::Failed => "NOT CONTAINED",
        Conclusion::Verified => "verified",
        Conclusion::Repaired => "DRIFT PUT RIGHT",
        Conclusion::Drifted => "CONTAINMENT HAS DRIFTED",
        Conclusion::Contested => "CONTAINMENT IS BEING FOUGHT",
        Conclusion::Contradicted => "TRAFFIC AFTER THE CUT",
        Conclusion::Released => "released",
        Conclusion::ReleasePartial => "ONLY PARTLY RELEASED",
    }
}

/// SNS takes ASCII without control characters in subjects; a longer text is cut.
fn ascii(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { ' ' }).take(most).collect()
}

#[cfg(test)]
mod tests;
