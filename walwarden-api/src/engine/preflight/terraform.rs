//! A bucket for backups, and who may use it, as Terraform.

use serde_json::Value;

use super::target::Target;
use super::{kms, lifecycle};

/// JSON is an expression of Terraform's language, where no text in it begins an interpolation.
fn encoded(document: &Value) -> String {
    let text = format!("{document:#}").replace("${", "$${").replace("%{", "%%{");
    format!("jsonencode({})", text.replace('\n', "\n  "))
}

/// Everything that Amazon needs. The access key is made apart: Terraform would keep its secret in the state.
pub(super) fn terraform(target: &Target, iam: &Value, bucket: &Value, trust: Option<&Value>) -> String {
    let locks = target.locks();
    let mut blocks = vec![format!(
        r#"provider "aws" {{
  region = "{}"
}}

resource "aws_s3_bucket" "walwarden" {{
  bucket              = "{}"
  object_lock_enabled = {locks}
}}"#,
        target.region, target.bucket
    )];
    if locks {
        blocks.push(
            r#"resource "aws_s3_bucket_versioning" "walwarden" {
  bucket = aws_s3_bucket.walwarden.id
  versioning_configuration {
    status = "Enabled"
  }
}"#
            .to_owned(),
        );
    }
    blocks.push(
        r#"resource "aws_s3_bucket_public_access_block" "walwarden" {
  bucket                  = aws_s3_bucket.walwarden.id
  block_public_acls       = true
  ignore_public_acls      = true
  block_public_policy     = true
  restrict_public_buckets = true
}"#
        .to_owned(),
    );
    blocks.extend(kms::terraform(target));
    blocks.push(format!(
        r#"resource "aws_s3_bucket_policy" "walwarden" {{
  bucket = aws_s3_bucket.walwarden.id
  policy = {}
}}"#,
        encoded(bucket)
    ));
    blocks.push(lifecycle::terraform(target));
    let (kind, owner) = if trust.is_some() { ("role", "role") } else { ("user", "user") };
    let trusting = trust.map(|trust| format!("\n  assume_role_policy = {}", encoded(trust))).unwrap_or_default();
    blocks.push(format!(
        r#"resource "aws_iam_{kind}" "walwarden" {{
  name = "walwarden-backup"{trusting}
}}

resource "aws_iam_{kind}_policy" "walwarden" {{
  name   = "walwarden-backup"
  {owner}   = aws_iam_{kind}.walwarden.name
  policy = {}
}}"#,
        encoded(iam)
    ));
    format!("{}\n", blocks.join("\n\n"))
}
