//! From an instance to the users whose keys it shows, and from a user to what its key reached. Nothing waits for it but the
//! report, and what could not be read is a gap there.

use std::time::Duration;

use brig_core::{
    model::{
        Called, Principal, Reached, ShownKey,
        gap::{Gap, Subject},
        ids::{Region, TargetKey},
        keys_shown,
        text::Sentence,
        timestamp::Timestamp,
    },
    step::{Denied, Note},
    trigger::{Finding, Force},
};

use crate::{
    engine::{Case, Engine, Invocation, LAST_CALL, Lanes},
    ports::{Attribute, Cloud, CloudError, Detection, Lookup, TrailEvent, View},
    work::{Work, at_most, gap},
};

/// How long one of its calls may take: the report waits for it.
const CALL: Duration = Duration::from_secs(5);
/// How far calls on the instance, and those of a key, are looked back for.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Whether an attempt looks for keys on the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Search {
    Keys,
    Nothing,
}

/// The keys that an instance shows, and what could not be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    pub(crate) keys: Vec<ShownKey>,
    gaps: Vec<Note>,
}

impl Links {
    pub(crate) fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        self.keys.iter().cloned().map(Note::KeyShown).chain(self.gaps.iter().cloned())
    }
}

/// Looks for keys in the user data, the tags and the calls on the instance.
pub(crate) async fn look(work: &Work<'_>, lanes: &Lanes) -> Links {
    let most = CALL.min(work.left());
    let cloud = lanes.evidence.as_ref();
    let since = Timestamp::from_millis(work.clock.now().millis().saturating_sub(DAY_MS));
    let (user_data, calls) = futures::join!(
        work.at_most(
            most,
            "DescribeInstanceAttribute",
            cloud.describe_instance_attribute(work.id(), Attribute::UserData)
        ),
        work.at_most(most, "LookupEvents", lanes.reads.lookup_events(Lookup::Resource(work.id().as_str()), since))
    );
    let mut links = Links::default();
    let mut read = |what: Subject, error: &CloudError| links.gaps.push(Note::Gap(gap(what, error)));
    let user_data = user_data.unwrap_or_else(|error| {
        read(Subject::UserData, &error);
        String::new()
    });
    let calls = calls.unwrap_or_else(|error| {
        read(Subject::TrailRecords, &error);
        Vec::new()
    });
    let signed = calls.iter().filter_map(|event| Some((event.call.as_str(), event.key.as_ref()?)));
    links.keys = keys_shown(&user_data, &work.instance.tags, signed);
    links
}

impl Engine {
    /// Asks about the users of the keys that the instance shows, each on its own. Answers whether a question is left to be
    /// asked by a later attempt.
    pub(crate) async fn ask_about_keys(&self, case: Case<'_>, links: &Links) -> bool {
        let mut left_over = false;
        for shown in &links.keys {
            if self.left(case.invocation) <= LAST_CALL {
                return true;
            }
            let finding = case.finding.about_key(shown);
            let answer = Box::pin(self.contain_principal(&finding, Force::No, case.invocation)).await;
            // Who is being contained by another invocation needs no question.
            left_over |= answer.left_over && answer.held_until.is_none();
        }
        left_over
    }

    /// What the user's credentials called last: the key that was named, else all of the user's. IAM's calls are on record in
    /// one Region, all others where they were made: that, and the function's own. Of a role: who else uses it.
    pub(crate) async fn reached(
        &self,
        finding: &Finding<Principal>,
        key: &TargetKey,
        cloud: &dyn Cloud,
        invocation: &Invocation,
    ) -> Vec<Note> {
        let by = match (&finding.target, key) {
            (Principal::AccessKey { id, .. }, _) => Lookup::Key(id),
            (_, TargetKey::User(key)) => Lookup::User(&key.user),
            // A role's sessions have names of their own, and CloudTrail is asked by one attribute.
            (_, TargetKey::Role(_) | TargetKey::Instance(_)) => {
                return self.siblings(key, cloud).await.into_iter().collect();
            }
        };
        let session = format!("brig-{}", invocation.request_id);
        let (home, of_iam) = (invocation.home(), invocation.home().of_iam());
        let elsewhere = async {
            if home == of_iam {
                return None;
            }
            let opened = self.clouds.open(&finding.account, &of_iam, View::Reads, &session).await;
            Some(match opened {
                Ok(cloud) => self.calls_of(by, &of_iam, cloud.as_ref()).await,
                Err(error) => {
                    Note::Gap(Gap { what: Subject::TrailRecords, error: Sentence::new(error), retryable: false })
                }
            })
        };
        let (here, there) = futures::join!(self.calls_of(by, &home, cloud), elsewhere);
        std::iter::once(here).chain(there).collect()
    }

    /// Who else uses the role whose sessions are denied; nothing for a user.
    async fn siblings(&self, key: &TargetKey, cloud: &dyn Cloud) -> Option<Note> {
        let role = key.role()?.role.to_string();
        let (profiles, associations) = futures::join!(
            at_most(
                self.clock.as_ref(),
                CALL,
                "ListInstanceProfilesForRole",
                cloud.list_instance_profiles_for_role(&role)
            ),
            at_most(
                self.clock.as_ref(),
                CALL,
                "DescribeIamInstanceProfileAssociations",
                cloud.describe_profile_associations(None)
            )
        );
        Some(match (profiles, associations) {
            (Ok(profiles), Ok(associations)) => {
                let uses = associations.iter().filter(|other| profiles.contains(&other.profile));
                let siblings = uses.filter_map(|other| other.instance.parse().ok()).collect();
                Note::RoleShared { role, siblings, by: Denied::Earlier }
            }
            (Err(error), _) | (_, Err(error)) => Note::Gap(gap(Subject::RoleUsers(role), &error)),
        })
    }

    async fn calls_of(&self, by: Lookup<'_>, region: &Region, cloud: &(impl Detection + ?Sized)) -> Note {
        let since = Timestamp::from_millis(self.clock.now().millis().saturating_sub(DAY_MS));
        match at_most(self.clock.as_ref(), CALL, "LookupEvents", cloud.lookup_events(by, since)).await {
            Ok(events) => Note::Reached(Reached::of(region.clone(), events.into_iter().map(called))),
            Err(error) => Note::Gap(gap(Subject::TrailRecords, &error)),
        }
    }
}

fn called(event: TrailEvent) -> Called {
    Called { call: event.call, resources: event.resources, read_only: event.read_only }
}
