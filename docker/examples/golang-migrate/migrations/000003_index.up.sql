CREATE INDEX CONCURRENTLY parcels_state ON parcels (state);
