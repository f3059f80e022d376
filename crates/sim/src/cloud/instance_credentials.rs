//! Where an instance gets credentials from: its profile and its metadata service.

use async_trait::async_trait;
use brig_core::{
    model::{
        Association, InstanceState, MetadataOptions,
        ids::{InstanceId, arn_name},
    },
    release::Reversal,
    step::{DisassociateProfile, Step},
};
use brig_engine::ports::{ErrorKind, InstanceCredentials, PortResult};

use super::{SimCloud, back, not_found, refused};

#[async_trait]
impl InstanceCredentials for SimCloud {
    async fn describe_profile_associations(&self, instance: Option<&InstanceId>) -> PortResult<Vec<Association>> {
        self.read("DescribeIamInstanceProfileAssociations", |world| {
            let wanted = world.associations.iter().filter(|(_, (of, _))| instance.is_none_or(|id| id == of));
            let shown = wanted.map(|(id, (of, profile))| Association {
                id: id.clone(),
                instance: of.to_string(),
                profile: profile.clone(),
                state: "associated".to_owned(),
            });
            Ok(shown.collect())
        })
        .await
    }

    async fn associate_profile(&self, id: &InstanceId, profile: &str) -> PortResult<()> {
        const OPERATION: &str = "AssociateIamInstanceProfile";
        let intended = |step: &Step| back(step, |back| matches!(back, Reversal::AssociateProfile(_)));
        self.write(OPERATION, intended, |state| {
            if state.world.associations.values().any(|(of, _)| of == id) {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectState"));
            }
            if !state.world.profiles.contains_key(arn_name(profile)) {
                return Err(refused(OPERATION, ErrorKind::Other, "InvalidParameterValue"));
            }
            let association = state.world.id("iip-assoc");
            state.world.associations.insert(association, (id.clone(), profile.to_owned()));
            Ok(())
        })
        .await
    }

    async fn replace_profile(&self, association: &str, profile: &str) -> PortResult<()> {
        const OPERATION: &str = "ReplaceIamInstanceProfileAssociation";
        let intended = |step: &Step| {
            matches!(step, Step::ReplaceProfile(_)) || back(step, |back| matches!(back, Reversal::ReplaceProfile(_)))
        };
        self.write(OPERATION, intended, |state| {
            if !state.world.profiles.contains_key(arn_name(profile)) {
                return Err(refused(OPERATION, ErrorKind::Other, "InvalidParameterValue"));
            }
            let held = state.world.associations.get(association).map(|(instance, _)| instance.clone());
            let Some(instance) = held else {
                return Err(not_found(OPERATION, "InvalidAssociationID.NotFound"));
            };
            let runs = state.world.instances.get(&instance).map(|instance| instance.shown.state);
            if runs != Some(InstanceState::Running) {
                return Err(refused(OPERATION, ErrorKind::Conflict, "IncorrectState"));
            }
            state.world.associations.remove(association);
            let successor = state.world.id("iip-assoc");
            state.world.associations.insert(successor, (instance, profile.to_owned()));
            Ok(())
        })
        .await
    }

    async fn disassociate_profile(&self, association: &str) -> PortResult<()> {
        const OPERATION: &str = "DisassociateIamInstanceProfile";
        let intended = |step: &Step| matches!(step, Step::DisassociateProfile(DisassociateProfile { association: of, .. }) if of == association);
        // A second association has an id of its own, and the first record stands for it.
        let any =
            |step: &Step| intended(step) || matches!(step, Step::DisassociateProfile(_) | Step::ReplaceProfile(_));
        self.write(OPERATION, any, |state| match state.world.associations.remove(association) {
            Some(_) => Ok(()),
            None => Err(not_found(OPERATION, "InvalidAssociationID.NotFound")),
        })
        .await
    }

    async fn disable_metadata_endpoint(&self, id: &InstanceId) -> PortResult<()> {
        let intended = |step: &Step| {
            matches!(step, Step::DisableMetadata(_)) || back(step, |back| matches!(back, Reversal::RestoreMetadata(_)))
        };
        self.on_instance("ModifyInstanceMetadataOptions", id, intended, |instance| {
            "disabled".clone_into(&mut instance.shown.metadata.endpoint);
            Ok(())
        })
        .await
    }

    async fn restore_metadata_options(&self, id: &InstanceId, options: &MetadataOptions) -> PortResult<()> {
        let intended = |step: &Step| {
            matches!(step, Step::RequireTokens(_)) || back(step, |back| matches!(back, Reversal::RestoreMetadata(_)))
        };
        self.on_instance("ModifyInstanceMetadataOptions", id, intended, |instance| {
            // AWS takes no other option together with an endpoint that is turned off.
            if options.endpoint == "disabled" {
                return Err(refused(
                    "ModifyInstanceMetadataOptions",
                    ErrorKind::Unsupported,
                    "InvalidParameterCombination",
                ));
            }
            let now = &mut instance.shown.metadata;
            let MetadataOptions { endpoint, tokens, hop_limit, ipv6, tags } = options.clone();
            (now.endpoint, now.tokens) = (endpoint, tokens);
            now.hop_limit = hop_limit.or(now.hop_limit);
            now.ipv6 = ipv6.or(now.ipv6.take());
            now.tags = tags.or(now.tags.take());
            Ok(())
        })
        .await
    }
}
