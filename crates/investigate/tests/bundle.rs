//! Evidence is written once, and whole, whatever fails and whenever the function dies.
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at the first thing that is not as it must be")]

use std::{collections::BTreeMap, pin::pin, sync::Mutex, task::Poll, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use brig_core::model::{ids::TargetKey, timestamp::Timestamp};
use brig_engine::ports::{Clock, CloudError, ErrorKind, PortResult};
use brig_evidence::{Case, Check, MANIFEST, Part, SEAL, SigningKey, Trust, Verified};
use brig_investigate::bundle::{
    Again, Book, Bundle, BundleError, Desk, Found, Locked, NotHad, Put, PutError, Signs, Standing, Take, Vault,
    write_part,
};
use futures::{executor::block_on, future::poll_fn};
use sha2::{Digest as _, Sha256};

const START: i64 = 1_790_000_000_000;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fails(ErrorKind),
    /// It has its effect, and the answer is lost.
    IsLost,
    DiesBefore,
    DiesAfter,
}

/// A record, and who holds it until when.
type Kept = (String, Option<(String, Timestamp)>);

#[derive(Default)]
struct World {
    objects: Mutex<BTreeMap<String, (Vec<u8>, Timestamp)>>,
    records: Mutex<BTreeMap<String, Kept>>,
    calls: Mutex<Vec<&'static str>>,
    fates: Mutex<BTreeMap<usize, Fate>>,
    dead: Mutex<bool>,
    now: Mutex<i64>,
    lock: Mutex<Option<bool>>,
    signatures: Mutex<u8>,
    keeps: Mutex<Option<Locked>>,
}

fn failed(operation: &'static str, kind: ErrorKind) -> CloudError {
    CloudError { operation, kind, code: "Broken".to_owned(), message: "it was broken".to_owned() }
}

impl World {
    async fn call<T>(&self, operation: &'static str, effect: impl FnOnce() -> T) -> Result<T, CloudError> {
        let number = {
            let mut calls = self.calls.lock().expect("calls");
            calls.push(operation);
            calls.len() - 1
        };
        *self.now.lock().expect("time") += 10;
        let fate = self.fates.lock().expect("fates").remove(&number);
        match fate {
            None => Ok(effect()),
            Some(Fate::Fails(kind)) => Err(failed(operation, kind)),
            Some(Fate::IsLost) => {
                effect();
                Err(failed(operation, ErrorKind::Transient))
            }
            Some(Fate::DiesBefore) => self.die().await,
            Some(Fate::DiesAfter) => {
                effect();
                self.die().await
            }
        }
    }

    async fn die<T>(&self) -> T {
        *self.dead.lock().expect("life") = true;
        std::future::pending().await
    }

    fn files(&self, case: &Case, part: &Part) -> BTreeMap<String, Vec<u8>> {
        let prefix = format!("{}/{part}/", case.prefix());
        let objects = self.objects.lock().expect("objects");
        let of_part = objects.iter().filter_map(|(key, (bytes, _))| Some((key.strip_prefix(&prefix)?, bytes.clone())));
        of_part.map(|(name, bytes)| (name.to_owned(), bytes)).collect()
    }
}

#[async_trait]
impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(START + *self.now.lock().expect("time"))
    }

    async fn sleep(&self, duration: Duration) {
        *self.now.lock().expect("time") += i64::try_from(duration.as_millis()).expect("short");
    }
}

#[async_trait]
impl Vault for World {
    async fn has_lock(&self) -> PortResult<bool> {
        self.call("GetObjectLockConfiguration", || self.lock.lock().expect("lock").unwrap_or(true)).await
    }

    async fn put(&self, key: &str, bytes: &[u8], sha256: &str, until: Timestamp) -> Result<Put, PutError> {
        if BASE64.encode(Sha256::digest(bytes)) != sha256 {
            return Err(PutError::Failed(failed("PutObject", ErrorKind::Other)));
        }
        let put = self.call("PutObject", || {
            let mut objects = self.objects.lock().expect("objects");
            if objects.contains_key(key) {
                return Err(PutError::Exists);
            }
            objects.insert(key.to_owned(), (bytes.to_vec(), until));
            Ok(Put { request: Some("r".to_owned()), version: Some(format!("v{}", objects.len())) })
        });
        put.await.map_err(PutError::Failed)?
    }

