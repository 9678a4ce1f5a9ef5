#include "postgres/handover.h"

#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "postgres/internal.h"
#include "postgres/query.h"

enum { PARAMETERS_MOST = 256 * 1024 };

/* With the password, which is why only its hash is kept. */
static bool key_of(const struct endpoint *where, char key[SHA256_HEX_SIZE])
{
    auto_text struct text all = text_init(PARAMETERS_MOST);

    all.is_secret = true;
    for (size_t i = 0; i < where->count; i++) {
        text_add_string(&all, where->keywords[i]);
        text_add(&all, "", 1);
        text_add_string(&all, where->values[i]);
        text_add(&all, "", 1);
    }
    sha256_of(text_slice(&all), key);
    return !all.has_overflowed;
}

/* Whether the next one finds what a new session would be. */
static bool make_new(struct connection *conn, bool is_used)
{
    static const struct query discard = { .name = "discard_all", .sql = "DISCARD ALL" };
    struct error ignored = { .class = ERROR_NONE };

    if (conn->is_shielded || signals_pending() != 0 || PQtransactionStatus(conn->pg) != PQTRANS_IDLE)
        return false;
    if (is_used && !query_run(conn, &discard, NULL, NULL, &ignored)) {
        log_debug("the session is not kept: %s", ignored.message);
        return false;
    }
    return true;
}

void handover_leave(struct handover *handover, const struct endpoint *where, struct connection *conn,
                    bool is_used)
{
    if (handover == NULL || handover->is_last || conn == NULL || connection_is_lost(conn) ||
        where->is_pooler || !make_new(conn, is_used) || !key_of(where, handover->key)) {
        connection_close(conn);
        return;
    }
    handover_end(handover);
    handover->conn = conn;
}

struct connection *handover_take(struct handover *handover, const struct endpoint *where)
{
    struct connection *conn = handover == NULL ? NULL : steal(&handover->conn);
    char key[SHA256_HEX_SIZE];

    if (conn == NULL)
        return NULL;
    if (!key_of(where, key) || strcmp(key, handover->key) != 0) {
        connection_close(conn);
        return NULL;
    }
    connection_adopt(conn, where);
    return conn;
}

void handover_end(struct handover *handover)
{
    connection_close(steal(&handover->conn));
}
