-- Whom a room's replay names beside its result, so that every room which knows a player is found. indexed says that others has
-- them all; of rooms that older programs stored it is not known until their replays have been read once.
--
-- redactions counts the players who were taken out of a result and its replay. Its hash stays what it was: by it a result that
-- is offered again is known.

-- +goose Up
CREATE TABLE others (
  room   text NOT NULL REFERENCES results ON DELETE CASCADE,
  player text COLLATE "C" NOT NULL,
  PRIMARY KEY (player, room)
);
CREATE INDEX others_room ON others (room);

ALTER TABLE results ADD COLUMN indexed boolean NOT NULL DEFAULT false;
ALTER TABLE results ADD COLUMN redactions bigint NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN redacted timestamptz;
CREATE INDEX results_unindexed ON results (room) WHERE NOT indexed;

-- A replay that is written anew has pieces of other numbers, so that who is reading the old one finds its end, not a mixture.
ALTER TABLE replays ADD COLUMN base bigint NOT NULL DEFAULT 0; -- its pieces are numbered from base + 1 on

CREATE INDEX players_guests ON players (player COLLATE "C") WHERE player COLLATE "C" >= 'g_' AND player COLLATE "C" < 'g`';
