use std::{fmt::Write as _, path::Path};

use expect_test::expect;

use super::*;
use crate::{
    decide::{Decided, Guide, Known, decide, decide_holder, gate, ignored, nobodys, rules::Rules},
    ledger::Cause,
    testing::{instance, user_of},
};

/// What a document parses to, a line each, and what is decided about an ordinary instance.
fn lines(parsed: &Result<Parsed, ParseError>, guide: &Guide<'_>) -> Vec<String> {
    match parsed {
        Ok(Parsed::Request(request)) => {
            let findings = request.findings.iter().map(|f| {
                let decided = gate(f, guide.policy, &own())
                    .or_else(|| ignored(f, guide.policy))
                    .unwrap_or_else(|| decide(f, &instance(), &Known::No, Force::No, guide));
                let with: String =
                    f.remotes.iter().map(|address| format!(" with {address}")).collect::<Vec<_>>().concat();
                let refused = decided.cause == Cause::NotTrusted;
                let word = if refused { "refused".to_owned() } else { decided.decision.word().to_owned() };
                format!("{} {}/{} {}{with} -> {word}", f.source.name(), f.region, f.target, f.kind)
            });
            let principals = request.principals.iter().map(|f| {
                let decided = of_principal(f, guide);
                let with = f.remotes.iter().map(|address| format!(" with {address}")).collect::<Vec<_>>().concat();
                format!(
                    "{} {} {:?} {}{with} -> {}",
                    f.source.name(),
                    f.account,
                    f.target,
                    f.kind,
                    decided.decision.word()
                )
            });
            let addresses =
                request.addresses.iter().map(|a| format!("address {} in {}/{}", a.address, a.account, a.region));
            let unread = request.unread.iter().map(|unread| format!("unread: {unread}"));
            let notices = request.notices.iter().map(|notice| format!("notice: {}", notice.summary()));
            findings.chain(principals).chain(addresses).chain(unread).chain(notices).collect()
        }
        Ok(Parsed::TrailCall(touched)) => {
            vec![format!(
                "look again: {} names {:?} {:?} {:?}",
                touched.call, touched.instances, touched.interfaces, touched.users
            )]
        }
        Ok(Parsed::LedgerRequest(roll)) => vec![format!("all active containments: {roll:?}")],
        Ok(Parsed::Readiness(asked)) => vec![format!("how ready the account is: {asked:?}")],
        Ok(Parsed::Nothing(why)) => vec![format!("nothing: {why}")],
        Ok(Parsed::Notice(notice)) => vec![format!("notice: {}", notice.summary())],
        Ok(Parsed::Batch(batch)) => {
            batch.iter().flat_map(|queued| lines(&queued.body.clone().map(|parsed| *parsed), guide)).collect()
        }
        Err(error) => vec![format!("error: {error}")],
    }
}

/// What is decided about a principal whose user is nobody special.
fn of_principal(finding: &Finding<Principal>, guide: &Guide<'_>) -> Decided {
    let what = format!("{}: {}", finding.kind, finding.title);
    let now = Timestamp::from_millis(1_790_000_000_000);
    gate(finding, guide.policy, &own())
        .or_else(|| ignored(finding, guide.policy))
        .or_else(|| nobodys(&finding.target, &what))
        .unwrap_or_else(|| {
            decide_holder(
                finding,
                (&crate::model::Holder::User(user_of(&finding.target)), None),
                &Known::No,
                (Force::No, now),
                guide,
            )
        })
}

fn own() -> AccountId {
    "123456789012".parse().expect("account")
}

