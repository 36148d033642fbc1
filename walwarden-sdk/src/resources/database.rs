//! Protected databases.

use walwarden_contract::DatabaseId;
use walwarden_contract::model::{BackupList, CreateDatabaseRequest, Database, DatabaseList, UpdateDatabaseRequest};
use walwarden_contract::page::PageQuery;

use crate::client::Client;
use crate::error::Error;
use crate::request::Call;

impl Client {
    /// Lists protected databases, one page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_databases(&self, page: &PageQuery) -> Result<DatabaseList, Error> {
        self.transport.send(Call::new("listDatabases").query(page)).await
    }

    /// Reads a protected database.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn get_database(&self, id: DatabaseId) -> Result<Database, Error> {
        self.transport.send(Call::new("getDatabase").on(&id)).await
    }

    /// Lists the backup jobs of a database, newest first, one page.
    ///
    /// # Errors
    /// `not_found`, and see [`Error`].
    pub async fn list_database_backups(&self, id: DatabaseId, page: &PageQuery) -> Result<BackupList, Error> {
        self.transport.send(Call::new("listDatabaseBackups").on(&id).query(page)).await
    }

    /// Adds a protected database. Its connection string is sealed, and never shown again.
    ///
    /// # Errors
    /// `not_found` (the destination), `name_taken`, `invalid_request`, `idempotency_conflict`, `forbidden`, and see
    /// [`Error`].
    pub async fn create_database(
        &self,
        request: &CreateDatabaseRequest,
        idempotency_key: &str,
    ) -> Result<Database, Error> {
        self.transport.send(Call::new("createDatabase").json(request).idempotent(idempotency_key)).await
    }

    /// Changes a protected database: what the request leaves out stays.
    ///
    /// # Errors
    /// `not_found`, `name_taken`, `invalid_request`, `forbidden`, and see [`Error`].
    pub async fn update_database(&self, id: DatabaseId, request: &UpdateDatabaseRequest) -> Result<Database, Error> {
        self.transport.send(Call::new("updateDatabase").on(&id).json(request)).await
    }

    /// Stops protecting a database. Its backups and their evidence stay.
    ///
    /// # Errors
    /// `not_found`, `resource_in_use`, `human_confirmation_required`, `forbidden`, and see [`Error`]. When the answer to
    /// the first attempt is lost, the repetition finds nothing and says `not_found`.
    pub async fn delete_database(&self, id: DatabaseId) -> Result<(), Error> {
        self.transport.send_for_nothing(Call::new("deleteDatabase").on(&id)).await
    }
}
