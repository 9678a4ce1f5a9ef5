"""Release 4: uses the new column only."""

ADD = "INSERT INTO parcel (addressee) VALUES (%(name)s) RETURNING id"
READ = "SELECT addressee FROM parcel WHERE id = %(id)s"
READDRESS = "UPDATE parcel SET addressee = %(name)s WHERE id = %(id)s"
