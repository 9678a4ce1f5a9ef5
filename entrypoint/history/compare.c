#include "history/compare.h"

#include <stdlib.h>
#include <string.h>

#include "history/ledger.h"

const char *const VERDICT_NAMES[] = {
    [VERDICT_PENDING] = "pending",         /* in the folder only */
    [VERDICT_RUNNING] = "running",         /* being applied right now */
    [VERDICT_INTERRUPTED] = "interrupted", /* begun, and stopped or killed before its end */
    [VERDICT_FAILED] = "failed",           /* begun, failed, not rolled back */
    [VERDICT_APPLIED] = "applied",         /* finished, and not rolled back since */
    [VERDICT_EDITED] = "edited",           /* applied with other bytes */
    [VERDICT_MISSING] = "missing",         /* applied, but in the ledger only */
};
_Static_assert(sizeof VERDICT_NAMES / sizeof *VERDICT_NAMES == VERDICTS, "name every verdict");

bool verdict_is_due(enum verdict verdict)
{
    return verdict < VERDICT_APPLIED;
}

/* A name and its index in the folder; sorted by bytes for lookups. */
struct entry {
    const char *name;
    size_t index;
};

static int compare_entries(const void *one, const void *other)
{
    return strcmp(((const struct entry *)one)->name, ((const struct entry *)other)->name);
}

static struct entry *sort_names(struct arena *arena, const struct folder *folder)
{
    struct entry *entries = arena_alloc(arena, folder->count, sizeof *entries);

    for (size_t i = 0; i < folder->count; i++)
        entries[i] = (struct entry) { .name = folder->items[i].name, .index = i };
    qsort(entries, folder->count, sizeof *entries, compare_entries);
    return entries;
}

/* Looks names up; ledger and folder are mostly in the same order, so the next one is tried first. */
struct lookup {
    struct arena *arena;
    const struct folder *folder;
    const struct entry *sorted; /* NULL until it is needed */
    size_t next;
};

/* The index of the name in the folder, or the folder's count. */
static size_t find(struct lookup *lookup, const char *name)
{
    const struct folder *folder = lookup->folder;
    const struct entry wanted = { .name = name };
    const struct entry *found;

    if (lookup->next < folder->count && strcmp(folder->items[lookup->next].name, name) == 0)
        return lookup->next++;
    if (folder->count == 0)
        return 0;
    if (lookup->sorted == NULL)
        lookup->sorted = sort_names(lookup->arena, folder);
    found = bsearch(&wanted, lookup->sorted, folder->count, sizeof *found, compare_entries);
    if (found == NULL)
        return folder->count;
    lookup->next = found->index + 1;
    return found->index;
}

static bool is_applied(const struct ledger_row *row)
{
    return row->is_finished && !row->is_rolled_back;
}

static bool is_unfinished(const struct ledger_row *row)
{
    return !row->is_finished && !row->is_rolled_back;
}

/* The latest applied row decides, unless there is also an unfinished one. */
static void judge(struct history_item *item, const struct ledger_row *row)
{
    item->was_finished |= row->is_finished;
    if (row->is_rolled_back) {
        item->was_rolled_back = true;
        item->was_left |= row->steps > 0;
        item->last_try = row->is_finished ? item->last_try : row;
    } else if (is_unfinished(row)) {
        item->verdict = ledger_row_is_interrupted(row) ? VERDICT_INTERRUPTED : VERDICT_FAILED;
        item->row = row;
    } else if (item->row == NULL || item->row->is_finished) {
        item->verdict = VERDICT_APPLIED;
        item->row = row;
    }
}

/* By name, and rows of one name by age. */
static int compare_rows(const void *one, const void *other)
{
    const struct ledger_row *a = *(const struct ledger_row *const *)one;
    const struct ledger_row *b = *(const struct ledger_row *const *)other;
    int by_name = strcmp(a->name, b->name);

    return by_name != 0 ? by_name : (a > b) - (a < b);
}

static int compare_ages(const void *one, const void *other)
{
    const struct ledger_row *a = *(const struct ledger_row *const *)one;
    const struct ledger_row *b = *(const struct ledger_row *const *)other;

    return (a > b) - (a < b);
}

/* Keeps the oldest row of each name. Sorts, because an old image may lack thousands of names. */
static void drop_duplicates(const struct ledger_row **rows, size_t *count)
{
    size_t kept = 0;

    qsort(rows, *count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < *count; i++) {
        if (kept == 0 || strcmp(rows[kept - 1]->name, rows[i]->name) != 0)
            rows[kept++] = rows[i];
    }
    *count = kept;
    qsort(rows, *count, sizeof *rows, compare_ages);
}

/* Those of the missing names that sort first and last, if there are any. Repeatables have no place in the
 * order: they come last whenever they changed. */
struct span {
    struct order_key first;
    struct order_key last;
};

static struct span span_of_missing(const struct folder *folder, const struct history *history)
{
    const struct dialect *dialect = folder->dialect;
    struct span span = { .first = { .name = NULL } };

    for (size_t i = 0; folder->count > 0 && i < history->missing_count; i++) {
        const struct order_key key = dialect->order_key_of(history->missing[i]->name);

        if (dialect_repeats(dialect, key.name))
            continue;
        if (span.first.name == NULL || dialect->compare_keys(&key, &span.first) < 0)
            span.first = key;
        if (span.last.name == NULL || dialect->compare_keys(&key, &span.last) > 0)
            span.last = key;
    }
    return span;
}

static bool sorts_before(const struct dialect *dialect, const char *name, const struct order_key *other)
{
    const struct order_key key = dialect->order_key_of(name);

    return dialect->compare_keys(&key, other) < 0;
}

