-- The company's time zone is where its day begins, unless sequences were given another one.

-- Whether `zone` was set apart from the company's; where it was not, and is what every row began with, the company's counts.
ALTER TABLE sequence_settings ADD COLUMN own_zone boolean NOT NULL DEFAULT false;
