//! Questions that wait for a person.

use async_trait::async_trait;
use brig_core::{
    ledger::{Question, QuestionPage},
    model::{ids::TargetKey, timestamp::Timestamp},
};
use brig_engine::ports::{PortResult, Questions};

use super::{MOST_QUESTIONS, SimLedger};

#[async_trait]
impl Questions for SimLedger {
    async fn ask(&self, question: &Question) -> PortResult<()> {
        self.call("PutItem", true, |state| {
            state.tables.questions.insert((question.target.clone(), question.question.clone()), question.clone());
            Ok(())
        })
        .await
    }

    async fn questions(&self, of: Option<&TargetKey>, from: Option<&str>) -> PortResult<QuestionPage> {
        let sk = |question: &Question| format!("{}#{}", question.target.clone().pk(), question.question);
        let wanted = |question: &&Question| {
            of.is_none_or(|key| question.target.clone() == *key) && from.is_none_or(|from| sk(question).as_str() > from)
        };
        self.call("Query", false, |state| {
            let mut questions: Vec<Question> = state.tables.questions.values().filter(wanted).cloned().collect();
            questions.sort_by_key(sk);
            let more = questions.len() > MOST_QUESTIONS;
            questions.truncate(MOST_QUESTIONS);
            let next = questions.last().filter(|_| more).map(sk);
            Ok(QuestionPage { questions, next })
        })
        .await
    }

    async fn question(&self, id: &str) -> PortResult<Option<Question>> {
        self.call("Query", false, |state| {
            Ok(state.tables.questions.values().find(|question| question.question == id).cloned())
        })
        .await
    }

    async fn close_question(&self, key: &TargetKey, question: &str, _answer: &str, _at: Timestamp) -> PortResult<()> {
        self.call("TransactWriteItems", true, |state| {
            state.tables.questions.remove(&(key.clone(), question.to_owned()));
            Ok(())
        })
        .await
    }
}
