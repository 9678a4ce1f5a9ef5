ALTER TABLE parcel ADD COLUMN addressee text;

-- Whichever of the two columns a release writes, the other follows.
CREATE FUNCTION parcel_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.addressee := coalesce(NEW.addressee, NEW.recipient);
        NEW.recipient := coalesce(NEW.recipient, NEW.addressee);
    ELSIF NEW.recipient IS DISTINCT FROM OLD.recipient THEN
        NEW.addressee := NEW.recipient;
    ELSIF NEW.addressee IS DISTINCT FROM OLD.addressee THEN
        NEW.recipient := NEW.addressee;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER parcel_names BEFORE INSERT OR UPDATE ON parcel
    FOR EACH ROW EXECUTE FUNCTION parcel_names();
