#include "deploy/replacement.h"

#include "base/text.h"
#include "history/script_file.h"

/* What is missing, by order. */
struct range {
    struct order_key first;
    struct order_key last;
};

static struct range range_of(const struct folder *folder, const struct history *history)
{
    const struct dialect *dialect = folder->dialect;
    struct range range = { .first = dialect->order_key_of(history->missing[0]->name) };

    range.last = range.first;
    for (size_t i = 1; i < history->missing_count; i++) {
        const struct order_key key = dialect->order_key_of(history->missing[i]->name);

        if (dialect->compare_keys(&key, &range.first) < 0)
            range.first = key;
        if (dialect->compare_keys(&key, &range.last) > 0)
            range.last = key;
    }
    return range;
}

/* Whether nothing that stayed in the folder sorts between it and what is missing. */
static bool is_in_place(const struct folder *folder, const struct history *history, const struct range *range,
                        size_t index)
{
    const struct dialect *dialect = folder->dialect;

    for (size_t i = 0; i < folder->count; i++) {
        const struct order_key key = dialect->order_key_of(folder->items[i].key);

        if (history->items[i].verdict == VERDICT_PENDING)
            continue;
        if (i < index ? dialect->compare_keys(&range->first, &key) < 0
                      : dialect->compare_keys(&range->last, &key) > 0)
            return false;
    }
    return true;
}

static bool is_renamed(const struct folder *folder, const struct history *history, size_t index)
{
    auto_text struct text script = text_init(SCRIPT_BYTES_MOST);
    struct error ignored;

    if (!migration_read(folder->dialect, &folder->items[index], &script, &ignored))
        return false;
    for (size_t i = 0; i < history->missing_count; i++) {
        const char *checksum = history->missing[i]->checksum;

        if (checksum != NULL && folder->dialect->checksum_matches(checksum, text_slice(&script)))
            return true;
    }
    return false;
}

static void add(struct replacement *found, size_t index)
{
    if (found->count++ == 0)
        found->index = index;
}

struct replacement replacement_find(const struct folder *folder, const struct history *history)
{
    struct replacement renamed = { .is_renamed = true };
    struct replacement squashed = { .is_renamed = false };
    struct range range;

    if (history->missing_count == 0)
        return squashed;
    range = range_of(folder, history);
    for (size_t i = 0; i < folder->count; i++) {
        if (history->items[i].verdict != VERDICT_PENDING)
            continue;
        if (is_renamed(folder, history, i))
            add(&renamed, i);
        else if (history->missing_count > 1 && is_in_place(folder, history, &range, i))
            add(&squashed, i);
    }
    return renamed.count > 0 ? renamed : squashed;
}
