//! What a later plan shows of a release.

use crate::{
    model::{gap::Gap, text::Sentence},
    report::fact::{Cause, Fact, Promise},
    step::{Lane, Outcome, Plan},
};

/// What a later plan shows of the release: what it would still do is not given back; what it cannot do stays as it is.
#[must_use]
pub fn facts(plan: &Plan, gaps: &[Gap], instance: &str) -> Vec<(Lane, Fact)> {
    let mut facts = Vec::new();
    for planned in &plan.steps {
        let step = &planned.step;
        let what = Promise::GivenBack(step.kind(), step.resource(instance));
        let fact = match &planned.outcome {
            Outcome::AlreadyDone(_) | Outcome::Changed(_) => Fact::holding(what),
            Outcome::Missing(why) => Fact { why: Some(Cause::Found(why.words.clone())), ..Fact::holding(what) },
            Outcome::Planned => Fact::broken(what, Cause::NotYetGivenBack),
            Outcome::Skipped(why) => Fact::broken(what, Cause::Found(why.words.clone())),
            Outcome::Failed(failure) => Fact::broken(what, Cause::Found(Sentence::new(failure))),
        };
        facts.push((step.lane(), fact));
    }
    facts.extend(gaps.iter().map(|gap| (Lane::Evidence, Fact::unread(gap))));
    facts
}
