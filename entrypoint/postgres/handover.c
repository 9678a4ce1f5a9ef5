#include "postgres/handover.h"

#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "postgres/internal.h"
#include "postgres/query.h"

/* With the password, which is why only its hash is kept. */
static void key_of(const struct endpoint *where, char key[SHA256_HEX_SIZE])
{
    unsigned char digest[SHA256_BYTES];
    struct sha256 sha256;

    sha256_begin(&sha256);
    for (size_t i = 0; i < where->count; i++) {
        sha256_add(&sha256, where->keywords[i], strlen(where->keywords[i]) + 1);
        sha256_add(&sha256, where->values[i], strlen(where->values[i]) + 1);
    }
    sha256_end(&sha256, digest);
    sha256_hex(digest, key);
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
        where->is_pooler || !make_new(conn, is_used)) {
        connection_close(conn);
        return;
    }
    handover_end(handover);
    key_of(where, handover->key);
    handover->conn = conn;
}

struct connection *handover_take(struct handover *handover, const struct endpoint *where)
{
    struct connection *conn = handover == NULL ? NULL : steal(&handover->conn);
    char key[SHA256_HEX_SIZE];

    if (conn == NULL)
        return NULL;
    key_of(where, key);
    if (strcmp(key, handover->key) != 0) {
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
