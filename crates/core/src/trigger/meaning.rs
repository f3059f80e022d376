//! What a finding means: which instances it says are compromised, and what is doubtful about that. GuardDuty's own event,
//! its API's list, Security Hub's two formats and an analyst's click state the same facts in different places; each parser
//! fills [`Facts`], and what follows from them is decided here alone, so that one finding has one meaning by every way.

use std::net::IpAddr;

use super::{
    Doubt, Finding, Notice, NoticeKind, ParseError, Parsed, Request, Unread,
    draft::{Draft, Named, Target},
    principals,
    reading::Place,
};
use crate::{
    model::{
        Principal,
        ids::{AccountId, InstanceId},
    },
    settings::Policy,
    trigger::{json::Field, reading},
};

/// What one finding states.
#[derive(Debug)]
pub(super) struct Facts {
    /// What its findings have in common.
    pub(super) draft: Draft,
    /// Where it is, unless a resource is elsewhere.
    pub(super) place: Place,
    /// What is compromised, where the document says that apart from the resources.
    pub(super) subject: Option<Sort>,
    /// What it names.
    pub(super) resources: Vec<Resource>,
    /// Where credentials were used from: of a principal, the remote addresses.
    pub(super) callers: Vec<IpAddr>,
    /// Resources that cannot be read.
    pub(super) unread: Vec<ParseError>,
}

/// A resource, as far as the meaning of a finding depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Instance(Named),
    /// An instance that the document itself calls related only.
    Related(Named),
    /// Credentials that an instance's metadata service handed out.
    SessionOf(InstanceId),
    /// Credentials of anybody else.
    Principal(Principal),
    /// Another resource.
    Other(Sort),
}

/// Sorts of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// An EC2 instance, or a volume of it.
    Instance,
    /// An access key.
    Credentials,
    /// A container, or what runs containers.
    Containers,
    /// Anything else.
    Other,
}

impl Sort {
    /// The sort of a resource's type as GuardDuty (`EC2_INSTANCE`, `EKSCluster`), Security Hub (`AwsEc2Instance`) and OCSF
    /// (`AWS::EC2::Instance`) write it.
    pub(super) fn of_type(text: &str) -> Self {
        let plain = plain(text);
        match plain.as_str() {
            "INSTANCE" | "EC2INSTANCE" | "EBSVOLUME" => Self::Instance,
            "ACCESSKEY" | "IAMACCESSKEY" => Self::Credentials,
            _ if ["EKS", "ECS", "KUBERNETES", "CONTAINER"].iter().any(|head| plain.starts_with(head)) => {
                Self::Containers
            }
            _ => Self::Other,
        }
    }

    /// Whether it is the type of an instance itself.
    pub(super) fn is_of_instance(text: &str) -> bool {
        matches!(plain(text).as_str(), "INSTANCE" | "EC2INSTANCE")
    }
}

fn plain(of: &str) -> String {
    let plain: String = of.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    plain.strip_prefix("AWS").map(str::to_owned).unwrap_or(plain)
}

/// The part of a finding's type that names the resource, `EC2` in `Backdoor:EC2/C&CActivity.B!DNS`
/// (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Of(Sort),
    /// Several findings of one attack, about what takes part in it.
    Sequence(Sort),
}

fn family(kind: &str) -> Option<Family> {
    let (purpose, rest) = kind.split_once(':')?;
    let sort = match rest.split_once('/')?.0 {
        "EC2" | "Runtime" => Sort::Instance,
        "IAMUser" | "IAM" => Sort::Credentials,
        "EKS" | "ECS" | "Kubernetes" | "Container" => Sort::Containers,
        _ => Sort::Other,
    };
    Some(if purpose == "AttackSequence" { Family::Sequence(sort) } else { Family::Of(sort) })
}

/// What a finding means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// These instances are compromised, where there is no doubt about them.
    Instances(Vec<(Named, Option<Doubt>)>),
    /// The credentials of an instance are used elsewhere, and it does not say which instance's.
    UnknownInstance,
    /// It names no instance; the text says why.
    Nothing(String),
}

