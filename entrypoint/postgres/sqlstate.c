#include "postgres/sqlstate.h"

#include <string.h>

#include "base/memory.h"

/* Exact codes before the classes that contain them. */
static const struct sqlstate SQLSTATES[] = {
    { .code = "08P01",
      .class = ERROR_REFUSED,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .hint =
          "Something in between does not speak PostgreSQL's protocol, or a pooler is full; see its log." },
    { .code = "08",
      .class = ERROR_LOST,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .prisma = "P1017" },
    { .code = "25006",
      .class = ERROR_READ_ONLY,
      .hint =
          "The session is read-only: point the URL at the primary, or check default_transaction_read_only." },
    { .code = "25P03",
      .class = ERROR_LOST,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .prisma = "P1017" },
    { .code = "25P04", .class = ERROR_CLEAN, .is_of_session = true },
    { .code = "28P01",
      .class = ERROR_LOGIN,
      .is_of_session = true,
      .prisma = "P1000",
      .hint = "Check the user and password in the database URL (percent-encode special characters)." },
    { .code = "28000",
      .class = ERROR_LOGIN,
      .is_of_session = true,
      .prisma = "P1010",
      .hint = "The server's pg_hba.conf does not let this user connect from here, or requires TLS." },
    { .code = "3D000",
      .class = ERROR_LOGIN,
      .is_of_session = true,
      .prisma = "P1003",
      .hint = "Create the database, or correct its name in the URL." },
    { .code = "40001", .class = ERROR_TABLE_LOCK },
    { .code = "40P01", .class = ERROR_TABLE_LOCK },
    { .code = "42501",
      .class = ERROR_DENIED,
      .prisma = "P1010",
      .hint =
          "The role lacks a privilege: make it the owner of what it migrates, or GRANT the privilege that "
          "the message names." },
    { .code = "53300",
      .class = ERROR_BUDGET,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .hint = "The server has no connection left for this role." },
    { .code = "53", .class = ERROR_CLEAN, .is_worth_reconnecting = true },
    { .code = "55P03", .class = ERROR_TABLE_LOCK },
    { .code = "57P01",
      .class = ERROR_LOST,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .prisma = "P1017" },
    { .code = "57P02",
      .class = ERROR_LOST,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .prisma = "P1017" },
    { .code = "57P03", .class = ERROR_UNREACHABLE, .is_of_session = true, .is_worth_reconnecting = true },
    { .code = "57P05",
      .class = ERROR_LOST,
      .is_of_session = true,
      .is_worth_reconnecting = true,
      .prisma = "P1017" },
    { .code = "58", .class = ERROR_CLEAN, .is_worth_reconnecting = true },
    { .code = "XX", .class = ERROR_CLEAN, .is_worth_reconnecting = true },
};

static const struct sqlstate OTHER = { .code = "", .class = ERROR_CLEAN };
static const struct sqlstate ENDED = { .code = "", .class = ERROR_LOST, .prisma = "P1017" };

const struct sqlstate *sqlstate_find(const char *code)
{
    for (size_t i = 0; i < array_length(SQLSTATES); i++) {
        if (strncmp(SQLSTATES[i].code, code, strlen(SQLSTATES[i].code)) == 0)
            return &SQLSTATES[i];
    }
    return &OTHER;
}

const struct sqlstate *sqlstate_of_statement(const char *code)
{
    const struct sqlstate *found = sqlstate_find(code);

    return found->is_of_session ? &OTHER : found;
}

const struct sqlstate *sqlstate_of_end(const char *code)
{
    const struct sqlstate *found = sqlstate_find(code);
    bool is_known = found->class == ERROR_LOST || found->class == ERROR_CLEAN;

    return found->is_of_session && is_known ? found : &ENDED;
}
