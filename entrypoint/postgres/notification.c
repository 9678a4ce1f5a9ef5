#include "postgres/notification.h"

#include "postgres/internal.h"

bool notification_receive(struct connection *conn)
{
    return PQconsumeInput(conn->pg) == 1;
}

bool notification_next(struct connection *conn, int *sender, struct text *payload)
{
    PGnotify *notify = PQnotifies(conn->pg);

    if (notify == NULL)
        return false;
    *sender = notify->be_pid;
    text_reset(payload);
    text_add_string(payload, notify->extra);
    PQfreemem(notify);
    return true;
}
