//! What waits and what was: messages that could not be sent, questions to people, releases. Each is a list under a partition
//! key of its own, so that nothing of it is read with an instance's containment, before the cut.

use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Put, TransactWriteItem},
};
use brig_core::{
    ledger::{Cause, Channel, Containment, Question, QuestionPage, Release},
    model::{
        ids::{AccountId, InstanceKey, Region, TargetKey},
        timestamp::Timestamp,
    },
    report::{
        message::{self, Message},
        notices::{Unsent, UnsentPage},
    },
};
use brig_engine::ports::PortResult;
use serde::{Deserialize, Serialize};

use super::{
    DynamoLedger, Item, built,
    items::{self, broken, get, number, text},
};
use crate::error::Explain;

pub(super) const UNSENT: &str = "unsent";
pub(super) const QUESTIONS: &str = "questions";
const ANSWERED: &str = "answered";
pub(super) const RELEASED: &str = "released";

const DAY_SECONDS: i64 = 24 * 3600;
/// A message that nobody could be sent for a month helps nobody.
const UNSENT_DAYS: i64 = 30;
/// GuardDuty keeps a finding for 90 days (<https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings.html>).
const QUESTION_DAYS: i64 = 90;
const RELEASED_DAYS: i64 = 90;
/// So many are read: messages can be of 256 KB each, and an answer of DynamoDB holds 1 MB.
const MOST_UNSENT: i32 = 25;
const MOST_QUESTIONS: i32 = 100;
const MOST_RELEASES: i32 = 10;

fn expires(at: Timestamp, days: i64) -> AttributeValue {
    number(at.millis() / 1000 + days * DAY_SECONDS)
}

fn item<const N: usize>(pk: &str, sk: String, more: [(&str, AttributeValue); N]) -> Item {
    let keys = [("pk", text(pk)), ("sk", text(sk))];
    keys.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn unsent_sk(place: &str, id: &str) -> String {
    format!("{place}#{id}")
}

fn question_sk(key: &TargetKey, id: &str) -> String {
    format!("{}#{id}", key.pk())
}

pub(super) fn unsent(unsent: &Unsent) -> Item {
    let attributes = unsent.message.attributes.iter();
    let attributes = attributes.map(|(name, _, value)| ((*name).to_owned(), text(value))).collect();
    item(
        UNSENT,
        unsent_sk(&unsent.place, &unsent.id),
        [
            ("composed_at", text(unsent.at.to_string())),
            ("why", text(&unsent.why)),
            ("channel", text(unsent.channel.word())),
            ("subject", text(&unsent.message.subject)),
            ("body", text(&unsent.message.body)),
            ("attributes", AttributeValue::M(attributes)),
            ("expires_at", expires(unsent.at, UNSENT_DAYS)),
        ],
    )
}

pub(super) fn read_unsent(item: &Item) -> PortResult<Unsent> {
    let must = |name: &str| {
        get(item, name).ok_or_else(|| broken("Query", &format!("a message that waits to be sent has no {name}")))
    };
    let sk = must("sk")?;
    let (place, id) = sk
        .rsplit_once('#')
        .ok_or_else(|| broken("Query", &format!("a message that waits to be sent has the key {sk}")))?;
    let at = must("composed_at")?;
    let attributes = item.get("attributes").and_then(|value| value.as_m().ok()).into_iter().flatten();
    let attributes = attributes.filter_map(|(name, value)| {
        let (name, kind) = message::attribute(name)?;
        Some((name, kind, value.as_s().ok()?.clone()))
    });
    // An item of an older version has none: it is for people.
    let chat = get(item, "channel") == Some(Channel::Chat.word());
    Ok(Unsent {
        place: place.to_owned(),
        channel: if chat { Channel::Chat } else { Channel::People },
        id: id.to_owned(),
        at: Timestamp::parse(at).ok_or_else(|| broken("Query", &format!("composed_at: {at} is not a time")))?,
        why: must("why")?.to_owned(),
        message: Message {
            subject: must("subject")?.to_owned(),
            body: must("body")?.to_owned(),
            attributes: attributes.collect(),
            // A message that waits is for one way only.
            chat: None,
        },
    })
}

/// A question as its item holds it, but for what its key says.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    #[serde(default)]
    name: Option<String>,
    reason: String,
    #[serde(default)]
    cause: Cause,
    finding: String,
    source: String,
    kind: String,
    #[serde(default)]
    severity: Option<f64>,
    #[serde(default)]
    last_seen: Option<String>,
    since: String,
    notified: bool,
}

