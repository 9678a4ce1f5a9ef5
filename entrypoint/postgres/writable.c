#include "postgres/writable.h"

#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/patience.h"
#include "postgres/query.h"
#include "postgres/reach.h"
#include "postgres/setting_source.h"
#include "sql/quote.h"

enum { PAUSE_MOST_MS = 2000, REMEDY_MOST = 1024 };

/* reset_val is what the session began with (documentation, "pg_settings"). */
static const struct query READ_ONLY = {
    .name = "read_only",
    .sql =
        "SELECT pg_catalog.pg_is_in_recovery(), s.reset_val OPERATOR(pg_catalog.=) 'on', s.source, pg_catalog.current_database(),"
        " SESSION_USER"
        "  FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'default_transaction_read_only'",
};

#define TAKE_BACK "Find out why (providers do that when a disk is full), then take it back: "

/* What to do, by the setting's source; %1 is the database, %2 the role. */
static const struct {
    const char *source;
    const char *remedy;
} SOURCES[] = {
    { "database", TAKE_BACK "ALTER DATABASE %1 RESET default_transaction_read_only;" },
    { "user", TAKE_BACK "ALTER ROLE %2 RESET default_transaction_read_only;" },
    { "database user", TAKE_BACK "ALTER ROLE %2 IN DATABASE %1 RESET default_transaction_read_only;" },
    { "global", TAKE_BACK "ALTER ROLE ALL RESET default_transaction_read_only;" },
    { "client", "Take it out of the URL's options or PGOPTIONS." },
    { "", TAKE_BACK "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();" },
};

static void add_remedy(const char *template, const struct result *row, struct text *out)
{
    for (const char *at = template; *at != '\0'; at++) {
        if (at[0] != '%') {
            text_add(out, at, 1);
            continue;
        }
        at++;
        quote_identifier(result_text(row, 0, *at == '1' ? 3 : 4), out);
    }
}

static void explain(const struct result *row, struct error *why)
{
    auto_text struct text remedy = text_init(REMEDY_MOST);
    const char *source = result_text(row, 0, 2);
    size_t i = 0;

    if (result_bool(row, 0, 0)) {
        error_set(why, ERROR_READ_ONLY, "the server is a read-only standby");
        error_hint(why, "Point the URL at the primary, or name all hosts in it.");
    } else {
        while (SOURCES[i].source[0] != '\0' && strcmp(SOURCES[i].source, source) != 0)
            i++;
        add_remedy(SOURCES[i].remedy, row, &remedy);
        error_set(why, ERROR_READ_ONLY, "the session is read-only: default_transaction_read_only is %s",
                  setting_source_text(source));
        error_hint(why, "%s Or point the URL at the primary.", remedy.at);
    }
    text_copy_cut(why->sqlstate, sizeof why->sqlstate, "25006");
}

bool writable_find(struct connection *conn, bool *is_writable, struct error *why, struct error *err)
{
    auto_result struct result *row = NULL;

    if (!query_run(conn, &READ_ONLY, NULL, &row, err))
        return false;
    *is_writable = !result_bool(row, 0, 0) && !result_bool(row, 0, 1);
    if (!*is_writable)
        explain(row, why);
    return true;
}

bool writable_is_missing(const struct error *err)
{
    return err->class == ERROR_READ_ONLY && strcmp(err->sqlstate, "25006") == 0;
}

/* Nobody became writable: the reason is that of the first look. */
static struct connection *give_up(const struct error *why, struct error *err)
{
    char last[sizeof err->message];

    if (why->class == ERROR_NONE ||
        (err->class != ERROR_NONE && err->class != ERROR_UNREACHABLE && err->class != ERROR_READ_ONLY))
        return NULL;
    text_copy_cut(last, sizeof last, err->message);
    *err = *why;
    if (strcmp(last, why->message) != 0)
        error_detail(err, "%s", last);
    error_holds(err, "Nothing was changed by this process.");
    return NULL;
}

struct connection *writable_reach(const struct config *config, struct endpoint *endpoint, struct error *err)
{
    struct patience patience = { .until = deadline_in(config->connect_deadline_ms) };
    struct error why = { .class = ERROR_NONE };

    for (;;) {
        auto_connection struct connection *conn = reach_database(config, endpoint, NULL, err);
        bool is_writable;

        if (conn == NULL)
            return give_up(&why, err);
        if (!writable_find(conn, &is_writable, &why, err))
            return NULL;
        if (is_writable)
            return steal(&conn);
        connection_close(steal(&conn));
        *err = why;
        if (patience_is_over(&patience))
            return give_up(&why, err);
        if (patience_has_word(&patience, why.message))
            log_wait("waiting for a session that may write: %s", why.message);
        /* Now libpq passes over the hosts that do not allow it. */
        endpoint_set(endpoint, "target_session_attrs", "read-write");
        if (!patience_back_off(&patience, PAUSE_MOST_MS, err))
            return NULL;
    }
}
