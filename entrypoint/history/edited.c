#include "base/text.h"
#include "history/compare.h"
#include "history/read_ahead.h"
#include "history/script_file.h"

bool history_is_outdated(const struct folder *folder, size_t index, const struct ledger_row *row)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct error ignored;

    return migration_read(folder->dialect, &folder->items[index], &script, &ignored) &&
           (row->checksum == NULL ||
            !migration_matches(folder, &folder->items[index], row->checksum, text_slice(&script)));
}

bool history_check_edited(struct history *history, const struct folder *folder, size_t index,
                          struct error *err)
{
    struct history_item *item = &history->items[index];
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);

    if (item->verdict != VERDICT_APPLIED || !folder->dialect->has_checksums || item->row->checksum == NULL ||
        read_ahead_matches(history->read_ahead, index, item->row->checksum))
        return true;
    item->is_unread = !migration_read(folder->dialect, &folder->items[index], &script, err);
    if (item->is_unread)
        return false;
    if (!migration_matches(folder, &folder->items[index], item->row->checksum, text_slice(&script)))
        history_mark_edited(history, index);
    return true;
}
