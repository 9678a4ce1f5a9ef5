CREATE TABLE parcels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address text NOT NULL,
    weight_g integer NOT NULL CHECK (weight_g > 0)
);
