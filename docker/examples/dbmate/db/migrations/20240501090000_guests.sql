-- migrate:up
CREATE TABLE guest (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    room text
);

-- migrate:down
DROP TABLE guest;
