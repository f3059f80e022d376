//! Security Hub's findings in ASFF: an analyst's click (custom action) and imported findings
//! (<https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-types.html>). Anyone who may import
//! findings can write most of an ASFF finding; only its `ProductArn` says which product it is from. Customers can
//! change severity, types and workflow of any finding: what the product itself said is in `FindingProviderFields`
//! (<https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchupdatefindings.html>).

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{
    Closed, Imported, Invoked, Notice, NoticeKind, ParseError, Parsed, ResourceRole, Source,
    draft::{Draft, one_line},
    meaning::{Facts, Read, Resource, Sort, is_instance},
    principals::{self, Stated},
    reading::{self, Place, text},
    sessions,
};
use crate::{
    model::{
        Principal,
        ids::{AccountId, Region},
        timestamp::Timestamp,
    },
    settings::Policy,
    trigger::{
        json::Field,
        reading::{addresses, far_ends, role},
    },
};

/// Who sent a finding, by which way, when.
pub(super) struct Sender {
    pub(super) account: AccountId,
    pub(super) region: Option<Region>,
    pub(super) sent: Option<Timestamp>,
    pub(super) clicked: bool,
}

impl Sender {
    pub(super) fn of_event(root: &Field<'_>, clicked: bool) -> Result<Self, ParseError> {
        Ok(Self {
            account: root.get("account").parse()?,
            region: reading::region(&[root.get("region")])?,
            sent: reading::time(&root.get("time")),
            clicked,
        })
    }

    pub(super) fn of_list(invoked: &Invoked) -> Self {
        Self { account: invoked.account.clone(), region: Some(invoked.region.clone()), sent: None, clicked: false }
    }

    pub(super) fn imported(&self) -> Option<Imported> {
        (!self.clicked).then_some(Imported { sent: self.sent })
    }
}

/// Every custom action has the same detail-type; the action's ARN is in `resources`.
pub(super) fn custom_action(root: &Field<'_>, policy: &Policy) -> Result<Parsed, ParseError> {
    let resources = root.get("resources").items();
    let mut arns = resources.iter().filter_map(|item| item.value().as_str());
    if !arns.any(|arn| policy.custom_actions.iter().any(|action| action == arn)) {
        return Ok(Parsed::Nothing("the custom action is not in BRIG_CUSTOM_ACTIONS".to_owned()));
    }
    let sender = Sender::of_event(root, true)?;
    match collect(root, &sender, policy)? {
        Parsed::Nothing(_) => Ok(Parsed::Notice(Box::new(names_nothing(root, &sender)?))),
        parsed @ (Parsed::Request(_)
        | Parsed::Notice(_)
        | Parsed::Batch(_)
        | Parsed::TrailCall(_)
        | Parsed::LedgerRequest(_)
        | Parsed::Readiness(_)) => Ok(parsed),
    }
}

/// Who clicked expects something to happen, and must hear that nothing did.
fn names_nothing(root: &Field<'_>, sender: &Sender) -> Result<Notice, ParseError> {
    let detail = root.get("detail");
    let findings = detail.get("findings").entries();
    let resources = findings.iter().flat_map(|finding| finding.get("Resources").entries());
    let region =
        sender.region.clone().ok_or_else(|| root.get("region").wrong("an AWS Region (such as eu-central-1)"))?;
    let notice = Notice {
        kind: NoticeKind::ClickNamesNothing,
        source: Source::CustomAction,
        id: text(&root.get("id")).unwrap_or("click").to_owned(),
        code: "Security Hub Findings - Custom Action".to_owned(),
        title: text(&detail.get("actionName")).unwrap_or("a custom action").to_owned(),
        account: sender.account.clone(),
        region,
        time: sender.sent,
        link: None,
        named: resources.filter_map(|resource| text(&resource.get("Id")).map(str::to_owned)).collect(),
    };
    Ok(notice.tidy())
}

/// Imported findings: GuardDuty's are the same findings as GuardDuty's own; all others are posture or other products'.
pub(super) fn imported(root: &Field<'_>, policy: &Policy) -> Result<Parsed, ParseError> {
    collect(root, &Sender::of_event(root, false)?, policy)
}

/// An entry of the API's list.
pub(super) fn listed(finding: &Field<'_>, invoked: &Invoked, policy: &Policy) -> Result<Read, ParseError> {
    one(finding, &Sender::of_list(invoked), policy)
}

