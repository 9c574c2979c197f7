-- What programs outside are told, one row for each event and target. A claim puts due off and counts a try: who was claimed again since
-- does not settle a row.

-- +goose Up
CREATE TABLE outbox (
  number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event   text NOT NULL,
  target  text NOT NULL,
  kind    text NOT NULL,
  room    text NOT NULL,
  player  text NOT NULL,                 -- of player.joined, else empty
  data    text NOT NULL,                 -- JSON, byte for byte
  made    timestamptz NOT NULL,
  since   timestamptz NOT NULL,          -- when it was made or replayed last
  state   text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  tries   bigint NOT NULL DEFAULT 0,
  due     timestamptz NOT NULL,
  settled timestamptz,
  error   text NOT NULL DEFAULT '',
  UNIQUE (event, target)
);
CREATE INDEX outbox_due ON outbox (target, due) WHERE state = 'waiting';
CREATE INDEX outbox_kind ON outbox (kind, number) WHERE state = 'waiting';
CREATE INDEX outbox_settled ON outbox (settled) WHERE state <> 'waiting';
CREATE INDEX outbox_failed ON outbox (number) WHERE state = 'failed';
CREATE INDEX outbox_room ON outbox (room);
CREATE INDEX outbox_player ON outbox (player) WHERE player <> '';
