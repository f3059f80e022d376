//! What to do now: for each outcome at most three things that a person on call can decide or run, each as a command of
//! `brig` and as what does the same with the AWS CLI.

use serde_json::{Value, json};

use super::Audience;
use crate::{
    decide::{Exemption, Strength},
    ledger::Conclusion,
    model::text::shell,
    report::answer::Answer,
    step::{Kind, StepKind},
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What, and why.
    pub what: String,
    /// The command of `brig`.
    pub brig: Option<String>,
    /// What does the same with the AWS CLI.
    pub aws: Option<String>,
}

/// The commands about one instance.
struct Commands<'a> {
    answer: &'a Answer,
    audience: &'a Audience<'a>,
}

impl Commands<'_> {
    /// `brig <verb> <instance> <rest>`.
    fn brig(&self, verb: &str, rest: &str) -> String {
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
        format!("{} {verb} {}{rest}", self.audience.command(), self.audience.place(self.answer))
    }

    fn about(&self, extra: Value) -> Value {
        let mut payload = json!({
            "instance_id": self.answer.instance_id,
            "account": self.answer.account,
            "region": self.answer.region,
        });
        if let (Some(payload), Value::Object(extra)) = (payload.as_object_mut(), extra) {
            payload.extend(extra);
        }
        payload
    }

    fn do_it(&self, what: &str, verb: &str, rest: &str, extra: Value) -> Advice {
        Advice {
            what: what.to_owned(),
            brig: Some(self.brig(verb, rest)),
            aws: Some(invoke(self.audience.function, &self.about(extra))),
        }
    }

    fn contain(&self, what: &str) -> Advice {
        self.do_it(what, "contain", "", json!({}))
    }

    fn show(&self, what: &str) -> Advice {
        self.do_it(what, "show", "", json!({"action": "show"}))
    }

    fn verify(&self, what: &str) -> Advice {
        self.do_it(what, "verify", "", json!({"action": "verify"}))
    }

    fn plan(&self, what: &str) -> Advice {
        self.do_it(what, "plan", "", json!({"action": "plan"}))
    }

    fn release(&self, what: &str) -> Advice {
        let payload = self.about(json!({"action": "release", "reason": "..."}));
        Advice {
            what: what.to_owned(),
            brig: Some(self.brig("release", "--reason ...")),
            aws: Some(invoke(self.audience.release_function, &payload)),
        }
    }

    /// Yes, no, and what a yes would do. No command is offered that would be refused.
    fn decide(&self) -> Vec<Advice> {
        let never = match self.audience.exemption {
            Some(Exemption { tag, strength: Strength::Never, .. }) => Some(tag),
            Some(Exemption { strength: Strength::UnlessForced, .. }) | None => None,
        };
        let yes = if never.is_some() { "Then contain it:" } else { "Either contain it:" };
        let yes = match (&self.answer.question, never) {
            (Some(question), None) => self.answer(yes, question, "yes", json!({})),
            (_, _) => self.do_it(yes, "contain", "--force", json!({"force": true})),
        };
        let no = match &self.answer.question {
            Some(question) => self.answer("Or leave it alone, and say why:", question, "no", json!({"reason": "..."})),
            None => Advice {
                what: "Or leave it alone: do nothing. Brig does not act on this by itself; close it at its source."
                    .to_owned(),
                brig: None,
                aws: None,
            },
        };
        match never {
            Some(tag) => vec![self.retag(tag), yes, no],
            None => vec![self.plan("First, see what containing it would change:"), yes, no],
        }
    }

    fn answer(&self, what: &str, question: &str, answer: &str, extra: Value) -> Advice {
        let mut payload = json!({"action": "decide", "question": question, "answer": answer});
        if let (Some(payload), Value::Object(extra)) = (payload.as_object_mut(), extra) {
            payload.extend(extra);
        }
        let rest = if answer == "no" { " --reason ..." } else { "" };
        Advice {
            what: what.to_owned(),
            brig: Some(format!("{} decide {} {answer}{rest}", self.audience.command(), shell(question))),
            aws: Some(invoke(self.audience.function, &payload)),
        }
    }

    /// The tag forbids containment, whoever asks.
    fn retag(&self, tag: &str) -> Advice {
        let Answer { account, region, instance_id, .. } = self.answer;
        let tags = json!([{"Key": tag, "Value": "reviewed"}]).to_string();
        Advice {
            what: format!(
                "Nobody can contain it while it is tagged {tag}=never. To allow it, change the tag (account {account}):"
            ),
            brig: None,
            aws: Some(format!(
                "aws ec2 create-tags --region {region} --resources {instance_id} --tags {}",
                shell(&tags)
            )),
        }
    }
}

