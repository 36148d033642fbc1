//! Finding out what a restore would do: tools, target and disk are asked, and nothing is written.

use walwarden_contract::model::{Backup, RestoreMode};

use super::executor::Executor;
use super::plan::{self, PlannedDisk, PlannedOverwrite, PlannedTarget, PlannedTools, RestorePlan, check_plan};
use super::target::{Target, lacks_password};
use super::{unless_cancelled, workspace};
use crate::Error;

/// What a target holds that a restore would overwrite.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetSurvey {
    /// The target, as it was named and as the server answered.
    pub target: PlannedTarget,
    /// What `in_place` would overwrite.
    pub overwrites: Option<PlannedOverwrite>,
}

impl Executor {
    /// What a restore of `backup` would do. It opens no session and writes nothing but a passfile, where the target has a
    /// password; that `in_place` is not confirmed yet is no obstacle.
    ///
    /// # Errors
    /// What would stop the restore before its token is used: `usage_error`, `backup_not_restorable`, `tool_missing`, and
    /// those of the target. `cancelled`.
    pub async fn plan(&self, backup: &Backup) -> Result<RestorePlan, Error> {
        let options = &self.options;
        options.check_form()?;
        let backup = plan::backup(backup)?;
        let (needed_bytes, free_bytes) = workspace::room(&options.work_dir, backup.size_bytes)?;
        let names_no_database = options.mode == RestoreMode::NewDatabase && options.created_database.is_none();
        let asked = async {
            let target = Target::prepare(options, None).await?;
            if let (true, Some(name)) = (names_no_database, &self.source_database) {
                target.check_absent(name).await?;
            }
            Ok((target.system_identifier().await?, target.psql().await?, target))
        };
        let (system_identifier, psql, target) = unless_cancelled(&self.cancel, asked).await?;
        let (creates, overwrites) = plan::effect(options, &target.survey);
        let disk = PlannedDisk { directory: options.work_dir.display().to_string(), needed_bytes, free_bytes };
        let advisory = target.pg_restore.advisory();
        let mut warnings: Vec<String> =
            advisory.map(|advisory| format!("pg_restore {}: {advisory}", target.pg_restore)).into_iter().collect();
        if names_no_database && self.source_database.is_none() {
            warnings.push(plan::NAME_UNCHECKED.to_owned());
        }
        warnings.extend(plan::warnings(&disk, overwrites.as_ref()));
        Ok(RestorePlan {
            pinned: plan::pin(options, &target.survey, system_identifier.clone(), &backup.manifest_hash),
            backup,
            mode: options.mode,
            target: plan::target(options, &target.survey, system_identifier),
            creates,
            overwrites,
            options: plan::options(options),
            tools: PlannedTools { pg_restore: target.pg_restore.to_string(), psql: psql.to_string() },
            disk,
            warnings,
        })
    }

    /// Asks the target what a person has to know before they consent to a restore.
    ///
    /// # Errors
    /// As [`Executor::plan`].
    pub async fn survey(&self) -> Result<TargetSurvey, Error> {
        self.options.check_form()?;
        let target = unless_cancelled(&self.cancel, Target::prepare(&self.options, None)).await?;
        let overwrites = plan::effect(&self.options, &target.survey).1;
        Ok(TargetSurvey { target: plan::target(&self.options, &target.survey, None), overwrites })
    }

    /// Whether the target wants a password that neither the options nor a passfile has. A target that cannot be asked
    /// lacks none: what is wrong with it shows when it is used.
    ///
    /// # Errors
    /// `target_invalid`, `cancelled`.
    pub async fn lacks_password(&self) -> Result<bool, Error> {
        unless_cancelled(&self.cancel, lacks_password(&self.options)).await
    }

    /// Refuses what the plan that this restore is pinned to was not about.
    pub(super) async fn check_pinned(&self, target: &Target, manifest_hash: &str) -> Result<(), Error> {
        let Some(digest) = &self.plan_digest else { return Ok(()) };
        let system_identifier = target.system_identifier().await?;
        let now = plan::pin(&self.options, &target.survey, system_identifier, manifest_hash);
        check_plan(digest, &now, &[]).map_err(|error| {
            let message = format!("{error} The token was not used.");
            error.with_message(message)
        })
    }
}
