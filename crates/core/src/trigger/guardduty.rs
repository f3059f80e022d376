//! GuardDuty findings: the EventBridge envelope's `detail`, the same document alone (a rule with InputPath `$.detail`),
//! and the list that the GetFindings API gives. Fields as in
//! <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html>.
//! `resource.resourceType` says what is compromised: samples of other families carry filler `instanceDetails`.

use super::{
    Closed, Invoked, ParseError, Parsed, Source,
    draft::{Draft, one_line},
    meaning::{Facts, Read, Resource, Sort},
    ocsf,
    principals::{self, Stated},
    reading::{self, Place, text},
    securityhub, sessions,
};
use crate::{
    model::ids::AccountId,
    settings::Policy,
    trigger::{
        json::Field,
        meaning,
        reading::{addresses, far_ends, role},
    },
};

/// A finding has a type and an id, and a resource or a service block; nothing else that reaches a function has.
pub(super) fn is_finding(root: &Field<'_>) -> bool {
    let holds = |key: &str| !root.get(key).is_absent();
    holds("type") && holds("id") && (holds("resource") || (holds("service") && holds("schemaVersion")))
}

/// A finding of Security Hub's, alone: ASFF has a product's ARN, OCSF its own block about the finding.
pub(super) fn is_listed(root: &Field<'_>) -> bool {
    !root.get("ProductArn").is_absent() || !root.get("finding_info").is_absent()
}

/// One entry of a list, alone.
pub(super) fn parse_listed(finding: &Field<'_>, invoked: &Invoked, policy: &Policy) -> Result<Parsed, ParseError> {
    let mut whole = Read::default();
    whole.add(entry(finding, invoked, policy));
    whole.parsed("the finding is not GuardDuty's about an instance")
}

fn entry(item: &Field<'_>, invoked: &Invoked, policy: &Policy) -> Result<Read, ParseError> {
    if !item.get("ProductArn").is_absent() {
        securityhub::listed(item, invoked, policy)
    } else if !item.get("finding_info").is_absent() {
        ocsf::listed(item, invoked, policy)
    } else {
        read(item, None, invoked, policy)
    }
}

/// `{"Findings": [...]}`, as GuardDuty's GetFindings and both of Security Hub's give it.
pub(super) fn parse_list(list: &Field<'_>, invoked: &Invoked, policy: &Policy) -> Result<Parsed, ParseError> {
    let mut whole = Read::default();
    for item in list.entries() {
        whole.add(entry(&item, invoked, policy));
    }
    whole.parsed("no finding of the list names an instance")
}

pub(super) fn parse(
    detail: &Field<'_>,
    envelope: Option<&Field<'_>>,
    invoked: &Invoked,
    policy: &Policy,
) -> Result<Parsed, ParseError> {
    let mut whole = Read::default();
    whole.add(read(detail, envelope, invoked, policy));
    whole.parsed("the finding names no instance")
}

fn read(
    detail: &Field<'_>,
    envelope: Option<&Field<'_>>,
    invoked: &Invoked,
    policy: &Policy,
) -> Result<Read, ParseError> {
    // A bare finding came by direct invoke, or by a rule of the function's own bus.
    let said_by = envelope.map(|event| reading::account(&[event.get("account")])).transpose()?.flatten();
    let said_by = said_by.unwrap_or_else(|| invoked.account.clone());
    facts(detail, envelope, &said_by, invoked)?.read(&said_by, policy)
}

fn facts(
    detail: &Field<'_>,
    envelope: Option<&Field<'_>>,
    said_by: &AccountId,
    invoked: &Invoked,
) -> Result<Facts, ParseError> {
    if detail.object().is_none() {
        return Err(detail.wrong("a GuardDuty finding"));
    }
    let kind = one_line(detail.get("type").required_text()?);
    let service = detail.get("service");
    let title = one_line(text(&detail.get("title")).unwrap_or(&kind));
    let is_sequence = kind.starts_with("AttackSequence:");
    let place = place(detail, envelope, said_by, invoked)?;
    let sent = envelope.map(|event| event.get("time"));
    let seen = [service.get("eventLastSeen"), detail.get("updatedAt")];
    let draft = Draft {
        source: Source::GuardDuty,
        id: one_line(id(detail)?),
        severity: reading::severity(&detail.get("severity"))?,
        role: role(&service.get("resourceRole")),
        sample: reading::marks_sample(&service.get("additionalInfo")) || reading::is_sample_title(&title),
        closed: reading::flag(&service.get("archived"))?.unwrap_or(false).then_some(Closed::Archived),
        last_seen: seen.iter().chain(&sent).find_map(reading::time),
        remotes: addresses(far_ends(&service)),
        sessions: if is_sequence {
            sessions::of_sequence(&service.get("detection").get("sequence"))
        } else {
            sessions::of_resource(&detail.get("resource"))
        },
        title,
        kind,
        ..Draft::default()
    };
    let caller = service.get("action").get("awsApiCallAction").get("remoteIpDetails");
    let callers = ["ipAddressV4", "ipAddressV6"].map(|name| caller.get(name));
    let callers = addresses(callers.iter().filter_map(text));
    let mut facts = Facts { draft, place, subject: None, resources: Vec::new(), callers, unread: Vec::new() };
    if is_sequence {
        facts.sequence(&service.get("detection").get("sequence"));
    } else {
        facts.resource(&detail.get("resource"))?;
    }
    Ok(facts)
}