    async fn retention(&self, key: &str) -> PortResult<Locked> {
        let keeps = *self.keeps.lock().expect("what it keeps");
        self.call("GetObjectRetention", || {
            keeps.unwrap_or_else(|| Locked::Until(self.objects.lock().expect("objects")[key].1))
        })
        .await
    }

    async fn keys(&self, prefix: &str) -> PortResult<Vec<(String, u64)>> {
        self.call("ListObjectsV2", || {
            let objects = self.objects.lock().expect("objects");
            let below = objects.iter().filter(|(key, _)| key.starts_with(prefix));
            below.map(|(key, (bytes, _))| (key.clone(), bytes.len() as u64)).collect()
        })
        .await
    }
}

#[async_trait]
impl Book for World {
    async fn records(&self, target: &TargetKey, prefix: &str) -> PortResult<Vec<(String, String)>> {
        self.call("Query", || {
            let place = format!("{}#{prefix}", target.pk());
            let records = self.records.lock().expect("records");
            let below = records.iter().filter(|(key, _)| key.starts_with(&place));
            below.map(|(key, (text, _))| (key.clone(), text.clone())).collect()
        })
        .await
    }

    async fn put(&self, target: &TargetKey, sk: &str, record: &str) -> PortResult<()> {
        self.call("PutItem", || {
            let mut records = self.records.lock().expect("records");
            records.insert(format!("{}#{sk}", target.pk()), (record.to_owned(), None));
        })
        .await
    }

    async fn put_held(
        &self,
        target: &TargetKey,
        sk: &str,
        record: &str,
        holder: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> PortResult<bool> {
        self.call("PutItem", || {
            let mut records = self.records.lock().expect("records");
            let key = format!("{}#{sk}", target.pk());
            let held = records.get(&key).and_then(|(_, held)| held.clone());
            if held.is_some_and(|(by, until)| by != holder && until >= now) {
                return false;
            }
            records.insert(key, (record.to_owned(), Some((holder.to_owned(), until))));
            true
        })
        .await
    }
}

#[async_trait]
impl Signs for World {
    async fn key(&self) -> PortResult<Option<SigningKey>> {
        self.call("GetPublicKey", || {
            Some(SigningKey {
                arn: "arn:aws:kms:us-east-1:111122223333:key/1".to_owned(),
                algorithm: "ECDSA_SHA_256".to_owned(),
                public_key: "AAAA".to_owned(),
            })
        })
        .await
    }

    async fn sign(&self, _: &[u8], _: &str) -> PortResult<Vec<u8>> {
        self.call("Sign", || {
            // No two signatures of the same are the same.
            let mut signatures = self.signatures.lock().expect("signatures");
            *signatures += 1;
            vec![*signatures; 70]
        })
        .await
    }
}

struct Nothing;

#[async_trait]
impl Signs for Nothing {
    async fn key(&self) -> PortResult<Option<SigningKey>> {
        Ok(None)
    }

    async fn sign(&self, _: &[u8], _: &str) -> PortResult<Vec<u8>> {
        Ok(Vec::new())
    }
}

/// Whatever is taken, the next time it is something else: the world goes on.
struct Moves(&'static str, Mutex<u32>);

#[async_trait]
impl Take for Moves {
    fn name(&self) -> String {
        self.0.to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        let mut times = self.1.lock().expect("times");
        *times += 1;
        let file = |name: String| Found {
            bytes: format!("{name} as it was the {times}. time{}\n", "!".repeat(*times as usize)).into_bytes(),
            name,
            source: "ec2:DescribeInstances".to_owned(),
            requests: vec!["r-1".to_owned()],
        };
        Ok(vec![file(format!("{}/a.xml", self.0)), file(format!("{}/b.xml", self.0))])
    }
}

struct Lacks(Again);

#[async_trait]
impl Take for Lacks {
    fn name(&self) -> String {
        "instance/screenshot.jpg".to_owned()
    }

    async fn take(&self) -> Result<Vec<Found>, NotHad> {
        Err(NotHad { why: "AWS takes none of this type".to_owned(), may_help: self.0 })
    }
}

fn takes() -> Vec<Box<dyn Take>> {
    vec![
        Box::new(Moves("instance", Mutex::default())),
        Box::new(Moves("network", Mutex::default())),
        Box::new(Lacks(Again::IsFutile)),
    ]
}

fn case() -> Case {
    let target = TargetKey::parse("111122223333/us-east-1/i-0123456789abcdef0").expect("a key");
    Case { target, containment: "i-0123456789abcdef0-20260102T030405Z".into() }
}

/// One invocation; none where it died.
fn invoke(
    world: &World,
    signs: &dyn Signs,
    request: &str,
    takes: &[Box<dyn Take>],
    part: &Part,
) -> Option<Result<Bundle, BundleError>> {
    *world.dead.lock().expect("life") = false;
    let desk = Desk {
        vault: world,
        book: world,
        signs,
        clock: world,
        request,
        by: "arn:aws:sts::111122223333:assumed-role/brig-investigate/x",
        kept: Duration::from_hours(24 * 365),
        deadline: world.now().after(Duration::from_secs(100)),
    };
    let case = case();
    let mut run = pin!(write_part(&desk, (&case, part), takes));
    block_on(poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if *world.dead.lock().expect("life") => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    }))
}

