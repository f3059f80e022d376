//! The engine's ports on AWS's SDK: the only crate that names `aws-sdk-*`. It translates and decides nothing. One file a
//! service.

mod autoscaling;
mod body;
mod clock;
mod cloud;
mod cloudtrail;
mod dynamodb;
mod ec2;
mod elb;
mod error;
mod guardduty;
mod iam;
mod logs;
mod member;
mod ranges;
mod s3;
mod session;
mod sns;
mod sound;
mod sqs;
mod ssm;
mod tls;
mod vpc;

pub use clock::SystemClock;
pub use dynamodb::DynamoLedger;
pub use session::{AwsClouds, Session};
pub use sns::SnsNotifier;
pub use sqs::SqsQueue;
pub use ssm::SsmParameters;
pub use tls::http_client;
