//! Where an instance is, when it is not where the event says: in another Region of the account, or, for a person who left
//! the place out, where the ledger has its containment. Nothing of this runs while the instance is where it should be.

use std::{borrow::Cow, sync::Arc, time::Duration};

use brig_core::{
    decide::Decided,
    ledger::Conclusion,
    model::ids::{AccountId, InstanceKey, Region},
    report::answer::Answer,
    trigger::{Finding, Place},
};
use futures::{
    StreamExt,
    future::{BoxFuture, Either, select},
    stream,
};

use crate::{
    arrive::Stop,
    engine::{Case, Engine, Invocation, Lanes, Occasion, key_of},
    ports::{Cloud, CloudError, PortResult, View},
};

/// Regions that are looked in at once.
const AT_ONCE: usize = 16;
/// More Regions than AWS has; what is beyond is named as not looked in.
const MOST_REGIONS: usize = 60;
/// How long one Region may take to answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// What must be left of the invocation for a search to begin.
const ROOM: Duration = Duration::from_secs(20);
/// EC2's reads lag its writes: what is not there is looked for once more after this
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>).
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// Pages of active containments that are searched for a person's instance.
const MOST_PAGES: usize = 200;

/// What a search of the account's other Regions found.
pub(crate) struct Elsewhere<T> {
    pub(crate) found: Vec<(Region, T)>,
    /// Regions that answered, with nothing or with something.
    pub(crate) looked: Vec<Region>,
    /// What could not be read.
    pub(crate) gaps: Vec<String>,
    /// Another try may read it.
    pub(crate) retryable: bool,
}

impl<T> Elsewhere<T> {
    fn nowhere(gap: Option<String>, retryable: bool) -> Self {
        Self { found: Vec::new(), looked: Vec::new(), gaps: gap.into_iter().collect(), retryable }
    }

    /// `us-east-1, eu-west-1`, and what could not be read.
    pub(crate) fn where_looked(&self, home: &Region) -> String {
        let mut regions: Vec<&str> = std::iter::once(home).chain(&self.looked).map(Region::as_str).collect();
        regions.sort_unstable();
        let looked = format!("looked in {}", regions.join(", "));
        if self.gaps.is_empty() { looked } else { format!("{looked}; NOT looked in: {}", self.gaps.join("; ")) }
    }
}

/// One look in one Region; none where there is nothing.
pub(crate) type Look<'a, T> = dyn Fn(Arc<dyn Cloud>) -> BoxFuture<'a, PortResult<Option<T>>> + Send + Sync + 'a;