fn verify(world: &World, part: &Part) -> Verified {
    let files = world.files(&case(), part);
    let empty = Vec::new();
    let file = |name: &str| files.get(name).unwrap_or(&empty);
    let mut check = Check::begin(file(MANIFEST), file(SEAL), &Trust::default());
    for (name, bytes) in &files {
        check.take(name, Ok(bytes));
    }
    check.end()
}

/// Whatever happened: invoked until it is sealed, it is whole, and another run writes nothing.
fn ends_well(world: &World, signs: &dyn Signs, takes: &[Box<dyn Take>], what: &str) {
    for number in 0..6 {
        // Who died holds it until its lease ends.
        *world.now.lock().expect("time") += 131_000;
        let ended = invoke(world, signs, &format!("again-{number}"), takes, &Part::Contained);
        if let Some(Ok(bundle)) = ended
            && bundle.standing != Standing::Unfinished
        {
            let verified = verify(world, &Part::Contained);
            let faults: Vec<_> =
                verified.faults.iter().filter(|fault| fault.wrong != brig_evidence::Wrong::Signature).collect();
            assert!(faults.is_empty(), "{what}: {faults:?}");
            assert_eq!((verified.whole, verified.missing.len()), (4, 1), "{what}");
            assert_eq!(bundle.head.as_deref(), Some(verified.head.as_str()), "{what}");
            world.fates.lock().expect("fates").clear();
            let before = world.objects.lock().expect("objects").clone();
            let again = invoke(world, signs, "later", takes, &Part::Contained).expect("it lives").expect("an answer");
            assert_eq!((again.standing, again.written, again.head), (Standing::SealedBefore, 0, bundle.head), "{what}");
            assert_eq!(*world.objects.lock().expect("objects"), before, "{what}");
            return;
        }
    }
    panic!("{what}: it is never sealed");
}

fn calls_of_a_calm_run(signs: fn(&World) -> &dyn Signs) -> Vec<&'static str> {
    let world = World::default();
    let bundle =
        invoke(&world, signs(&world), "first", &takes(), &Part::Contained).expect("it lives").expect("written");
    assert_eq!((bundle.standing, bundle.objects, bundle.written), (Standing::Sealed, 4, 4));
    assert_eq!(bundle.gaps, Vec::<String>::new());
    assert_eq!(bundle.missing.len(), 1);
    world.calls.into_inner().expect("calls")
}

fn signed(world: &World) -> &dyn Signs {
    world
}

fn unsigned(_: &World) -> &dyn Signs {
    &Nothing
}

#[test]
fn whatever_call_fails_is_lost_or_is_the_last_of_its_function_a_later_run_ends_it_and_writes_nothing_twice() {
    for signs in [signed as fn(&World) -> &dyn Signs, unsigned] {
        let calm = calls_of_a_calm_run(signs);
        assert!(calm.iter().filter(|call| **call == "PutObject").count() == 6, "{calm:?}");
        let fates = [
            Fate::Fails(ErrorKind::Throttled),
            Fate::Fails(ErrorKind::Other),
            Fate::IsLost,
            Fate::DiesBefore,
            Fate::DiesAfter,
        ];
        for (number, call) in calm.iter().enumerate() {
            for fate in fates {
                let world = World::default();
                world.fates.lock().expect("fates").insert(number, fate);
                let takes = takes();
                let _ = invoke(&world, signs(&world), "first", &takes, &Part::Contained);
                ends_well(&world, signs(&world), &takes, &format!("{number} {call} {fate:?}"));
            }
        }
    }
}

