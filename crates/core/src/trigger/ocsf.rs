//! Security Hub's `Findings Imported V2`: findings in the Open Cybersecurity Schema Framework
//! (<https://schema.ocsf.io/classes/detection_finding>,
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-v2-cwe-event-formats.html>). Only GuardDuty's are
//! read, told by the product's ARN. Customers can change severity and status: what the product said is in
//! `vendor_attributes`.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{
    Closed, Invoked, ParseError, Parsed, ResourceRole, Source,
    draft::{Draft, one_line},
    meaning::{Facts, Read, Resource, Sort, is_instance},
    principals::{self, Stated},
    reading::{self, Place, text},
    securityhub::{Sender, guardduty_type, is_guardduty},
    sessions,
};
use crate::{
    model::Principal,
    settings::Policy,
    trigger::{
        json::Field,
        reading::{addresses, role},
    },
};

pub(super) fn parse(root: &Field<'_>, policy: &Policy) -> Result<Parsed, ParseError> {
    let sender = Sender::of_event(root, false)?;
    let detail = root.get("detail");
    let mut whole = Read::default();
    // AWS sends one finding an event, in a list.
    let listed = detail.get("findings").entries();
    let findings = if listed.is_empty() && !detail.get("finding_info").is_absent() { vec![detail] } else { listed };
    for finding in findings {
        whole.add(one(&finding, &sender, policy));
    }
    whole.crowd();
    whole.parsed("no imported finding is GuardDuty's about an instance")
}

/// An entry of the API's list.
pub(super) fn listed(finding: &Field<'_>, invoked: &Invoked, policy: &Policy) -> Result<Read, ParseError> {
    one(finding, &Sender::of_list(invoked), policy)
}

fn one(finding: &Field<'_>, sender: &Sender, policy: &Policy) -> Result<Read, ParseError> {
    if finding.object().is_none() {
        return Err(finding.wrong("a finding"));
    }
    if !is_guardduty(&finding.get("metadata").get("product").get("uid")) {
        return Ok(Read::default());
    }
    facts(finding, sender)?.read(&sender.account, policy)
}

fn facts(finding: &Field<'_>, sender: &Sender) -> Result<Facts, ParseError> {
    let info = finding.get("finding_info");
    let uid = one_line(info.get("uid").required_text()?);
    let listed = info.get("types");
    let types = if listed.value().is_string() { vec![listed] } else { listed.items() };
    let types = || types.iter().filter_map(text);
    let kind = types().find_map(guardduty_type).or_else(|| types().next().map(one_line));
    let kind = kind.unwrap_or_else(|| "GuardDuty".to_owned());
    let title = one_line(text(&info.get("title")).unwrap_or(&kind));
    let evidences = finding.get("evidences").items();
    let data: Vec<Value> = evidences.iter().map(|evidence| inner(&evidence.get("data"))).collect();
    let seen = ["last_seen_time_dt", "last_seen_time"].map(|name| info.get(name));
    let draft = Draft {
        source: Source::GuardDuty,
        // GuardDuty's own id is the last part of the ARN that Security Hub knows it by.
        id: uid.rsplit('/').next().unwrap_or_default().to_owned(),
        severity: severity(finding)?,
        role: part(&data, finding),
        sample: data.iter().any(|data| reading::marks_sample(&Field::root(data)))
            || reading::marks_sample(&finding.get("unmapped"))
            || reading::is_sample_title(&title),
        closed: closed(finding),
        imported: sender.imported(),
        last_seen: seen.iter().find_map(reading::time),
        remotes: remotes(finding, &evidences),
        title,
        kind,
        ..Draft::default()
    };
    let place = place(finding, &uid, sender)?;
    let mut facts =
        Facts { draft, place, subject: None, resources: Vec::new(), callers: Vec::new(), unread: Vec::new() };
    for resource in resources(finding) {
        facts.ocsf(&resource);
    }
    let actors = evidences.iter().map(|evidence| evidence.get("actor")).chain([finding.get("actor")]);
    for actor in actors {
        let user = actor.get("user");
        facts.principal(
            text(&user.get("credential_uid")),
            text(&user.get("uid")),
            text(&user.get("type")),
            text(&user.get("name")),
        );
    }
    Ok(facts)
}

fn resources<'a>(finding: &Field<'a>) -> Vec<Field<'a>> {
    finding.get("resources").entries().into_iter().chain(finding.get("resource").entries()).collect()
}

