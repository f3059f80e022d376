//! Writes a part of a case: intent with the hash first, then the object, then what S3 keeps of it; at the end the manifest and its
//! seal. A second run writes nothing new. One that died is taken on where it was: an object that is in the bucket was written by a
//! run that had its hash on record, since one alone holds the part.

mod ports;
mod record;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use brig_core::model::timestamp::Timestamp;
use brig_engine::ports::{Clock, CloudError, PortResult};
use brig_evidence::{
    Case, Entry, Header, MANIFEST, Manifest, Missing, Part, Prints, SEAL, Seal, Signature, Statement, Written,
};
use futures::{StreamExt, stream};
use serde::Serialize;

pub use self::{
    ports::{Book, Locked, Put, PutError, Signs, Vault},
    record::{Ask, ObjectRecord, ObjectState, OnRecord, PartRecord, Progress, Record, TaskRecord, prefix},
};

/// A part is held so long: longer than an invocation may last.
const LEASE: Duration = Duration::from_secs(130);
/// So much is taken at once.
const AT_ONCE: usize = 6;
/// What a larger file is cut into: what is kept of it must fit an item of the ledger.
const LARGEST: usize = 8 << 20;
/// A write that failed for now is tried so often.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// A file of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub bytes: Vec<u8>,
    /// `ec2:DescribeInstances`.
    pub source: String,
    /// Request ids of the answers that it holds.
    pub requests: Vec<String>,
}

/// Something that is to be taken.
#[async_trait::async_trait]
pub trait Take: Send + Sync {
    /// Its name: of the file, or of the folder.
    fn name(&self) -> String;
    /// Takes it.
    ///
    /// # Errors
    /// Why it cannot be had.
    async fn take(&self) -> Result<Vec<Found>, NotHad>;
}

/// Why something could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHad {
    /// For a person.
    pub why: String,
    /// Whether asking again may help.
    pub may_help: Again,
}

/// Whether asking again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    MayHelp,
    IsFutile,
}

impl From<CloudError> for NotHad {
    fn from(error: CloudError) -> Self {
        let may_help = if error.is_retryable() { Again::MayHelp } else { Again::IsFutile };
        Self { why: error.to_string(), may_help }
    }
}

/// What a part is written with.
pub struct Desk<'a> {
    pub vault: &'a dyn Vault,
    pub book: &'a dyn Book,
    pub signs: &'a dyn Signs,
    pub clock: &'a dyn Clock,
    /// The request id of this invocation.
    pub request: &'a str,
    /// The ARN of its session.
    pub by: &'a str,
    /// How long objects are kept.
    pub kept: Duration,
    /// Nothing more is taken after this.
    pub deadline: Timestamp,
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error(
        "the bucket has no Object Lock, so that whoever may delete could take evidence away: enable it (aws s3api put-object-lock-configuration --bucket <bucket> --object-lock-configuration ObjectLockEnabled=Enabled; versioning must be on) or name another bucket in BRIG_EVIDENCE_BUCKET"
    )]
    NoLock,
    #[error("somebody else is taking this part; ask again in two minutes")]
    Held,
    #[error("{0}")]
    Cloud(CloudError),
}

impl From<CloudError> for BundleError {
    fn from(error: CloudError) -> Self {
        Self::Cloud(error)
    }
}

/// How a part stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was sealed now.
    Sealed,
    /// It had been; nothing was written.
    SealedBefore,
    /// It is not; ask again, and it goes on where it is.
    Unfinished,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// `<account>/<region>/<instance>/<containment>`.
    pub case: String,
    pub part: String,
    pub standing: Standing,
    /// Objects of the part, the manifest and the seal not counted.
    pub objects: usize,
    /// How many objects this run wrote.
    pub written: usize,
    /// What could not be had.
    pub missing: Vec<Missing>,
    /// SHA-256 of the manifest, once it is sealed.
    pub head: Option<String>,
    /// The key that signed it.
    pub signed_by: Option<String>,
    pub retained_until: String,
    /// What is not as it should be.
    pub gaps: Vec<String>,
}

/// A part that is being written.
struct Writing<'a> {
    desk: &'a Desk<'a>,
    case: &'a Case,
    part: &'a Part,
    until: Timestamp,
    /// What is in the bucket, by key.
    there: BTreeMap<String, u64>,
    /// What was on record before this run, by name.
    before: BTreeMap<String, ObjectRecord>,
}