pub(super) fn question(question: &Question) -> PortResult<Item> {
    let asked = Asked {
        name: question.name.clone(),
        reason: question.reason.clone().into(),
        cause: question.cause,
        finding: question.finding.clone(),
        source: question.source.clone(),
        kind: question.kind.clone(),
        severity: question.severity,
        last_seen: question.last_seen.map(|at| at.to_string()),
        since: question.asked_at.to_string(),
        notified: question.notified,
    };
    let body = serde_json::to_string(&asked).map_err(|error| broken("PutItem", &error.to_string()))?;
    Ok(item(
        QUESTIONS,
        question_sk(&question.target, &question.question),
        [
            ("body", text(body)),
            ("reason", text(question.reason.to_string())),
            ("asked_at", text(question.asked_at.to_string())),
            ("expires_at", expires(question.asked_at, QUESTION_DAYS)),
        ],
    ))
}

pub(super) fn read_question(item: &Item) -> PortResult<Question> {
    let sk = get(item, "sk").unwrap_or_default();
    let wrong = |what: &str| broken("Query", &format!("the question {sk}: {what}"));
    let (place, id) = sk.rsplit_once('#').ok_or_else(|| wrong("its key has no id"))?;
    let key = TargetKey::parse(place).ok_or_else(|| wrong("its key names nothing to contain"))?;
    let asked: Asked =
        serde_json::from_str(get(item, "body").unwrap_or_default()).map_err(|error| wrong(&error.to_string()))?;
    Ok(Question {
        question: id.to_owned(),
        target: key,
        name: asked.name,
        reason: asked.reason.into(),
        cause: asked.cause,
        finding: asked.finding,
        source: asked.source,
        kind: asked.kind,
        severity: asked.severity,
        last_seen: asked.last_seen.as_deref().and_then(Timestamp::parse),
        asked_at: Timestamp::parse(&asked.since).ok_or_else(|| wrong("since is not a time"))?,
        notified: asked.notified,
    })
}

/// The item of a release, where the containment was released.
pub(super) fn released(key: &TargetKey, current: &Containment) -> Option<Item> {
    let at = current.released_at?;
    Some(item(
        RELEASED,
        format!("{at}#{}", key.pk()),
        [("containment_id", text(current.containment.as_str())), ("expires_at", expires(at, RELEASED_DAYS))],
    ))
}

fn read_release(item: &Item) -> PortResult<Release> {
    let sk = get(item, "sk").unwrap_or_default();
    let wrong = || broken("Query", &format!("the release {sk} names no instance"));
    let (at, place) = sk.split_once('#').ok_or_else(wrong)?;
    let key = TargetKey::parse(place).ok_or_else(wrong)?;
    Ok(Release {
        target: key,
        containment_id: get(item, "containment_id").unwrap_or_default().to_owned(),
        released_at: at.to_owned(),
    })
}

