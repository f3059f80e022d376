//! The words of notes.

use std::{fmt, net::IpAddr};

use serde::{Serialize, Serializer};

use crate::{
    model::{
        deny_policy,
        ids::{EniId, GroupId, InstanceId, Region, VpcId},
        network_acl::MOST_RULES,
        tags::{CONTAINMENT_TAG, STATE_TAG},
        text::{self, Sentence},
    },
    step::{Denied, FleetKind, Note},
};

/// So many instances that share a role, and addresses, are named.
const MOST_NAMED: usize = 20;

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sentence::new(words(self)).fmt(f)
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[expect(clippy::too_many_lines, reason = "one arm a note")]
fn words(note: &Note) -> String {
    match note {
        Note::Exposed(exposure) => exposure.to_string(),
        Note::NoInterface => "the instance has no network interface".to_owned(),
        Note::FabricAdapter(eni) => format!(
            "{eni} is an Elastic Fabric Adapter: whether its groups end connections that bypass the operating system AWS does not say"
        ),
        Note::ForeignGroup { vpc, name, group } => {
            format!("{vpc} has a group {name} ({group}) that Brig did not make: it is left alone")
        }
        Note::SharedIsolationGroup { vpc, group } => format!(
            "the isolation group {group} of {vpc} has rules and holds an interface that is in no active containment: both are left alone, see who changed it"
        ),
        Note::StrayRules { group, count } => format!("the isolation group {group} had {count} stray rule(s)"),
        Note::MakeRoom { vpc, region, free } => make_room(vpc, region, free.as_ref().map(GroupId::as_str)),
        Note::AskForQuota(region) => format!(
            "or ask AWS for a higher quota, then run this again: aws service-quotas get-service-quota --region {region} --service-code vpc --quota-code L-E79EC296; aws service-quotas request-service-quota-increase --region {region} --service-code vpc --quota-code L-E79EC296 --desired-value <more>"
        ),
        Note::CutByHand { eni, region, group } => format!(
            "or cut {eni} by hand now, by a group without rules: aws ec2 modify-network-interface-attribute --region {region} --network-interface-id {eni} --groups {}",
            group.as_ref().map_or("<a group of yours without rules>", GroupId::as_str)
        ),
        Note::AddressStays { eni, address } => format!(
            "the public address {address} of {eni} was assigned by AWS and would not come back: it stays; \"public-address!\" in BRIG_ESCALATE gives it up"
        ),
        Note::AddressLost { eni, address } => format!(
            "{eni} had the public address {address}, which AWS had assigned and does not give back; aws ec2 modify-network-interface-attribute --associate-public-ip-address asks for another one"
        ),
        Note::NobodyGetsIn(vpc) => format!(
            "no one can reach isolated instances in {vpc} by SSH or RDP: the VPC has no security group with the name in BRIG_FORENSIC_ACCESS"
        ),
        Note::NoEndpoint(vpc) => {
            format!("Systems Manager cannot be reached from {vpc}: the VPC has no interface endpoint of it")
        }
        Note::ForensicAccessUnread(gap) => format!("forensic access is as it was: {gap}"),
        Note::AclUnseen { subnet } => format!("no network ACL of {subnet} was seen: nothing is denied there"),
        Note::AclOfAnother { acl, owner, addresses } => format!(
            "the network ACL {acl} belongs to the account {owner}, which shares its subnet: only its owner can deny {} there",
            listed(addresses)
        ),
        Note::AclsUnread(error) => {
            format!("no remote address is denied in a network ACL: they could not be read ({error})")
        }
        Note::StaysDenied { address, why } => {
            format!("{address} {why}, and is or may be denied already: only a release takes those rules away")
        }
        Note::OwnAddress(address) => format!("{address} is not denied in a network ACL: it is the instance's own"),
        Note::NotDenied { address, why } => format!("{address} is not denied in a network ACL: it {why}"),
        Note::OneWay { rule, why } => format!("{rule}: {why}"),
        Note::AclServesAll { acl, subnets } => format!(
            "what is denied in the network ACL {acl} is denied to everyone in {}, not only to this instance",
            subnets.join(", ")
        ),
        Note::AclFull { acl, all, left } => format!(
            "{} of {all} addresses are NOT denied in {acl}: it has no room for more rules before its first allow rule (a network ACL has at most {MOST_RULES} per direction and address family): {}",
            left.len(),
            listed(left)
        ),
        Note::ProfileWithoutAssociation => {
            "the instance shows a profile, yet EC2 lists no association to take away: check it by hand".to_owned()
        }
        Note::NoProfile => "it has no instance profile, so there was nothing to deny; credentials of one that it had before live until they expire".to_owned(),
        Note::Undenied { what, others } => what.sentence_beside(*others),
        Note::Unresolved { what, error } => format!("{} ({error})", what.sentence()),
        // <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html#ec2-instance-identity-roles>,
        // <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
        Note::NotCovered => "the denial does not cover sessions that it got by sts:AssumeRole, the instance identity role's credentials, sts:GetCallerIdentity, or calls that an AWS service makes on behalf of a session".to_owned(),
        Note::DenialTakesTime => {
            "IAM is eventually consistent: AWS does not say how soon the denial takes effect; it can take minutes".to_owned()
        }
        Note::RolesOfUser(user) => format!(
            "sessions of roles that {user} assumed before go on until they expire, and so does what it made: CloudTrail has its AssumeRole calls"
        ),
        Note::Reached(reached) => format!(
            "its newest calls on record, which may be 15 minutes late and at most 50: {reached}"
        ),
        Note::KeyShown(shown) => format!(
            "{} the access key {}: Brig looks at its user on its own and asks whether to contain it (brig questions)",
            shown.by, shown.key
        ),
        Note::PasswordStays(user) => format!(
            "{user} has a console password, which stays, since a deleted one cannot be given back: whoever signs in with it is denied everything"
        ),
        Note::CameMeanwhile { what, resource } => {
            format!("{what} {resource} was run again: somebody had undone it, or made it, while the user was being contained")
        }
        Note::NoSession => "Systems Manager cannot start a session with it once it is cut off, without profile and metadata service; an existing session may continue".to_owned(),
        Note::NoSessionStarts => "it has the responders' profile, but no connection to Systems Manager can start: BRIG_FORENSIC_ACCESS opens one".to_owned(),
        Note::RoleShared { role, siblings, by } => shared(role, siblings, *by),
        Note::RoleStaysDenied { role, others } => format!(
            "the role {role} denies every session, this instance's too, while {others} other instance(s) of it stay contained"
        ),
        Note::ForeignPolicy { role } => format!(
            "the role {role} has a policy {} that Brig did not write: it is left alone",
            deny_policy::NAME
        ),
        Note::AutoMode => "EKS Auto Mode manages this instance: AWS may refuse every change to it, whatever Brig's role is granted; cordon the node and cut its pods off with a network policy".to_owned(),
        Note::KubernetesNode { instance, cluster } => format!(
            "it is a Kubernetes node{}: its pods are cut off with it, and Kubernetes starts them elsewhere once the node has been silent for a while (five minutes by default). To keep new pods off: {}; kubectl cordon $NODE",
            cluster.as_ref().map_or_else(String::new, |cluster| format!(" of the cluster {cluster}")),
            node_of(instance)
        ),
        Note::Karpenter { instance, pool, spot } => format!(
            "Karpenter (pool {pool}) replaces a node whose security groups differ from its node class: {}. To keep it from that (expiry and repair excepted): {}; kubectl annotate node $NODE karpenter.sh/do-not-disrupt=true",
            if *spot {
                "a Spot instance has no termination protection, so that its call to terminate succeeds"
            } else {
                "EC2 refuses its call to terminate while termination protection is on"
            },
            node_of(instance)
        ),
        Note::ManagedNodeGroup(group) => format!(
            "it is of the managed node group {group}, an Auto Scaling group that EKS owns; what an update or repair of that node group does to an instance that was detached AWS does not say"
        ),
        Note::EcsInstance => "it is a container instance of ECS: its tasks are cut off with it, and ECS may place tasks on it while its agent is connected; to stop that: aws ecs update-container-instances-state --status DRAINING --cluster <cluster> --container-instances <id>".to_owned(),
        Note::Spot => "it is a Spot instance: AWS may take it back, usually with two minutes' notice, which nothing stops; stopping or hibernating it is the Spot request's to decide".to_owned(),
        Note::LaunchedByFleet { kind, id } => {
            let (of, show) = match kind {
                FleetKind::Ec2 => ("EC2 Fleet", "describe-fleets --fleet-ids"),
                FleetKind::Spot => ("Spot Fleet", "describe-spot-fleet-requests --spot-fleet-request-ids"),
            };
            format!(
                "it was launched by the {of} {id}, which is not looked at: one of the type maintain may terminate or replace it; aws ec2 {show} {} shows the type",
                text::shell(id)
            )
        }
        Note::MayBeReplaced { group } => {
            format!("{group} may launch a replacement from the same template, with the same hole")
        }
        Note::WaitsInHook { group } => format!(
            "it waits in a lifecycle hook of {group} and can be detached only once it is InService: aws autoscaling complete-lifecycle-action --lifecycle-action-result CONTINUE ends the wait"
        ),
        Note::EndsWithoutHook { group } => format!(
            "{group} is terminating it, and no lifecycle hook that could hold it was seen: the snapshots are what remains"
        ),
        Note::HeldByHook { group } => format!(
            "{group} is terminating it; a lifecycle hook holds it, and each attempt asks for another heartbeat: AWS allows 48 hours or 100 heartbeats in all, whichever is less. Only an instance lifecycle policy of the group that retains it stops the termination itself; aws autoscaling record-lifecycle-action-heartbeat prolongs it further"
        ),
        Note::InWarmPool { group } => format!(
            "it is in the warm pool of {group}, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name {} --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group",
            text::shell(group)
        ),
        Note::LaunchSuspended { group } => {
            format!("the process Launch of {group} is suspended: no replacement comes, its capacity is one less")
        }
        Note::ProtectionEnds { group } => format!(
            "it was protected from scale-in in {group}; that protection ends with the detachment; a rejoin takes what the group sets for its members"
        ),
        Note::StaysOut { group } => format!(
            "it stays out of {group}, which replaced it; \"rejoin\": true (brig: --rejoin) attaches it and raises the desired capacity by one"
        ),
        Note::TargetElsewhere { group, vpc, target } => format!(
            "{group} of the VPC {} holds the address {target}, which the instance has in another VPC: private addresses repeat, so it is left alone",
            vpc.as_ref().map_or("none", VpcId::as_str)
        ),
        Note::TargetWasDraining { group, target } => format!(
            "{target} was draining in {group} when it was first seen there: it is not registered again; if it belongs there, register it"
        ),
        Note::TargetGone { group, target } => {
            format!("{target} of {group} is an address that the instance no longer has: it is left alone")
        }
        Note::ScheduledEvent(event) => format!(
            "AWS has scheduled {event}: termination and stop protection do not bind it; aws ec2 modify-instance-event-start-time moves some"
        ),
        Note::SpotEvidence => "a Spot instance can be reclaimed by AWS, usually at two minutes' notice: the snapshots are what stays".to_owned(),
        Note::InstanceStoreRoot => "the root device is an instance store: stopping the instance loses it, and no snapshot holds it".to_owned(),
        Note::SnapshotSets(sets) => {
            format!("there are {sets} snapshot sets: an earlier attempt's answer was lost; all are kept")
        }
        Note::NotTagged(why) => format!("the instance does not carry the tag {CONTAINMENT_TAG}: {why}"),
        Note::NotStopped(error) => format!("it is not stopped: it could not be looked at ({error})"),
        Note::EvidenceStays => "snapshots, their locks and Brig's own groups stay".to_owned(),
        Note::Gap(gap) => gap.to_string(),
        Note::TakenOver => "another invocation has taken this containment over in the meantime".to_owned(),
        Note::ForcedFrom(foreign) => format!(
            "taken over by force from the containment {}: what was there before it is not known here",
            text::one_line(foreign, text::NAME)
        ),
        Note::EndNotOnRecord(error) => format!("how it ended is not on record: {error}"),
        Note::ReportNotOnRecord(error) => format!("what was read back is not on record for `show`: {error}"),
        Note::QuestionNotOnRecord(error) => {
            format!("the question is not on record, and status does not list it: {error}")
        }
        Note::QuestionsNotClosed(error) => format!("open questions about the instance could not be closed: {error}"),
        Note::StateTagNotSet { word, error } => {
            format!("the instance's tag {STATE_TAG} could not be set to {word}: {error}")
        }
        Note::LeftAlone(what) => format!("left alone: {what}"),
        Note::Late => "the invocation's time was nearly over: only the cut is planned here".to_owned(),
        Note::TrailUnread { id, error } => format!("CloudTrail could not be asked who changed {id}: {error}"),
        Note::TrailCall { id, call, by, at } => {
            let at = at.map_or_else(String::new, |at| format!(" at {at}"));
            format!("CloudTrail's record of {id}: {call} by {by}{at}")
        }
        Note::TrailCallerUnknown { id, call, error } => format!(
            "CloudTrail's record of {id} has a {call} of which it is not known whether it is Brig's own: {error}"
        ),
        Note::TrailSilent => {
            "CloudTrail's record does not name yet who changed it: the record can be up to 15 minutes late".to_owned()
        }
        Note::Unwatched(interfaces) => format!(
            "no VPC flow log covers {}: nothing can prove the cut there",
            interfaces.iter().map(EniId::as_str).collect::<Vec<_>>().join(", ")
        ),
        Note::NotNotified(why) => {
            format!("people could NOT be notified: {why}. The message is kept and sent again until it gets out.")
        }
        Note::NotInChat(why) => format!(
            "people were notified, but the chat channel could NOT be: {why}. The message is kept and sent again until it gets out."
        ),
        Note::OfTheEvent(said) | Note::OfAFact(said) => said.to_string(),
    }
}

