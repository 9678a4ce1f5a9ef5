-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY guest_arrives_on ON guest (arrives_on);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY guest_arrives_on;
