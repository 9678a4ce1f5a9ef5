-- +goose Up
CREATE TABLE ticket (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event text NOT NULL,
    sold_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE ticket;
