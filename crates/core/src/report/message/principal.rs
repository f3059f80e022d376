//! The message about a principal: the same first lines, the same variants, in the words of IAM.

use serde_json::{Map, Value, json};

use super::{
    Audience, Message, Text,
    chat::{self, Told},
    details, headline, pager, subject,
};
use crate::{
    ledger::{Cause, Conclusion, Question, Statement},
    model::{
        Principal, SessionKind,
        text::{self, shell},
        timestamp::Timestamp,
    },
    report::principal::PrincipalAnswer,
    step::OutcomeKind,
    trigger::Finding,
};

/// So many steps and notes are listed.
const MOST: usize = 100;

/// Composes the message about a principal.
#[must_use]
pub fn compose(answer: &PrincipalAnswer, finding: &Finding<Principal>, audience: &Audience<'_>) -> Message {
    let title = format!("{}: {} in {}", headline::state(answer.outcome), answer.subject(), answer.account);
    let text = words(answer, finding, audience);
    let mut entry = serde_json::to_value(answer).unwrap_or(Value::Null);
    if let Some(map) = entry.as_object_mut() {
        map.insert("schema".to_owned(), json!(1));
        pager::Event::of_principal(answer, audience.told).insert(map);
    }
    text::clean(&mut entry);
    let entry = entry.to_string();
    let sms = subject::short(&format!("Brig: {title}. {}", next(answer, audience)));
    let body = json!({"default": text, "email": text, "sms": sms,
        "sqs": entry, "lambda": entry, "http": entry, "https": entry, "firehose": entry});
    let mut attributes = vec![
        ("outcome", "String", answer.outcome.word().to_owned()),
        ("account", "String", answer.account.to_string()),
    ];
    attributes.extend(answer.user.as_ref().map(|user| ("user", "String", user.to_string())));
    attributes.extend(answer.role.as_ref().map(|role| ("role", "String", role.to_string())));
    attributes.extend(answer.access_key_id.as_ref().map(|key| ("access_key_id", "String", key.to_string())));
    attributes.extend(finding.severity.map(|severity| ("severity", "Number", severity.to_string())));
    let chat = chat::of_principal(answer, &title, advice(answer, &finding.target, audience), context(answer));
    Message {
        subject: subject::subject(&format!("[Brig] {title}")),
        body: body.to_string(),
        attributes,
        chat: Some(chat),
    }
}

