//! Takes evidence of a containment: finds its case, says what is to be taken, has it written, and notes who asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_aws::evidence::Look;
use brig_core::{
    model::{
        Instance, Interface,
        ids::{ContainmentId, InstanceId, TargetKey},
        timestamp::Timestamp,
    },
    report::story::Story,
    step::Step,
};
use brig_engine::ports::{Clock as _, Clouds, View};
use brig_evidence::{Case, Part};
use serde_json::{Value, json};

use crate::{
    app::{App, Failed, Office},
    back::Turn,
    bundle::{
        self, Ask, Bundle, BundleError, Desk, ObjectState, OnRecord, Progress, Record, Standing, Take, write_part,
    },
    takes::{FlowLogRecords, Given, Ledger, Looks, Received, Trail},
    told::{Happened, Told},
};

/// What was read is written within this.
const FOR_WRITING: Duration = Duration::from_secs(25);

/// Why evidence is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    Told(Happened, Timestamp),
    ByHand,
}

/// Who asks, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub by: String,
    pub occasion: Occasion,
    /// Which containment is meant; none: the last one.
    pub containment: Option<ContainmentId>,
    /// What people were notified of.
    pub message: Option<String>,
}

impl Asked {
    /// A message of the topic.
    #[must_use]
    pub fn by_message(told: Told) -> Self {
        Self {
            by: format!("topic message {}", told.id),
            occasion: Occasion::Told(told.happened, told.at),
            containment: told.containment,
            message: Some(told.text),
        }
    }
}

/// Takes evidence.
///
/// # Errors
/// `NoEvidence`: no bucket is set. `NotOnRecord`: the ledger has no containment of it. `NoObjectLock`, `InProgress`, `Unavailable`: nothing
/// was written.
pub async fn take_evidence(app: &App, target: &TargetKey, asked: Asked, turn: Turn<'_>) -> Result<Bundle, Failed> {
    let office = office(app)?;
    let story = story(app, target).await?;
    let on_record = story.containment.as_ref();
    let known = on_record.map(|containment| ContainmentId::from(containment.containment_id.as_str()));
    let containment = asked.containment.clone().or(known.clone()).ok_or_else(|| {
        Failed::new(
            "NotOnRecord",
            format!("{} is not on record: this ledger never had a containment of it", target.pk()),
        )
    })?;
    let case = Case { target: target.clone(), containment };
    // What the ledger tells is of the last containment: of an earlier one there is what AWS and CloudTrail say.
    let is_last = known.as_ref() == Some(&case.containment);
    let released = on_record.filter(|_| is_last).and_then(|containment| containment.released_at.clone());
    let released = released.and_then(|at| Timestamp::parse(&at));
    let part = match asked.occasion {
        Occasion::ByHand | Occasion::Told(Happened::Contained, _) => Part::Contained,
        Occasion::Told(Happened::Repaired, at) => Part::Repaired(at),
        Occasion::Told(Happened::Released, at) => Part::Released(released.unwrap_or(at)),
    };
    let takes = takes(app, (&case, &part), &story, &asked, turn).await;
    let by = app.identity().await;
    let desk = Desk {
        vault: &office.bucket,
        book: &office.custody,
        signs: &office.signer,
        clock: &app.clock,
        request: turn.request,
        by: &by,
        kept: office.settings.kept,
        deadline: turn.until.after(FOR_WRITING),
    };
    let ended = write_part(&desk, (&case, &part), &takes).await;
    let result = match &ended {
        Ok(bundle) => said(bundle),
        Err(error) => error.to_string(),
    };
    tracing::info!(case = %case.prefix(), %part, "{result}");
    write_down(app, &case, &part, asked.by, turn.request, result).await?;
    ended.map_err(|error| {
        let kind = match &error {
            BundleError::NoLock => "NoObjectLock",
            BundleError::Held => "InProgress",
            BundleError::Cloud(_) => "Unavailable",
        };
        Failed::new(kind, error.to_string())
    })
}

fn said(bundle: &Bundle) -> String {
    let missing = bundle.missing.len();
    match bundle.standing {
        Standing::Sealed => format!("sealed: {} objects, {missing} could not be had", bundle.objects),
        Standing::SealedBefore => "it was sealed before: nothing was written".to_owned(),
        Standing::Unfinished => format!("unfinished: {} objects so far", bundle.objects),
    }
}

