//! Worlds to contain in: small parts that a test puts together, and one production-looking whole.

use aws_sdk_ec2::types::{
    IamInstanceProfileSpecification, InstanceNetworkInterfaceSpecification, InstanceType,
    LaunchTemplateIamInstanceProfileSpecificationRequest, RequestLaunchTemplateData, ResourceType, Tag,
    TagSpecification, VolumeType,
};
use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetDescription, TargetTypeEnum};

use base64::Engine as _;

use crate::account::{Account, unique};

/// A VPC with two subnets and two groups.
#[derive(Debug, Clone)]
pub struct Network {
    /// The VPC.
    pub vpc: String,
    /// Subnets in two zones.
    pub subnets: [String; 2],
    /// A group for web traffic.
    pub web: String,
    /// A group for administration.
    pub admin: String,
}

/// A role with a profile of another name, both below a path.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The role's name.
    pub role: String,
    /// The profile's name.
    pub profile: String,
    /// The profile's ARN.
    pub profile_arn: String,
}

/// The production-looking account.
#[derive(Debug, Clone)]
pub struct Production {
    /// Its network.
    pub network: Network,
    /// The role that both instances share.
    pub identity: Identity,
    /// The Auto Scaling group of two.
    pub group: String,
    /// The instance that the finding names.
    pub victim: String,
    /// The other one.
    pub sibling: String,
    /// The victim's second interface, in the other subnet and with another group.
    pub second_interface: String,
    /// Target group by instance, attached to the Auto Scaling group.
    pub web_targets: String,
    /// Target group that has the victim on two ports.
    pub ports_targets: String,
    /// Target group by address.
    pub address_targets: String,
    /// The classic load balancer.
    pub classic: String,
}

/// How an instance is launched.
#[derive(Debug, Clone, Default)]
pub struct Launch<'a> {
    /// Its profile.
    pub profile: Option<&'a Identity>,
    /// Tags in addition to the name.
    pub tags: &'a [(&'a str, &'a str)],
    /// What it runs when it starts.
    pub user_data: Option<&'a str>,
    /// Extra data volumes.
    pub volumes: usize,
}