fn context(answer: &PrincipalAnswer) -> Map<String, Value> {
    let question = answer.question.as_ref().map(|question| ("question", question.clone()));
    let containment = answer.containment_id.as_ref().map(|id| ("containment_id", id.to_string()));
    let user = answer.user.as_ref().map(|user| ("user", user.to_string()));
    let role = answer.role.as_ref().map(|role| ("role", role.to_string()));
    let key = answer.access_key_id.as_ref().map(|key| ("access_key_id", key.to_string()));
    let fixed = [("account", answer.account.to_string()), ("outcome", answer.outcome.word().to_owned())];
    let all = fixed.into_iter().chain(user).chain(role).chain(key).chain(question).chain(containment);
    all.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn words(answer: &PrincipalAnswer, finding: &Finding<Principal>, audience: &Audience<'_>) -> String {
    let mut text = Text::default();
    let at = answer.at.map_or_else(String::new, |at| format!(", {at} (UTC)"));
    text.line(&format!("{}: {}, {}{at}.", headline::state(answer.outcome), answer.subject(), answer.account));
    for alert in &answer.verdict.alerts {
        text.line(&format!("ALERT: {alert}."));
    }
    if answer.verdict.lines.is_empty() {
        text.line(&answer.verdict.summary.to_string());
    } else {
        text.line("");
        for line in &answer.verdict.lines {
            text.row(line.part, &format!("{}{}", details::mark(line.truth), line.text));
        }
    }
    text.line("");
    text.line("What to do now");
    for (number, (what, command)) in (1..).zip(advice(answer, &finding.target, audience)) {
        text.line(&format!("{number}. {what}"));
        if let Some(command) = command {
            text.line(&format!("   {command}"));
        }
    }
    text.line("");
    let severity = finding.severity.map_or_else(String::new, |severity| format!(", severity {severity}"));
    let released = matches!(answer.outcome, Conclusion::Released | Conclusion::ReleasePartial);
    let trigger = if released { "Was contained for" } else { "Trigger" };
    text.line(&format!("{trigger}: {}{severity} [{}]", answer.reason, finding.id));
    if let Some(id) = &answer.containment_id {
        text.line(&format!("Containment: {id}"));
    }
    if matches!(answer.outcome, Conclusion::Asked | Conclusion::Observed) {
        details::known(&mut text, finding);
    }
    details::contest(&mut text, answer.contest.as_ref());
    details::steps(&mut text, &answer.steps, MOST);
    details::notes(&mut text, &answer.notes, MOST);
    text.0
}

fn advice(answer: &PrincipalAnswer, principal: &Principal, audience: &Audience<'_>) -> Vec<Told> {
    let brig =
        |verb: &str, rest: &str| Some(format!("{} {verb} {}{rest}", audience.command(), target(answer, audience)));
    let told = |what: &str, command: Option<String>| (what.to_owned(), command);
    let rotate =
        "Find out where its key leaked from, give whoever needs access a new user or a role, and only then release:";
    match answer.outcome {
        Conclusion::Asked if answer.key().is_none() => by_hand(principal),
        Conclusion::Asked | Conclusion::Observed => {
            let question = answer.question.as_deref();
            let decide = |word: &str, rest: &str| {
                question.map(|question| format!("{} decide {question} {word}{rest}", audience.command()))
            };
            vec![
                told("First, see what containing it would change:", brig("plan", "")),
                told("Either contain it:", decide("yes", "").or_else(|| brig("contain", " --force"))),
                told("Or leave it alone, and say why:", decide("no", " --reason ...")),
            ]
        }
        Conclusion::Contained | Conclusion::AlreadyContained | Conclusion::Verified | Conclusion::Repaired
            if answer.role.is_some() =>
        {
            vec![
                told(
                    "Whoever began the sessions can begin new ones: find out who, and contain that user or instance, or narrow the role's trust policy:",
                    Some(assumed(answer)),
                ),
                told("See what is on record:", brig("show", "")),
                told("Once nobody can misuse the role any more, release it:", brig("release", " --reason ...")),
            ]
        }
        Conclusion::Contained | Conclusion::AlreadyContained | Conclusion::Verified | Conclusion::Repaired => vec![
            told("See what is on record:", brig("show", "")),
            told(
                "See what the user did, in CloudTrail (each Region has a record of its own; IAM's calls are in us-east-1):",
                Some(lookup(answer, audience)),
            ),
            told(rotate, brig("release", " --reason ...")),
        ],
        Conclusion::Partial
        | Conclusion::Failed
        | Conclusion::Contested
        | Conclusion::Drifted
        | Conclusion::Contradicted => vec![
            told("Try it again now; a person's order is never held back:", brig("verify", "")),
            told("See what was done and what was not:", brig("show", "")),
        ],
        Conclusion::Unverified
        | Conclusion::InProgress
        | Conclusion::Planned
        | Conclusion::Ignored
        | Conclusion::Refused => {
            vec![told("See what is on record:", brig("show", ""))]
        }
        Conclusion::Released => vec![told("See what was given back:", brig("show", ""))],
        Conclusion::ReleasePartial => vec![
            told("Try the rest again:", brig("release", " --reason ...")),
            told("See what was not given back:", brig("show", "")),
        ],
    }
}

/// What nobody's role can do for a person.
fn by_hand(principal: &Principal) -> Vec<Told> {
    if matches!(principal, Principal::Root { .. }) {
        return vec![
            (
                "Sign in as the root user, and delete its access keys under Security credentials: no role can."
                    .to_owned(),
                None,
            ),
            (
                "Change its password there, and check its MFA devices, its mail address and its phone number."
                    .to_owned(),
                None,
            ),
            (
                "See what was done as root, in CloudTrail:".to_owned(),
                Some(
                    "aws cloudtrail lookup-events --lookup-attributes AttributeKey=Username,AttributeValue=root"
                        .to_owned(),
                ),
            ),
        ];
    }
    // Roles of Identity Center cannot be changed in IAM, and a session that is no role's has no role to revoke.
    if !matches!(principal, Principal::Session { kind: SessionKind::Role, .. }) {
        return vec![(
            "Find out in CloudTrail who began the session, and end it there: contain the user, or end the sessions in IAM Identity Center and remove the assignment.".to_owned(),
            None,
        )];
    }
    vec![
        (
            "If the sessions of that role are not to be trusted, revoke them in the console (IAM, Roles, Revoke sessions): that stops all of the role's sessions, and new ones go on.".to_owned(),
            None,
        ),
        ("Find out who may assume the role, and contain the user or the instance that it came from.".to_owned(), None),
    ]
}

fn lookup(answer: &PrincipalAnswer, _: &Audience<'_>) -> String {
    let (key, value) = match (&answer.access_key_id, &answer.user) {
        (Some(key), _) => ("AccessKeyId", key.to_string()),
        (None, Some(user)) => ("Username", user.to_string()),
        (None, None) => ("Username", String::new()),
    };
    format!(
        "aws cloudtrail lookup-events --lookup-attributes {}",
        shell(&format!("AttributeKey={key},AttributeValue={value}"))
    )
}

/// Who assumed the role: CloudTrail names the role's ARN in each AssumeRole.
fn assumed(answer: &PrincipalAnswer) -> String {
    let role = answer.steps.first().map(|step| step.resource.as_str());
    let value = format!("AttributeKey=ResourceName,AttributeValue={}", role.unwrap_or_default());
    format!("aws cloudtrail lookup-events --lookup-attributes {}", shell(&value))
}

/// A principal as `brig` takes it.
fn target(answer: &PrincipalAnswer, audience: &Audience<'_>) -> String {
    if let Some(role) = &answer.role {
        let here = audience.account == Some(&answer.account);
        return shell(&if here { format!("role/{role}") } else { format!("{}/iam/role/{role}", answer.account) });
    }
    match (&answer.user, &answer.access_key_id) {
        (Some(user), _) if audience.account == Some(&answer.account) => shell(&format!("user/{user}")),
        (Some(user), _) => shell(&format!("{}/iam/{user}", answer.account)),
        (None, Some(key)) => key.to_string(),
        (None, None) => String::new(),
    }
}

fn next(answer: &PrincipalAnswer, audience: &Audience<'_>) -> String {
    match (&answer.question, &answer.key()) {
        (Some(question), Some(_)) => format!("{} decide {question} yes|no", audience.command()),
        (_, Some(_)) => format!("{} show {}", audience.command(), target(answer, audience)),
        (_, None) => "Read the mail: it says what to do.".to_owned(),
    }
}

/// The statement of an answer about a principal, by which a repetition is known.
#[must_use]
pub fn statement(answer: &PrincipalAnswer, finding: &Finding<Principal>, now: Timestamp) -> Statement {
    let mut about = answer.about.clone();
    let mut finding = finding.id.clone();
    if answer.cause == Cause::CapReached {
        about.push(now.hour());
    } else if answer.cause == Cause::CannotLook {
        "verification".clone_into(&mut finding);
        about.push(now.to_string().chars().take(10).collect());
    } else if answer.outcome == Conclusion::Drifted {
        let planned = answer.steps.iter().filter(|step| step.outcome == OutcomeKind::Planned);
        about.extend(planned.map(|step| format!("{}/{}", step.step.key_word(), step.resource)));
    }
    about.sort();
    about.dedup();
    Statement { what: answer.outcome.word().to_owned(), cause: answer.cause, finding, about }
}

/// The question that an answer asks about a user or a role; none where nobody's yes could contain it.
#[must_use]
pub fn question(
    answer: &PrincipalAnswer,
    finding: &Finding<Principal>,
    told: &Statement,
    now: Timestamp,
) -> Option<Question> {
    let target = answer.key().filter(|_| answer.outcome == Conclusion::Asked)?;
    Some(Question::about(target, (answer.reason.clone(), answer.cause), finding, told, now))
}

#[cfg(test)]
mod tests {
    use expect_test::expect_file;

    use super::*;
    use crate::{
        decide::{Decided, nobodys},
        ledger::Cause,
        model::{Holder, RoleShown, User, ids::TargetKey},
        report::{
            answer::StepReport,
            fact::holder::{Attachment, facts},
            principal::PrincipalVerdict,
        },
        step::Note,
        testing::{AUDIENCE, DENY, about_user, role, terms, user},
    };

    fn contained() -> User {
        let mut user = user();
        user.boundary = Some(DENY.to_owned());
        user.attached = Some(vec![DENY.to_owned()]);
        for credential in user.credentials.values_mut().flatten().flatten() {
            credential.active = false;
        }
        user
    }

    fn answer(now: &User, outcome: Conclusion) -> PrincipalAnswer {
        let finding = about_user();
        let plan = crate::lanes::holder::plan(&Holder::User(user()), &[], &terms()).whole();
        let steps = plan.steps.iter().map(|one| {
            let left = matches!(outcome, Conclusion::Asked | Conclusion::Planned);
            let found = if left { one.outcome.clone() } else { crate::step::Outcome::changed() };
            StepReport::new(&one.step, &found, now.name.as_str())
        });
        PrincipalAnswer {
            containment_id: Some("alice-20260102T030405Z".into()),
            verdict: judged(&Holder::User(now.clone())),
            steps: steps.collect(),
            notes: vec![Note::DenialTakesTime, Note::PasswordStays(now.name.clone())],
            at: Timestamp::parse("2026-01-02T03:04:05Z"),
            ..PrincipalAnswer::nothing_done(
                &finding,
                TargetKey::parse("123456789012/iam/alice").as_ref(),
                Decided::contain(finding.title.clone()),
                outcome,
            )
        }
    }

    fn judged(now: &Holder) -> PrincipalVerdict {
        PrincipalVerdict::judge(now, &facts(now, &terms(), Attachment::Promised), &terms())
    }

    fn mail(answer: &PrincipalAnswer) -> String {
        mail_about(answer, &about_user())
    }

    fn mail_about(answer: &PrincipalAnswer, finding: &Finding<Principal>) -> String {
        let message = compose(answer, finding, &AUDIENCE);
        let body: Value = serde_json::from_str(&message.body).expect("JSON");
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        assert!(message.subject.is_ascii() && message.subject.len() < 100, "{}", message.subject);
        for entry in ["sqs", "lambda", "http", "https", "firehose"] {
            let entry: Value = serde_json::from_str(&text(entry)).expect("JSON");
            assert!(entry["schema"] == 1 && entry["dedup_key"].is_string(), "{entry}");
        }
        format!("{}\n\n{}\n{}\n", message.subject, text("email"), text("sms"))
    }

    #[test]
    fn people_read_of_a_user_what_is_true_what_is_not_and_what_to_do() {
        expect_file!["../../../goldens/messages/user-contained.txt"]
            .assert_eq(&mail(&answer(&contained(), Conclusion::Contained)));
        let mut half = contained();
        half.credentials.values_mut().flatten().flatten().take(1).for_each(|credential| credential.active = true);
        expect_file!["../../../goldens/messages/user-partial.txt"]
            .assert_eq(&mail(&answer(&half, Conclusion::Partial)));
        let mut fought = answer(&contained(), Conclusion::Repaired);
        fought.verdict.alert("Part of the containment no longer held; Brig repaired it (1 change)");
        fought.notes.push(Note::CameMeanwhile { what: "deactivate_access_key", resource: "AKIA2".to_owned() });
        expect_file!["../../../goldens/messages/user-repaired.txt"].assert_eq(&mail(&fought));
    }

    #[test]
    fn of_a_role_people_read_which_sessions_are_denied_and_that_new_ones_are_not() {
        let session = Principal::Session { kind: SessionKind::Role, name: "app".to_owned() };
        let finding = Finding { target: session, ..about_user() };
        let plan = crate::lanes::holder::plan(&Holder::Role(role()), &[], &terms()).whole();
        let policy = crate::model::deny_policy::render_sessions(terms().before);
        let now = Holder::Role(RoleShown { policy: Some(Some(policy)), ..role() });
        let key = TargetKey::parse("123456789012/iam/role/app");
        let step = |one: &crate::step::Planned| StepReport::new(&one.step, &crate::step::Outcome::changed(), "app");
        let answer = PrincipalAnswer {
            containment_id: Some("app-20260102T030405Z".into()),
            verdict: judged(&now),
            steps: plan.steps.iter().map(step).collect(),
            notes: vec![Note::DenialTakesTime],
            at: Timestamp::parse("2026-01-02T03:04:05Z"),
            ..PrincipalAnswer::nothing_done(
                &finding,
                key.as_ref(),
                Decided::contain("a rule says so"),
                Conclusion::Contained,
            )
        };
        expect_file!["../../../goldens/messages/role-contained.txt"].assert_eq(&mail_about(&answer, &finding));
    }

    #[test]
    fn only_the_sessions_of_a_role_that_iam_can_change_are_to_be_revoked_there() {
        for (kind, revokes) in [
            (SessionKind::Role, true),
            (SessionKind::IdentityCenter, false),
            (SessionKind::Federated, false),
            (SessionKind::Other, false),
        ] {
            let finding = Finding { target: Principal::Session { kind, name: "app".to_owned() }, ..about_user() };
            let decided = nobodys(&finding.target, "x").expect("a question");
            let answer = PrincipalAnswer::nothing_done(&finding, None, decided, Conclusion::Asked);
            assert_eq!(mail_about(&answer, &finding).contains("Revoke sessions"), revokes, "{kind:?}");
        }
    }

    #[test]
    fn a_question_says_what_a_yes_would_do_and_of_root_what_a_person_must_do() {
        let mut asked = answer(&user(), Conclusion::Asked);
        asked.containment_id = None;
        asked.verdict = PrincipalVerdict::untouched("Nothing was done to user alice in 123456789012: it is exempt.");
        asked.question = Some("3f2a9c0d1e4b".to_owned());
        expect_file!["../../../goldens/messages/user-asked.txt"].assert_eq(&mail(&asked));
        let root = Principal::Root { key: "AKIAIOSFODNN7EXAMPLE".parse().ok() };
        let finding = Finding { target: root, ..about_user() };
        let decided = nobodys(&finding.target, "Policy:IAMUser/RootCredentialUsage").expect("a question");
        let answer = PrincipalAnswer::nothing_done(&finding, None, decided, Conclusion::Asked);
        expect_file!["../../../goldens/messages/root-asked.txt"].assert_eq(&mail_about(&answer, &finding));
    }

    #[test]
    fn a_question_is_asked_of_a_user_only() {
        let (finding, now) = (about_user(), Timestamp::from_millis(0));
        let mut asked = answer(&user(), Conclusion::Asked);
        asked.cause = Cause::Exempt;
        let told = statement(&asked, &finding, now);
        let asks = question(&asked, &finding, &told, now).expect("a question");
        assert_eq!(asks.target.pk(), "123456789012/iam/alice");
        asked.user = None;
        assert_eq!(question(&asked, &finding, &told, now), None);
    }
}
