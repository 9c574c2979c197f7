-- How many of a player's games changed the rating, whether that is enough to stand on the leaderboard (which the program decides,
-- see persist.Ratings), and why a result changed no ratings.
--
-- Of results that are not kept any more nobody knows whether they were rated: they are taken to have been.

-- +goose Up
ALTER TABLE results ADD COLUMN unrated text; -- null: it changed them, or never could

ALTER TABLE records ADD COLUMN rated bigint NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN listed boolean NOT NULL DEFAULT false;
UPDATE records r SET rated = greatest(1, r.games - (
  SELECT count(*) FROM outcomes o WHERE o.player = r.player AND o.game = r.game AND o.nth > 0 AND o.after_rating IS NULL))
WHERE r.rating IS NOT NULL;

DROP INDEX records_leaderboard;
CREATE INDEX records_board ON records (game, rating DESC, player COLLATE "C") WHERE listed;
CREATE INDEX outcomes_rated ON outcomes (player, game, stored) WHERE after_rating IS NOT NULL;
