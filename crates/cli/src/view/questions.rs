//! What waits for a person's decision: the oldest first, with why, and what a yes would do.

use brig_core::model::timestamp::Timestamp;

use super::{
    Look,
    page::{Page, Tone},
    words,
};
use crate::answer::{Question, Questions};

/// The text. Ages are counted up to `now`.
#[must_use]
pub fn render(questions: &Questions, now: Timestamp, look: &Look) -> String {
    let mut page = Page::new(look);
    let mut all: Vec<&Question> = questions.questions.iter().collect();
    all.sort_by(|one, other| one.asked_at.cmp(&other.asked_at));
    match all.as_slice() {
        [] => page.line(Tone::Good, "No question waits for a decision."),
        [_] => page.line(Tone::Warn, "1 question waits for a decision. Nothing was changed."),
        more => page.line(Tone::Warn, &format!("{} questions wait for a decision. Nothing was changed.", more.len())),
    }
    for question in all {
        one(&mut page, question, now, &look.brig);
    }
    page.done()
}

fn one(page: &mut Page<'_>, question: &Question, now: Timestamp, brig: &str) {
    let age = Timestamp::parse(&question.asked_at).map(|at| words::age(now.since(at).as_secs()));
    let age = age.map(|age| format!(", asked {age} ago")).unwrap_or_default();
    page.section(&format!("{}{age}", question.id));
    let name = question.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let holder = words::holder(&question.account, question.user.as_deref(), question.role.as_deref());
    let is_known = question.instance_id.is_some() || holder.is_some();
    let place = holder.unwrap_or_else(|| {
        let about = question.instance_id.as_deref().unwrap_or("no known instance");
        format!("{}/{}/{about}", question.account, question.region)
    });
    let mut rows = vec![("about", format!("{place}{name}")), ("why", question.reason.clone())];
    match (&question.yes, is_known) {
        (Some(yes), _) => rows.push(("yes", yes.clone())),
        (None, true) => {
            let noun = match (&question.user, &question.role) {
                (_, Some(_)) => "role's sessions",
                (Some(_), None) => "user",
                (None, None) => "instance",
            };
            rows.push(("yes", format!("contains the {noun}, as `plan` shows")));
        }
        (None, false) => {}
    }
    rows.push(("no", "closes the question, with the reason on record; nothing is changed".to_owned()));
    let rows: Vec<_> =
        rows.into_iter().map(|(what, text)| vec![(Tone::Plain, what.to_owned()), (Tone::Plain, text)]).collect();
    page.grid(2, &[], &rows);
    if is_known {
        page.command(&format!("{brig} plan {place}"));
    }
    page.command(&format!("{brig} decide {} yes", question.id));
    page.command(&format!("{brig} decide {} no --reason ...", question.id));
}
