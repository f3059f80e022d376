//! The engine's ports on AWS's SDK: the only crate that names `aws-sdk-*`. It translates and decides nothing. One file a
//! service.

mod auto_scaling;
mod body;
mod clock;
mod cloud;
mod detection;
mod dynamodb;
mod ec2;
mod error;
#[cfg(feature = "evidence")]
pub mod evidence;
mod flow_logs;
mod iam;
mod instance_credentials;
mod instances;
mod interfaces;
mod load_balancers;
mod member;
mod network_acls;
mod probes;
mod ranges;
mod records;
mod s3;
mod security_groups;
mod session;
mod snapshots;
mod sns;
mod sound;
mod sqs;
mod ssm;
mod surroundings;
mod tls;
mod users;

pub use clock::SystemClock;
pub use dynamodb::DynamoLedger;
pub use records::{Attribute, Records};
pub use session::{AwsClouds, Session};
pub use sns::SnsNotifier;
pub use sqs::SqsQueue;
pub use ssm::SsmParameters;
pub use tls::http_client;
