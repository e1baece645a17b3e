-- For SQLite and for PostgreSQL alike: text, numbers of 64 bits, and nothing that only one of them knows.
CREATE TABLE orders (
    id         TEXT   NOT NULL PRIMARY KEY,
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    item       TEXT   NOT NULL,
    quantity   BIGINT NOT NULL,
    note       TEXT,
    created_at BIGINT NOT NULL
);

-- A list is always one owner's, in the order of the identifiers.
CREATE INDEX orders_of_owner ON orders (issuer, subject, id);