/* Whether each missing name sorts behind the folder's last one, as those of a newer image do. It has applied
 * that one, too: a last one that is pending may replace what is missing (Prisma calls it 0_squash). */
/* Rows are in the order of time. A squash is recorded after all that it stands for, and sorts before it. */
static bool is_older(const struct history *history, const struct ledger_row *row)
{
    for (size_t i = 0; i < history->missing_count; i++) {
        if (history->missing[i] > row)
            return false;
    }
    return true;
}

static bool is_ahead(const struct folder *folder, const struct history *history, const struct span *missing)
{
    size_t last = folder->count;

    while (last > 0 && dialect_repeats(folder->dialect, folder->items[last - 1].name))
        last--;
    if (history->missing_count == 0 || folder->count == 0)
        return history->missing_count > 0;
    for (size_t i = 0; i < history->missing_count; i++) {
        if (dialect_repeats(folder->dialect, history->missing[i]->name))
            return false;
    }
    return last == 0 || (history->items[last - 1].verdict != VERDICT_PENDING &&
                         !is_older(history, history->items[last - 1].row) &&
                         sorts_before(folder->dialect, folder->items[last - 1].key, &missing->first));
}

/* What sorts last of all that is applied, in the folder or not; without a name if nothing is. Only an index
 * may name migrations in another order than they sort in. */
static struct order_key find_latest(const struct folder *folder, const struct span *missing,
                                    const struct history *history)
{
    const struct dialect *dialect = folder->dialect;
    struct order_key latest = missing->last;

    for (size_t i = folder->count; i-- > 0;) {
        struct order_key key;

        if (history->items[i].verdict != VERDICT_APPLIED || history->items[i].row->is_passed ||
            dialect_repeats(dialect, folder->items[i].name))
            continue;
        key = dialect->order_key_of(folder->items[i].key);
        if (latest.name == NULL || dialect->compare_keys(&key, &latest) > 0)
            latest = key;
        if (dialect->layout != LAYOUT_INDEX)
            break;
    }
    return latest;
}

static void count_verdicts(const struct folder *folder, const struct span *missing, struct history *out)
{
    const struct order_key latest = find_latest(folder, missing, out);

    out->last_common = folder->count == 0 ? NULL : folder->items[folder->count - 1].name;
    for (size_t i = folder->count; i-- > 0;) {
        struct history_item *item = &out->items[i];

        if (item->verdict == VERDICT_PENDING)
            out->last_common = i == 0 ? NULL : folder->items[i - 1].name;

        item->is_due = i < folder->count - folder->beyond && verdict_is_due(item->verdict);
        out->due_count += item->is_due;
        out->counts[item->verdict]++;
        item->is_out_of_order = item->verdict == VERDICT_PENDING && latest.name != NULL &&
                                !dialect_repeats(folder->dialect, folder->items[i].name) &&
                                sorts_before(folder->dialect, folder->items[i].key, &latest);
    }
    out->counts[VERDICT_MISSING] = out->missing_count;
}

/* Whoever applied them first, they are pending again. */
static void find_outdated(const struct folder *folder, struct history *history)
{
    for (size_t i = 0; folder->dialect->repeats != NULL && i < folder->count; i++) {
        struct history_item *item = &history->items[i];

        if (item->verdict != VERDICT_APPLIED || !dialect_repeats(folder->dialect, folder->items[i].name) ||
            !history_is_outdated(folder, i, item->row))
            continue;
        item->verdict = VERDICT_PENDING;
        item->row = NULL;
    }
}

void history_compare(struct arena *arena, const struct folder *folder, const struct ledger_row *rows,
                     size_t count, struct history *out)
{
    struct lookup lookup = { .arena = arena, .folder = folder };
    struct span missing;

    *out = (struct history) {
        .items = arena_alloc(arena, folder->count, sizeof *out->items),
        .missing = arena_alloc(arena, count, sizeof *out->missing),
        .failed = arena_alloc(arena, count, sizeof *out->failed),
        .strays = arena_alloc(arena, count, sizeof *out->strays),
    };
    for (size_t i = 0; i < count; i++) {
        size_t index = find(&lookup, rows[i].name);

        if (index < folder->count)
            judge(&out->items[index], &rows[i]);
        else if (is_applied(&rows[i]))
            out->missing[out->missing_count++] = &rows[i];
        if (is_unfinished(&rows[i]))
            out->failed[out->failed_count++] = &rows[i];
        if (is_unfinished(&rows[i]) && index == folder->count)
            out->strays[out->stray_count++] = &rows[i];
    }
    find_outdated(folder, out);
    drop_duplicates(out->missing, &out->missing_count);
    drop_duplicates(out->strays, &out->stray_count);
    missing = span_of_missing(folder, out);
    out->is_ahead = is_ahead(folder, out, &missing);
    count_verdicts(folder, &missing, out);
}

void history_aim_back(struct history *history, const struct folder *folder, size_t first)
{
    history->due_count = 0;
    for (size_t i = 0; i < folder->count; i++) {
        struct history_item *item = &history->items[i];

        item->is_due = i >= first && (item->verdict == VERDICT_APPLIED || item->verdict == VERDICT_EDITED);
        history->due_count += item->is_due;
    }
}

static void mark(struct history *history, size_t index, enum verdict verdict)
{
    history->counts[history->items[index].verdict]--;
    history->items[index].verdict = verdict;
    history->counts[verdict]++;
}

void history_mark_running(struct history *history, size_t index)
{
    mark(history, index, VERDICT_RUNNING);
}

void history_mark_edited(struct history *history, size_t index)
{
    mark(history, index, VERDICT_EDITED);
}
