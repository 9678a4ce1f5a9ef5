"""Release 3: reads the new column, and still writes both."""

ADD = "INSERT INTO parcel (recipient, addressee) VALUES (%(name)s, %(name)s) RETURNING id"
READ = "SELECT addressee FROM parcel WHERE id = %(id)s"
READDRESS = "UPDATE parcel SET recipient = %(name)s, addressee = %(name)s WHERE id = %(id)s"