fn table(folder: &Path, depth: usize) -> String {
    let invoked = Invoked { account: own(), ..invoked() };
    let (policy, rules) = (policy(), Rules::none());
    let guide = Guide { policy: &policy, rules: &rules, rules_lost: None };
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("events").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut table = String::new();
    for file in files {
        if file.is_dir() && depth > 0 {
            let _ = write!(table, "{}", self::table(&file, depth - 1));
        }
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("text");
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let found = match serde_json::from_str(&text) {
            Ok(event) => lines(&parse(&event, &invoked, &policy), &guide),
            Err(error) => vec![format!("no JSON: {error}")],
        };
        let _ = writeln!(table, "{name}\n  {}", found.join("\n  "));
    }
    table
}

/// `make corpus DIR=...`: other people's events through the parser, to be read by a person.
#[test]
#[ignore = "needs a folder of events: make corpus DIR=..."]
#[expect(clippy::disallowed_methods, reason = "the folder is given by whoever runs it")]
fn other_peoples_events_end_without_a_panic() {
    let folder = std::env::var("BRIG_CORPUS").expect("BRIG_CORPUS: a folder of events");
    let table = table(Path::new(&folder), 3);
    assert!(!table.is_empty(), "{folder} holds no event");
    println!("{table}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one line or two for each event")]
