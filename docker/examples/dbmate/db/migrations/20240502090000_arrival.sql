-- migrate:up
ALTER TABLE guest ADD COLUMN arrives_on date;
COMMENT ON COLUMN guest.arrives_on IS 'in the hotel''s time zone';

-- migrate:down
ALTER TABLE guest DROP COLUMN arrives_on;