/// The command that invokes a function with a payload.
fn invoke(function: &str, payload: &Value) -> String {
    format!(
        "aws lambda invoke --function-name {} --cli-read-timeout 150 --cli-binary-format raw-in-base64-out --payload {} /dev/stdout",
        shell(function),
        shell(&payload.to_string())
    )
}

/// Whether it was stopped decides what of its memory there is.
fn take_over(answer: &Answer) -> &'static str {
    let stopped =
        answer.steps.iter().any(|step| step.step == Kind::Contain(StepKind::StopInstance) && step.outcome.is_done());
    if stopped {
        "Take over the investigation. Brig STOPPED it, as asked; its memory is kept only if it hibernated:"
    } else {
        "Take over the investigation. Brig did not stop it, so its memory is intact while it runs:"
    }
}

/// At most three things to do, the most urgent first.
pub(crate) fn advice(answer: &Answer, audience: &Audience<'_>) -> Vec<Advice> {
    let commands = Commands { answer, audience };
    match answer.outcome {
        Conclusion::Contained | Conclusion::AlreadyContained => vec![
            commands.show(take_over(answer)),
            commands.verify("To check again, and repair what no longer holds:"),
            commands.release("When it is resolved, or was a false alarm, release it (brig shows the plan and asks first):"),
        ],
        Conclusion::Partial => vec![
            commands.contain("Fix the problems listed here, then run this; it continues where it stopped:"),
            commands.show("To see what is in place and what each change replaced:"),
        ],
        Conclusion::Asked => commands.decide(),
        Conclusion::Observed => vec![
            commands.plan("The instance is NOT contained: Brig runs in observe mode. To see what it would do:"),
        ],
        Conclusion::Refused => vec![commands.contain("Nothing was changed. Resolve the reason above, then:")],
        Conclusion::Failed => vec![commands.contain(
            "Fix the error above, then retry; if that fails, isolate the instance by hand (OPERATIONS.md, section 10):",
        )],
        Conclusion::Verified => vec![commands.show("Nothing: it is as its answer left it. To see the record:")],
        Conclusion::Repaired => vec![
            commands.show("Find out who changed it, and why; whoever can do it once can do it again:"),
            commands.release("If it was a colleague, release it instead of changing it by hand:"),
        ],
        Conclusion::Contested => vec![
            commands.show("Confirm who keeps undoing it, then remove their access (commands below):"),
            commands.verify("Then check and repair it now; a person's order is never held back:"),
            commands.release("If it was a colleague at work, release it, or add their role to BRIG_RESPONDERS:"),
        ],
        Conclusion::Drifted => vec![
            commands.verify("To repair what is listed below:"),
            commands.show("Find out who changed it, and why:"),
        ],
        Conclusion::Contradicted => vec![
            Advice {
                what: "To end the traffic, deny the remote address in the subnet's network ACL; that blocks it for the whole subnet:".to_owned(),
                brig: None,
                aws: Some(format!(
                    "aws ec2 create-network-acl-entry --region {} --network-acl-id <ACL> --rule-number <lower than the first allow rule> --protocol -1 --rule-action deny --egress --cidr-block <ADDRESS>/32   # then again with --ingress",
                    answer.region
                )),
            },
            commands.verify("Then check again, and repair what no longer holds:"),
            commands.do_it(
                "Last resort: stop it. Its memory is lost unless it hibernates; needs the setting AllowStop:",
                "contain",
                "--stop",
                json!({"stop": true}),
            ),
        ],
        Conclusion::Unverified => {
            vec![commands.verify("It is not known whether the answer still holds. Fix the cause above, then:")]
        }
        Conclusion::Released => vec![commands.show(
            "Nothing more is needed. Snapshots stay: delete them once nobody needs them and their locks have ended. To see the record:",
        )],
        Conclusion::ReleasePartial => vec![
            commands.release("Fix the problems listed here, then run this; it continues where it stopped:"),
            commands.show("To see what is in place and what each change replaced:"),
        ],
        Conclusion::InProgress | Conclusion::Planned | Conclusion::Ignored => {
            vec![commands.show("Look at what is on record:"), commands.contain("Then run it again:")]
        }
    }
}