fn collect(root: &Field<'_>, sender: &Sender, policy: &Policy) -> Result<Parsed, ParseError> {
    let mut whole = Read::default();
    for finding in root.get("detail").get("findings").entries() {
        whole.add(one(&finding, sender, policy));
    }
    // An analyst may select many findings and click once: the cap counts what the click names in all.
    whole.crowd();
    whole.parsed("no finding of the event is GuardDuty's about an instance, or chosen for one")
}

fn one(finding: &Field<'_>, sender: &Sender, policy: &Policy) -> Result<Read, ParseError> {
    if finding.object().is_none() {
        return Err(finding.wrong("a finding"));
    }
    if !sender.clicked && !is_guardduty(&finding.get("ProductArn")) {
        return Ok(Read::default());
    }
    facts(finding, sender)?.read(&sender.account, policy)
}

/// Whether an ARN of a product is GuardDuty's, in either version of Security Hub and in every partition:
/// `arn:aws-cn:securityhub:cn-north-1::product/aws/guardduty`. A customer's own products have its account in their place.
pub(super) fn is_guardduty(product: &Field<'_>) -> bool {
    let Some(arn) = text(product).filter(|arn| arn.starts_with("arn:aws") && arn.contains(":securityhub:")) else {
        return false;
    };
    matches!(arn.rsplit(':').next(), Some("product/aws/guardduty" | "productv2/aws/guardduty"))
}

fn facts(finding: &Field<'_>, sender: &Sender) -> Result<Facts, ParseError> {
    let id = one_line(finding.get("Id").required_text()?);
    let own = Own::of(finding);
    let kind = kind(finding).unwrap_or_else(|| "Security Hub".to_owned());
    let title = one_line(text(&finding.get("Title")).unwrap_or(&kind));
    let sample = reading::flag(&finding.get("Sample"))?.unwrap_or(false)
        || own.is_some_and(Own::marks_sample)
        || reading::is_sample_title(&title);
    let last_seen = reading::time(&finding.get("LastObservedAt"))
        .or_else(|| own.and_then(|own| Timestamp::parse(own.text("eventLastSeen")?)));
    let draft = Draft {
        source: if sender.clicked { Source::CustomAction } else { Source::GuardDuty },
        // GuardDuty's own id is the last part of the ARN that Security Hub knows it by: one finding, one containment.
        id: if own.is_some() { id.rsplit('/').next().unwrap_or_default().to_owned() } else { id },
        severity: if sender.clicked { None } else { severity(finding)? },
        role: own.and_then(Own::role),
        sample,
        closed: closed(finding, own),
        imported: sender.imported(),
        // Who clicks has the instance in mind as it is now.
        last_seen: if sender.clicked { last_seen.max(sender.sent) } else { last_seen },
        remotes: remotes(finding, own),
        title: if sender.clicked { format!("an analyst chose it in Security Hub: {title}") } else { title },
        kind,
        ..Draft::default()
    };
    let place = place(finding, sender)?;
    let callers = own.into_iter().flat_map(Own::callers);
    let callers = addresses(callers);
    let mut facts = Facts { draft, place, subject: None, resources: Vec::new(), callers, unread: Vec::new() };
    for resource in finding.get("Resources").entries() {
        facts.asff(&resource);
    }
    Ok(facts)
}

/// Where a finding's resources are, unless one of them says otherwise.
fn place(finding: &Field<'_>, sender: &Sender) -> Result<Place, ParseError> {
    let (account, region) = reading::place_in(text(&finding.get("Id")));
    let region = reading::region(&[finding.get("Region")])?.or(region).or_else(|| sender.region.clone());
    Ok(Place {
        account: reading::account(&[finding.get("AwsAccountId")])?
            .or(account)
            .unwrap_or_else(|| sender.account.clone()),
        region: region.ok_or_else(|| finding.get("Region").wrong("an AWS Region (such as eu-central-1)"))?,
    })
}