#[test]
fn two_deaths_one_after_the_other_cost_nothing() {
    let calm = calls_of_a_calm_run(signed).len();
    for first in 0..calm {
        for second in (first + 1)..(first + 12) {
            let world = World::default();
            world.fates.lock().expect("fates").extend([(first, Fate::DiesAfter), (second, Fate::DiesAfter)]);
            let takes = takes();
            let _ = invoke(&world, &world, "first", &takes, &Part::Contained);
            *world.now.lock().expect("time") += 131_000;
            let _ = invoke(&world, &world, "second", &takes, &Part::Contained);
            ends_well(&world, &world, &takes, &format!("{first} {second}"));
        }
    }
}

#[test]
fn a_bucket_without_object_lock_is_refused_and_nothing_is_written() {
    let world = World { lock: Mutex::new(Some(false)), ..World::default() };
    let refused = invoke(&world, &Nothing, "first", &takes(), &Part::Contained).expect("it lives");
    assert_eq!(refused, Err(BundleError::NoLock));
    assert!(world.objects.lock().expect("objects").is_empty() && world.records.lock().expect("records").is_empty());
}

#[test]
fn what_s3_does_not_keep_is_said_and_the_entry_does_not_claim_it() {
    for (keeps, expected) in [
        (Locked::Not, "S3 did not say that it keeps instance/a.xml"),
        (Locked::Until(Timestamp::from_millis(START + 1000)), "S3 keeps instance/a.xml until"),
    ] {
        let world = World { keeps: Mutex::new(Some(keeps)), ..World::default() };
        let bundle = invoke(&world, &Nothing, "first", &takes(), &Part::Contained).expect("it lives").expect("written");
        assert_eq!(bundle.gaps.len(), 4);
        assert!(bundle.gaps.iter().any(|gap| gap.starts_with(expected)), "{:?}", bundle.gaps);
        assert_eq!(bundle.standing, Standing::Sealed);
    }
}

#[test]
fn who_comes_while_somebody_is_at_it_waits_and_a_later_part_follows_the_one_before() {
    let world = World::default();
    world.fates.lock().expect("fates").insert(12, Fate::DiesBefore);
    assert_eq!(invoke(&world, &Nothing, "first", &takes(), &Part::Contained), None);
    let second = invoke(&world, &Nothing, "second", &takes(), &Part::Contained).expect("it lives");
    assert_eq!(second, Err(BundleError::Held));
    ends_well(&world, &Nothing, &takes(), "after the lease");
    let head = verify(&world, &Part::Contained).head;
    let released = Part::Released(Timestamp::from_millis(START));
    let later = invoke(&world, &Nothing, "third", &takes(), &released).expect("it lives").expect("written");
    assert_eq!((later.standing, later.written), (Standing::Sealed, 4));
    assert_eq!(verify(&world, &released).before, Some(head));
}

#[test]
fn what_may_help_is_asked_again_and_then_missing() {
    let world = World::default();
    let takes: Vec<Box<dyn Take>> = vec![Box::new(Lacks(Again::MayHelp))];
    let before = world.now();
    let bundle = invoke(&world, &Nothing, "first", &takes, &Part::Contained).expect("it lives").expect("written");
    assert_eq!((bundle.objects, bundle.missing.len(), bundle.standing), (0, 1, Standing::Sealed));
    assert!(world.now().since(before) >= Duration::from_secs(3), "it waited in between");
}

#[test]
fn what_is_too_large_for_one_object_is_cut_where_a_line_ends() {
    struct Large;
    #[async_trait]
    impl Take for Large {
        fn name(&self) -> String {
            "cloudtrail.jsonl".to_owned()
        }

        async fn take(&self) -> Result<Vec<Found>, NotHad> {
            let bytes = "0123456789\n".repeat(1_000_000).into_bytes();
            Ok(vec![Found {
                name: self.name(),
                bytes,
                source: "cloudtrail:LookupEvents".to_owned(),
                requests: Vec::new(),
            }])
        }
    }
    let world = World::default();
    let takes: Vec<Box<dyn Take>> = vec![Box::new(Large)];
    let bundle = invoke(&world, &Nothing, "first", &takes, &Part::Contained).expect("it lives").expect("written");
    assert_eq!((bundle.standing, bundle.objects), (Standing::Sealed, 2));
    let files = world.files(&case(), &Part::Contained);
    let (one, two) = (&files["cloudtrail.jsonl.001"], &files["cloudtrail.jsonl.002"]);
    assert_eq!((one.len() + two.len(), one.last()), (11_000_000, Some(&b'\n')));
    assert_eq!(verify(&world, &Part::Contained).faults, []);
}
