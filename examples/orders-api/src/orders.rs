//! The handlers. The guard comes first in each signature, so an unknown caller costs no reading and
//! learns nothing about the bodies.

use crate::Application;
use crate::guards::{Admin, Reader, Writer};
use crate::model::{NewOrder, Order, OrderPath, Orders, Page};
use crate::problem::{Failure, Problem};
use crate::store::{Owner, Store};
use axum::Json;
use axum::extract::{Path, Query, State};
use portcullis::openapi::{ApiRouter, CreatedResource, NoContent, get};
use portcullis::{AuthorizedCaller, Valid};

/// The routes below `/orders`.
pub fn routes() -> ApiRouter<Application> {
    let many = get(list_orders).post(create_order).tag("orders");
    let one = get(read_order)
        .put(update_order)
        .delete(delete_order)
        .tag("orders");
    ApiRouter::new().route("/", many).route("/{id}", one)
}

async fn list_orders(
    caller: AuthorizedCaller<Reader>,
    State(store): State<Store>,
    Valid(Query(page)): Valid<Query<Page>>,
) -> Result<Json<Orders>, Failure> {
    Ok(Json(store.list(&Owner::of(&caller)?, &page).await?))
}

async fn create_order(
    caller: AuthorizedCaller<Writer>,
    State(store): State<Store>,
    Valid(Json(order)): Valid<Json<NewOrder>>,
) -> Result<CreatedResource<Order>, Failure> {
    let resource = store.create(&Owner::of(&caller)?, order).await?;
    let location = format!("/orders/{}", resource.id);
    Ok(CreatedResource { location, resource })
}

async fn read_order(
    caller: AuthorizedCaller<Reader>,
    State(store): State<Store>,
    Valid(Path(path)): Valid<Path<OrderPath>>,
) -> Result<Json<Order>, Problem> {
    Ok(Json(store.read(&Owner::of(&caller)?, &path.id).await?))
}

async fn update_order(
    caller: AuthorizedCaller<Writer>,
    State(store): State<Store>,
    Valid(Path(path)): Valid<Path<OrderPath>>,
    Valid(Json(order)): Valid<Json<NewOrder>>,
) -> Result<Json<Order>, Problem> {
    let owner = Owner::of(&caller)?;
    Ok(Json(store.update(&owner, &path.id, order).await?))
}

async fn delete_order(
    _: AuthorizedCaller<Admin>,
    State(store): State<Store>,
    Valid(Path(path)): Valid<Path<OrderPath>>,
) -> Result<NoContent, Problem> {
    store.delete(&path.id).await?;
    Ok(NoContent)
}
