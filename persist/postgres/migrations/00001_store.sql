-- +goose Up
CREATE TABLE results (
  room        text PRIMARY KEY,
  game        text NOT NULL,
  version     bigint NOT NULL,
  ended       text NOT NULL CHECK (ended IN ('finished', 'aborted', 'closed')),
  rated       boolean NOT NULL,
  epoch       bigint NOT NULL,
  seq         bigint NOT NULL,
  duration_ns bigint NOT NULL,
  outcomes    json NOT NULL,             -- as room.Result has them
  reason      text NOT NULL,
  summary     text NOT NULL,
  data        json,                      -- the game's own; json and not jsonb keeps it byte for byte
  hash        bytea NOT NULL CHECK (octet_length(hash) = 32),
  stored      timestamptz NOT NULL
);
CREATE INDEX results_stored ON results (stored);

CREATE TABLE replays (
  room   text PRIMARY KEY REFERENCES results ON DELETE CASCADE,
  data   bytea NOT NULL,
  stored timestamptz NOT NULL
);
CREATE INDEX replays_stored ON replays (stored);
ALTER TABLE replays ALTER COLUMN data SET STORAGE EXTERNAL; -- it is compressed already

CREATE TABLE players (
  player text PRIMARY KEY,
  name   text NOT NULL
);

-- A player's record in a game; rating, deviation and volatility are null before the first rated one.
CREATE TABLE records (
  game       text NOT NULL,
  player     text NOT NULL REFERENCES players,
  rating     double precision,
  deviation  double precision,
  volatility double precision,
  games      bigint NOT NULL DEFAULT 0,
  wins       bigint NOT NULL DEFAULT 0,
  draws      bigint NOT NULL DEFAULT 0,
  losses     bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (game, player),
  CHECK (games = wins + draws + losses)
);
CREATE INDEX records_player ON records (player);
CREATE INDEX records_leaderboard ON records (game, rating DESC, player) WHERE rating IS NOT NULL;

-- A player's part in a result; nth counts the player's finished games of this name, 0 if this was not finished.
CREATE TABLE outcomes (
  room              text NOT NULL REFERENCES results ON DELETE CASCADE,
  player            text NOT NULL REFERENCES players,
  game              text NOT NULL,
  seat              bigint NOT NULL,
  rank              bigint NOT NULL,
  players           bigint NOT NULL,
  nth               bigint NOT NULL,
  before_rating     double precision,
  before_deviation  double precision,
  before_volatility double precision,
  after_rating      double precision,
  after_deviation   double precision,
  after_volatility  double precision,
  stored            timestamptz NOT NULL,
  PRIMARY KEY (room, player)
);
CREATE INDEX outcomes_recent ON outcomes (player, stored DESC, nth DESC);

CREATE TABLE rooms (
  room             text PRIMARY KEY,
  game             text NOT NULL,
  epoch            bigint NOT NULL,
  state            text NOT NULL CHECK (state IN ('live', 'released', 'over')),
  boot             text NOT NULL,
  folder           text NOT NULL,
  code             text NOT NULL,
  private          boolean NOT NULL,
  nonce            text NOT NULL,
  created          timestamptz NOT NULL DEFAULT now(),
  checkpoint_epoch bigint,
  checkpoint_seq   bigint,
  checkpoint       bytea
);
CREATE INDEX rooms_code ON rooms (code, created DESC) WHERE code <> '' AND state <> 'over';
CREATE INDEX rooms_unfinished ON rooms (state, room) WHERE state <> 'over';

CREATE TABLE boots (
  boot      text PRIMARY KEY,
  node      text NOT NULL,
  folder    text NOT NULL,
  host      text NOT NULL,
  pid       bigint NOT NULL,
  path      text NOT NULL,
  state     text NOT NULL CHECK (state IN ('alive', 'ended', 'dead')),
  started   timestamptz NOT NULL,
  heartbeat timestamptz NOT NULL
);
CREATE INDEX boots_alive ON boots (folder) WHERE state = 'alive';

CREATE TABLE fences (
  number  bigint PRIMARY KEY,
  boot    text NOT NULL UNIQUE REFERENCES boots,
  by_boot text NOT NULL,
  at      timestamptz NOT NULL
);