impl Facts {
    fn asff(&mut self, resource: &Field<'_>) {
        if resource.object().is_none() {
            self.unread.push(resource.wrong("a resource"));
            return;
        }
        let of = resource.get("Type");
        let sort = Sort::of_type(text(&of).unwrap_or_default());
        let id = resource.get("Id");
        let details = resource.get("Details");
        let key = details.get("AwsIamAccessKey");
        let principal = text(&key.get("PrincipalId"));
        self.resources.extend(principal.and_then(sessions::instance_of).map(Resource::SessionOf));
        let role = text(&key.get("PrincipalName")).or_else(|| text(&key.get("UserName")));
        self.draft.sessions.extend(sessions::of_principal(principal, text(&key.get("PrincipalType")), role));
        let user = details.get("AwsIamUser");
        let (kind, named) = (key.get("PrincipalType"), user.get("UserName"));
        let of_user = text(&id).and_then(principals::user_of_arn);
        let stated = match (sort, of_user) {
            (Sort::Credentials, _) => {
                let own = key.get("AccessKeyId");
                let id = text(&own).or_else(|| text(&id)).map(str::to_owned);
                principals::principal(Stated { key: id.as_deref(), kind: text(&kind), id: principal, name: role })
            }
            (_, Some(user)) => Some(Principal::User(user)),
            (_, None) => text(&named).and_then(|name| name.parse().ok()).map(Principal::User),
        };
        self.resources.extend(stated.map(Resource::Principal));
        if !is_instance(&of, &id) {
            self.resources.push(Resource::Other(sort));
            return;
        }
        let profile = text(&details.get("AwsEc2Instance").get("IamInstanceProfileArn"));
        self.locate(&id, &[], &[resource.get("Region")], profile, Resource::Instance);
    }

    /// An instance, where the resource says it is or else the finding does.
    pub(super) fn locate(
        &mut self,
        id: &Field<'_>,
        accounts: &[Field<'_>],
        regions: &[Field<'_>],
        profile: Option<&str>,
        as_what: fn(super::draft::Named) -> Resource,
    ) {
        let read = || {
            let Place { account, region } = self.place.clone();
            let account = reading::account(accounts)?.unwrap_or(account);
            let region = reading::region(regions)?.unwrap_or(region);
            reading::instance(id, &Place { account, region })
        };
        match read() {
            Ok(named) => {
                if let super::draft::Target::Instance(instance) = &named.2 {
                    self.draft.sessions.extend(sessions::of_profile(instance, profile));
                }
                self.resources.push(as_what(named));
            }
            Err(error) => self.unread.push(error),
        }
    }
}

/// GuardDuty's own fields by their paths, `aws/guardduty/service/resourceRole`; formerly without the head
/// (<https://docs.aws.amazon.com/guardduty/latest/ug/securityhub-integration.html>).
#[derive(Clone, Copy)]
struct Own<'a>(Option<&'a Map<String, Value>>);

const HEAD: &str = "aws/guardduty/service/";

impl<'a> Own<'a> {
    fn of(finding: &Field<'a>) -> Option<Self> {
        is_guardduty(&finding.get("ProductArn")).then(|| Self(finding.get("ProductFields").object()))
    }

    fn get(self, path: &str) -> Option<&'a Value> {
        self.0.and_then(|fields| fields.get(&format!("{HEAD}{path}")).or_else(|| fields.get(path)))
    }

    /// All fields whose path begins so, and the rest of the path.
    fn below(self, head: &'static str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let rest = move |path: &'a String| path.strip_prefix(HEAD).unwrap_or(path).strip_prefix(head);
        self.0.into_iter().flatten().filter_map(move |(path, value)| Some((rest(path)?, value)))
    }

    fn text(self, path: &str) -> Option<&'a str> {
        self.get(path)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    fn role(self) -> Option<ResourceRole> {
        role(&Field::root(self.get("resourceRole")?))
    }

    fn is_archived(self) -> bool {
        self.get("archived").is_some_and(is_true)
    }

    fn marks_sample(self) -> bool {
        self.below("additionalInfo")
            .any(|(path, value)| (path == "/sample" && is_true(value)) || reading::marks_sample(&Field::root(value)))
    }

    /// Where AWS's API was called from.
    fn callers(self) -> impl Iterator<Item = &'a str> {
        let is_end =
            |path: &str| path.ends_with("remoteIpDetails/ipAddressV4") || path.ends_with("remoteIpDetails/ipAddressV6");
        self.below("action/awsApiCallAction")
            .filter(move |(path, _)| is_end(path))
            .filter_map(|(_, value)| value.as_str())
    }

    /// The far ends of connections and port probes; a caller of AWS's API is none.
    fn far_ends(self) -> impl Iterator<Item = &'a str> {
        let packets = self.below("action/networkConnectionAction").chain(self.below("action/portProbeAction"));
        let is_end =
            |path: &str| path.ends_with("remoteIpDetails/ipAddressV4") || path.ends_with("remoteIpDetails/ipAddressV6");
        packets.filter(move |(path, _)| is_end(path)).filter_map(|(_, value)| value.as_str())
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// ASFF has the same `Action` as GuardDuty's `service`; GuardDuty sends its own fields as well.
fn remotes(finding: &Field<'_>, own: Option<Own<'_>>) -> Vec<IpAddr> {
    addresses(far_ends(finding).into_iter().chain(own.into_iter().flat_map(Own::far_ends)))
}

