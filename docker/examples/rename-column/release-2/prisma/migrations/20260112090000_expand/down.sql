DROP TRIGGER parcel_names ON parcel;
DROP FUNCTION parcel_names();
ALTER TABLE parcel DROP COLUMN addressee;
