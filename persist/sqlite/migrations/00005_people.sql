-- Whom a room's replay names beside its result, so that every room which knows a player is found. indexed says that others has
-- them all; of rooms that older programs stored it is not known until their replays have been read once.
--
-- redactions counts the players who were taken out of a result and its replay. Its hash stays what it was: by it a result that
-- is offered again is known.

-- +goose Up
CREATE TABLE others (
  room   TEXT NOT NULL REFERENCES results ON DELETE CASCADE,
  player TEXT NOT NULL,
  PRIMARY KEY (player, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX others_room ON others (room);

ALTER TABLE results ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN redactions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN redacted INTEGER;
CREATE INDEX results_unindexed ON results (room) WHERE indexed = 0;

-- A replay that is written anew has pieces of other numbers, so that who is reading the old one finds its end, not a mixture.
ALTER TABLE replays ADD COLUMN base INTEGER NOT NULL DEFAULT 0; -- its pieces are numbered from base + 1 on