impl Facts {
    /// GuardDuty's `resource`: its type says what is compromised, the rest what it is on.
    fn resource(&mut self, resource: &Field<'_>) -> Result<(), ParseError> {
        if resource.object().is_none() {
            return Err(resource.wrong("the resource of a GuardDuty finding"));
        }
        // Where it is left out, the finding's own type says what it is about.
        self.subject = text(&resource.get("resourceType")).map(Sort::of_type);
        let principal = text(&resource.get("accessKeyDetails").get("principalId"));
        self.resources.extend(principal.and_then(sessions::instance_of).map(Resource::SessionOf));
        self.access_key(&resource.get("accessKeyDetails"), None);
        let holds =
            |name: &str| resource.get(name).object().is_some_and(|map| map.values().any(|value| !value.is_null()));
        if ["eksClusterDetails", "kubernetesDetails", "ecsClusterDetails", "containerDetails"].into_iter().any(holds) {
            self.resources.push(Resource::Other(Sort::Containers));
        }
        // The host of a container and of a volume is there too; with any other resource the details may be filler.
        let details = resource.get("instanceDetails").get("instanceId");
        if self.subject != Some(Sort::Other) && !details.is_absent() {
            self.named(&details);
        }
        Ok(())
    }

    /// An attack sequence lists what took part in it; its signals say nothing more about instances.
    fn sequence(&mut self, sequence: &Field<'_>) {
        for item in sequence.get("resources").entries() {
            if item.object().is_none() {
                self.unread.push(item.wrong("a resource"));
                continue;
            }
            let (of, uid) = (item.get("resourceType"), item.get("uid"));
            let sort = Sort::of_type(text(&of).unwrap_or_default());
            let principal = item.get("data").get("accessKey").get("principalId");
            self.resources.extend(text(&principal).and_then(sessions::instance_of).map(Resource::SessionOf));
            if sort == Sort::Credentials {
                self.access_key(&item.get("data").get("accessKey"), text(&uid));
            }
            if meaning::is_instance(&of, &uid) {
                self.located(&item);
            } else {
                self.resources.push(Resource::Other(sort));
            }
        }
        let actors = sequence.get("actors").items();
        let principals = actors.iter().map(|actor| actor.get("user").get("uid"));
        let sessions = principals.filter_map(|uid| text(&uid).and_then(sessions::instance_of)).map(Resource::SessionOf);
        self.resources.extend(sessions);
        for actor in &actors {
            let user = actor.get("user");
            let read = |name: &str| user.get(name);
            let (key, kind, id, name) = (read("credentialUid"), read("type"), read("uid"), read("name"));
            let stated = Stated { key: text(&key), kind: text(&kind), id: text(&id), name: text(&name) };
            self.resources.extend(principals::principal(stated).map(Resource::Principal));
        }
    }

    /// GuardDuty's `accessKeyDetails`. `uid` is how a sequence lists the key.
    fn access_key(&mut self, key: &Field<'_>, uid: Option<&str>) {
        if key.object().is_none() {
            return;
        }
        let (id, kind, principal, name) =
            (key.get("accessKeyId"), key.get("userType"), key.get("principalId"), key.get("userName"));
        let stated = Stated { key: text(&id).or(uid), kind: text(&kind), id: text(&principal), name: text(&name) };
        self.resources.extend(principals::principal(stated).map(Resource::Principal));
    }

    /// An instance of a sequence: a bare id is where the entry or else the finding says.
    fn located(&mut self, item: &Field<'_>) {
        let read = || {
            let Place { account, region } = self.place.clone();
            let account = reading::account(&[item.get("accountId")])?.unwrap_or(account);
            let region = reading::region(&[item.get("region")])?.unwrap_or(region);
            reading::instance(&item.get("uid"), &Place { account, region })
        };
        match read() {
            Ok(named) => self.resources.push(Resource::Instance(named)),
            Err(error) => self.unread.push(error),
        }
    }

    fn named(&mut self, id: &Field<'_>) {
        match reading::instance(id, &self.place) {
            Ok(named) => self.resources.push(Resource::Instance(named)),
            Err(error) => self.unread.push(error),
        }
    }
}

/// The finding's own account and Region; what it leaves out its ARN says, or the envelope, or else where the function is.
fn place(
    detail: &Field<'_>,
    envelope: Option<&Field<'_>>,
    said_by: &AccountId,
    invoked: &Invoked,
) -> Result<Place, ParseError> {
    let (account, region) = reading::place_in(text(&detail.get("arn")));
    let of_envelope = envelope.map(|event| event.get("region"));
    Ok(Place {
        account: reading::account(&[detail.get("accountId")])?.or(account).unwrap_or_else(|| said_by.clone()),
        region: match reading::region(&[detail.get("region")])?.or(region) {
            Some(region) => region,
            None => reading::region(of_envelope.as_slice())?.unwrap_or_else(|| invoked.region.clone()),
        },
    })
}

/// The finding's id; the last part of its ARN where the id itself is left out.
fn id<'a>(detail: &Field<'a>) -> Result<&'a str, ParseError> {
    let of_arn = || text(&detail.get("arn")).and_then(|arn| arn.split("/finding/").nth(1));
    match text(&detail.get("id")).or_else(of_arn) {
        Some(id) => Ok(id),
        None => detail.get("id").required_text(),
    }
}
