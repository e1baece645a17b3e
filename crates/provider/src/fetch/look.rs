//! A server's response as it came: for auditing it, and for showing it.

use super::{Authorization, Fetch, FetchFault, RawResponse, Reach};
use reqwest::Response;
use url::Url;

impl Fetch {
    /// The whole response, whatever its status: for showing what a server says.
    pub(crate) async fn look(&self, url: &Url, reach: Reach) -> Result<RawResponse, FetchFault> {
        let _slot = self.slots.acquire().await;
        let response = self.send(url, reach, None).await?;
        self.raw(url, response).await
    }

    /// The same for a request with these credentials.
    pub(crate) async fn look_as(
        &self,
        url: &Url,
        authorization: &Authorization,
    ) -> Result<RawResponse, FetchFault> {
        let _slot = self.slots.acquire().await;
        // An operator named the address, so it may be inside.
        let client = self.client_for(url, Reach::Anywhere).await?;
        let request = authorization.apply(client.get(url.clone()));
        match request.send().await {
            Ok(response) => self.raw(url, response).await,
            Err(error) => Err(self.network_fault(url, &error).await),
        }
    }

    async fn raw(&self, url: &Url, response: Response) -> Result<RawResponse, FetchFault> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(RawResponse {
            status,
            headers,
            body: self.body(url, response).await?,
        })
    }
}
