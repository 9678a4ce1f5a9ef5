#include "repair/interrupted.h"

#include "history/journal.h"
#include "repair/repair.h"

bool interrupted_look(struct connection *conn, const struct ledger *ledger, const struct ledger_row *row,
                      struct leftover *out, struct error *err)
{
    const struct journal journal = { .conn = conn, .ledger_schema = ledger->schema };
    auto_intent struct intent intent = { .is_known = false };
    struct script_reader reader;
    struct statement statement;
    struct error ignored;

    *out = (struct leftover) { .is_ours = false };
    if (!journal_read(&journal, row->id, (size_t)row->steps, &intent, err))
        return false;
    if (!intent.is_known || intent.sql == NULL)
        return true;
    reader = script_reader_of(row->name, slice_of(intent.sql), connection_server_version(conn),
                              ledger->has_standard_strings);
    if (script_next(&reader, &statement, &ignored) != SCRIPT_STATEMENT)
        return true;
    const struct broken broken = { .conn = conn,
                                   .path = row->name,
                                   .script = slice_of(intent.sql),
                                   .statement = &statement,
                                   .may_only_look = true };
    if (repair_after(&broken, &intent, out) || out->remedy[0] == '\0')
        out->what[0] = '\0';
    return true;
}
