#include "postgres/refusal.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/signals.h"
#include "base/text.h"
#include "postgres/sqlstate.h"
#include "sql/quote.h"

enum { ROLE_MOST = 512 };

/* libpq's own messages, when the server has not refused. The first match wins. */
static const struct reason {
    const char *phrase;
    enum error_class class;
    bool is_worth_retrying;
    const char *prisma;
    const char *hint;
} REASONS[] = {
    /* Looked at only once the server has been reached. */
    { "invalid integer value", ERROR_USAGE, false, "P1013",
      "Write a whole number there, or remove the parameter from the database URL." },
    { "no password supplied", ERROR_LOGIN, false, "P1000",
      "Set the password in the database URL, in PGPASSWORD, or in the file that DATABASE_URL_FILE names." },
    { "server does not support SSL", ERROR_USAGE, false, "P1011",
      "The server does not support TLS: set sslmode=disable (or prefer), or turn ssl on in the server." },
    { "certificate verify failed", ERROR_USAGE, false, "P1011",
      "Set sslrootcert=FILE in the URL to the CA that signed the server's certificate." },
    { "does not match host name", ERROR_USAGE, false, "P1011",
      "Use the host name that is in the server's certificate." },
    { "root certificate file", ERROR_USAGE, false, "P1011",
      "Set sslrootcert=FILE in the URL to an existing CA file." },
    { "private key file", ERROR_USAGE, false, "P1011",
      "Check sslkey in the URL: the file must exist, with mode 0600 or stricter." },
    { "certificate file", ERROR_USAGE, false, "P1011",
      "Check sslcert in the URL: the file must exist and contain a PEM certificate." },
    { "channel binding", ERROR_USAGE, false, "P1011",
      "Set channel_binding=prefer in the URL, or let the server offer TLS and SCRAM and set sslmode=require." },
    { "authentication method requirement", ERROR_LOGIN, false, "P1000",
      "The server asks for a password in another way than require_auth allows: correct one of the two." },
    { "authentication method", ERROR_LOGIN, false, "P1000",
      "Let the server's pg_hba.conf ask for scram-sha-256: libpq does not know its present method." },
    { "authentication not supported", ERROR_LOGIN, false, "P1000",
      "Let the server's pg_hba.conf ask for scram-sha-256: this build does not have its present method." },
    { "GSSAPI encryption", ERROR_USAGE, false, "P1011", "Set gssencmode=disable (or prefer) in the URL." },
    { "direct SSL connection", ERROR_USAGE, false, "P1011", "Remove sslnegotiation from the URL." },
    { "SSL error", ERROR_USAGE, false, "P1011",
      "Check sslmode, sslrootcert, sslcert and sslkey in the URL." },
    { "could not translate host name", ERROR_UNREACHABLE, true, "P1001",
      "Check the host in the database URL. In Kubernetes, check that the Service exists in this namespace." },
    { "session is read-only", ERROR_READ_ONLY, true, "P1001",
      "No host in the URL accepts writes: a failover may be in progress." },
    { "server is in hot standby mode", ERROR_READ_ONLY, true, "P1001",
      "No host in the URL is a primary: a failover may be in progress." },
};

/* Finds ":  CODE: " in a verbose server error; the last one, since several hosts may have
 * refused. */
