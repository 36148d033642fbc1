//! Whether a bucket's policy refuses what comes over plain HTTP.

use serde_json::Value;

/// A member that may be one text or several.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn everyone(principal: &Value) -> bool {
    let named = principal.get("AWS").unwrap_or(principal);
    texts(named).contains(&"*")
}

/// Only the condition itself: one more beside it would let something through.
fn when_not_encrypted(condition: &Value) -> bool {
    let Some(only) = condition.as_object().filter(|operators| operators.len() == 1).and_then(|it| it.get("Bool"))
    else {
        return false;
    };
    let Some((key, value)) = only.as_object().filter(|keys| keys.len() == 1).and_then(|it| it.iter().next()) else {
        return false;
    };
    key.eq_ignore_ascii_case("aws:SecureTransport") && (value == &Value::Bool(false) || texts(value) == ["false"])
}

/// Whether a policy denies everyone everything on a bucket and its objects unless TLS protects it.
pub(super) fn is_required(policy: &str, arn: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = match &policy["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    };
    let denying = statements.into_iter().filter(|statement| {
        let actions = texts(&statement["Action"]);
        statement["Effect"] == "Deny"
            && everyone(&statement["Principal"])
            && (actions.contains(&"s3:*") || actions.contains(&"*"))
            && when_not_encrypted(&statement["Condition"])
    });
    let covered: Vec<_> = denying.flat_map(|statement| texts(&statement["Resource"])).collect();
    let objects = format!("{arn}/*");
    let all = |wanted: &str| covered.iter().any(|resource| *resource == "*" || *resource == wanted);
    all(arn) && all(&objects) || covered.contains(&format!("{arn}*").as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:s3:::backups";

    fn policy(change: &Value) -> String {
        let mut statement = json!({
            "Sid": "DenyNonTLS",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [ARN, format!("{ARN}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        });
        statement.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow" }, statement] }).to_string()
    }

    #[test]
    fn a_policy_that_leaves_a_way_for_plain_http_is_told_from_one_that_does_not() {
        for change in [
            json!({}),
            json!({ "Principal": { "AWS": "*" } }),
            json!({ "Action": ["s3:*"] }),
            json!({ "Resource": "*" }),
            json!({ "Condition": { "Bool": { "AWS:SecureTransport": ["false"] } } }),
        ] {
            assert!(is_required(&policy(&change), ARN), "{change}");
        }
        for change in [
            json!({ "Effect": "Allow" }),
            json!({ "Principal": { "AWS": "arn:aws:iam::1:root" } }),
            json!({ "Action": "s3:GetObject" }),
            json!({ "Resource": ARN }),
            json!({ "Resource": [ARN, "arn:aws:s3:::other/*"] }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "true" } } }),
            json!({ "Condition": {} }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "false" }, "StringEquals": { "a": "b" } } }),
        ] {
            assert!(!is_required(&policy(&change), ARN), "{change}");
        }
        assert!(!is_required("not JSON", ARN) && !is_required("{}", ARN));
    }
}