impl Facts {
    pub(super) fn meaning(&self) -> Meaning {
        let kind = &self.draft.kind;
        let family = family(kind);
        let named = |related: bool| {
            self.resources.iter().filter_map(move |resource| match resource {
                Resource::Instance(named) if !related => Some(named.clone()),
                Resource::Related(named) if related => Some(named.clone()),
                Resource::Instance(_)
                | Resource::Related(_)
                | Resource::SessionOf(_)
                | Resource::Principal(_)
                | Resource::Other(_) => None,
            })
        };
        let sessions = || {
            self.resources.iter().filter_map(|resource| match resource {
                Resource::SessionOf(id) => {
                    let Place { account, region } = self.place.clone();
                    Some((account, region, Target::Instance(id.clone())))
                }
                Resource::Instance(_) | Resource::Related(_) | Resource::Principal(_) | Resource::Other(_) => None,
            })
        };
        let sure = |named: Vec<Named>| named.into_iter().map(|named| (named, None)).collect::<Vec<_>>();
        let mentioned =
            |named: Vec<Named>| named.into_iter().map(|named| (named, Some(Doubt::Mentioned))).collect::<Vec<_>>();
        let subject = match (self.subject, family) {
            (Some(subject), _) => subject,
            (None, Some(Family::Of(sort))) => sort,
            (None, Some(Family::Sequence(_)) | None) => Sort::Instance,
        };
        let mut found = match (subject, family) {
            // What takes part in an attack that GuardDuty pieced together, by itself or by its credentials.
            (_, Some(Family::Sequence(_))) => sure(named(false).chain(sessions()).collect()),
            (Sort::Instance | Sort::Containers, _) => {
                let instances: Vec<Named> = named(false).collect();
                sure(if instances.is_empty() { sessions().collect() } else { instances })
            }
            (Sort::Credentials, _) => {
                let own: Vec<Named> = sessions().collect();
                if own.is_empty() { mentioned(named(false).collect()) } else { sure(own) }
            }
            // A bucket or a database, read by an instance's session or named together with an instance.
            (Sort::Other, _) => mentioned(sessions().chain(named(false)).collect()),
        };
        if found.is_empty() {
            found = mentioned(named(true).collect());
        }
        let hosts = matches!(subject, Sort::Containers)
            || matches!(family, Some(Family::Of(Sort::Containers) | Family::Sequence(Sort::Containers)))
            || self.resources.contains(&Resource::Other(Sort::Containers));
        if hosts {
            for (_, doubt) in &mut found {
                *doubt = Some(Doubt::SharedHost);
            }
        }
        if !found.is_empty() {
            return Meaning::Instances(found);
        }
        if kind.contains("InstanceCredentialExfiltration") {
            return Meaning::UnknownInstance;
        }
        Meaning::Nothing(match (subject, family) {
            (_, Some(Family::Sequence(_))) => format!("the sequence {kind} names no instance"),
            (Sort::Instance | Sort::Containers, _) => format!("the finding {kind} names no instance"),
            (Sort::Credentials, _) => {
                format!("the finding {kind} is about credentials, and names neither a user nor an instance")
            }
            (Sort::Other, _) => format!("the finding {kind} is about a resource that is not an instance"),
        })
    }

    /// The principals that it says are compromised, or mentions.
    fn principals(&self) -> Vec<(Principal, Option<Doubt>)> {
        let doubt = match (self.subject, family(&self.draft.kind)) {
            (_, Some(Family::Sequence(_)))
            | (Some(Sort::Credentials), _)
            | (None, Some(Family::Of(Sort::Credentials))) => None,
            // A bucket or a database, which somebody's key was used on.
            (Some(Sort::Other), _) | (None, Some(Family::Of(Sort::Other))) => Some(Doubt::Mentioned),
            (Some(Sort::Instance | Sort::Containers), _)
            | (None, Some(Family::Of(Sort::Instance | Sort::Containers)) | None) => return Vec::new(),
        };
        let named = self.resources.iter().filter_map(|resource| match resource {
            Resource::Principal(principal) => Some((principal.clone(), doubt)),
            Resource::Instance(_) | Resource::Related(_) | Resource::SessionOf(_) | Resource::Other(_) => None,
        });
        principals::once(&named.collect::<Vec<_>>())
    }

    /// The findings of it, or what else it comes to.
    pub(super) fn read(self, said_by: &AccountId, policy: &Policy) -> Result<Read, ParseError> {
        let mut read = Read::default();
        match self.meaning() {
            Meaning::Instances(named) => read.findings = findings(&self.draft, said_by, named),
            Meaning::UnknownInstance if self.unread.is_empty() && is_worth(&self.draft, policy) => {
                read.notices.push(self.unknown_instance());
            }
            Meaning::UnknownInstance => {
                read.nothing = Some(format!("the finding {} names no instance", self.draft.kind));
            }
            Meaning::Nothing(why) => read.nothing = Some(why),
        }
        let mut named = self.principals();
        if !(read.findings.is_empty() && read.notices.is_empty()) {
            // People are notified of the instance whose session it may be: once is enough.
            named.retain(|(principal, _)| !matches!(principal, Principal::Session { .. }));
        }
        let crowd = named.len();
        let Place { account, region } = &self.place;
        let draft = Draft { remotes: self.callers.clone(), ..self.draft.clone() };
        read.principals.extend(named.into_iter().map(|(principal, doubt)| {
            let draft = Draft { doubt, ..draft.clone() };
            draft.about(said_by, crowd, account.clone(), region.clone(), principal)
        }));
        let mut unread = self.unread.into_iter();
        match unread.next() {
            // Nothing of it could be read: the whole finding is an error.
            Some(error) if read.findings.is_empty() && read.principals.is_empty() => return Err(error),
            Some(error) => read.unread = std::iter::once(error).chain(unread).collect(),
            None => {}
        }
        Ok(read)
    }

