-- A step of a room in which processes have died, and how many; NULL, which costs no space, for nearly all rooms. It counts only at the
-- epoch that it was written at, or kept at. Older programs, which may still write beside newer ones, raise the epoch with each claim and
-- cannot forgive: so no strike outlives their time with a room.

-- +goose Up
ALTER TABLE rooms ADD COLUMN strike bigint;
ALTER TABLE rooms ADD COLUMN deaths integer;
ALTER TABLE rooms ADD COLUMN strike_epoch bigint;
