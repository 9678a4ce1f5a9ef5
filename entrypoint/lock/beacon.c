#include "lock/beacon.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "postgres/query.h"

/* Two keys of 32 bits are shown with objsubid 2 (documentation, "pg_locks"). */
#define LIT(classes)                                                                                         \
    " FROM pg_catalog.pg_locks AS l WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'"                      \
    " AND l.objsubid OPERATOR(pg_catalog.=) 2 AND l.classid OPERATOR(pg_catalog.=)"                          \
    " ANY ('{" classes "}'::pg_catalog.oid[]) AND l.granted AND l.pid OPERATOR(pg_catalog.=) "

/* 31 bits of its hash: an integer as well as an oid. */
static int64_t key_of(const char *name)
{
    char hash[SHA256_HEX_SIZE];

    sha256_of(slice_of(name), hash);
    hash[8] = '\0';
    return (int64_t)(strtoul(hash, NULL, 16) & 0x7FFFFFFF);
}

void beacon_add_local(const char *name, struct text *sql)
{
    text_add_format(sql, "pg_catalog.pg_try_advisory_xact_lock_shared(" BEACON_LOCAL_CLASS ", %lld)",
                    (long long)key_of(name));
}

/* Whatever is lit: a script may have released it, or a message may have been carried out in part. */
static void add_search(int64_t wanted, struct text *sql)
{
    char key[24];

    (void)snprintf(key, sizeof key, "%lld", (long long)wanted);
    text_add_filled(sql,
                    "(SELECT CASE WHEN pg_catalog.bool_or(l.objid OPERATOR(pg_catalog.=) {key})"
                    " AND pg_catalog.count(CASE WHEN l.objid OPERATOR(pg_catalog.<>) {key}"
                    " THEN pg_catalog.pg_advisory_unlock_shared(" BEACON_CLASS
                    ", l.objid::pg_catalog.int4) END)"
                    " OPERATOR(pg_catalog.>=) 0 THEN true"
                    " ELSE pg_catalog.pg_try_advisory_lock_shared(" BEACON_CLASS
                    ", {key}) END" LIT(BEACON_CLASS) "pg_catalog.pg_backend_pid())",
                    "{key}", key);
}

static void add_exchange(int64_t lit, int64_t key, struct text *sql)
{
    char old[24];
    char new[24];

    (void)snprintf(old, sizeof old, "%lld", (long long)lit);
    (void)snprintf(new, sizeof new, "%lld", (long long)key);
    text_add_filled(sql, "pg_catalog.pg_try_advisory_lock_shared(" BEACON_CLASS ", {new})", "{new}", new);
    if (lit != 0)
        text_add_filled(sql, ", pg_catalog.pg_advisory_unlock_shared(" BEACON_CLASS ", {old})", "{old}", old);
}

void beacon_add(struct beacon *beacon, const char *name, struct text *sql)
{
    int64_t key = key_of(name);

    if (beacon->is_unknown)
        add_search(key, sql);
    else if (beacon->key != key)
        add_exchange(beacon->key, key, sql);
    else
        text_add_string(sql, "true");
    beacon->is_unknown = true;
}

void beacon_lit(struct beacon *beacon, const char *name)
{
    *beacon = (struct beacon) { .key = key_of(name) };
}

bool beacon_find(struct connection *conn, int pid, struct beacons *out, struct error *err)
{
    static const struct query lit = {
        .name = "beacons",
        .parameters = 1,
        .sql = "SELECT l.objid::bigint, l.classid OPERATOR(pg_catalog.=) " BEACON_LOCAL_CLASS LIT(
            BEACON_CLASS "," BEACON_LOCAL_CLASS) "$1::pg_catalog.int4 LIMIT 16"
    };
    auto_result struct result *rows = NULL;
    char number[24];
    const char *const parameters[] = { number };

    (void)snprintf(number, sizeof number, "%d", pid);
    if (!query_run(conn, &lit, parameters, &rows, err))
        return false;
    *out = (struct beacons) { .count = (size_t)result_rows(rows) };
    for (size_t i = 0; i < out->count; i++) {
        out->keys[i] = result_number(rows, (int)i, 0);
        out->is_local |= result_bool(rows, (int)i, 1);
    }
    return true;
}

bool beacon_is_lit(const struct beacons *beacons, const char *name)
{
    int64_t key = key_of(name);

    for (size_t i = 0; i < beacons->count; i++) {
        if (beacons->keys[i] == key)
            return true;
    }
    return false;
}
