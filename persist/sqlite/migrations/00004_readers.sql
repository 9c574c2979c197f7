-- Who may read a result and its replay beside operators: a list of players, or null for everybody. Of private rooms that ended
-- before there was a choice it is those in the result.

-- +goose Up
ALTER TABLE results ADD COLUMN readers TEXT;
UPDATE results SET readers = (SELECT json_group_array(o.player) FROM outcomes o WHERE o.room = results.room)
WHERE room IN (SELECT room FROM rooms WHERE private = 1);
