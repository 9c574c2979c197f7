-- Keys that all nodes share which have no secret in common. Who reads them can sign as the nodes do.

-- +goose Up
CREATE TABLE keys (
  purpose TEXT PRIMARY KEY,
  key     BLOB NOT NULL CHECK (length(key) = 32),
  made    INTEGER NOT NULL
) STRICT;