/// Writes a part, or goes on with it.
///
/// # Errors
/// Nothing could be written.
pub async fn write_part(
    desk: &Desk<'_>,
    (case, part): (&Case, &Part),
    takes: &[Box<dyn Take + '_>],
) -> Result<Bundle, BundleError> {
    let below = prefix(case);
    let (locked, read) = futures::join!(desk.vault.has_lock(), desk.book.records(&case.target, &below));
    let on_record = OnRecord::read(&read?);
    if let Some(known) = on_record.part(part).filter(|known| known.progress != Progress::Open) {
        return Ok(sealed_before(case, known, &on_record));
    }
    if !locked? {
        return Err(BundleError::NoLock);
    }
    let now = desk.clock.now();
    let record = on_record.part(part).cloned().unwrap_or_else(|| PartRecord {
        part: part.to_string(),
        opened: now.to_string(),
        by: desk.by.to_owned(),
        before: on_record.last_head(part),
        retain_until: now.after(desk.kept).to_string(),
        progress: Progress::Open,
    });
    if !hold(desk, case, &record).await? {
        return Err(BundleError::Held);
    }
    // Once it is held: what somebody wrote until then is seen.
    let folder = format!("{}/{part}/", case.prefix());
    let (keys, read) = futures::join!(desk.vault.keys(&folder), desk.book.records(&case.target, &below));
    let on_record = OnRecord::read(&read?);
    if let Some(known) = on_record.part(part).filter(|known| known.progress != Progress::Open) {
        return Ok(sealed_before(case, known, &on_record));
    }
    let of_part = |object: &&ObjectRecord| object.part == part.to_string();
    let writing = Writing {
        desk,
        case,
        part,
        until: Timestamp::parse(&record.retain_until).unwrap_or_else(|| now.after(desk.kept)),
        there: keys?.into_iter().collect(),
        before: on_record.objects.iter().filter(of_part).map(|object| (object.name.clone(), object.clone())).collect(),
    };
    writing.run(record, on_record, takes).await
}

async fn hold(desk: &Desk<'_>, case: &Case, part: &PartRecord) -> PortResult<bool> {
    let record = Record::Part(part.clone());
    let now = desk.clock.now();
    let times = (now, now.after(LEASE));
    desk.book.put_held(&case.target, &record.sk(case), &record.text(), desk.request, times).await
}

fn sealed_before(case: &Case, part: &PartRecord, on_record: &OnRecord) -> Bundle {
    let head = match &part.progress {
        Progress::Sealed { head, .. } => Some(head.clone()),
        Progress::Open => None,
    };
    Bundle {
        case: case.prefix(),
        part: part.part.clone(),
        standing: Standing::SealedBefore,
        objects: entries(on_record, &part.part).len(),
        written: 0,
        missing: missing(on_record, &part.part),
        head,
        signed_by: None,
        retained_until: part.retain_until.clone(),
        gaps: Vec::new(),
    }
}

/// The objects of a part that were written, but for its manifest and its seal.
fn entries(on_record: &OnRecord, part: &str) -> Vec<Entry> {
    let objects = on_record.objects.iter().filter(|object| object.part == part);
    let objects = objects.filter(|object| object.name != MANIFEST && object.name != SEAL);
    let entries = objects.filter_map(|object| match &object.state {
        ObjectState::Intended => None,
        ObjectState::Written(written) => Some(Entry {
            name: object.name.clone(),
            prints: object.prints.clone(),
            source: object.source.clone(),
            requests: object.requests.clone(),
            taken: object.taken.clone(),
            written: written.clone(),
        }),
    });
    entries.collect()
}

fn missing(on_record: &OnRecord, part: &str) -> Vec<Missing> {
    let tasks = on_record.tasks.iter().filter(|task| task.part == part);
    tasks.filter_map(|task| Some(Missing { name: task.name.clone(), why: task.missing.clone()? })).collect()
}

impl Writing<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.case.prefix(), self.part)
    }

    async fn run(
        &self,
        mut part: PartRecord,
        on_record: OnRecord,
        takes: &[Box<dyn Take + '_>],
    ) -> Result<Bundle, BundleError> {
        let of_part = |task: &&TaskRecord| task.part == part.part;
        let done: BTreeSet<&str> = on_record.tasks.iter().filter(of_part).map(|task| task.name.as_str()).collect();
        let left = takes.iter().filter(|take| !done.contains(take.name().as_str()));
        let ended: Vec<PortResult<usize>> =
            stream::iter(left).map(|take| self.take(take.as_ref())).buffer_unordered(AT_ONCE).collect().await;
        let (mut written, mut failed) = (0, Vec::new());
        for ended in ended {
            match ended {
                Ok(count) => written += count,
                Err(error) => failed.push(error.to_string()),
            }
        }
        let read = self.desk.book.records(&self.case.target, &prefix(self.case)).await?;
        let on_record = OnRecord::read(&read);
        let tasks: BTreeSet<&str> =
            on_record.tasks.iter().filter(|task| task.part == part.part).map(|task| task.name.as_str()).collect();
        let unfinished = takes.iter().filter(|take| !tasks.contains(take.name().as_str())).count();
        let is_whole = unfinished == 0 && failed.is_empty();
        let mut bundle = Bundle {
            written,
            standing: Standing::Unfinished,
            gaps: failed,
            ..sealed_before(self.case, &part, &on_record)
        };
        bundle.gaps.extend(self.not_kept(&on_record));
        if !is_whole || self.is_late() {
            return Ok(bundle);
        }
        let sealed = match self.seal(&part, &on_record).await {
            Ok(sealed) => sealed,
            Err(error) => {
                bundle.gaps.push(error.to_string());
                return Ok(bundle);
            }
        };
        let (head, at) = (sealed.statement.manifest.sha256.clone(), self.desk.clock.now().to_string());
        part.progress = Progress::Sealed { head: head.clone(), at };
        if !hold(self.desk, self.case, &part).await? {
            return Err(BundleError::Held);
        }
        bundle.standing = Standing::Sealed;
        bundle.head = Some(head);
        bundle.signed_by = sealed.statement.key.map(|key| key.arn);
        Ok(bundle)
    }

    fn is_late(&self) -> bool {
        self.desk.clock.now() >= self.desk.deadline
    }

    /// What S3 does not keep as long as it was asked to.
    fn not_kept(&self, on_record: &OnRecord) -> Vec<String> {
        let kept = |written: &Written| {
            let until = written.retained_until.as_deref().and_then(Timestamp::parse);
            // S3 keeps whole seconds.
            until.is_some_and(|until| until.millis() / 1000 >= self.until.millis() / 1000)
        };
        let entries = entries(on_record, &self.part.to_string());
        let not = entries.iter().filter(|entry| !kept(&entry.written));
        not.map(|entry| match &entry.written.retained_until {
            Some(until) => format!("S3 keeps {} until {until} only", entry.name),
            None => format!("S3 did not say that it keeps {}", entry.name),
        })
        .collect()
    }

    /// Takes and writes; says how many objects it wrote.
    async fn take(&self, take: &dyn Take) -> PortResult<usize> {
        let name = take.name();
        if self.is_late() {
            return Ok(0);
        }
        let mut tries = 1;
        let taken = loop {
            match take.take().await {
                Err(NotHad { may_help: Again::MayHelp, .. }) if tries < TRIES && !self.is_late() => {
                    self.desk.clock.sleep(PAUSE * tries).await;
                    tries += 1;
                }
                taken => break taken,
            }
        };
        let at = self.desk.clock.now();
        let (found, why) = match taken {
            Ok(found) => (found, None),
            Err(NotHad { why, .. }) => (Vec::new(), Some(why)),
        };
        let mut written = 0;
        for file in found.into_iter().flat_map(split) {
            let intended = ObjectRecord {
                part: self.part.to_string(),
                prints: Prints::of(&file.bytes),
                name: file.name,
                source: file.source,
                requests: file.requests,
                taken: at.to_string(),
                text: None,
                state: ObjectState::Intended,
            };
            written += usize::from(self.write(intended, &file.bytes).await?);
        }
        self.record(Record::Task(TaskRecord { part: self.part.to_string(), name, missing: why })).await?;
        Ok(written)
    }

    async fn record(&self, record: Record) -> PortResult<()> {
        let (sk, text) = (record.sk(self.case), record.text());
        self.trying(|| self.desk.book.put(&self.case.target, &sk, &text)).await
    }

    /// Writes an object, unless it is written; says whether it did.
    async fn write(&self, intended: ObjectRecord, bytes: &[u8]) -> PortResult<bool> {
        let key = self.key(&intended.name);
        let before = self.before.get(&intended.name);
        match before.map(|before| &before.state) {
            Some(ObjectState::Written(_)) => return Ok(false),
            // A run before wrote it and did not live to say so: what it holds is what was intended then.
            Some(ObjectState::Intended) if self.there.contains_key(&key) => {
                if let Some(before) = before {
                    self.written(before.clone(), Put::default(), &key).await?;
                }
                return Ok(false);
            }
            Some(ObjectState::Intended) | None => {}
        }
        self.record(Record::Object(intended.clone())).await?;
        let put = self.put(&key, bytes, &intended.prints).await?;
        self.written(intended, put, &key).await?;
        Ok(true)
    }

    /// PutObject until it is there. That one is there already is the answer of our own write, whose answer was lost.
    async fn put(&self, key: &str, bytes: &[u8], prints: &Prints) -> PortResult<Put> {
        let sha256 = BASE64.encode(digest(&prints.sha256));
        self.trying(|| async {
            match self.desk.vault.put(key, bytes, &sha256, self.until).await {
                Ok(put) => Ok(put),
                Err(PutError::Failed(error)) => Err(error),
                Err(PutError::Exists) => {
                    let there = self.desk.vault.keys(key).await?;
                    let size = there.iter().find(|(found, _)| found == key).map(|(_, size)| *size);
                    if size == Some(prints.bytes) {
                        return Ok(Put::default());
                    }
                    Err(CloudError {
                        operation: "PutObject",
                        kind: brig_engine::ports::ErrorKind::Other,
                        code: "PreconditionFailed".to_owned(),
                        message: format!("{key} is there, is not what was taken, and is not on record"),
                    })
                }
            }
        })
        .await
    }

    /// Reads back until when it is kept, and records that it was written.
    async fn written(&self, object: ObjectRecord, put: Put, key: &str) -> PortResult<()> {
        let retention = self.trying(|| self.desk.vault.retention(key)).await;
        let retained_until = match retention {
            Ok(Locked::Until(until)) => Some(until.to_string()),
            Ok(Locked::Not) | Err(_) => None,
        };
        let at = self.desk.clock.now().to_string();
        let written = Written { at, request: put.request, version: put.version, retained_until };
        self.record(Record::Object(ObjectRecord { state: ObjectState::Written(written), ..object })).await
    }

    /// Writes the manifest and the seal. Both can be made again from what is on record, but for the signature, which is
    /// on record before it is written.
    async fn seal(&self, part: &PartRecord, on_record: &OnRecord) -> PortResult<Seal> {
        let header = Header::new(self.case, self.part, part.opened.clone(), part.by.clone(), part.before.clone());
        let manifest = Manifest {
            header: header.clone(),
            objects: entries(on_record, &part.part),
            missing: missing(on_record, &part.part),
        };
        let text = manifest.text();
        let object = |name: &str, bytes: &[u8], text: Option<String>| ObjectRecord {
            part: part.part.clone(),
            name: name.to_owned(),
            prints: Prints::of(bytes),
            source: "brig".to_owned(),
            requests: Vec::new(),
            taken: self.desk.clock.now().to_string(),
            text,
            state: ObjectState::Intended,
        };
        self.write(object(MANIFEST, text.as_bytes(), None), text.as_bytes()).await?;
        // It was made before this run: a second signature of the same would be another text.
        let kept = self.before.get(SEAL).and_then(|before| before.text.as_deref());
        if let Some((kept, seal)) = kept.and_then(|kept| Some((kept, Seal::read(kept)?)))
            && seal.statement.manifest.fits(text.as_bytes())
        {
            self.write(object(SEAL, kept.as_bytes(), Some(kept.to_owned())), kept.as_bytes()).await?;
            return Ok(seal);
        }
        let key = self.trying(|| self.desk.signs.key()).await?;
        let statement = Statement::of(&header, &text, key);
        let signature = match (statement.digest(), &statement.key) {
            (Some(digest), Some(key)) => {
                let signed = self.trying(|| self.desk.signs.sign(&digest, &key.algorithm)).await?;
                Some(BASE64.encode(signed))
            }
            (_, _) => None,
        };
        let seal = Seal { statement, signature: Signature { signature } };
        let text = seal.text();
        self.write(object(SEAL, text.as_bytes(), Some(text.clone())), text.as_bytes()).await?;
        Ok(seal)
    }

    /// Tries what failed for now again.
    async fn trying<T, F: Future<Output = PortResult<T>>>(&self, call: impl Fn() -> F) -> PortResult<T> {
        let mut tries = 1;
        loop {
            match call().await {
                Err(error) if error.is_retryable() && tries < TRIES && !self.is_late() => {
                    self.desk.clock.sleep(PAUSE * tries).await;
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }
}

/// The bytes of a hash in hex digits.
fn digest(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Cuts what is too large for one object, where a line ends if there is one.
fn split(file: Found) -> Vec<Found> {
    if file.bytes.len() <= LARGEST {
        return vec![file];
    }
    let mut parts = Vec::new();
    let mut rest = file.bytes.as_slice();
    while !rest.is_empty() {
        let most = rest.get(..LARGEST).unwrap_or(rest);
        let end = if most.len() == rest.len() {
            most.len()
        } else {
            most.iter().rposition(|byte| *byte == b'\n').map_or(most.len(), |at| at + 1)
        };
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let name = format!("{}.{:03}", file.name, parts.len() + 1);
        parts.push(Found { name, bytes: part.to_vec(), ..file.clone() });
        rest = after;
    }
    parts
}
