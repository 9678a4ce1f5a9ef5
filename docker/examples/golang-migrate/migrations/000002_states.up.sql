BEGIN;
CREATE TYPE parcel_state AS ENUM ('accepted', 'on its way', 'delivered');
ALTER TABLE parcels ADD COLUMN state parcel_state NOT NULL DEFAULT 'accepted';
COMMIT;