impl Engine {
    /// Looks in every other Region that the account has enabled.
    pub(crate) async fn elsewhere<T: Send>(
        &self,
        account: &AccountId,
        home: &Region,
        session: &str,
        invocation: &Invocation,
        look: &Look<'_, T>,
    ) -> Elsewhere<T> {
        if self.left(invocation) < ROOM {
            return Elsewhere::nowhere(
                Some("the other Regions (the invocation's time is nearly over)".to_owned()),
                true,
            );
        }
        let opened = self.clouds.open(account, home, View::Reads, session).await;
        let regions = match opened {
            Ok(cloud) => cloud.describe_regions().await,
            Err(why) => return Elsewhere::nowhere(Some(format!("the other Regions ({why})")), false),
        };
        let mut regions = match regions {
            Ok(regions) => regions,
            Err(error) => {
                let gap = format!("the other Regions ({error})");
                return Elsewhere::nowhere(Some(gap), error.is_retryable());
            }
        };
        regions.retain(|region| region != home);
        let mut answer = Elsewhere::nowhere(None, false);
        let beyond = regions.split_off(regions.len().min(MOST_REGIONS));
        answer.gaps.extend(beyond.iter().map(ToString::to_string));
        let looks = stream::iter(regions).map(|region| async move {
            let found = self.look_in(account, &region, session, look).await;
            (region, found)
        });
        for (region, found) in looks.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            match found {
                Ok(found) => {
                    answer.looked.push(region.clone());
                    answer.found.extend(found.map(|found| (region, found)));
                }
                Err((why, retryable)) => {
                    answer.gaps.push(format!("{region} ({why})"));
                    answer.retryable |= retryable;
                }
            }
        }
        answer.gaps.sort_unstable();
        answer
    }

    async fn look_in<T>(
        &self,
        account: &AccountId,
        region: &Region,
        session: &str,
        look: &Look<'_, T>,
    ) -> Result<Option<T>, (String, bool)> {
        let opened = self.clouds.open(account, region, View::Reads, session).await;
        let cloud = opened.map_err(|why| (why.to_string(), false))?;
        match select(look(cloud), self.clock.sleep(PATIENCE)).await {
            Either::Left((Ok(found), _)) => Ok(found),
            Either::Left((Err(error), _)) => Err((error.to_string(), error.is_retryable())),
            Either::Right(_) => Err(("no answer in time".to_owned(), true)),
        }
    }

    /// The instance is not where the first look was for it. Where it is: there after all, since EC2's reads lag its writes,
    /// or in another Region of the account. A containment on record is not searched for: it is where it was.
    pub(crate) async fn not_here<'a>(&self, case: Case<'a>, lanes: &Lanes) -> Result<Cow<'a, Finding>, Stop> {
        let Case { finding, invocation, .. } = case;
        let second = async {
            self.clock.sleep(SECOND_LOOK).await;
            lanes.network.describe_instance(&finding.target).await
        };
        let search = async {
            match (finding.place, case.occasion) {
                (Place::OnRecord, _) | (_, Occasion::Verification(_)) => Elsewhere::nowhere(None, false),
                (Place::Stated | Place::Assumed { .. }, Occasion::Finding) => {
                    let session = format!("brig-{}", finding.target);
                    let instance = finding.target.clone();
                    let look = move |cloud: Arc<dyn Cloud>| -> BoxFuture<'static, PortResult<Option<()>>> {
                        let instance = instance.clone();
                        Box::pin(async move { Ok(cloud.describe_instance(&instance).await?.map(|_| ())) })
                    };
                    self.elsewhere(&finding.account, &finding.region, &session, invocation, &look).await
                }
            }
        };
        let (second, elsewhere) = futures::join!(second, search);
        if second.map_err(Stop::Failed)?.is_some() {
            return Ok(Cow::Borrowed(finding));
        }
        if let Some((region, ())) = elsewhere.found.first() {
            let mut there = finding.clone();
            there.notes.push(format!(
                "{} is not in {}, where it was said to be, and was found in {region}",
                finding.target, finding.region
            ));
            there.region = region.clone();
            return Ok(Cow::Owned(there));
        }
        let sure = elsewhere.gaps.is_empty();
        let said = if sure { "there is no instance" } else { "this Region has no instance" };
        let why = format!(
            "{said} {} in {}/{} ({})",
            finding.target,
            finding.account,
            finding.region,
            elsewhere.where_looked(&finding.region)
        );
        Err(Stop::NotThere { why, retryable: elsewhere.retryable })
    }

    /// Where a person's containment is that is to be verified or released and whose account or Region was left out: where the
    /// ledger has it. The answer to the person instead, where it has several.
    pub async fn placed(&self, finding: &Finding, invocation: &Invocation) -> Result<Finding, Box<Answer>> {
        let case = Case { finding, occasion: Occasion::Finding, invocation };
        let Place::Assumed { account, region } = finding.place else { return Ok(finding.clone()) };
        let unread = |error: &CloudError| {
            let why = format!(
                "where {} is contained could not be looked up: {error}; give its account and region",
                finding.target
            );
            Box::new(self.nothing(case, Decided::contain(why), Conclusion::Failed))
        };
        let records = self.ledger.read(&key_of(finding)).await.map_err(|error| unread(&error))?;
        if records.active().is_some() {
            return Ok(finding.clone());
        }
        let mut found: Vec<InstanceKey> = Vec::new();
        let mut from: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let page = self.ledger.active(from.as_deref()).await.map_err(|error| unread(&error))?;
            let instances = page.keys.into_iter().filter_map(|key| key.instance().cloned());
            found.extend(instances.filter(|key| {
                key.instance == finding.target
                    && (account || key.account == finding.account)
                    && (region || key.region == finding.region)
            }));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        match found.as_slice() {
            [] => Ok(finding.clone()),
            [only] => Ok(Finding {
                account: only.account.clone(),
                region: only.region.clone(),
                said_by: finding.said_by.clone(),
                place: Place::OnRecord,
                ..finding.clone()
            }),
            several => {
                let places: Vec<String> =
                    several.iter().take(20).map(|key| format!("{}/{}", key.account, key.region)).collect();
                let why = format!(
                    "{} is contained in several places: {}; give its account and region",
                    finding.target,
                    places.join(", ")
                );
                Err(Box::new(self.nothing(case, Decided::refuse(why), Conclusion::Refused)))
            }
        }
    }
}
