-- A body full of semicolons and quotes: one statement all the same.
CREATE FUNCTION stands_level(inner_level numeric, outer_level numeric) RETURNS boolean AS $body$
DECLARE
    difference numeric := abs(inner_level - outer_level); -- metres; not feet
BEGIN
    IF difference IS NULL THEN
        RAISE EXCEPTION 'no level; nobody''s fault';
    END IF;
    RETURN difference < 0.05;
END;
$body$ LANGUAGE plpgsql IMMUTABLE;
