-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION sold(wanted text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM ticket WHERE event = wanted;
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION sold(text);
