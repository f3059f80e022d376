//! Gathering records from a trail that is paged, throttled, denied and late, in virtual time.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it must be"
)]

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use async_trait::async_trait;
use brig_core::model::{ids::Region, timestamp::Timestamp};
use brig_engine::ports::{Clock, CloudError, ErrorKind, PortResult};
use brig_investigate::{By, Gathered, Page, Source, Texts, Window, gather};
use brig_trace::{Root, Trace};
use futures::executor::block_on;
use serde_json::{Value, json};

const LEAKED: &str = "AKIALEAKEDLEAKED0000";

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + second * 1000)
}

/// Time passes where somebody waits, and a little at each call.
#[derive(Default)]
struct Virtual(Mutex<i64>);

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(at(1000).millis() + *self.0.lock().expect("the time"))
    }

    async fn sleep(&self, duration: Duration) {
        *self.0.lock().expect("the time") += i64::try_from(duration.as_millis()).expect("short");
    }
}

/// A trail, by Region, that answers a page of two records.
#[derive(Default)]
struct Trail {
    records: BTreeMap<String, Vec<Value>>,
    /// Every so many calls one is throttled.
    throttles: Option<usize>,
    denied: Option<&'static str>,
    calls: Mutex<Vec<(Region, By, Timestamp)>>,
    clock: Virtual,
}

impl Trail {
    fn add(&mut self, region: &str, record: Value) {
        self.records.entry(region.to_owned()).or_default().push(record);
    }
}

#[async_trait]
impl Source for Trail {
    async fn page(&self, region: &Region, by: &By, _: (Timestamp, Timestamp), next: Option<&str>) -> PortResult<Page> {
        let number = {
            let mut calls = self.calls.lock().expect("the calls");
            calls.push((region.clone(), by.clone(), self.clock.now()));
            calls.len()
        };
        let failed = |kind, code: &str| CloudError {
            operation: "LookupEvents",
            kind,
            code: code.to_owned(),
            message: String::new(),
        };
        if self.denied == Some(region.as_str()) {
            return Err(failed(ErrorKind::Other, "AccessDeniedException"));
        }
        if self.throttles.is_some_and(|every| number % every == 0) {
            return Err(failed(ErrorKind::Throttled, "ThrottlingException"));
        }
        let of = |record: &&Value| match by {
            By::Key(key) => record["userIdentity"]["accessKeyId"] == *key.as_str(),
            By::Name(name) => {
                let principal = record["userIdentity"]["principalId"].as_str().unwrap_or_default();
                record["userIdentity"]["userName"] == *name.as_str() || principal.ends_with(&format!(":{name}"))
            }
            By::Resource(arn) => record["requestParameters"]["roleArn"] == *arn.as_str(),
        };
        let all: Vec<&Value> = self.records.get(region.as_str()).into_iter().flatten().filter(of).collect();
        let from: usize = next.map_or(0, |next| next.parse().expect("a place"));
        let records: Vec<Value> = all.iter().skip(from).take(2).map(|record| (*record).clone()).collect();
        let next = (from + records.len() < all.len()).then(|| (from + records.len()).to_string());
        Ok(Page { records, next })
    }
}

fn user(key: &str, name: &str) -> Value {
    json!({"type": "IAMUser", "accessKeyId": key, "userName": name, "accountId": "123456789012"})
}

fn record(second: i64, who: &Value, service: &str, call: &str, request: &Value, response: &Value) -> Value {
    json!({"eventID": format!("e{second}"), "eventName": call, "eventSource": format!("{service}.amazonaws.com"), "eventTime": at(second).to_string(),
        "awsRegion": "us-east-1", "userIdentity": who, "requestParameters": request, "responseElements": response})
}

/// A key that makes another, which assumes a role in another Region, whose session does five things there.
fn trail() -> Trail {
    let mut trail = Trail::default();
    let made = json!({"accessKey": {"accessKeyId": "AKIAMADEMADEMADE0000"}});
    trail.add(
        "us-east-1",
        record(1, &user(LEAKED, "alice"), "iam", "CreateAccessKey", &json!({"userName": "eve"}), &made),
    );
    let given = json!({"credentials": {"accessKeyId": "ASIASESSIONSESSION00"}, "assumedRoleUser": {"assumedRoleId": "AROAX:s"}});
    let role = json!({"roleArn": "arn:aws:iam::123456789012:role/app", "roleSessionName": "s"});
    trail.add("eu-west-1", record(2, &user("AKIAMADEMADEMADE0000", "eve"), "sts", "AssumeRole", &role, &given));
    let session = json!({"type": "AssumedRole", "accessKeyId": "ASIASESSIONSESSION00", "principalId": "AROAX:s", "accountId": "123456789012"});
    for second in 3..8 {
        let secret = json!({"secretId": format!("s{second}")});
        trail.add("sa-east-1", record(second, &session, "secretsmanager", "GetSecretValue", &secret, &Value::Null));
    }
    trail
}