impl Account {
    /// Makes a VPC.
    pub async fn network(&self, cidr_second: u8, ipv6: bool) -> Network {
        let vpc = self
            .ec2
            .create_vpc()
            .cidr_block(format!("10.{cidr_second}.0.0/16"))
            .amazon_provided_ipv6_cidr_block(ipv6)
            .send()
            .await
            .expect("a VPC");
        let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).expect("an id").to_owned();
        let mut subnets = Vec::new();
        for (third, zone) in [(0, "us-east-1a"), (1, "us-east-1b")] {
            let cidr = format!("10.{cidr_second}.{third}.0/24");
            let subnet = self.ec2.create_subnet().vpc_id(&vpc).cidr_block(cidr).availability_zone(zone);
            let subnet = subnet.send().await.expect("a subnet");
            subnets.push(subnet.subnet().and_then(|subnet| subnet.subnet_id()).expect("an id").to_owned());
        }
        let [a, b] = <[String; 2]>::try_from(subnets).expect("two");
        let web = self.security_group(&vpc, "web").await;
        let admin = self.security_group(&vpc, "admin").await;
        Network { vpc, subnets: [a, b], web, admin }
    }

    /// Makes a security group.
    pub async fn security_group(&self, vpc: &str, name: &str) -> String {
        let made = self.ec2.create_security_group().vpc_id(vpc).group_name(name).description(name).send().await;
        made.expect("a group").group_id().expect("an id").to_owned()
    }

    /// Makes a role and its profile, in both places that know profiles.
    pub async fn identity(&self) -> Identity {
        let (role, profile) = (unique("app-role"), unique("app-profile"));
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let mut arn = String::new();
        for iam in [&self.ec2_iam, &self.iam] {
            // Where one endpoint serves all, the second round finds what the first made.
            let _ = iam.create_role().role_name(&role).path("/app/").assume_role_policy_document(trust).send().await;
            let made = iam.create_instance_profile().instance_profile_name(&profile).path("/web/").send().await;
            if let Ok(made) = made {
                made.instance_profile().expect("a profile").arn().clone_into(&mut arn);
            }
            let _ = iam.add_role_to_instance_profile().instance_profile_name(&profile).role_name(&role).send().await;
        }
        Identity { role, profile, profile_arn: arn }
    }

    /// Launches one instance with one interface.
    pub async fn launch(&self, network: &Network, name: &str, how: Launch<'_>) -> String {
        let interface = InstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .subnet_id(&network.subnets[0])
            .groups(&network.web)
            .groups(&network.admin)
            .build();
        let mut tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag("Name", name));
        for (key, value) in how.tags {
            tags = tags.tags(tag(key, value));
        }
        let mut request = self
            .ec2
            .run_instances()
            .image_id(self.image().await)
            .instance_type(InstanceType::M5Large)
            .min_count(1)
            .max_count(1)
            .network_interfaces(interface)
            .tag_specifications(tags.build());
        if let Some(identity) = how.profile {
            let profile = IamInstanceProfileSpecification::builder().name(&identity.profile).build();
            request = request.iam_instance_profile(profile);
        }
        if let Some(script) = how.user_data {
            let encoded = base64::engine::general_purpose::STANDARD.encode(script);
            request = request.user_data(encoded);
        }
        let made = request.send().await.expect("an instance");
        let id = made.instances().first().and_then(|found| found.instance_id()).expect("an id").to_owned();
        for letter in ['f', 'g', 'h'].iter().take(how.volumes) {
            self.add_volume(&id, &format!("/dev/sd{letter}")).await;
        }
        id
    }

    /// Associates another profile with an instance that has none.
    pub async fn associate(&self, instance: &str, identity: &Identity) {
        let profile = IamInstanceProfileSpecification::builder().name(&identity.profile).build();
        let request = self.ec2.associate_iam_instance_profile().instance_id(instance).iam_instance_profile(profile);
        request.send().await.expect("associated");
    }

    async fn image(&self) -> String {
        let images = self.ec2.describe_images().owners("amazon").send().await.expect("images");
        images.images().first().and_then(|image| image.image_id()).expect("an image").to_owned()
    }

    /// Attaches another volume.
    pub async fn add_volume(&self, instance: &str, device: &str) {
        let zone = self.zone_of(instance).await;
        let volume = self.ec2.create_volume().size(8).volume_type(VolumeType::Gp3).availability_zone(zone).send().await;
        let volume = volume.expect("a volume").volume_id().expect("an id").to_owned();
        self.ec2.attach_volume().instance_id(instance).volume_id(volume).device(device).send().await.expect("attached");
    }

    async fn zone_of(&self, instance: &str) -> String {
        let found = self.describe(instance).await;
        found.placement().and_then(|placement| placement.availability_zone()).unwrap_or("us-east-1a").to_owned()
    }

    /// Attaches another interface, in any subnet.
    pub async fn add_interface(&self, instance: &str, subnet: &str, group: &str, index: i32) -> String {
        let made = self.ec2.create_network_interface().subnet_id(subnet).groups(group).send().await;
        let made = made.expect("an interface");
        let id = made.network_interface().and_then(|eni| eni.network_interface_id()).expect("an id").to_owned();
        self.ec2
            .attach_network_interface()
            .instance_id(instance)
            .network_interface_id(&id)
            .device_index(index)
            .send()
            .await
            .expect("attached");
        id
    }

    /// Makes a target group.
    pub async fn target_group(&self, vpc: &str, kind: TargetTypeEnum) -> String {
        let made = self
            .elbv2
            .create_target_group()
            .name(unique("tg"))
            .vpc_id(vpc)
            .protocol(ProtocolEnum::Http)
            .port(80)
            .target_type(kind)
            .send()
            .await
            .expect("a target group");
        made.target_groups().first().and_then(|group| group.target_group_arn()).expect("an ARN").to_owned()
    }

    /// Registers targets, by id and port.
    pub async fn register(&self, group: &str, targets: &[(&str, i32)]) {
        let mut request = self.elbv2.register_targets().target_group_arn(group);
        for (id, port) in targets {
            request = request.targets(TargetDescription::builder().id(*id).port(*port).build());
        }
        request.send().await.expect("registered");
    }

    /// The whole: a group of two behind three target groups and a classic load balancer, the victim with two interfaces,
    /// three volumes, an elastic address, and a role shared with its sibling.
    pub async fn production(&self) -> Production {
        let network = self.network(20, false).await;
        let identity = self.identity().await;
        let balancer = unique("alb");
        self.elbv2
            .create_load_balancer()
            .name(&balancer)
            .subnets(&network.subnets[0])
            .subnets(&network.subnets[1])
            .security_groups(&network.web)
            .send()
            .await
            .expect("an application load balancer");
        let web_targets = self.target_group(&network.vpc, TargetTypeEnum::Instance).await;
        let ports_targets = self.target_group(&network.vpc, TargetTypeEnum::Instance).await;
        let address_targets = self.target_group(&network.vpc, TargetTypeEnum::Ip).await;
        let classic = unique("classic");
        let listener = aws_sdk_elasticloadbalancing::types::Listener::builder()
            .protocol("http")
            .load_balancer_port(80)
            .instance_port(80)
            .build()
            .expect("a listener");
        self.elb
            .create_load_balancer()
            .load_balancer_name(&classic)
            .listeners(listener)
            .subnets(&network.subnets[0])
            .send()
            .await
            .expect("a classic load balancer");

        let group = unique("web");
        let (victim, sibling) = self.auto_scaling_group(&network, &identity, &group, &web_targets).await;
        let second_interface = self.add_interface(&victim, &network.subnets[1], &network.admin, 1).await;
        self.add_volume(&victim, "/dev/sdf").await;
        self.add_volume(&victim, "/dev/sdg").await;
        let found = self.describe(&victim).await;
        let address = found.private_ip_address().expect("an address").to_owned();
        let other = self.describe(&sibling).await.private_ip_address().expect("an address").to_owned();
        self.register(&ports_targets, &[(&victim, 8080), (&victim, 9090), (&sibling, 8080)]).await;
        self.register(&address_targets, &[(&address, 443), (&other, 443)]).await;
        for id in [&victim, &sibling] {
            let held = aws_sdk_elasticloadbalancing::types::Instance::builder().instance_id(id).build();
            let request = self.elb.register_instances_with_load_balancer().load_balancer_name(&classic).instances(held);
            request.send().await.expect("registered");
        }
        let elastic = self.ec2.allocate_address().send().await.expect("an elastic address");
        let elastic = elastic.allocation_id().expect("an id");
        self.ec2.associate_address().allocation_id(elastic).instance_id(&victim).send().await.expect("associated");
        Production {
            network,
            identity,
            group,
            victim,
            sibling,
            second_interface,
            web_targets,
            ports_targets,
            address_targets,
            classic,
        }
    }

    async fn auto_scaling_group(
        &self,
        network: &Network,
        identity: &Identity,
        name: &str,
        targets: &str,
    ) -> (String, String) {
        let template = RequestLaunchTemplateData::builder()
            .image_id(self.image().await)
            .instance_type(InstanceType::M5Large)
            .security_group_ids(&network.web)
            .iam_instance_profile(
                LaunchTemplateIamInstanceProfileSpecificationRequest::builder().name(&identity.profile).build(),
            )
            .block_device_mappings(
                aws_sdk_ec2::types::LaunchTemplateBlockDeviceMappingRequest::builder()
                    .device_name("/dev/sda1")
                    .ebs(
                        aws_sdk_ec2::types::LaunchTemplateEbsBlockDeviceRequest::builder()
                            .volume_size(8)
                            .delete_on_termination(true)
                            .build(),
                    )
                    .build(),
            )
            .build();
        self.ec2
            .create_launch_template()
            .launch_template_name(name)
            .launch_template_data(template)
            .send()
            .await
            .expect("a template");
        let template = aws_sdk_autoscaling::types::LaunchTemplateSpecification::builder()
            .launch_template_name(name)
            .version("$Latest")
            .build();
        self.autoscaling
            .create_auto_scaling_group()
            .auto_scaling_group_name(name)
            .launch_template(template)
            .min_size(2)
            .max_size(4)
            .desired_capacity(2)
            .vpc_zone_identifier(&network.subnets[0])
            .target_group_arns(targets)
            .send()
            .await
            .expect("a group");
        let members = self.members(name).await;
        let [victim, sibling] = <[String; 2]>::try_from(members).expect("two instances");
        for (id, label) in [(&victim, "web-1"), (&sibling, "web-2")] {
            self.ec2.create_tags().resources(id).tags(tag("Name", label)).send().await.expect("a name");
        }
        (victim, sibling)
    }
}

/// A tag.
#[must_use]
pub fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}
