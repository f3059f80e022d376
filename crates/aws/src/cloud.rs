//! One lane's view of one Region: its clients. Each port is implemented in a file of its own, named as the port's.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use aws_sdk_ec2::config::retry::{RetryConfig, RetryPartition};
use brig_core::{model::ids::Region, step::Lane};
use brig_engine::ports::View;

use crate::{ranges::Ranges, s3::S3};

pub(crate) struct AwsCloud {
    pub(crate) region: Region,
    config: SdkConfig,
    partition: RetryPartition,
    pub(crate) ranges: Arc<Ranges>,
    // Each made when first asked for: a lane needs one to three of them, and making all would cost the cold start.
    ec2: OnceLock<aws_sdk_ec2::Client>,
    iam: OnceLock<aws_sdk_iam::Client>,
    autoscaling: OnceLock<aws_sdk_autoscaling::Client>,
    elb: OnceLock<aws_sdk_elasticloadbalancing::Client>,
    elbv2: OnceLock<aws_sdk_elasticloadbalancingv2::Client>,
    cloudtrail: OnceLock<aws_sdk_cloudtrail::Client>,
    guardduty: OnceLock<aws_sdk_guardduty::Client>,
    logs: OnceLock<aws_sdk_cloudwatchlogs::Client>,
    resolver: OnceLock<aws_sdk_route53resolver::Client>,
    lattice: OnceLock<aws_sdk_vpclattice::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    s3: OnceLock<S3>,
}

macro_rules! client {
    ($name:ident, $sdk:ident) => {
        pub(crate) fn $name(&self) -> &$sdk::Client {
            self.$name.get_or_init(|| {
                let config = $sdk::config::Builder::from(&self.config).retry_partition(self.partition.clone());
                $sdk::Client::from_conf(config.build())
            })
        }
    };
}

impl AwsCloud {
    client!(ec2, aws_sdk_ec2);
    client!(iam, aws_sdk_iam);
    client!(autoscaling, aws_sdk_autoscaling);
    client!(elb, aws_sdk_elasticloadbalancing);
    client!(elbv2, aws_sdk_elasticloadbalancingv2);
    client!(cloudtrail, aws_sdk_cloudtrail);
    client!(guardduty, aws_sdk_guardduty);
    client!(logs, aws_sdk_cloudwatchlogs);
    client!(resolver, aws_sdk_route53resolver);
    client!(lattice, aws_sdk_vpclattice);
    client!(sts, aws_sdk_sts);

    pub(crate) fn new(config: &SdkConfig, region: Region, partition: &RetryPartition, ranges: Arc<Ranges>) -> Self {
        Self {
            ranges,
            region,
            config: config.clone(),
            partition: partition.clone(),
            ec2: OnceLock::new(),
            iam: OnceLock::new(),
            autoscaling: OnceLock::new(),
            elb: OnceLock::new(),
            elbv2: OnceLock::new(),
            cloudtrail: OnceLock::new(),
            guardduty: OnceLock::new(),
            logs: OnceLock::new(),
            resolver: OnceLock::new(),
            lattice: OnceLock::new(),
            sts: OnceLock::new(),
            s3: OnceLock::new(),
        }
    }

    pub(crate) fn s3(&self) -> &S3 {
        self.s3.get_or_init(|| S3::new(&self.config))
    }

    /// Makes the clients that a lane will use, in the init phase rather than in the first invocation.
    pub(crate) fn make_ready(&self, view: View) {
        match view {
            View::Reads => {}
            View::Lane(Lane::Network | Lane::Evidence) => {
                self.ec2();
            }
            View::Lane(Lane::Credentials) => {
                self.ec2();
                self.iam();
            }
            View::Lane(Lane::Fleet) => {
                self.autoscaling();
                self.elb();
                self.elbv2();
            }
        }
    }
}

impl AwsCloud {
    /// One try of the call that the first look begins with.
    pub(crate) async fn warm(&self) {
        let once = aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled());
        let _ = self.ec2().describe_security_groups().max_results(5).customize().config_override(once).send().await;
    }
}
