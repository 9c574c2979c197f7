-- Times are microseconds since 1970 UTC, durations nanoseconds.

-- +goose Up
CREATE TABLE results (
  room        TEXT PRIMARY KEY,
  game        TEXT NOT NULL,
  version     INTEGER NOT NULL,
  ended       TEXT NOT NULL CHECK (ended IN ('finished', 'aborted', 'closed')),
  rated       INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  outcomes    TEXT NOT NULL,             -- JSON, as room.Result has them
  reason      TEXT NOT NULL,
  summary     TEXT NOT NULL,
  data        TEXT,                      -- JSON, the game's own, byte for byte
  hash        BLOB NOT NULL CHECK (length(hash) = 32),
  stored      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX results_stored ON results (stored);

CREATE TABLE replays (
  room   TEXT PRIMARY KEY REFERENCES results ON DELETE CASCADE,
  data   BLOB NOT NULL,
  stored INTEGER NOT NULL
) STRICT;
CREATE INDEX replays_stored ON replays (stored);

CREATE TABLE players (
  player TEXT PRIMARY KEY,
  name   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A player's record in a game; rating, deviation and volatility are null before the first rated one.
CREATE TABLE records (
  game       TEXT NOT NULL,
  player     TEXT NOT NULL REFERENCES players,
  rating     REAL,
  deviation  REAL,
  volatility REAL,
  games      INTEGER NOT NULL DEFAULT 0,
  wins       INTEGER NOT NULL DEFAULT 0,
  draws      INTEGER NOT NULL DEFAULT 0,
  losses     INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (game, player),
  CHECK (games = wins + draws + losses)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_player ON records (player);
CREATE INDEX records_leaderboard ON records (game, rating DESC, player) WHERE rating IS NOT NULL;

-- A player's part in a result; nth counts the player's finished games of this name, 0 if this was not finished.
CREATE TABLE outcomes (
  room              TEXT NOT NULL REFERENCES results ON DELETE CASCADE,
  player            TEXT NOT NULL REFERENCES players,
  game              TEXT NOT NULL,
  seat              INTEGER NOT NULL,
  rank              INTEGER NOT NULL,
  players           INTEGER NOT NULL,
  nth               INTEGER NOT NULL,
  before_rating     REAL,
  before_deviation  REAL,
  before_volatility REAL,
  after_rating      REAL,
  after_deviation   REAL,
  after_volatility  REAL,
  stored            INTEGER NOT NULL,
  PRIMARY KEY (room, player)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcomes_recent ON outcomes (player, stored DESC, nth DESC);

CREATE TABLE rooms (
  room             TEXT PRIMARY KEY,
  game             TEXT NOT NULL,
  epoch            INTEGER NOT NULL,
  state            TEXT NOT NULL CHECK (state IN ('live', 'released', 'over')),
  boot             TEXT NOT NULL,
  folder           TEXT NOT NULL,
  code             TEXT NOT NULL,
  private          INTEGER NOT NULL,
  nonce            TEXT NOT NULL,
  created          INTEGER NOT NULL,
  checkpoint_epoch INTEGER,
  checkpoint_seq   INTEGER,
  checkpoint       BLOB
) STRICT;
CREATE INDEX rooms_code ON rooms (code, created DESC) WHERE code <> '' AND state <> 'over';
CREATE INDEX rooms_unfinished ON rooms (state, room) WHERE state <> 'over';

CREATE TABLE boots (
  boot      TEXT PRIMARY KEY,
  node      TEXT NOT NULL,
  folder    TEXT NOT NULL,
  host      TEXT NOT NULL,
  pid       INTEGER NOT NULL,
  path      TEXT NOT NULL,
  state     TEXT NOT NULL CHECK (state IN ('alive', 'ended', 'dead')),
  started   INTEGER NOT NULL,
  heartbeat INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX boots_alive ON boots (folder) WHERE state = 'alive';

CREATE TABLE fences (
  number  INTEGER PRIMARY KEY,
  boot    TEXT NOT NULL UNIQUE REFERENCES boots,
  by_boot TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT;