fn place(finding: &Field<'_>, uid: &str, sender: &Sender) -> Result<Place, ParseError> {
    let cloud = finding.get("cloud");
    let (account, region) = reading::place_in(Some(uid));
    let region = reading::region(&[cloud.get("region")])?.or(region).or_else(|| sender.region.clone());
    Ok(Place {
        account: reading::account(&[cloud.get("account").get("uid"), cloud.get("account_uid")])?
            .or(account)
            .unwrap_or_else(|| sender.account.clone()),
        region: region.ok_or_else(|| cloud.get("region").wrong("an AWS Region (such as eu-central-1)"))?,
    })
}

impl Facts {
    fn ocsf(&mut self, resource: &Field<'_>) {
        if resource.object().is_none() {
            self.unread.push(resource.wrong("a resource"));
            return;
        }
        let (of, uid) = (resource.get("type"), resource.get("uid"));
        let sort = Sort::of_type(text(&of).unwrap_or_default());
        let data = inner(&resource.get("data"));
        let data = Field::root(&data);
        // GuardDuty's own names in OCSF's writing or in its own.
        for names in [
            ["access_key_id", "principal_id", "user_type", "user_name"],
            ["accessKeyId", "principalId", "userType", "userName"],
        ] {
            let [key, principal, kind, name] = names.map(|name| data.get(name));
            let says = [&key, &principal, &kind, &name].into_iter().any(|field| text(field).is_some());
            let key = text(&key).or_else(|| text(&uid).filter(|_| sort == Sort::Credentials && says));
            self.principal(key, text(&principal), text(&kind), text(&name));
        }
        let before = self.resources.len();
        let user = resource.get("user");
        self.principal(
            text(&user.get("credential_uid")),
            text(&user.get("uid")),
            text(&user.get("type")),
            text(&user.get("name")),
        );
        if before == self.resources.len() && sort == Sort::Credentials && data.object().is_none_or(Map::is_empty) {
            self.principal(text(&uid), None, None, None);
        }
        if let Some(user) = text(&uid).and_then(principals::user_of_arn) {
            self.resources.push(Resource::Principal(Principal::User(user)));
        }
        if !is_instance(&of, &uid) {
            self.resources.push(Resource::Other(sort));
            return;
        }
        let role = reading::number(&resource.get("role_id")).ok().flatten();
        let related = role.is_some_and(|role| (role - 4.0).abs() < 0.5)
            || text(&resource.get("role")).is_some_and(|role| role.eq_ignore_ascii_case("related"));
        let owner = resource.get("owner");
        let accounts = [owner.get("account").get("uid"), owner.get("account_uid"), resource.get("account_uid")];
        let regions = [resource.get("region")];
        let as_what = if related { Resource::Related } else { Resource::Instance };
        // The name of a resource is often the same as its id: what is no id in one may be one in another.
        let others = [resource.get("uid_alt"), resource.get("name")];
        let is_id = |field: &&Field<'_>| text(field).is_some_and(|id| reading::instance_id(id).is_some());
        let id = Some(&uid).filter(|_| reads_as_instance(&uid)).or_else(|| others.iter().find(is_id));
        self.locate(id.unwrap_or(&uid), &accounts, &regions, None, as_what);
    }

    fn principal(&mut self, key: Option<&str>, principal: Option<&str>, kind: Option<&str>, role: Option<&str>) {
        self.resources.extend(principal.and_then(sessions::instance_of).map(Resource::SessionOf));
        self.draft.sessions.extend(sessions::of_principal(principal, kind, role));
        let stated = Stated { key, kind, id: principal, name: role };
        if principal.is_some() || key.is_some() {
            self.resources.extend(principals::principal(stated).map(Resource::Principal));
        }
    }
}

fn reads_as_instance(id: &Field<'_>) -> bool {
    text(id).is_some_and(|id| reading::is_instance_arn(id) || reading::instance_id(id).is_some())
}

/// A field that holds JSON as it is, or as a text.
fn inner(field: &Field<'_>) -> Value {
    match field.value() {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => value.clone(),
    }
}

