#include "base/text.h"
#include "history/compare.h"
#include "history/script_file.h"

bool history_check_edited(struct history *history, const struct folder *folder, size_t index,
                          struct error *err)
{
    struct history_item *item = &history->items[index];
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);

    if (item->verdict != VERDICT_APPLIED || !folder->dialect->has_checksums || item->row->checksum == NULL)
        return true;
    item->is_unread = !migration_read(folder->dialect, &folder->items[index], &script, err);
    if (item->is_unread)
        return false;
    if (!folder->dialect->checksum_matches(item->row->checksum, text_slice(&script)))
        history_mark_edited(history, index);
    return true;
}
