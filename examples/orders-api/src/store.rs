//! The orders in their database: SQLite or PostgreSQL, as the URL says.

use crate::model::{NewOrder, Order, Orders, Page};
use crate::problem::{Failure, Problem};
use portcullis::AccessToken;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, FromRow};
use std::time::{Duration, SystemTime};
use uuid::Uuid;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Store(AnyPool);

/// The owner of an order. Subjects are unique at their issuer only (RFC 7519, section 4.1.2).
#[derive(Clone, Debug)]
pub struct Owner {
    issuer: String,
    subject: String,
}

impl Owner {
    /// The caller.
    ///
    /// # Errors
    ///
    /// A token that names no subject.
    pub fn of(caller: &AccessToken) -> Result<Self, Failure> {
        let subject = caller.subject().ok_or(Failure::NoSubject)?;
        Ok(Self {
            issuer: caller.issuer().to_string(),
            subject: subject.to_owned(),
        })
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    item: String,
    quantity: i64,
    note: Option<String>,
    created_at: i64,
}

impl From<Row> for Order {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            item: row.item,
            quantity: row.quantity,
            note: row.note,
            created_at: row.created_at,
        }
    }
}

// Values always go beside the text of a statement, never into it. Both databases number them by $.
const COLUMNS: &str = "id, item, quantity, note, created_at";

impl Store {
    /// Opens the database, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// A URL that is none, a database that cannot be reached, a migration that fails.
    pub async fn open(url: &str) -> Result<Self, sqlx::Error> {
        install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(3));
        // A database in memory is gone with its connection, and another one would be empty.
        let most = if url.contains(":memory:") { 1 } else { 10 };
        let pool = options.max_connections(most).connect(url).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self(pool))
    }

    /// Whether the database answers.
    pub async fn is_ready(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.0).await.is_ok()
    }

    /// Closes all connections, once their statements have ended.
    pub async fn close(&self) {
        self.0.close().await;
    }

    /// A part of the owner's orders.
    pub async fn list(&self, owner: &Owner, page: &Page) -> Result<Orders, Failure> {
        let statement = format!(
            "SELECT {COLUMNS} FROM orders \
             WHERE issuer = $1 AND subject = $2 AND id > $3 ORDER BY id LIMIT $4"
        );
        // One more than asked for tells whether there are further ones.
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(&owner.issuer)
            .bind(&owner.subject)
            .bind(page.after.as_deref().unwrap_or_default())
            .bind(i64::from(page.limit) + 1)
            .fetch_all(&self.0)
            .await?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        let items: Vec<Order> = rows.into_iter().take(limit).map(Order::from).collect();
        let last = items.last().map(|order| order.id.clone());
        Ok(Orders {
            items,
            next: last.filter(|_| more),
        })
    }

    /// Makes an order of this owner.
    pub async fn create(&self, owner: &Owner, order: NewOrder) -> Result<Order, Failure> {
        let row = Row {
            id: Uuid::now_v7().to_string(),
            item: order.item,
            quantity: i64::from(order.quantity),
            note: order.note,
            created_at: now(),
        };
        sqlx::query(
            "INSERT INTO orders (id, issuer, subject, item, quantity, note, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&row.id)
        .bind(&owner.issuer)
        .bind(&owner.subject)
        .bind(&row.item)
        .bind(row.quantity)
        .bind(&row.note)
        .bind(row.created_at)
        .execute(&self.0)
        .await?;
        Ok(row.into())
    }

    /// An order of this owner.
    pub async fn read(&self, owner: &Owner, id: &str) -> Result<Order, Problem> {
        let statement =
            format!("SELECT {COLUMNS} FROM orders WHERE issuer = $1 AND subject = $2 AND id = $3");
        let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(&owner.issuer)
            .bind(&owner.subject)
            .bind(id)
            .fetch_optional(&self.0)
            .await?;
        row.map(Order::from).ok_or(Problem::NoSuchOrder)
    }

    /// Replaces what an order of this owner says.
    pub async fn update(&self, owner: &Owner, id: &str, order: NewOrder) -> Result<Order, Problem> {
        let changed = sqlx::query(
            "UPDATE orders SET item = $1, quantity = $2, note = $3 \
             WHERE issuer = $4 AND subject = $5 AND id = $6",
        )
        .bind(order.item)
        .bind(i64::from(order.quantity))
        .bind(order.note)
        .bind(&owner.issuer)
        .bind(&owner.subject)
        .bind(id)
        .execute(&self.0)
        .await?;
        match changed.rows_affected() {
            0 => Err(Problem::NoSuchOrder),
            _ => self.read(owner, id).await,
        }
    }

    /// Deletes an order of any owner.
    pub async fn delete(&self, id: &str) -> Result<(), Problem> {
        let deleted = sqlx::query("DELETE FROM orders WHERE id = $1")
            .bind(id)
            .execute(&self.0)
            .await?;
        match deleted.rows_affected() {
            0 => Err(Problem::NoSuchOrder),
            _ => Ok(()),
        }
    }
}

fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(i64::MAX))
}
