//! Questions that wait for a person.

use async_trait::async_trait;
use brig_core::{
    ledger::{Question, QuestionPage},
    model::{ids::TargetKey, timestamp::Timestamp},
};

use super::super::PortResult;

/// Questions that wait for a person.
#[async_trait]
pub trait Questions: Send + Sync {
    /// Records a question. One of the same instance and id is replaced.
    async fn ask(&self, question: &Question) -> PortResult<()>;
    /// A page of the questions that wait about an instance, or about any.
    async fn questions(&self, of: Option<&TargetKey>, from: Option<&str>) -> PortResult<QuestionPage>;
    /// The question with this id, wherever in the list it stands.
    async fn question(&self, id: &str) -> PortResult<Option<Question>>;
    /// Closes a question, with the answer and who gave why.
    async fn close_question(&self, key: &TargetKey, question: &str, answer: &str, at: Timestamp) -> PortResult<()>;
}
