-- tidelock: backfill parcel
-- tidelock: verify NOT EXISTS (SELECT FROM parcel WHERE addressee IS NULL)
UPDATE parcel SET addressee = recipient WHERE addressee IS NULL;
