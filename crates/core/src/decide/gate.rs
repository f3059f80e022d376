//! What the finding alone settles, before anything is looked at.

use super::built_in::built_in;
use crate::{
    decide::{Decided, Decision},
    ledger::Cause,
    model::ids::AccountId,
    settings::Policy,
    trigger::{Finding, Source, Suspect},
};

/// What the finding alone settles, before any call to AWS. No rule lifts these.
#[must_use]
pub fn gate<T: Suspect>(finding: &Finding<T>, policy: &Policy, own: &AccountId) -> Option<Decided> {
    let ignore = |reason: String| Some(Decided::ignore(reason));
    // Who clicks is answered, see `settled`.
    if finding.source != Source::CustomAction {
        if finding.sample {
            return ignore(format!("{} is a sample finding", finding.id));
        }
        if let Some(closed) = finding.closed {
            return ignore(format!("{} is {closed} at its source", finding.id));
        }
    }
    distrust::<T>(&finding.said_by, &finding.account, policy, own)
        .map(|why| Decided::refuse(why).because(Cause::NotTrusted))
}

/// Why an event of one account may not name an instance of another; none where it may.
#[must_use]
pub fn distrust<T: Suspect>(
    said_by: &AccountId,
    account: &AccountId,
    policy: &Policy,
    own: &AccountId,
) -> Option<String> {
    let trusted = account == said_by
        || said_by == own && policy.trusted_accounts.is_empty()
        || policy.trusted_accounts.contains(said_by);
    (!trusted).then(|| {
        format!(
            "an event of the account {said_by} names {} of {account}; it may do so if {said_by} is in BRIG_TRUSTED_ACCOUNTS",
            T::ONE
        )
    })
}

/// What the built-in rules ignore by the finding alone, where the account has no rules that may say otherwise.
#[must_use]
pub fn ignored<T: Suspect>(finding: &Finding<T>, policy: &Policy) -> Option<Decided> {
    built_in(finding, policy).filter(|decided| decided.decision == Decision::Ignore)
}
