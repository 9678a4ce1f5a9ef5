#include "postgres/session.h"

#include "base/log.h"
#include "postgres/query.h"
#include "sql/quote.h"

static void set_timeout(const char *name, int64_t ms, const char *set, struct text *out)
{
    if (ms >= 0)
        text_add_format(out, "%s %s = %lld;", set, name, (long long)ms);
}

void session_settings_add(const struct session_settings *settings, bool is_local, struct text *out)
{
    const char *set = is_local ? "SET LOCAL" : "SET";

    if (settings->can_check_connection)
        text_add_format(out, "%s client_connection_check_interval = '1s';", set);
    text_add_format(out, "%s idle_in_transaction_session_timeout = '60s';", set);
    set_timeout("lock_timeout", settings->lock_timeout_ms, set, out);
    set_timeout("statement_timeout", settings->statement_timeout_ms, set, out);
    if (settings->transaction_timeout_ms > 0) {
        /* One that is running already, of the role or the database, is not replaced by another value. */
        set_timeout("transaction_timeout", 0, set, out);
        set_timeout("transaction_timeout", settings->transaction_timeout_ms, set, out);
    }
    if (settings->search_path != NULL) {
        text_add_format(out, "%s search_path = ", set);
        quote_identifier(settings->search_path, out);
        text_add_string(out, ";");
    }
}

const struct query SESSION_SAFETY_NET = {
    .name = "safety_net",
    .sql = "SELECT " SESSION_SAFETY_NET_LIST,
};

void session_regain_add(const struct session_settings *limits, int server_version, struct text *out)
{
    text_add_string(out,
                    "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;"
                    "SET tcp_keepalives_idle = 5;SET tcp_keepalives_interval = 2;"
                    "SET tcp_keepalives_count = 4;SET tcp_user_timeout = '12s';");
    if (server_version >= 140000)
        text_add_string(out, "SET idle_session_timeout = '60s';");
    session_settings_add(limits, true, out);
}

bool session_can_check_connection(struct connection *conn)
{
    static const struct query check = { .name = "check_connection", .sql = SESSION_CHECK_CONNECTION };
    struct error ignored;

    if (connection_server_version(conn) < SESSION_CHECKING_SINCE)
        return false;
    if (connection_checking(conn) != CHECKING_UNKNOWN)
        return connection_checking(conn) == CHECKING_YES;
    connection_know_checking(conn, query_run(conn, &check, NULL, NULL, &ignored));
    if (connection_checking(conn) == CHECKING_NO)
        log_debug("the server cannot detect closed connections: %s", ignored.message);
    return connection_checking(conn) == CHECKING_YES;
}

const struct query SESSION_CLEANUP[SESSION_CLEANUPS] = {
    { .name = "close_cursors", .sql = "CLOSE ALL" },
    { .name = "unlisten", .sql = "UNLISTEN *" },
    { .name = "discard_temporary", .sql = "DISCARD TEMP" },
    { .name = "discard_sequences", .sql = "DISCARD SEQUENCES" },
};

const struct query SESSION_CONSTRAINTS = { .name = "constraints_immediate",
                                           .sql = "SET CONSTRAINTS ALL IMMEDIATE" };

const struct query SESSION_ASIDE[SESSION_ASIDES] = {
    { .name = "aside_session_authorization", .sql = "SET LOCAL SESSION AUTHORIZATION DEFAULT" },
    { .name = "aside_role", .sql = "SET LOCAL role = DEFAULT" },
};

void session_cleanup_add(struct text *out)
{
    for (size_t i = 0; i < SESSION_CLEANUPS; i++)
        text_add_format(out, "%s;", SESSION_CLEANUP[i].sql);
    text_add_string(out, "DEALLOCATE ALL;");
}
