//! The next steps after the cut, which the settings choose: what they can add to it, each with what it replaces.

use crate::{
    ledger::StepRecord,
    model::{Instance, Interface, PublicAddress, Timeouts},
    settings::Escalation,
    step::{DisassociateAddress, Note, Outcome, Plan, ShortenTimeouts, Step, UnassignPublicAddress, done, skipped},
};

/// What the next steps are planned from.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    pub instance: &'a Instance,
    /// Its interfaces, as DescribeNetworkInterfaces shows them where that was asked.
    pub interfaces: &'a [Interface],
    /// Next steps that are on record.
    pub recorded: &'a [StepRecord],
}

/// Plans them.
#[must_use]
pub fn plan(look: &Look<'_>, escalate: &[Escalation]) -> Plan {
    let mut plan = Plan::default();
    let wants = |escalation| escalate.contains(&escalation);
    let assigned_too = wants(Escalation::AnyPublicAddress);
    for interface in look.interfaces {
        if wants(Escalation::Timeouts) && look.instance.state.has_flows() {
            timeouts(look, interface, &mut plan);
        }
        if wants(Escalation::PublicAddress) || assigned_too {
            for address in &interface.public {
                public_address(look, interface, address, assigned_too, &mut plan);
            }
        }
    }
    plan
}

fn timeouts(look: &Look<'_>, interface: &Interface, plan: &mut Plan) {
    let step = Step::ShortenTimeouts(ShortenTimeouts { eni: interface.id.clone(), was: interface.timeouts });
    // By its key: what it replaces reads otherwise once it is done.
    let key = step.key(look.instance.id.as_str());
    let outcome = match recorded(look, |record| record.key == key) {
        Some(settled) => settled,
        None if interface.timeouts == Timeouts::LEAST => done("at their least"),
        None => Outcome::Planned,
    };
    plan.add(step, outcome);
}

/// What an earlier attempt found; not again what AWS refused or what was done: reads lag, and a type that does not allow
/// it never will.
fn recorded(look: &Look<'_>, same: impl Fn(&StepRecord) -> bool) -> Option<Outcome> {
    let record = look.recorded.iter().find(|record| same(record))?;
    match record.outcome.as_ref()? {
        Outcome::Changed(detail) | Outcome::AlreadyDone(detail) => Some(done(detail.clone())),
        Outcome::Skipped(why) => Some(skipped(why.clone())),
        // It is there, as the look shows.
        Outcome::Missing(_) | Outcome::Failed(_) | Outcome::Planned => None,
    }
}

fn public_address(look: &Look<'_>, interface: &Interface, public: &PublicAddress, assigned_too: bool, plan: &mut Plan) {
    let (eni, address) = (interface.id.clone(), public.address);
    if public.assigned {
        if assigned_too {
            let step = Step::UnassignPublicAddress(UnassignPublicAddress { eni, address });
            let outcome = recorded(look, |record| record.step == step).unwrap_or(Outcome::Planned);
            plan.add(step, outcome);
        } else {
            plan.note(Note::AddressStays { eni: eni.clone(), address });
        }
        return;
    }
    // DescribeInstances does not show the allocation; the look after the cut does.
    let Some((allocation, association)) = public.elastic.clone() else { return };
    let step = Step::DisassociateAddress(DisassociateAddress {
        eni,
        address,
        private: public.private,
        allocation,
        association,
    });
    // The same association after it was taken off is a late read; another one is somebody's new one.
    let outcome = recorded(look, |record| record.step == step).unwrap_or(Outcome::Planned);
    plan.add(step, outcome);
}

#[cfg(test)]
mod tests;
