"""Release 1: there is one column."""

ADD = "INSERT INTO parcel (recipient) VALUES (%(name)s) RETURNING id"
READ = "SELECT recipient FROM parcel WHERE id = %(id)s"
READDRESS = "UPDATE parcel SET recipient = %(name)s WHERE id = %(id)s"
