-- A long replay goes on in rows of its own, so that neither writing nor reading one needs memory for the whole. What an older
-- program wrote is one piece.

-- +goose Up
ALTER TABLE replays ADD COLUMN more INTEGER NOT NULL DEFAULT 0; -- pieces that follow data
ALTER TABLE replays ADD COLUMN size INTEGER;                    -- bytes in all; null: data is all

CREATE TABLE replay_pieces (
  room TEXT NOT NULL REFERENCES replays ON DELETE CASCADE,
  nth  INTEGER NOT NULL,                 -- from 1
  data BLOB NOT NULL,
  PRIMARY KEY (room, nth)
) STRICT;