impl DynamoLedger {
    /// A list, or the part of it whose keys begin so.
    fn list(&self, pk: &str, prefix: Option<String>) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.expression_attribute_values(":pk", text(pk));
        match prefix {
            None => query.key_condition_expression("pk = :pk"),
            Some(prefix) => query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix)),
        }
    }

    pub(super) async fn unsent_of(&self, place: Option<&str>) -> PortResult<UnsentPage> {
        let query = self.list(UNSENT, place.map(|place| unsent_sk(place, ""))).limit(MOST_UNSENT);
        let answer = query.send().await.explain("Query")?;
        let unsent = answer.items().iter().map(read_unsent).collect::<PortResult<_>>()?;
        Ok(UnsentPage { unsent, more: answer.last_evaluated_key().is_some() })
    }

    pub(super) async fn forget(&self, place: &str, id: &str) -> PortResult<()> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.key("pk", text(UNSENT)).key("sk", text(unsent_sk(place, id)));
        delete.send().await.explain("DeleteItem").map(|_| ())
    }

    pub(super) async fn keep(&self, item: Item) -> PortResult<()> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.explain("PutItem").map(|_| ())
    }

    pub(super) async fn questions_of(&self, of: Option<&TargetKey>, from: Option<&str>) -> PortResult<QuestionPage> {
        let start = from.map(|sk| Item::from([("pk".to_owned(), text(QUESTIONS)), ("sk".to_owned(), text(sk))]));
        let query = self.list(QUESTIONS, of.map(|key| question_sk(key, ""))).limit(MOST_QUESTIONS);
        let answer = query.set_exclusive_start_key(start).send().await.explain("Query")?;
        let next = answer.last_evaluated_key().and_then(|key| get(key, "sk")).map(str::to_owned);
        Ok(QuestionPage { questions: answer.items().iter().map(read_question).collect::<PortResult<_>>()?, next })
    }

    /// An id does not say which instance it is about: the list is read until it comes.
    pub(super) async fn question_of(&self, id: &str) -> PortResult<Option<Question>> {
        let mut pages = self.list(QUESTIONS, None).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.explain("Query")?;
            if get(&item, "sk").and_then(|sk| sk.rsplit_once('#')).is_some_and(|(_, own)| own == id) {
                return read_question(&item).map(Some);
            }
        }
        Ok(None)
    }

    /// The question leaves the list of those that wait, and its answer stays on record, in one transaction.
    pub(super) async fn answer(&self, key: &TargetKey, question: &str, answer: &str, at: Timestamp) -> PortResult<()> {
        let sk = question_sk(key, question);
        let put = Put::builder().table_name(&self.table).set_item(Some(item(
            ANSWERED,
            sk.clone(),
            [
                ("answer", text(answer)),
                ("answered_at", text(at.to_string())),
                ("expires_at", expires(at, QUESTION_DAYS)),
            ],
        )));
        let delete = aws_sdk_dynamodb::types::Delete::builder().table_name(&self.table);
        let delete = delete.key("pk", text(QUESTIONS)).key("sk", text(sk));
        let writes = vec![
            TransactWriteItem::builder().put(built(put.build())?).build(),
            TransactWriteItem::builder().delete(built(delete.build())?).build(),
        ];
        let write = self.client.transact_write_items().set_transact_items(Some(writes));
        write.send().await.explain("TransactWriteItems").map(|_| ())
    }

    pub(super) async fn last_releases(&self) -> PortResult<Vec<Release>> {
        let query = self.list(RELEASED, None).scan_index_forward(false).limit(MOST_RELEASES);
        let answer = query.send().await.explain("Query")?;
        answer.items().iter().map(read_release).collect()
    }

    /// The active containments of an account, all pages of them: an entry that names no instance is an error, since what
    /// is contained must not be taken for untouched.
    pub(super) async fn active_of(&self, account: &AccountId, region: Option<&Region>) -> PortResult<Vec<InstanceKey>> {
        let prefix = match region {
            Some(region) => format!("{account}/{region}/"),
            None => format!("{account}/"),
        };
        let mut pages = self.list(items::ACTIVE, Some(prefix)).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.explain("Query")?;
            let sk = get(&item, "sk").unwrap_or_default();
            let key = TargetKey::parse(sk);
            let wrong = || broken("Query", &format!("the active containment {sk} names nothing to contain"));
            found.extend(key.ok_or_else(wrong)?.instance().cloned());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_waits_is_read_back_as_it_was_composed() {
        let kept = Unsent {
            place: "123456789012/us-east-1/i-0123abcd".to_owned(),
            channel: Channel::Chat,
            id: "0f".to_owned(),
            at: Timestamp::from_millis(1_700_000_000_000),
            why: "Publish: KMSAccessDenied".to_owned(),
            message: Message {
                subject: "[Brig] DECISION NEEDED".to_owned(),
                body: "{\"default\":\"x\"}".to_owned(),
                attributes: vec![("outcome", "String", "asked".to_owned()), ("severity", "Number", "8".to_owned())],
                chat: None,
            },
        };
        let mut read = read_unsent(&unsent(&kept)).expect("a message");
        read.message.attributes.sort();
        assert_eq!(read, kept);
        let mut older = unsent(&kept);
        older.remove("channel");
        assert_eq!(read_unsent(&older).expect("a message").channel, Channel::People);
        let mut without = unsent(&kept);
        without.remove("body");
        assert!(read_unsent(&without).expect_err("no body").message.contains("body"));
    }

    #[test]
    fn a_question_is_read_back_as_it_was_asked() {
        let asked = Question {
            question: "0123456789ab".to_owned(),
            target: TargetKey::parse("123456789012/us-east-1/i-0123abcd").expect("a key"),
            name: Some("web-1".to_owned()),
            reason: "exempt".to_owned().into(),
            cause: Cause::Exempt,
            finding: "f".to_owned(),
            source: "guardduty".to_owned(),
            kind: "Backdoor:EC2/C&CActivity.B".to_owned(),
            severity: Some(8.0),
            last_seen: Some(Timestamp::from_millis(1_700_000_000_000)),
            asked_at: Timestamp::from_millis(1_700_000_100_000),
            notified: false,
        };
        assert_eq!(read_question(&question(&asked).expect("an item")).expect("a question"), asked);
    }
}
