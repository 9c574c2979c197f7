-- Keys that all nodes share which have no secret in common. Who reads them can sign as the nodes do.

-- +goose Up
CREATE TABLE keys (
  purpose text PRIMARY KEY,
  key     bytea NOT NULL CHECK (octet_length(key) = 32),
  made    timestamptz NOT NULL
);