fn every_event_of_the_folder_parses_to_what_it_says() {
    let table = table(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events")), 0);
    expect![[r#"
        abuse-address
          address 203.0.113.9 in 123456789012/us-east-1
        abuse-ids
          abuse_report us-east-1/i-0123456789abcdef0 Abuse Report -> contain
        abuse-key
          abuse_text 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: None } Abuse Report -> ask
        abuse-text
          abuse_text us-east-1/i-0123456789abcdef0 Abuse Report -> ask
        alarm-action
          alarm us-east-1/i-0123456789abcdef0 Alarm/network-out -> ask
        alarm-composite
          notice: Nothing was done about Alarm/both in 123456789012/us-east-1: the alarm has no InstanceId dimension.
        alarm-contributor
          alarm us-east-1/i-0123456789abcdef0 Alarm/network-out-each -> ask
        alarm-ok
          nothing: the alarm network-out is in the state OK
        alarm-sns
          alarm us-east-1/i-0123456789abcdef0 Alarm/network-out -> ask
        alarm
          alarm us-east-1/i-0123456789abcdef0 Alarm/network-out -> ask
        cloudtrail-groups-swapped
          look again: ModifyNetworkInterfaceAttribute names [] [EniId("eni-0a1b2c3d4e5f60718")] []
        cloudtrail-new-key
          look again: CreateAccessKey names [] [] [UserName("alice")]
        cloudtrail-quarantine
          cloudtrail 123456789012 User(UserName("alice")) AWSCompromisedKeyQuarantineV4 -> contain
        cloudtrail
          nothing: "RunInstances" cannot undo a containment
        ec2-state-change
          nothing: "EC2 Instance State-change Notification" of "aws.ec2" is not a sign of compromise
        find
          all active containments: Find(Find { account: AccountId("123456789012"), region: Region("eu-central-1"), by: Name("web-1") })
        guardduty-access-key-mentioned
          guardduty us-east-1/i-0123456789abcdef0 UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS -> ask
        guardduty-access-key-unknown
          notice: Nothing was done about UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS in 123456789012/us-east-1: the credentials of an instance are used elsewhere, and the finding does not say which instance.
        guardduty-access-key
          guardduty us-east-1/i-0123456789abcdef0 UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS -> contain
        guardduty-attack-sequence-eks
          guardduty us-east-1/i-0123456789abcdef0 AttackSequence:EKS/CompromisedCluster with 198.51.100.23 -> ask
        guardduty-attack-sequence-iam
          guardduty 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: Some(UserName("alice")) } AttackSequence:IAM/CompromisedCredentials -> contain
        guardduty-attack-sequence-odd
          guardduty us-east-1/i-0123456789abcdef0 AttackSequence:EC2/CompromisedInstanceGroup with 198.51.100.23 -> contain
          guardduty us-east-1/i-0fedcba9876543210 AttackSequence:EC2/CompromisedInstanceGroup with 198.51.100.23 -> contain
          unread: detail.service.detection.sequence.resources[1].uid: "i-XYZ" is not the id or the ARN of an EC2 instance
        guardduty-attack-sequence
          guardduty us-east-1/i-0123456789abcdef0 AttackSequence:EC2/CompromisedInstanceGroup with 198.51.100.23 -> contain
          guardduty us-east-1/i-0fedcba9876543210 AttackSequence:EC2/CompromisedInstanceGroup with 198.51.100.23 -> contain
        guardduty-attacked
          guardduty us-east-1/i-0123456789abcdef0 UnauthorizedAccess:EC2/SSHBruteForce with 198.51.100.77 with 2001:db8::77 with 198.51.100.78 -> ignore
        guardduty-eks
          guardduty us-east-1/i-0123456789abcdef0 CryptoCurrency:Runtime/BitcoinTool.B -> ask
        guardduty-finding-bare
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
        guardduty-finding
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
        guardduty-getfindings-odd
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
          unread: Findings[1].severity: "severe" is not a number
        guardduty-getfindings
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
        guardduty-iam-user
          guardduty 123456789012 AccessKey { id: AccessKeyId("ASIAEXAMPLEEXAMPLE00"), user: Some(UserName("alice")) } Recon:IAMUser/MaliciousIPCaller -> contain
        guardduty-malware
          guardduty us-east-1/i-0123456789abcdef0 Execution:EC2/MaliciousFile -> contain
        guardduty-role-session
          guardduty 123456789012 Session { kind: Role, name: "deploy" } UnauthorizedAccess:IAMUser/MaliciousIPCaller with 198.51.100.23 -> ask
        guardduty-root-key
          guardduty 123456789012 Root { key: Some(AccessKeyId("AKIAEXAMPLEEXAMPLE09")) } Policy:IAMUser/RootCredentialUsage with 198.51.100.23 -> ask
        guardduty-s3
          nothing: the finding Exfiltration:S3/AnomalousBehavior is about a resource that is not an instance
        guardduty-sample
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> ignore
        guardduty-text
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
        guardduty-user-key
          guardduty 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: Some(UserName("alice")) } UnauthorizedAccess:IAMUser/MaliciousIPCaller with 198.51.100.23 -> contain
        health-abuse-backup-region
          health us-east-1/i-0123456789abcdef0 AWS_ABUSE_DOS_REPORT -> contain
        health-abuse-closed
          notice: Nothing was done about AWS_ABUSE_DOS_REPORT in 123456789012/us-east-1: AWS has closed the abuse report, or calls the resources in it resolved.
        health-abuse-names-nothing
          notice: Nothing was done about AWS_ABUSE_DOS_REPORT in 123456789012/us-east-1: the abuse report names no instance and no address of one.
        health-abuse-organization
          health us-east-1/i-0123456789abcdef0 AWS_ABUSE_DOS_REPORT -> refused
        health-abuse
          health us-east-1/i-0123456789abcdef0 AWS_ABUSE_DOS_REPORT -> contain
          health eu-west-1/i-0fedcba9876543210 AWS_ABUSE_DOS_REPORT -> contain
        health-copyright
          notice: Nothing was done about AWS_ABUSE_COPYRIGHT_DMCA_REPORT in 123456789012/eu-central-1: the abuse report is about content, which is not a sign of compromise.
        health-exposed-key-not-named
          notice: Nothing was done about AWS_RISK_CREDENTIALS_EXPOSED in 123456789012/eu-central-1: AWS found an access key in public, and the event does not say which.
        health-exposed-key
          health 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: None } AWS_RISK_CREDENTIALS_EXPOSED -> contain
        health-other
          nothing: the Health event AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED of EC2 is not an abuse report
        manual-abuse-report
          abuse_report us-east-1/i-0123456789abcdef0 Abuse Report with 198.51.100.7 -> contain
        manual-access-key
          manual 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: None } Manual -> contain
        manual-force
          manual eu-central-1/i-0123456789abcdef0 Manual -> contain
        manual-plan
          manual eu-central-1/i-0123456789abcdef0 Manual -> contain
        manual-stop
          manual eu-central-1/i-0123456789abcdef0 Manual -> contain
        manual-user
          manual 123456789012 User(UserName("alice")) Manual -> contain
        manual
          manual eu-central-1/i-0123456789abcdef0 Manual -> contain
        plan-release
          manual eu-central-1/i-0123456789abcdef0 Manual -> contain
        readiness
          how ready the account is: Readiness { prepare: true, accounts: [], instance: None, notify: false }
        release-user
          manual 123456789012 User(UserName("alice")) Manual -> contain
        release
          manual eu-central-1/i-0123456789abcdef0 Manual -> contain
        securityhub-access-key
          guardduty us-east-1/i-0123456789abcdef0 UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS -> contain
        securityhub-custom-action-bare
          custom_action us-east-1/i-0123456789abcdef0 Software and Configuration Checks/Industry and Regulatory Standards -> contain
          unread: detail.findings[1].Resources[0].Id: "not-an-instance" is not the id or the ARN of an EC2 instance
        securityhub-custom-action
          custom_action us-east-1/i-0123456789abcdef0 Software and Configuration Checks/Industry and Regulatory Standards -> contain
        securityhub-edited
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS with 203.0.113.77 -> ask
        securityhub-eks
          guardduty us-east-1/i-0123456789abcdef0 CryptoCurrency:Runtime/BitcoinTool.B with 203.0.113.77 -> ask
        securityhub-imported
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS with 203.0.113.77 -> contain
        securityhub-other-action
          nothing: the custom action is not in BRIG_CUSTOM_ACTIONS
        securityhub-posture
          nothing: no finding of the event is GuardDuty's about an instance, or chosen for one
        securityhub-user-key-chosen
          custom_action 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: Some(UserName("alice")) } UnauthorizedAccess:IAMUser/MaliciousIPCaller with 198.51.100.23 -> contain
        securityhub-user-key
          guardduty 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: Some(UserName("alice")) } UnauthorizedAccess:IAMUser/MaliciousIPCaller with 198.51.100.23 -> contain
        securityhub-v2-access-key
          guardduty us-east-1/i-0123456789abcdef0 UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS -> contain
        securityhub-v2-bare
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B with 203.0.113.77 -> contain
        securityhub-v2-eks
          guardduty us-east-1/i-0123456789abcdef0 CryptoCurrency:Runtime/BitcoinTool.B with 203.0.113.77 -> ask
        securityhub-v2-user-key
          guardduty 123456789012 AccessKey { id: AccessKeyId("AKIAEXAMPLEEXAMPLE00"), user: Some(UserName("alice")) } UnauthorizedAccess:IAMUser/MaliciousIPCaller -> contain
        securityhub-v2
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
        show
          all active containments: Show(Target(Instance(InstanceKey { account: AccountId("123456789012"), region: Region("eu-central-1"), instance: InstanceId("i-0123456789abcdef0") })))
        sns-smuggled
          error: a manual request is accepted by direct invoke only, not in a message
        sns
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
        sqs
          guardduty us-east-1/i-0123456789abcdef0 Backdoor:EC2/C&CActivity.B!DNS -> contain
          error: the message is not JSON: expected ident at line 1 column 2
          tag us-east-1/i-0123456789abcdef0 Tag -> contain
        status
          all active containments: Status { from: None, of: None }
        tag-of-brig
          nothing: no trigger tag was set
        tag-removed
          nothing: no trigger tag was set
        tag-set
          tag us-east-1/i-0123456789abcdef0 Tag -> contain
        verify
          all active containments: Verify { scheduled: false }
    "#]].assert_eq(&table);
}
