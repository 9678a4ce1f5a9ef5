#include "history/rows.h"

#include <stdlib.h>
#include <string.h>

/* The migrations of the folder, sorted by key. */
static int compare_keys(const void *one, const void *other)
{
    const struct migration *a = *(const struct migration *const *)one;
    const struct migration *b = *(const struct migration *const *)other;

    return strcmp(a->key, b->key);
}

static const struct migration **sort(struct arena *arena, const struct folder *folder)
{
    const struct migration **sorted = arena_alloc(arena, folder->count, sizeof *sorted);

    for (size_t i = 0; i < folder->count; i++)
        sorted[i] = &folder->items[i];
    if (folder->count > 1)
        qsort(sorted, folder->count, sizeof *sorted, compare_keys);
    return sorted;
}

static const struct migration *find(const struct migration **sorted, size_t count, const char *key)
{
    const struct migration wanted = { .key = key };
    const struct migration *at = &wanted;
    const struct migration **found =
        count == 0 ? NULL : bsearch(&at, sorted, count, sizeof(const struct migration *), compare_keys);

    return found == NULL ? NULL : *found;
}

static bool is_before(const struct dialect *dialect, const char *key, const struct order_key *mark)
{
    const struct order_key order = dialect->order_key_of(key);

    return dialect->compare_keys(&order, mark) < 0;
}

/* The marker's own row comes last; those before it tell of nothing but that they are applied. */
void rows_expand(struct arena *arena, struct ledger *ledger)
{
    const struct folder *folder = ledger->folder;
    struct ledger_row *rows = arena_alloc(arena, folder->count + ledger->count, sizeof *rows);
    const struct ledger_row *marker = &ledger->rows[0];
    struct order_key mark;
    size_t count = 0;

    if (!ledger->dialect->is_marker || ledger->count == 0)
        return;
    mark = ledger->dialect->order_key_of(marker->name);
    for (size_t i = 0; i < folder->count; i++) {
        const char *key = folder->items[i].key;

        if (is_before(ledger->dialect, key, &mark))
            rows[count++] = (struct ledger_row) { .name = key, .is_finished = true, .id = key };
    }
    for (size_t i = 0; i < ledger->count; i++)
        rows[count++] = ledger->rows[i];
    ledger->rows = rows;
    ledger->count = count;
}

void rows_name(struct arena *arena, struct ledger *ledger)
{
    const struct folder *folder = ledger->folder;
    const struct migration **sorted;

    if (ledger->dialect->keeps_attempts)
        return;
    sorted = sort(arena, folder);
    for (size_t i = 0; i < ledger->count; i++) {
        struct ledger_row *row = &ledger->rows[i];
        const struct migration *migration = find(sorted, folder->count, row->name);
        char id[UUID_SIZE];

        if (row->id != NULL && strcmp(row->id, row->name) == 0) {
            ledger_make_id(ledger, row->name, id);
            row->id = arena_copy(arena, id, UUID_SIZE - 1);
        }
        if (migration != NULL)
            row->name = migration->name;
    }
}