fn closed(finding: &Field<'_>, own: Option<Own<'_>>) -> Option<Closed> {
    let is = |field: Field<'_>, word: &str| text(&field).is_some_and(|text| text.eq_ignore_ascii_case(word));
    let workflow = || finding.get("Workflow").get("Status");
    if is(finding.get("RecordState"), "ARCHIVED") || own.is_some_and(Own::is_archived) {
        Some(Closed::Archived)
    } else if is(workflow(), "SUPPRESSED") {
        Some(Closed::Suppressed)
    } else if is(workflow(), "RESOLVED") || (workflow().is_absent() && is(finding.get("WorkflowState"), "RESOLVED")) {
        Some(Closed::Resolved)
    } else {
        None
    }
}

/// The finding's type: the product's own before what a customer may have written, and GuardDuty's form before another.
fn kind(finding: &Field<'_>) -> Option<String> {
    let types: Vec<Field<'_>> = [finding.get("FindingProviderFields").get("Types"), finding.get("Types")]
        .iter()
        .flat_map(Field::items)
        .collect();
    let texts = || types.iter().filter_map(text);
    texts().find_map(guardduty_type).or_else(|| texts().next().map(one_line))
}

/// GuardDuty's type, also as Security Hub's taxonomy writes it: `TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS`.
pub(super) fn guardduty_type(text: &str) -> Option<String> {
    let start =
        text.find(':').map(|colon| text.get(..colon).and_then(|head| head.rfind('/')).map_or(0, |slash| slash + 1))?;
    let own = text.get(start..)?;
    let (_, rest) = own.split_once(':')?;
    if rest.contains('/') {
        return Some(one_line(own));
    }
    rest.contains('-').then(|| one_line(&own.replacen('-', "/", 1)))
}

/// What the product says, then what stands next to it, which customers can change.
fn severity(finding: &Field<'_>) -> Result<Option<f64>, ParseError> {
    let provided = finding.get("FindingProviderFields").get("Severity");
    let shown = finding.get("Severity");
    let exact = reading::number(&shown.get("Product"))?;
    match of_severity(&provided)? {
        // Of the product's own only the level may be there: the number is believed as far as it is of that level.
        Some(Severity::Level(level)) => Ok(Some(exact.filter(|exact| is_of_level(*exact, level)).unwrap_or(level))),
        Some(Severity::Exact(exact)) => Ok(Some(exact)),
        None => Ok(of_severity(&shown)?.map(|severity| match severity {
            Severity::Exact(severity) | Severity::Level(severity) => severity,
        })),
    }
}

enum Severity {
    Exact(f64),
    Level(f64),
}

/// GuardDuty's own scale is in `Product` or `Original`; where both are missing, `Normalized` is ten times that.
fn of_severity(severity: &Field<'_>) -> Result<Option<Severity>, ParseError> {
    if severity.value().is_string() || severity.value().is_number() {
        return Ok(match text(severity).and_then(reading::level) {
            Some(level) => Some(Severity::Level(level)),
            None => reading::number(severity)?.map(Severity::Exact),
        });
    }
    let original = reading::number(&severity.get("Original")).ok().flatten();
    let original = original.filter(|number| (0.0..=10.0).contains(number));
    if let Some(exact) = reading::number(&severity.get("Product"))?.or(original) {
        return Ok(Some(Severity::Exact(exact)));
    }
    if let Some(normalized) = reading::number(&severity.get("Normalized"))? {
        return Ok(Some(Severity::Exact(normalized / 10.0)));
    }
    Ok(text(&severity.get("Label")).and_then(reading::level).map(Severity::Level))
}

/// Whether a severity lies in the level that begins at `lowest`.
fn is_of_level(severity: f64, lowest: f64) -> bool {
    let next = [4.0, 7.0, 9.0].into_iter().find(|next| *next > lowest).unwrap_or(f64::INFINITY);
    severity >= lowest && severity < next
}
