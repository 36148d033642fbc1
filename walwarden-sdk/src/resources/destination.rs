//! Backup destinations.

use futures::Stream;
use walwarden_contract::DestinationId;
use walwarden_contract::model::{
    CreateDestinationRequest, Destination, DestinationList, PreflightReport, UpdateDestinationRequest,
};
use walwarden_contract::page::PageQuery;

use super::pages::{items, largest};
use crate::client::WalwardenClient;
use crate::error::Error;
use crate::request::{Call, new_idempotency_key};

impl WalwardenClient {
    /// Lists backup destinations, one page, without their credentials.
    ///
    /// # Errors
    /// `forbidden`, and see [`Error`].
    pub async fn list_destinations(&self, page: &PageQuery) -> Result<DestinationList, Error> {
        self.transport.send(Call::new("listDestinations").query(page)).await
    }

    /// Every backup destination, in the order in which they were added, page after page.
    ///
    /// # Errors
    /// Each item may be what [`WalwardenClient::list_destinations`] fails with; the stream ends there.
    pub fn destinations(&self) -> impl Stream<Item = Result<Destination, Error>> + Send + use<> {
        let client = self.clone();
        items(move |cursor| {
            let client = client.clone();
            async move {
                let page = client.list_destinations(&largest(cursor)).await?;
                Ok((page.destinations, page.next_cursor))
            }
        })
    }

    /// Reads a backup destination, without its credentials.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, and see [`Error`].
    pub async fn get_destination(&self, id: DestinationId) -> Result<Destination, Error> {
        self.transport.send(Call::new("getDestination").on(&id)).await
    }

    /// Adds a backup destination. Its credentials are sealed, and never shown again.
    ///
    /// # Errors
    /// `name_taken`, `invalid_request`, `idempotency_conflict`, `forbidden`, and see [`Error`].
    pub async fn create_destination(
        &self,
        request: &CreateDestinationRequest,
        idempotency_key: &str,
    ) -> Result<Destination, Error> {
        self.transport.send(Call::new("createDestination").json(request).idempotent(idempotency_key)).await
    }

    /// Changes a backup destination: what the request leaves out stays.
    ///
    /// # Errors
    /// `not_found`, `name_taken`, `invalid_request`, `forbidden`, and see [`Error`].
    pub async fn update_destination(
        &self,
        id: DestinationId,
        request: &UpdateDestinationRequest,
    ) -> Result<Destination, Error> {
        self.transport.send(Call::new("updateDestination").on(&id).json(request)).await
    }

    /// Removes a backup destination that nothing uses. Its bucket is not touched.
    ///
    /// # Errors
    /// `not_found`, `resource_in_use`, `human_confirmation_required`, `forbidden`, and see [`Error`]. When the answer to
    /// the first attempt is lost, the repetition finds nothing and says `not_found`.
    pub async fn delete_destination(&self, id: DestinationId) -> Result<(), Error> {
        self.transport.send_for_nothing(Call::new("deleteDestination").on(&id)).await
    }

    /// Tries out everything that a backup asks of a destination. A failed check is an `Ok` too: look at the result.
    ///
    /// # Errors
    /// `not_found`, `destination_not_ready`, `forbidden`, and see [`Error`].
    pub async fn preflight_destination(&self, id: DestinationId) -> Result<PreflightReport, Error> {
        self.transport.send_once(Call::new("preflightDestination").on(&id).idempotent(&new_idempotency_key())).await
    }
}
