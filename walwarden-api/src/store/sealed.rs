//! Sealed texts of every table, as sealing them again needs them: a few at a time.

use walwarden_contract::OrgId;

use super::{Result, Tx};

/// Where sealed texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Credentials of destinations.
    Destinations,
    /// DSNs of databases.
    Databases,
}

/// A sealed text and the record that it belongs to.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Sealed {
    /// The record's identifier, to which the text is bound.
    pub(crate) id: String,
    /// The sealed text.
    pub(crate) text: String,
}

/// At most `limit` texts of the organization that do not begin with `prefix`. An empty text holds no secret.
pub(crate) async fn sealed_otherwise(
    tx: &mut Tx,
    place: Place,
    org_id: OrgId,
    prefix: &str,
    limit: u32,
) -> Result<Vec<Sealed>> {
    let sql = match place {
        Place::Destinations => {
            "SELECT id, sealed_credentials AS text FROM destinations
             WHERE org_id = $1 AND sealed_credentials <> '' AND SUBSTR(sealed_credentials, 1, $2) <> $3
             ORDER BY id LIMIT $4"
        }
        Place::Databases => {
            "SELECT id, sealed_dsn AS text FROM databases
             WHERE org_id = $1 AND sealed_dsn <> '' AND SUBSTR(sealed_dsn, 1, $2) <> $3 ORDER BY id LIMIT $4"
        }
    };
    let length = i32::try_from(prefix.len()).unwrap_or(i32::MAX);
    let rows = sqlx::query_as(sql)
        .bind(org_id.to_string())
        .bind(length)
        .bind(prefix)
        .bind(i64::from(limit))
        .fetch_all(tx.connection())
        .await?;
    Ok(rows)
}

/// Puts `text` in the place of a text that was not changed since it was read. Answers whether it was there. Nothing else of the
/// record changes: it is the same secret.
pub(crate) async fn reseal(tx: &mut Tx, place: Place, before: &Sealed, text: &str) -> Result<bool> {
    let sql = match place {
        Place::Destinations => {
            "UPDATE destinations SET sealed_credentials = $3 WHERE id = $1 AND sealed_credentials = $2"
        }
        Place::Databases => "UPDATE databases SET sealed_dsn = $3 WHERE id = $1 AND sealed_dsn = $2",
    };
    let updated = sqlx::query(sql).bind(&before.id).bind(&before.text).bind(text).execute(tx.connection()).await?;
    Ok(updated.rows_affected() > 0)
}
