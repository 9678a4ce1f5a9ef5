#include <string.h>

#include "base/memory.h"
#include "history/folder.h"
#include "history/ledger.h"

const char *ledger_name_row(const struct folder *folder, const char *name, const char *row[ROW_VALUES])
{
    const struct migration *found = folder_find_typed(folder, name);

    row[ROW_NAME] = found == NULL ? name : found->key;
    row[ROW_FILE] = found == NULL ? name : found->name;
    row[ROW_DESCRIPTION] = found == NULL ? NULL : found->description;
    row[ROW_BACK] = found == NULL ? NULL : found->back;
    return row[ROW_FILE];
}

const char *ledger_anchor(const struct ledger *ledger, const struct migration *migration,
                          const struct migration *after)
{
    const struct dialect *dialect = ledger->dialect;

    if (after != NULL && !dialect->keeps_attempts)
        return after->key;
    if (ledger->anchor[0] != '\0')
        return ledger->anchor;
    /* Marked as unfinished, it is set back to the one before it first. */
    return dialect->is_marker && ledger->size.rows > 0 ? migration->back : NULL;
}

bool ledger_row_is_resumable(const struct ledger_row *row)
{
    return row->logs != NULL && slice_starts_with(slice_of(row->logs), LEDGER_OURS);
}

bool ledger_row_is_interrupted(const struct ledger_row *row)
{
    return row->logs == NULL || strcmp(row->logs, LEDGER_RUNNING) == 0 ||
           slice_starts_with(slice_of(row->logs), LEDGER_INTERRUPTED);
}

const char *ledger_row_reason(const struct ledger_row *row)
{
    static const char *const marks[] = { LEDGER_INTERRUPTED, LEDGER_OURS };

    if (row->logs == NULL || row->logs[0] == '\0' || strcmp(row->logs, LEDGER_RUNNING) == 0)
        return NULL;
    for (size_t i = 0; i < array_length(marks); i++) {
        if (slice_starts_with(slice_of(row->logs), marks[i]))
            return row->logs + strlen(marks[i]);
    }
    return row->logs;
}