static const char *find_sqlstate(const char *said, char code[SQLSTATE_SIZE])
{
    const char *found = NULL;

    for (const char *at = strstr(said, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        const char *state = at + 3;
        size_t length = strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

        if (length != SQLSTATE_SIZE - 1 || strncmp(state + length, ": ", 2) != 0)
            continue;
        memcpy(code, state, length);
        code[length] = '\0';
        found = state + length + 2;
    }
    return found;
}

/* Its first line, without the SQLSTATE and surrounding blanks. */
static struct slice first_line(const char *said)
{
    struct slice line = slice_trim(slice_of(said));
    const char *end = line.length > 0 ? memchr(line.at, '\n', line.length) : NULL;

    if (end != NULL)
        line.length = (size_t)(end - line.at);
    return slice_trim(line);
}

/* LDAP and PAM (through which Amazon RDS accepts tokens) report this with the code of a missing rule in
 * pg_hba.conf. */
static const struct sqlstate *meaning_of(const char *code, const char *words)
{
    bool is_password = strcmp(code, "28000") == 0 && strstr(words, "authentication failed") != NULL;

    return sqlstate_find(is_password ? "28P01" : code);
}

/* What the server says of the user itself, with the code of a missing rule in pg_hba.conf: role "NAME" … */
static const struct {
    const char *words;
    const char *remedy;
} LOGINS[] = {
    { "\" does not exist", "CREATE ROLE {role} LOGIN PASSWORD '…';" },
    { "\" is not permitted to log in", "ALTER ROLE {role} LOGIN;" },
};

static void explain_login(struct slice said, struct error *err)
{
    static const char before[] = "role \"";
    auto_text struct text role = text_init(ROLE_MOST);
    auto_text struct text remedy = text_init(ROLE_MOST);

    for (size_t i = 0; i < array_length(LOGINS); i++) {
        size_t around = strlen(before) + strlen(LOGINS[i].words);
        auto_free char *name = NULL;

        if (said.length <= around || !slice_starts_with(said, before) ||
            memcmp(said.at + said.length - strlen(LOGINS[i].words), LOGINS[i].words,
                   strlen(LOGINS[i].words)) != 0)
            continue;
        name = memory_copy(said.at + strlen(before), said.length - around);
        quote_identifier(name, &role);
        text_add_filled(&remedy, LOGINS[i].remedy, "{role}", role.at);
        error_hint(
            err,
            "An administrator of that server types: %s Or correct the user in the database URL; where it "
            "names none, in PGUSER.",
            remedy.at);
        return;
    }
}

static enum error_class class_of(const struct sqlstate *meaning)
{
    if (meaning->class == ERROR_BUDGET)
        return ERROR_BUDGET;
    if (meaning->is_worth_reconnecting)
        return ERROR_UNREACHABLE;
    return meaning->class == ERROR_LOGIN || meaning->class == ERROR_DENIED ? ERROR_LOGIN : ERROR_USAGE;
}

static bool explain_server(const struct endpoint *where, const char *code, const char *words,
                           struct error *err)
{
    const struct sqlstate *meaning = meaning_of(code, words);
    struct slice line = first_line(words);

    error_set(err, class_of(meaning), "the database at %s refused the connection: %.*s", where->label,
              (int)line.length, line.at);
    text_copy_cut(err->sqlstate, sizeof err->sqlstate, code);
    if (meaning->prisma != NULL)
        error_code(err, meaning->prisma);
    if (meaning->hint != NULL)
        error_hint(err, "%s", meaning->hint);
    if (strcmp(code, "28000") == 0)
        explain_login(line, err);
    /* PgBouncer's message; its code is the one for any protocol violation. */
    if (strstr(words, "unsupported startup parameter") == NULL)
        return meaning->is_worth_reconnecting;
    err->class = ERROR_USAGE;
    return error_hint(
        err,
        "A pooler in between does not pass on --set-role, PGOPTIONS or the URL's options: set DIRECT_URL "
        "to the database's own address.");
}

static bool explain_reason(const struct endpoint *where, const struct reason *reason, const char *said,
                           struct error *err)
{
    struct slice line = first_line(said);

    error_set(err, reason->class, "could not connect to %s: %.*s", where->label, (int)line.length, line.at);
    error_code(err, reason->prisma);
    error_hint(err, "%s", reason->hint);
    if (strcmp(reason->prisma, "P1011") == 0 && where->is_sslmode_standard &&
        endpoint_value(where, "sslrootcert") != NULL)
        error_hint(
            err,
            "%s A CA is named and no sslmode, which asks for a verified connection; for one without TLS: "
            "sslmode=disable.",
            reason->hint);
    return reason->is_worth_retrying;
}

/* A parameter that the URL may have, but this libpq is too old for. True when it was that. */
static bool explain_option(const struct endpoint *where, const char *said, struct error *err)
{
    static const char phrase[] = "invalid connection option \"";
    const char *name = strstr(said, phrase);
    int major = PQlibVersion() / 10000;

    if (name == NULL)
        return false;
    name += strlen(phrase);
    error_message(
        err, "could not connect to %s: libpq %d, with which this tidelock was built, does not know \"%.*s\"",
        where->label, major, (int)strcspn(name, "\""), name);
    error_hint(err, "Remove it from the database URL, or use the release's binary, whose libpq is newer.");
    return true;
}

bool refusal_explain(const struct endpoint *where, enum refusal_stage stage, const char *said,
                     int64_t timeout_ms, struct error *err)
{
    static const struct reason unreachable = {
        "", ERROR_UNREACHABLE, true, "P1001",
        "Check that the server is running and that the host and port are right."
    };
    char code[SQLSTATE_SIZE];
    const char *words = find_sqlstate(said, code);
    char took[32];

    if (stage == REFUSED_BY_SIGNAL)
        return signals_error(err);
    if (stage == REFUSED_BY_TIME) {
        error_set(err, ERROR_UNREACHABLE, "could not connect to %s: no answer within %s", where->label,
                  duration_text(timeout_ms, took, sizeof took));
        error_code(err, "P1001");
        error_hint(
            err,
            "A firewall or a NetworkPolicy may be dropping the packets; to allow each attempt more time: "
            "--connect-timeout.");
        return true;
    }
    if (words != NULL)
        return explain_server(where, code, words, err);
    for (size_t i = 0; i < array_length(REASONS); i++) {
        if (strstr(said, REASONS[i].phrase) != NULL)
            return explain_reason(where, &REASONS[i], said, err);
    }
    explain_reason(where, &unreachable, said, err);
    if (strncmp(said, "connection to server", strlen("connection to server")) == 0)
        return true;
    /* No connection was attempted: libpq rejected a parameter. */
    err->class = ERROR_USAGE;
    error_code(err, "P1013");
    if (!explain_option(where, said, err))
        error_hint(err, "Check the parameters of the database URL.");
    return false;
}