/// The instance's part: as GuardDuty says it in the evidence, else as the schema has it for the resource
/// (<https://schema.ocsf.io/objects/resource_details>). Of several the instance's own doing counts.
fn part(data: &[Value], finding: &Field<'_>) -> Option<ResourceRole> {
    let either = |parts: Vec<ResourceRole>| {
        if parts.contains(&ResourceRole::Actor) { Some(ResourceRole::Actor) } else { parts.first().copied() }
    };
    let said = data.iter().filter_map(|data| role(&Field::root(data).get("resource_role"))).collect();
    let resources = resources(finding);
    let shown =
        resources.iter().filter(|item| Sort::of_type(text(&item.get("type")).unwrap_or_default()) == Sort::Instance);
    let shown = shown.filter_map(|item| match item.get("role_id").value().as_u64() {
        Some(1) => Some(ResourceRole::Target),
        Some(2) => Some(ResourceRole::Actor),
        Some(_) | None => role(&item.get("role")),
    });
    either(said).or_else(|| either(shown.collect()))
}

/// Who exchanged packets with the instance. Of a call of AWS's API the caller is none.
fn remotes(finding: &Field<'_>, evidences: &[Field<'_>]) -> Vec<IpAddr> {
    let resources = resources(finding);
    let own = addresses(resources.iter().filter_map(|item| item.get("ip").value().as_str()));
    let mut found: Vec<IpAddr> = Vec::new();
    for evidence in evidences.iter().filter(|evidence| evidence.get("api").is_absent()) {
        let direction = evidence.get("connection_info");
        let word = text(&direction.get("direction")).unwrap_or_default().to_ascii_lowercase();
        let ends: &[&str] = match (direction.get("direction_id").value().as_u64(), word.as_str()) {
            (Some(1), _) | (None, "inbound") => &["src_endpoint"],
            (Some(2), _) | (None, "outbound") => &["dst_endpoint"],
            (_, _) => &["src_endpoint", "dst_endpoint"],
        };
        let ends = ends.iter().map(|end| evidence.get(end));
        // An end that is an instance or an interface of the account is not the other side.
        let ends = ends.filter(|end| end.get("instance_uid").is_absent() && end.get("interface_uid").is_absent());
        let texts: Vec<Field<'_>> = ends.map(|end| end.get("ip")).collect();
        let ips = addresses(texts.iter().filter_map(|field| field.value().as_str()));
        let both = ips.len() > 1;
        let is_known = |ip: &IpAddr| own.contains(ip) || found.contains(ip) || (both && is_private(ip));
        let remote: Vec<IpAddr> = ips.into_iter().filter(|ip| !is_known(ip)).collect();
        found.extend(remote);
    }
    found
}

fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

/// The finding's state by its number or its word (<https://schema.ocsf.io/classes/detection_finding>).
fn closed(finding: &Field<'_>) -> Option<Closed> {
    let number = reading::number(&finding.get("status_id")).ok().flatten();
    let is = |id: f64| number.is_some_and(|number| (number - id).abs() < 0.5);
    let word = text(&finding.get("status")).unwrap_or_default().to_ascii_lowercase();
    let activity = text(&finding.get("activity_name")).unwrap_or_default();
    let activity_id = reading::number(&finding.get("activity_id")).ok().flatten();
    let ended = activity_id.is_some_and(|id| (id - 3.0).abs() < 0.5) || activity.eq_ignore_ascii_case("close");
    if is(3.0) || word == "suppressed" {
        Some(Closed::Suppressed)
    } else if is(4.0) || word == "resolved" {
        Some(Closed::Resolved)
    } else if is(5.0) || word == "archived" {
        Some(Closed::Archived)
    } else if is(6.0) || word == "deleted" {
        Some(Closed::Deleted)
    } else {
        ended.then_some(Closed::Resolved)
    }
}

/// The schema has levels where GuardDuty has numbers: the lowest number of each level is what may be believed.
fn severity(finding: &Field<'_>) -> Result<Option<f64>, ParseError> {
    for said in [&finding.get("vendor_attributes"), finding] {
        let level = reading::number(&said.get("severity_id"))?.and_then(of_level);
        if let Some(severity) = level.or_else(|| text(&said.get("severity")).and_then(reading::level)) {
            return Ok(Some(severity));
        }
    }
    Ok(None)
}

fn of_level(level: f64) -> Option<f64> {
    [(1.0, 1.0), (2.0, 1.0), (3.0, 4.0), (4.0, 7.0), (5.0, 9.0), (6.0, 10.0)]
        .iter()
        .find(|(id, _)| (level - id).abs() < 0.5)
        .map(|(_, severity)| *severity)
}