fn office(app: &App) -> Result<&Office, Failed> {
    app.office.as_ref().ok_or_else(|| {
        Failed::new(
            "NoEvidence",
            "no evidence is kept: deploy with EvidenceBucket (BRIG_EVIDENCE_BUCKET and BRIG_LEDGER_TABLE are not both set)",
        )
    })
}

/// Everything that the ledger has on record of it.
async fn story(app: &App, target: &TargetKey) -> Result<Story, Failed> {
    let ledger = app.ledger.as_ref().ok_or_else(|| Failed::new("NoEvidence", "BRIG_LEDGER_TABLE is not set"))?;
    let story = brig_engine::story(ledger, target).await;
    story.map_err(|error| Failed::new("Unavailable", format!("the ledger could not be read: {error}")))
}

/// Notes a renewal of the proof.
///
/// # Errors
/// The chain of custody could not be written.
pub async fn note(app: &App, told: &Told, request: &str, result: String) -> Result<(), Failed> {
    if app.office.is_none() {
        return Ok(());
    }
    let Some(containment) = told.containment.clone() else { return Ok(()) };
    let case = Case { target: told.target.clone(), containment };
    write_down(app, &case, &Part::Contained, "renewal of the proof".to_owned(), request, result).await
}

async fn write_down(
    app: &App,
    case: &Case,
    part: &Part,
    by: String,
    request: &str,
    result: String,
) -> Result<(), Failed> {
    let (at, part) = (app.clock.now().to_string(), part.to_string());
    let record = Record::Ask(Ask { part, at, by, request: request.to_owned(), result });
    let put = bundle::Book::put(&office(app)?.custody, &case.target, &record.sk(case), &record.text()).await;
    put.map_err(|error| Failed::new("Unavailable", format!("the chain of custody could not be written: {error}")))
}

