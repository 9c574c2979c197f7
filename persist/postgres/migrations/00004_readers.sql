-- Who may read a result and its replay beside operators: a list of players, or null for everybody. Of private rooms that ended
-- before there was a choice it is those in the result.

-- +goose Up
ALTER TABLE results ADD COLUMN readers json;
UPDATE results r SET readers = (SELECT coalesce(json_agg(o.player ORDER BY o.seat), '[]'::json) FROM outcomes o WHERE o.room = r.room)
FROM rooms WHERE rooms.room = r.room AND rooms.private;
