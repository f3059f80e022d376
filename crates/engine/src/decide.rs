//! A person answers a question: yes contains the instance, no closes the question with a reason on record.

use brig_core::{
    ledger::{Question, QuestionPage},
    model::{Principal, ids::TargetKey},
    report::{answer::Answer, principal::PrincipalAnswer},
    trigger::{Finding, Force, Place},
};

use crate::{
    engine::{Engine, Invocation},
    ports::PortResult,
};

/// What became of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// No such question waits.
    NotAsked,
    /// The question is closed, and nothing was done.
    Closed(Box<Question>),
    /// The instance was to be contained, as by a person with force.
    Acted(Box<Answer>),
    /// The user was to be contained, likewise.
    ActedOnPrincipal(Box<PrincipalAnswer>),
}

impl Engine {
    /// A page of the questions that wait.
    pub async fn questions(&self, from: Option<&str>) -> PortResult<QuestionPage> {
        self.ledger.questions(None, from).await
    }

    /// Answers a question.
    pub async fn decide(&self, id: &str, contain: bool, reason: &str, invocation: &Invocation) -> PortResult<Decision> {
        let Some(question) = self.ledger.question(id).await? else { return Ok(Decision::NotAsked) };
        let key = &question.target;
        if !contain {
            let answer = format!("no: {reason}");
            self.ledger.close_question(key, &question.question, &answer, self.clock.now()).await?;
            return Ok(Decision::Closed(Box::new(question)));
        }
        let title = if reason.is_empty() { question.reason } else { reason.to_owned().into() };
        let id = format!("manual-{}", invocation.request_id);
        let kind = "Manual".to_owned();
        match key.clone() {
            TargetKey::Instance(key) => {
                let occasion = Finding::occasion(id, title.into(), key.account, key.region, key.instance);
                let finding = Finding { kind, ..occasion };
                let answer = Box::pin(self.contain(&finding, Force::Yes, invocation)).await;
                Ok(Decision::Acted(Box::new(answer)))
            }
            key @ (TargetKey::User(_) | TargetKey::Role(_)) => {
                let Some(principal) = Principal::of(&key) else { return Ok(Decision::NotAsked) };
                let (account, region) = (key.account().clone(), invocation.home());
                let occasion = Finding::occasion(id, title.into(), account, region, principal);
                let finding = Finding { kind, place: Place::Stated, ..occasion };
                let answer = Box::pin(self.contain_principal(&finding, Force::Yes, invocation)).await;
                Ok(Decision::ActedOnPrincipal(Box::new(answer)))
            }
        }
    }
}
