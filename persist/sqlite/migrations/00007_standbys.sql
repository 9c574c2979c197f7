-- The standby of a live room: the second data folder whose journal has it. It counts only at the epoch that it was written at.
-- Older programs, which may still write beside newer ones, raise the epoch with each claim and know nothing of it: so they
-- leave no standby behind that is none.

-- +goose Up
ALTER TABLE rooms ADD COLUMN standby TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN standby_epoch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX rooms_folder ON rooms (folder, room) WHERE state = 'live';
CREATE INDEX rooms_standby ON rooms (standby, room) WHERE state = 'live' AND standby <> '';

-- An operator has said that the boot's data folder is lost for good: a room that has no other member is lost with it.
ALTER TABLE boots ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