fn make_room(vpc: &VpcId, region: &Region, free: Option<&str>) -> String {
    let delete = |group: &str| format!("aws ec2 delete-security-group --region {region} --group-id {group}");
    let so = format!("to make room in {vpc}, delete a security group that nothing uses, then run this again");
    match free {
        Some(group) => format!("{so}; {group} has no rule and no interface carries it: {}", delete(group)),
        None => format!(
            "{so}: aws ec2 describe-security-groups --region {region} --filters Name=vpc-id,Values={vpc} --query 'SecurityGroups[].[GroupId,GroupName,Description]' --output text; {}",
            delete("<GroupId>")
        ),
    }
}

/// Who else uses the role, and what the denial does to them.
fn shared(role: &str, siblings: &[InstanceId], by: Denied) -> String {
    let shown: Vec<&str> = siblings.iter().take(MOST_NAMED).map(InstanceId::as_str).collect();
    let more = siblings.len().saturating_sub(shown.len());
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    let who = format!("{} other instance(s) use the role {role}: {}{rest}", siblings.len(), shown.join(", "));
    let by = match by {
        Denied::Instance => return format!("{who}; they keep their access"),
        Denied::Earlier if siblings.is_empty() => {
            return format!(
                "no instance of this Region uses the role {role}; whatever else does is denied until it fetches new credentials"
            );
        }
        Denied::Earlier => {
            return format!(
                "{who}; they are denied too until their credentials are renewed, which can take hours (a restart of what uses them may be quicker)"
            );
        }
        Denied::Role => "BRIG_ROLE_DENY=role",
        Denied::Overflow => "its policy has no room to name its contained instances; BRIG_ROLE_DENY_OVERFLOW=role",
    };
    if siblings.is_empty() {
        format!("every user of the role {role} is DENIED, whoever they are ({by})")
    } else {
        format!("{who}; their access is DENIED too ({by})")
    }
}

/// How Kubernetes' name of the node is found.
fn node_of(instance: &InstanceId) -> String {
    format!(
        "NODE=$(kubectl get nodes -o json | jq -r '.items[] | select(.spec.providerID | endswith(\"/{instance}\")) | .metadata.name')"
    )
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}
