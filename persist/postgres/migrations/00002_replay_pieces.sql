-- A long replay goes on in rows of its own, so that neither writing nor reading one needs memory for the whole. What an older
-- program wrote is one piece.

-- +goose Up
ALTER TABLE replays ADD COLUMN more bigint NOT NULL DEFAULT 0; -- pieces that follow data
ALTER TABLE replays ADD COLUMN size bigint;                    -- bytes in all; null: data is all

CREATE TABLE replay_pieces (
  room text NOT NULL REFERENCES replays ON DELETE CASCADE,
  nth  bigint NOT NULL,                  -- from 1
  data bytea NOT NULL,
  PRIMARY KEY (room, nth)
);
ALTER TABLE replay_pieces ALTER COLUMN data SET STORAGE EXTERNAL; -- it is compressed already
