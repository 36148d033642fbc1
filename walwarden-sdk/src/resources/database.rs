//! Protected databases.

use futures::Stream;
use walwarden_contract::DatabaseId;
use walwarden_contract::model::{
    Backup, BackupList, CreateDatabaseRequest, Database, DatabaseList, SourceCheckReport, UpdateDatabaseRequest,
};
use walwarden_contract::page::PageQuery;

use super::pages::{items, largest};
use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::{Call, new_idempotency_key};

impl WalwardenClient {
    /// Lists protected databases, one page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_databases(&self, page: &PageQuery) -> Result<DatabaseList, Error> {
        self.transport.send(Call::new("listDatabases").query(page)).await
    }

    /// Every protected database, in the order in which they were added, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_databases`] fails with; the stream ends there.
    pub fn databases(&self) -> impl Stream<Item = Result<Database, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_databases(&largest(cursor)).await?;
                Ok((page.databases, page.next_cursor))
            }
        })
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

    /// Every backup job of a database, newest first, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_database_backups`] fails with; the stream ends there.
    pub fn database_backups(&self, id: DatabaseId) -> impl Stream<Item = Result<Backup, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_database_backups(id, &largest(cursor)).await?;
                Ok((page.backups, page.next_cursor))
            }
        })
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

    /// Looks at everything that a backup asks of a database's source. A failed check is an `Ok` too: look at the result.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn check_database(&self, id: DatabaseId) -> Result<SourceCheckReport, Error> {
        self.transport.send_once(Call::new("checkDatabase").on(&id).idempotent(&new_idempotency_key())).await
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