    fn unknown_instance(&self) -> Notice {
        let draft = &self.draft;
        Notice {
            kind: NoticeKind::CredentialsOfUnknownInstance,
            source: draft.source,
            id: draft.id.clone(),
            code: draft.kind.clone(),
            title: draft.title.clone(),
            account: self.place.account.clone(),
            region: self.place.region.clone(),
            time: draft.last_seen,
            link: None,
            named: Vec::new(),
        }
        .tidy()
    }
}

/// Whether people need to be notified of a finding that names no instance.
fn is_worth(draft: &Draft, policy: &Policy) -> bool {
    !draft.sample && draft.closed.is_none() && draft.severity.is_none_or(|severity| severity >= policy.min_severity)
}

/// One finding for each instance, each instance once.
fn findings(draft: &Draft, said_by: &AccountId, named: Vec<(Named, Option<Doubt>)>) -> Vec<Finding> {
    let mut once: Vec<(Named, Option<Doubt>)> = Vec::new();
    for (target, doubt) in named {
        if !once.iter().any(|(known, _)| *known == target) {
            once.push((target, doubt));
        }
    }
    let crowd = once.len();
    let each = once.into_iter().filter_map(|((account, region, target), doubt)| match target {
        Target::Instance(id) => {
            let draft = Draft { doubt, ..draft.clone() };
            Some(draft.finding(said_by, crowd, account, region, id))
        }
        Target::Address(_) | Target::Interface(_) | Target::Principal(_) => None,
    });
    each.collect()
}

/// What one finding, or a list of them, came to.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) findings: Vec<Finding>,
    pub(super) principals: Vec<Finding<Principal>>,
    pub(super) notices: Vec<Notice>,
    pub(super) unread: Vec<ParseError>,
    /// Why it names nothing.
    pub(super) nothing: Option<String>,
}

impl Read {
    /// Takes in an entry of a list. One that cannot be read takes no other with it.
    pub(super) fn add(&mut self, entry: Result<Self, ParseError>) {
        match entry {
            Ok(entry) => {
                self.findings.extend(entry.findings);
                self.principals.extend(entry.principals);
                self.notices.extend(entry.notices);
                self.unread.extend(entry.unread);
                self.nothing = self.nothing.take().or(entry.nothing);
            }
            Err(error) => self.unread.push(error),
        }
    }

    /// One event, one crowd: what all of its findings name counts for each.
    pub(super) fn crowd(&mut self) {
        let crowd = self.findings.len() + self.principals.len();
        for finding in &mut self.findings {
            finding.crowd = crowd;
        }
        for finding in &mut self.principals {
            finding.crowd = crowd;
        }
    }

    /// The request, or why there is none. Where nothing but unreadable entries was found, the first of them is the error.
    pub(super) fn parsed(self, otherwise: impl Into<String>) -> Result<Parsed, ParseError> {
        if self.findings.is_empty() && self.principals.is_empty() && self.notices.is_empty() {
            return match self.unread.into_iter().next() {
                Some(error) => Err(error),
                None => Ok(Parsed::Nothing(self.nothing.unwrap_or_else(|| otherwise.into()))),
            };
        }
        let unread = self.unread.into_iter().map(Unread::from).collect();
        Ok(Parsed::Request(Request {
            findings: self.findings,
            principals: self.principals,
            notices: self.notices,
            unread,
            ..Request::default()
        }))
    }
}

/// Whether a resource is an instance: by its type, as any of the formats writes it, or by its id, which nothing else has.
pub(super) fn is_instance(of: &Field<'_>, id: &Field<'_>) -> bool {
    reading::text(of).is_some_and(Sort::is_of_instance)
        || reading::text(id).is_some_and(|id| reading::is_instance_arn(id) || reading::instance_id(id).is_some())
}
