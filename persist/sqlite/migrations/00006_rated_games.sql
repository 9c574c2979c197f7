-- How many of a player's games changed the rating, whether that is enough to stand on the leaderboard (which the program decides,
-- see persist.Ratings), and why a result changed no ratings.
--
-- Of results that are not kept any more nobody knows whether they were rated: they are taken to have been.

-- +goose Up
ALTER TABLE results ADD COLUMN unrated TEXT; -- null: it changed them, or never could

ALTER TABLE records ADD COLUMN rated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
UPDATE records SET rated = max(1, games - (
  SELECT count(*) FROM outcomes o WHERE o.player = records.player AND o.game = records.game AND o.nth > 0 AND o.after_rating IS NULL))
WHERE rating IS NOT NULL;

DROP INDEX records_leaderboard;
CREATE INDEX records_board ON records (game, rating DESC, player) WHERE listed = 1;
CREATE INDEX outcomes_rated ON outcomes (player, game, stored) WHERE after_rating IS NOT NULL;
