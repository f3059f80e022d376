//! What may be added to the cut, in this order: while the network lane lists interfaces again, idle timeouts and public
//! addresses, and once network ACLs; when nothing is left to isolate, forensic access; when every lane has ended, the stop.
//! No lane waits for any of it but the network lane, whose next look shows it.

pub(crate) mod escalation;
pub(crate) mod forensic_access;
pub(crate) mod network_acl;
pub(crate) mod stop;

use brig_core::model::Interface;

use crate::{
    lanes::network::Seen,
    ports::Cloud,
    work::{LaneReport, Work},
};

/// The follow-ups of one attempt until the lanes have ended, and what they found so far.
pub(crate) struct FollowUps<'a> {
    work: &'a Work<'a>,
    cloud: &'a dyn Cloud,
    report: LaneReport,
    has_begun: bool,
}

impl<'a> FollowUps<'a> {
    pub(crate) fn new(work: &'a Work<'a>, cloud: &'a dyn Cloud) -> Self {
        Self { work, cloud, report: LaneReport::default(), has_begun: false }
    }

    /// Runs what is due once the interfaces are isolated, and `look` at the same time.
    pub(crate) async fn during<T>(&mut self, interfaces: &[Interface], look: impl Future<Output = T>) -> T {
        let first = !std::mem::replace(&mut self.has_begun, true);
        let denials = async {
            // Once an attempt: the addresses come from the finding, not from a look.
            if first { network_acl::run(self.work, self.cloud, interfaces).await } else { LaneReport::default() }
        };
        let steps = escalation::run(self.work, self.cloud, interfaces);
        let (looked, steps, denials) = futures::join!(look, steps, Box::pin(denials));
        self.report.add(steps);
        self.report.add(denials);
        looked
    }

    /// Runs what is due when nothing is left to isolate, and says what became of everything.
    pub(crate) async fn end(mut self, seen: Option<&Seen>) -> LaneReport {
        if let Some(seen) = seen {
            let access = forensic_access::run(self.work, self.cloud, &seen.access, &seen.interfaces, &seen.groups);
            self.report.add(Box::pin(access).await);
        }
        self.report
    }
}
