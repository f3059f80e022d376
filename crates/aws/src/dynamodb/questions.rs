//! Questions that wait for a person.

use async_trait::async_trait;
use brig_core::{
    ledger::{Question, QuestionPage},
    model::{ids::InstanceKey, timestamp::Timestamp},
};
use brig_engine::ports::{Answer, Questions};

use super::{DynamoLedger, lists};

#[async_trait]
impl Questions for DynamoLedger {
    async fn ask(&self, question: &Question) -> Answer<()> {
        self.keep(lists::question(question)?).await
    }

    async fn questions(&self, of: Option<&InstanceKey>, from: Option<&str>) -> Answer<QuestionPage> {
        self.questions_of(of, from).await
    }

    async fn question(&self, id: &str) -> Answer<Option<Question>> {
        self.question_of(id).await
    }

    async fn close_question(&self, key: &InstanceKey, question: &str, answer: &str, at: Timestamp) -> Answer<()> {
        self.answer(key, question, answer, at).await
    }
}
