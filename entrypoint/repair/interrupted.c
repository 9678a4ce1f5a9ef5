#include "repair/interrupted.h"

#include "history/journal.h"
#include "postgres/query.h"
#include "postgres/session.h"
#include "repair/repair.h"

/* Names in the script are looked up as the deployment does. */
static bool set_search_path(struct connection *conn, const struct ledger *ledger, struct error *err)
{
    const struct session_settings settings = { .search_path =
                                                   ledger->is_schema_given ? ledger->default_schema : NULL,
                                               .lock_timeout_ms = -1,
                                               .statement_timeout_ms = -1 };
    auto_text struct text sql = text_init(QUALIFIED_NAME_SIZE + 256);

    session_settings_add(&settings, false, &sql);
    return query_several(conn, &(const struct query) { .name = "settings", .sql = sql.at }, NULL, 0, err);
}

/* Statement `number` of the text; false if it has none. */
static bool find_statement(const struct broken *broken, bool has_standard_strings, int64_t number,
                           struct statement *out)
{
    struct script_reader reader = script_reader_of(
        broken->path, broken->script, connection_server_version(broken->conn), has_standard_strings);
    struct error ignored;

    do {
        if (script_next(&reader, out, &ignored) != SCRIPT_STATEMENT)
            return false;
    } while (number-- > 0);
    return true;
}

bool interrupted_look(struct connection *conn, const struct ledger *ledger, const struct interrupted *which,
                      struct leftover *out, struct error *err)
{
    const struct ledger_row *row = which->row;
    const struct journal journal = { .conn = conn, .ledger_schema = ledger->schema };
    auto_intent struct intent intent = { .is_known = false };
    struct statement statement;
    struct broken broken = {
        .conn = conn, .path = row->name, .statement = &statement, .may_only_look = true
    };

    *out = (struct leftover) { .is_ours = false };
    if (!journal_read(&journal, row->id, (size_t)row->steps, &intent, err) ||
        !set_search_path(conn, ledger, err))
        return false;
    broken.script = intent.sql != NULL ? slice_of(intent.sql) : which->script;
    if (!find_statement(&broken, ledger->has_standard_strings, intent.sql != NULL ? 0 : row->steps,
                        &statement))
        return true;
    if (repair_after(&broken, &intent, out) || out->remedy[0] == '\0')
        out->what[0] = '\0';
    return true;
}
