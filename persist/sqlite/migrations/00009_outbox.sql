-- What programs outside are told, one row for each event and target. A claim puts due off and counts a try: who was claimed again since
-- does not settle a row.

-- +goose Up
CREATE TABLE outbox (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  event   TEXT NOT NULL,
  target  TEXT NOT NULL,
  kind    TEXT NOT NULL,
  room    TEXT NOT NULL,
  player  TEXT NOT NULL,                 -- of player.joined, else empty
  data    TEXT NOT NULL,                 -- JSON, byte for byte
  made    INTEGER NOT NULL,
  since   INTEGER NOT NULL,              -- when it was made or replayed last
  state   TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  tries   INTEGER NOT NULL DEFAULT 0,
  due     INTEGER NOT NULL,
  settled INTEGER,
  error   TEXT NOT NULL DEFAULT '',
  UNIQUE (event, target)
) STRICT;
CREATE INDEX outbox_due ON outbox (target, due) WHERE state = 'waiting';
CREATE INDEX outbox_kind ON outbox (kind, number) WHERE state = 'waiting';
CREATE INDEX outbox_settled ON outbox (settled) WHERE state <> 'waiting';
CREATE INDEX outbox_failed ON outbox (number) WHERE state = 'failed';
CREATE INDEX outbox_room ON outbox (room);
CREATE INDEX outbox_player ON outbox (player) WHERE player <> '';
