-- Release 4 is the first that does not use the old column.
-- tidelock: floor=4
-- tidelock: contract wait=30m
DROP TRIGGER parcel_names ON parcel;
-- tidelock: allow drop-routine because only that trigger calls it
DROP FUNCTION parcel_names();
-- tidelock: allow drop-column because no release from 4 on uses it
ALTER TABLE parcel DROP COLUMN recipient;
