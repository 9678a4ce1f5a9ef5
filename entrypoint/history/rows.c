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

/* The last of the baselines that are applied; NULL = none is. */
static const char *find_baseline(const struct ledger *ledger)
{
    const struct dialect *dialect = ledger->dialect;
    const char *last = NULL;

    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        const struct order_key mark = { .name = last };

        if (row->is_finished && dialect->is_baseline(row->name) &&
            (last == NULL || !is_before(dialect, row->name, &mark)))
            last = row->name;
    }
    return last;
}

/* Where nothing is applied yet, the folder's last one is. */
static const char *find_next_baseline(const struct ledger *ledger)
{
    for (size_t i = ledger->folder->count; i-- > 0;) {
        if (ledger->dialect->is_baseline(ledger->folder->items[i].key))
            return ledger->folder->items[i].key;
    }
    return NULL;
}

static bool has_applied(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (ledger->rows[i].is_finished && !ledger->dialect->repeats(ledger->rows[i].name))
            return true;
    }
    return false;
}

/* Rows of their own follow these. A baseline that no script has made is not in the folder. */
static void pass(struct arena *arena, struct ledger *ledger)
{
    const struct folder *folder = ledger->folder;
    const bool is_begun = has_applied(ledger);
    const char *baseline = is_begun ? find_baseline(ledger) : find_next_baseline(ledger);
    const struct order_key mark = ledger->dialect->order_key_of(baseline == NULL ? "" : baseline);
    struct ledger_row *rows = arena_alloc(arena, folder->count + ledger->count, sizeof *rows);
    size_t count = 0;

    for (size_t i = 0; i < folder->count; i++) {
        const char *key = folder->items[i].key;

        if ((is_begun && ledger->dialect->is_baseline(key)) ||
            (baseline != NULL && is_before(ledger->dialect, key, &mark)))
            rows[count++] = (struct ledger_row) {
                .name = key, .is_finished = true, .is_passed = true, .took_ms = -1, .id = key
            };
    }
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];

        if (row->checksum != NULL || !ledger->dialect->is_baseline(row->name))
            rows[count++] = *row;
    }
    ledger->rows = rows;
    ledger->count = count;
}

/* The marker's own row comes last; those before it tell of nothing but that they are applied. */
void rows_expand(struct arena *arena, struct ledger *ledger)
{
    const struct folder *folder = ledger->folder;
    struct ledger_row *rows;
    struct order_key mark;
    size_t count = 0;

    if (ledger->dialect->is_baseline != NULL)
        pass(arena, ledger);
    if (!ledger->dialect->is_marker || ledger->count == 0)
        return;
    rows = arena_alloc(arena, folder->count + ledger->count, sizeof *rows);
    mark = ledger->dialect->order_key_of(ledger->rows[0].name);
    for (size_t i = 0; i < folder->count; i++) {
        const char *key = folder->items[i].key;

        if (is_before(ledger->dialect, key, &mark))
            rows[count++] =
                (struct ledger_row) { .name = key, .is_finished = true, .took_ms = -1, .id = key };
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