fn regions() -> Vec<Region> {
    ["us-east-1", "eu-west-1", "sa-east-1"].iter().map(|region| region.parse().expect("a Region")).collect()
}

fn gathered(trail: &Trail, seconds: i64) -> Gathered {
    let root: Root = LEAKED.parse().expect("a key");
    let window = Window { since: at(0), until: at(1000), deadline: at(1000 + seconds) };
    let regions = regions();
    block_on(gather(trail, &trail.clock, (&root, vec![By::Key(LEAKED.to_owned())], window), &regions, Texts::Dropped))
}

fn trace(gathered: &Gathered) -> Trace {
    Trace::of(LEAKED.parse().expect("a key"), &gathered.records, None, at(2000), gathered.gaps.clone())
}

#[test]
fn every_credential_is_followed_through_every_region_and_page() {
    let trail = trail();
    let gathered = gathered(&trail, 100);
    assert_eq!(gathered.gaps, [""; 0]);
    assert_eq!(gathered.records.len(), 7);
    let trace = trace(&gathered);
    assert_eq!(trace.credentials.len(), 3);
    assert_eq!(trace.deeds.iter().map(|deed| deed.times).sum::<usize>(), 6, "{:?}", trace.deeds);
}

#[test]
fn the_sessions_of_a_role_are_followed_though_a_look_up_by_the_role_shows_only_who_assumed_it() {
    let trail = trail();
    let arn = "arn:aws:iam::123456789012:role/app";
    let root: Root = arn.parse().expect("a role");
    let window = Window { since: at(0), until: at(1000), deadline: at(1100) };
    let first = vec![By::Resource(arn.to_owned())];
    let gathered = block_on(gather(&trail, &trail.clock, (&root, first, window), &regions(), Texts::Kept));
    let trace = Trace::of(root, &gathered.records, None, at(2000), gathered.gaps);
    let ids: Vec<String> = trace.credentials.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["ASIASESSIONSESSION00"]);
    assert_eq!(trace.deeds.iter().map(|deed| deed.times).sum::<usize>(), 5, "{:?}", trace.deeds);
}

#[test]
fn what_a_user_with_a_new_password_did_is_looked_up_in_every_region() {
    let mut trail = Trail::default();
    let made =
        record(1, &user(LEAKED, "alice"), "iam", "CreateLoginProfile", &json!({"userName": "eve"}), &Value::Null);
    trail.add("us-east-1", made);
    let gathered = gathered(&trail, 100);
    assert_eq!(gathered.gaps, [""; 0]);
    let calls = trail.calls.lock().expect("the calls");
    let asked: Vec<&Region> =
        calls.iter().filter(|(_, by, _)| *by == By::Name("eve".to_owned())).map(|(region, ..)| region).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[test]
fn the_first_look_is_one_page_in_every_region_at_once_and_no_region_is_asked_more_than_twice_a_second() {
    let trail = trail();
    gathered(&trail, 100);
    let calls = trail.calls.lock().expect("the calls");
    let first: Vec<&Region> = calls.iter().take(3).map(|(region, ..)| region).collect();
    assert_eq!(first.len(), 3);
    assert!(calls.iter().take(3).all(|(_, _, when)| *when == at(1000)), "{calls:?}");
    for region in regions() {
        let times: Vec<i64> = calls.iter().filter(|(of, ..)| *of == region).map(|(_, _, when)| when.millis()).collect();
        for pair in times.windows(2) {
            assert!(pair.last().expect("two") - pair.first().expect("two") >= 500, "{region}: {times:?}");
        }
    }
}

#[test]
fn throttled_pages_are_read_later_and_the_answer_is_the_same() {
    let calm = serde_json::to_string(&trace(&gathered(&trail(), 100))).expect("JSON");
    for every in 2..8 {
        let throttled = Trail { throttles: Some(every), ..trail() };
        assert_eq!(serde_json::to_string(&trace(&gathered(&throttled, 1000))).expect("JSON"), calm, "every {every}");
    }
}

#[test]
fn what_time_or_a_denial_left_out_is_a_gap() {
    let short = gathered(&trail(), 1);
    assert!(short.gaps.iter().any(|gap| gap.contains("before time was over")), "{:?}", short.gaps);
    let denied = Trail { denied: Some("sa-east-1"), ..trail() };
    let denied = gathered(&denied, 100);
    assert!(
        denied.gaps.iter().any(|gap| gap.starts_with("sa-east-1:") && gap.contains("AccessDenied")),
        "{:?}",
        denied.gaps
    );
    let trace = trace(&denied);
    assert_eq!(trace.gaps, denied.gaps);
}
