//! Protected databases.

use walwarden_contract::DatabaseId;
use walwarden_contract::model::{BackupList, Database, DatabaseList};
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
        self.transport.send(Call::new("listDatabases").page(page)).await
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
        self.transport.send(Call::new("listDatabaseBackups").on(&id).page(page)).await
    }
}
