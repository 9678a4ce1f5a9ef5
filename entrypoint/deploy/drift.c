#include "deploy/drift.h"

#include <string.h>

#include "base/log.h"
#include "postgres/query.h"
#include "schema/catalog.h"

enum { BRIEF_RELATIONS_MOST = 10000 };

/* A tenant that has a schema of a database is that schema. */
static struct catalog_request request_of(const struct drift_request *wanted, const struct dialect *dialect)
{
    return (struct catalog_request) { .dialect = dialect,
                                      .own_schema = wanted->ledger->schema,
                                      .alone = wanted->config->schema,
                                      .relations_most = wanted->is_brief ? BRIEF_RELATIONS_MOST : 0 };
}

bool drift_read_live(struct arena *arena, const struct drift_request *wanted, struct facts *out,
                     struct error *err)
{
    const struct catalog_request request = request_of(wanted, wanted->ledger->dialect);

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
    const char *alone = wanted->config->schema;
    char ledger[SHA256_HEX_SIZE];
    char other[SHA256_HEX_SIZE];
    char form[SHA256_HEX_SIZE];

    if (!recorded->exists)
        return "no deployment has recorded the schema yet, or this role may not read the record";
    recorded_ledger(wanted->ledger, ledger);
    catalog_form(major, alone, form);
    catalog_form(major, alone == NULL ? wanted->ledger->schema : NULL, other);
    if (strcmp(recorded->ledger, ledger) != 0)
        return "migrations were applied or recorded without recording the schema";
    if (recorded->facts.major != major)
        return "it was recorded on another major version of PostgreSQL";
    if (strcmp(recorded->form, other) == 0)
        return alone != NULL ? "it was recorded of the whole database, not of a tenant's schema"
                             : "it was recorded of a tenant's schema, not of the whole database";
    if (strcmp(recorded->form, form) != 0)
        return "it was recorded by another version of tidelock";
    return NULL;
}

/* Of what belongs to the database as a whole nobody can tell which service made it. */
static bool leave_out_neighbours(struct arena *arena, const struct drift_request *wanted, struct drift *out,
                                 struct error *err)
{
    static const char shared[] =
        "access-method,cast,default-grant,depends,event-trigger,extension,foreign-data-wrapper,language,publication,"
        "published,security-label,server,setting,subscription,subscription-option,transform,user-mapping,"
        "comment database*,comment event trigger*,comment extension*,comment foreign*,comment language*,"
        "comment publication*,comment server*,comment subscription*,grant database *,grant foreign-data-wrapper *,"
        "grant language *,grant server *,owner event-trigger *,owner foreign-data-wrapper *,owner language *,"
        "owner publication *,owner server *,owner subscription *";
    const struct catalog_request request = request_of(wanted, wanted->ledger->dialect);
    struct neighbours neighbours;

    if (request.alone != NULL)
        return true;
    if (!catalog_find_neighbours(arena, wanted->conn, &request, &neighbours, err))
        return false;
    if (neighbours.count == 0)
        return true;
    for (size_t i = 0; i < neighbours.count; i++)
        facts_leave_out_schema(&out->recorded.facts, neighbours.schemas[i]);
    facts_ignore(&out->recorded.facts, shared);
    facts_ignore(&out->live, shared);
    diff_facts(arena, &out->recorded.facts, &out->live, &out->diff);
    return true;
}

/* What is different may be another service's, or a deployment's that has ended since the ledger was read. */
static bool look_again(struct arena *arena, const struct drift_request *wanted, struct drift *out,
                       struct error *err)
{
    const struct ledger_request names = { wanted->ledger->folder, wanted->ledger->schema, LEDGER_NAMES,
                                          true };
    char before[SHA256_HEX_SIZE];
    char after[SHA256_HEX_SIZE];
    struct ledger now;

    if (!leave_out_neighbours(arena, wanted, out, err) ||
        !ledger_read(arena, wanted->conn, &names, &now, err))
        return false;
    recorded_ledger(wanted->ledger, before);
    recorded_ledger(&now, after);
    if (strcmp(before, after) != 0)
        out->unknown = "a deployment has just ended";
    return true;
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
    if (out->live.are_too_many) {
        out->unknown = "it is too large to be looked at without being asked";
        return true;
    }
    facts_ignore(&out->recorded.facts, wanted->config->ignored_facts);
    diff_facts(arena, &out->recorded.facts, &out->live, &out->diff);
    return out->diff.count == 0 || look_again(arena, wanted, out, err);
}

static bool record(struct arena *arena, const struct drift_request *wanted, struct error *err)
{
    const struct ledger_request all = { wanted->ledger->folder, wanted->ledger->schema, LEDGER_NAMES, true };
    const struct journal journal = { .conn = wanted->conn,
                                     .ledger_schema = wanted->ledger->schema,
                                     .key = wanted->ledger->lock_key };
    struct recorded now = { .exists = true };
    struct catalog_request request;
    struct ledger ledger;

    if (!ledger_read(arena, wanted->conn, &all, &ledger, err))
        return false;
    request = request_of(wanted, ledger.dialect);
    if (!catalog_read(arena, wanted->conn, &request, &now.facts, err))
        return false;
    if (now.facts.are_too_many)
        return true;
    recorded_ledger(&ledger, now.ledger);
    catalog_form(now.facts.major, request.alone, now.form);
    return recorded_write(&journal, &now, err);
}

void drift_record(const struct drift_request *wanted)
{
    auto_arena struct arena *arena = arena_new();
    struct error err;

    if (!record(arena, wanted, &err))
        log_warn("the schema could not be recorded, so drift will not be seen: %s", err.message);
}

void drift_record_edit(const struct drift_request *wanted)
{
    const struct journal journal = { .conn = wanted->conn,
                                     .ledger_schema = wanted->ledger->schema,
                                     .key = wanted->ledger->lock_key };

    if (wanted->config->drift != DRIFT_OFF && journal_prepare(&journal, JOURNAL_USE_ORIGINS))
        drift_record(wanted);
}

void drift_add_line(const struct difference *difference, struct text *out)
{
    const struct fact *fact = diff_fact(difference);

    text_add_format(out, "%s %s ",
                    difference->from == NULL ? "+"
                    : difference->to == NULL ? "-"
                                             : "~",
                    fact->kind);
    text_add_shown_line(out, fact->name);
}