/// What is to be taken.
async fn takes<'a>(
    app: &'a App,
    (case, part): (&Case, &Part),
    story: &Story,
    asked: &Asked,
    turn: Turn<'a>,
) -> Vec<Box<dyn Take + 'a>> {
    let mut takes: Vec<Box<dyn Take + 'a>> = Vec::new();
    let session = format!("brig-{}", turn.request);
    if let Some(text) = &asked.message {
        takes.push(Box::new(Given::text("message.json", "sns:Publish", text.clone())));
    }
    if let Some(office) = &app.office {
        let (custody, target) = (office.custody.clone(), case.target.clone());
        takes.push(Box::new(Ledger { custody: custody.clone(), target: target.clone() }));
        takes.push(Box::new(Received { custody, target, containment: case.containment.clone() }));
    }
    takes.extend(Given::pages(story, app.clock.now()));
    takes.push(Box::new(Trail::new(app, case, story, turn)));
    let mut looks: Vec<Look> = Vec::new();
    let (region, instance) = match &case.target {
        TargetKey::Instance(key) => (key.region.clone(), Some(key.instance.clone())),
        TargetKey::User(key) => {
            looks.push(Look::User(key.user.to_string()));
            (app.region.clone(), None)
        }
        TargetKey::Role(key) => {
            looks.push(Look::Role(key.role.to_string()));
            (app.region.clone(), None)
        }
    };
    looks.extend(named_by(story));
    let clouds: &dyn Clouds = app.clouds.as_ref();
    if let Some(id) = instance {
        let opened = clouds.open(case.target.account(), &region, View::Reads, &session).await;
        let seen = match &opened {
            Ok(cloud) => cloud.describe_instance(&id).await.ok().flatten(),
            Err(_) => None,
        };
        looks.extend(of_instance(&id, seen.as_ref(), &case.containment));
        if let (Ok(cloud), Some(seen)) = (opened, seen) {
            takes.push(Box::new(FlowLogRecords { cloud, instance: seen, since: turn_back(story, app) }));
        }
    }
    // A later part is about what changed, not about what was there.
    if *part != Part::Contained {
        looks.retain(|look| !matches!(look, Look::UserData(_) | Look::Screenshot(_)));
    }
    let scene = app.clouds.scene(case.target.account(), &region, &session).await;
    let scene = scene.map_err(|error| error.to_string());
    takes.extend(looks.into_iter().map(|look| Box::new(Looks { scene: scene.clone(), look }) as Box<dyn Take + 'a>));
    takes
}

/// From when on flow logs are taken: a day before it was claimed.
fn turn_back(story: &Story, app: &App) -> Timestamp {
    let claimed = story.containment.as_ref().and_then(|containment| Timestamp::parse(&containment.claimed_at));
    let at = claimed.unwrap_or_else(|| app.clock.now());
    Timestamp::from_millis(at.millis() - 24 * 3_600_000)
}

/// What the steps name: roles, profiles, target groups.
fn named_by(story: &Story) -> BTreeSet<Look> {
    let profile = |arn: &str| Look::Profile(arn.rsplit('/').next().unwrap_or(arn).to_owned());
    let look = |step: &Step| {
        if let Step::DenyRole(step) = step {
            Some(Look::Role(step.role.clone()))
        } else if let Step::DisassociateProfile(step) = step {
            Some(profile(&step.was))
        } else if let Step::ReplaceProfile(step) = step {
            Some(profile(&step.was))
        } else if let Step::DeregisterTargets(step) = step {
            Some(Look::TargetHealth(step.group.clone()))
        } else {
            None
        }
    };
    story.steps.iter().filter_map(|step| look(&step.record)).collect()
}

/// What there is to read of an instance: of one that is gone, by its id alone.
fn of_instance(id: &InstanceId, seen: Option<&Instance>, containment: &ContainmentId) -> Vec<Look> {
    let mut looks = vec![
        Look::Instance(id.clone()),
        Look::Interfaces(id.clone()),
        Look::Volumes(id.clone()),
        Look::Snapshots(containment.to_string()),
        Look::UserData(id.clone()),
        Look::ConsoleOutput(id.clone()),
        Look::Screenshot(id.clone()),
        Look::ScalingInstance(id.clone()),
    ];
    let interfaces = seen.map(|instance| instance.interfaces.as_slice()).unwrap_or_default();
    let all = |of: &dyn Fn(&Interface) -> Vec<String>| -> Vec<String> {
        interfaces.iter().flat_map(of).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let vpcs = all(&|interface| vec![interface.vpc.to_string()]);
    let groups = all(&|interface| interface.groups.iter().map(ToString::to_string).collect());
    let watched = all(&|interface| vec![interface.vpc.to_string(), interface.subnet.clone(), interface.id.to_string()]);
    if !vpcs.is_empty() {
        looks.extend([
            Look::Groups(groups),
            Look::Routes(vpcs.clone()),
            Look::NetworkAcls(vpcs),
            Look::FlowLogs(watched),
        ]);
    }
    looks
}

/// The chain of custody of a target's evidence.
///
/// # Errors
/// The ledger could not be read, or no evidence is kept.
pub async fn custody(app: &App, target: &TargetKey) -> Result<Value, Failed> {
    let office = office(app)?;
    let records = bundle::Book::records(&office.custody, target, &target.id_prefix()).await;
    let records =
        records.map_err(|error| Failed::new("Unavailable", format!("the ledger could not be read: {error}")))?;
    let mut cases: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (sk, text) in records {
        let containment = sk.split('/').next().unwrap_or_default().to_owned();
        cases.entry(containment).or_default().push((sk, text));
    }
    let cases: Vec<Value> = cases
        .iter()
        .map(|(containment, records)| {
            let read = OnRecord::read(records);
            let parts: Vec<Value> = read.parts.iter().map(|part| {
                let objects = read.objects.iter().filter(|object| object.part == part.part);
                let written = objects.clone().filter(|object| matches!(object.state, ObjectState::Written(_))).count();
                let (head, sealed_at) = match &part.progress {
                    Progress::Sealed { head, at } => (Some(head), Some(at)),
                    Progress::Open => (None, None),
                };
                json!({"part": part.part, "opened": part.opened, "by": part.by, "retain_until": part.retain_until,
                    "objects": written, "manifest_sha256": head, "sealed_at": sealed_at})
            }).collect();
            json!({"containment_id": containment, "url": format!("s3://{}/{}/{containment}/", office.settings.bucket, target.pk()),
                "parts": parts, "asked": read.asks, "unreadable": read.unreadable})
        })
        .collect();
    Ok(json!({"target": target.pk(), "bucket": office.settings.bucket,
        "access_log": office.settings.access_log, "cases": cases}))
}
