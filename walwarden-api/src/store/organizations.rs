//! Organizations: the owners of everything else.

use walwarden_contract::audit::Payload;
use walwarden_contract::audit::payload::OrganizationCreated;
use walwarden_contract::{OrgId, Timestamp};

use super::{Result, Store, StoreError, audit, log, looks, parse, time};

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its identifier.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    created_at: i64,
}

impl Row {
    fn read(self) -> Result<Organization> {
        Ok(Organization {
            id: parse(&self.id, "organization id")?,
            name: self.name,
            created_at: time(self.created_at)?,
        })
    }
}

impl Store {
    /// Creates an organization.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn create_organization(&self, organization: &Organization) -> Result<()> {
        let mut tx = self.begin().await?;
        sqlx::query("INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(organization.id.to_string())
            .bind(&organization.name)
            .bind(organization.created_at.as_millis())
            .execute(tx.connection())
            .await?;
        looks::begin(&mut tx, organization.id, organization.created_at).await?;
        log::begin(&mut tx, organization.id, organization.created_at).await?;
        let created = Payload::OrganizationCreated(OrganizationCreated { name: organization.name.clone() });
        let stream = organization.id.to_string();
        audit::append(&mut tx, organization.id, &stream, organization.created_at, &created).await?;
        tx.commit().await
    }

    /// Reads an organization.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or when the store fails.
    pub async fn organization(&self, id: OrgId) -> Result<Organization> {
        let row: Option<Row> = sqlx::query_as("SELECT id, name, created_at FROM organizations WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.ok_or(StoreError::Missing("organization"))?.read()
    }

    /// Every organization, oldest first. Self-hosted stores hold few.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organizations(&self) -> Result<Vec<Organization>> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT id, name, created_at FROM organizations ORDER BY id").fetch_all(&self.pool).await?;
        rows.into_iter().map(Row::read).collect()
    }
}
