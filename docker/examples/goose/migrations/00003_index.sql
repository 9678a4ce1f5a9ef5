-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY ticket_event ON ticket (event);

-- +goose Down
DROP INDEX CONCURRENTLY ticket_event;
