//! Questions that wait for a person.

use async_trait::async_trait;
use brig_core::{
    ledger::{Question, QuestionPage},
    model::{ids::TargetKey, timestamp::Timestamp},
};
use brig_engine::ports::{PortResult, Questions};

use super::{DynamoLedger, lists};

#[async_trait]
impl Questions for DynamoLedger {
    async fn ask(&self, question: &Question) -> PortResult<()> {
        self.keep(lists::question(question)?).await
    }

    async fn questions(&self, of: Option<&TargetKey>, from: Option<&str>) -> PortResult<QuestionPage> {
        self.questions_of(of, from).await
    }

    async fn question(&self, id: &str) -> PortResult<Option<Question>> {
        self.question_of(id).await
    }

    async fn close_question(&self, key: &TargetKey, question: &str, answer: &str, at: Timestamp) -> PortResult<()> {
        self.answer(key, question, answer, at).await
    }
}
