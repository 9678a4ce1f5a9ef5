-- Each statement by itself: no lock is held while VALIDATE reads the table, and SET NOT NULL need not read it again.
-- tidelock: transaction=off
ALTER TABLE parcel ADD CONSTRAINT parcel_addressee CHECK (addressee IS NOT NULL) NOT VALID;
ALTER TABLE parcel VALIDATE CONSTRAINT parcel_addressee;
ALTER TABLE parcel ALTER COLUMN addressee SET NOT NULL;
ALTER TABLE parcel DROP CONSTRAINT parcel_addressee;
