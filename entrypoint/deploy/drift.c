#include "deploy/drift.h"

#include <string.h>

#include "base/log.h"
#include "schema/catalog.h"

bool drift_read_live(struct arena *arena, const struct drift_request *wanted, struct facts *out,
                     struct error *err)
{
    const struct catalog_request request = { .dialect = wanted->ledger->dialect,
                                             .own_schema = wanted->ledger->schema };

    if (!catalog_read(arena, wanted->conn, &request, out, err))
        return error_context(err, "reading the schema");
    facts_ignore(out, wanted->config->ignored_facts);
    return true;
}

static bool is_half_done(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (!ledger->rows[i].is_finished && !ledger->rows[i].is_rolled_back)
            return true;
    }
    return false;
}

/* What was recorded of another state, or by another version, says nothing about this one. */
static const char *why_unknown(const struct drift_request *wanted, const struct recorded *recorded)
{
    int major = connection_server_version(wanted->conn) / 10000;
    char ledger[SHA256_HEX_SIZE];
    char form[SHA256_HEX_SIZE];

    if (!recorded->exists)
        return "no deployment has recorded the schema yet";
    recorded_ledger(wanted->ledger, ledger);
    catalog_form(major, form);
    if (strcmp(recorded->ledger, ledger) != 0)
        return "migrations were applied or recorded without recording the schema";
    if (recorded->facts.major != major)
        return "it was recorded on another major version of PostgreSQL";
    if (strcmp(recorded->form, form) != 0)
        return "it was recorded by another version of tidelock";
    return NULL;
}

bool drift_find(struct arena *arena, const struct drift_request *wanted, struct drift *out, struct error *err)
{
    const struct journal journal = { .conn = wanted->conn, .ledger_schema = wanted->ledger->schema };

    *out = (struct drift) { .unknown = "there is no ledger" };
    if (!wanted->ledger->exists)
        return true;
    out->unknown = "a migration is half done";
    if (is_half_done(wanted->ledger))
        return true;
    if (!recorded_read(arena, &journal, &out->recorded, err))
        return error_context(err, "reading the recorded schema");
    out->unknown = why_unknown(wanted, &out->recorded);
    if (out->unknown != NULL)
        return true;
    if (!drift_read_live(arena, wanted, &out->live, err))
        return false;
    facts_ignore(&out->recorded.facts, wanted->config->ignored_facts);
    diff_facts(arena, &out->recorded.facts, &out->live, &out->diff);
    return true;
}

static bool record(struct arena *arena, const struct drift_request *wanted, struct error *err)
{
    const struct ledger_request all = { wanted->ledger->dialect, wanted->ledger->schema, LEDGER_NAMES, true };
    const struct journal journal = { .conn = wanted->conn,
                                     .ledger_schema = wanted->ledger->schema,
                                     .key = wanted->ledger->lock_key };
    struct recorded now = { .exists = true };
    struct ledger ledger;

    if (!ledger_read(arena, wanted->conn, &all, &ledger, err) ||
        !catalog_read(arena, wanted->conn,
                      &(const struct catalog_request) { ledger.dialect, wanted->ledger->schema }, &now.facts,
                      err))
        return false;
    recorded_ledger(&ledger, now.ledger);
    catalog_form(now.facts.major, now.form);
    return recorded_write(&journal, &now, err);
}

void drift_record(const struct drift_request *wanted)
{
    auto_arena struct arena *arena = arena_new();
    struct error err;

    if (!record(arena, wanted, &err))
        log_debug("could not record the schema: %s", err.message);
}

void drift_add_line(const struct difference *difference, struct text *out)
{
    const struct fact *fact = difference->from == NULL ? difference->to : difference->from;

    text_add_format(out, "%s %s ",
                    difference->from == NULL ? "+"
                    : difference->to == NULL ? "-"
                                             : "~",
                    fact->kind);
    text_add_shown_line(out, fact->name);
}
