#include "tenants/list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "tenants/address.h"
#include "tenants/chosen.h"
#include "tenants/file.h"
#include "tenants/limit.h"
#include "tenants/question.h"
#include "tenants/row.h"
#include "tenants/shard.h"
#include "tenants/single.h"

static size_t count_sources(const struct config *config)
{
    return (size_t)(config->tenants != NULL) + (config->tenants_query != NULL) + (config->databases != NULL) +
           (config->schemas != NULL);
}

bool tenants_are_asked_for(const struct config *config)
{
    return count_sources(config) > 0 || config->shard.text != NULL || config->canary != NULL ||
           config->max_failures.text != NULL || config->chosen.count > 0 || config->makes_missing ||
           config->made_from != NULL || config->made_for != NULL;
}

#define SOURCES "--tenants, --tenants-query, --databases or --schemas"

static bool find_shard(const struct config *config, struct shard *out, struct error *err)
{
    return shard_read(&config->shard, env_value("JOB_COMPLETION_INDEX"), out, err);
}

static bool check_making(const struct config *config, struct error *err)
{
    if (config->makes_missing && config->is_waiting) {
        error_set(err, ERROR_USAGE, "--create and --wait exclude each other");
        return error_hint(err, "Whoever deploys creates what is missing.");
    }
    if (config->made_from != NULL && config->schemas != NULL) {
        error_set(err, ERROR_USAGE, "--template is for databases, and --schemas lists schemas");
        return error_hint(err, "Leave it out: the migrations make what a new schema holds.");
    }
    if (config->makes_missing || (config->made_from == NULL && config->made_for == NULL))
        return true;
    error_set(err, ERROR_USAGE, "%s says how a database is created, and nothing is to be created",
              config->made_from != NULL ? "--template" : "--owner");
    return error_hint(err, "Add --create.");
}

/* What is wrong with them is said before anybody is asked. */
static bool check_options(const struct config *config, struct error *err)
{
    const size_t count = count_sources(config);
    struct shard shard;
    size_t limit;

    if (count == 1)
        return single_refuse(config, err) && check_making(config, err) && find_shard(config, &shard, err) &&
               limit_read(config, 0, &limit, err);
    error_set(err, ERROR_USAGE,
              count == 0 ? "nothing says which tenants there are" : "several lists of tenants");
    return error_hint(err, "Give one of " SOURCES ".");
}

/* ---- what must not be there twice ---- */

struct entry {
    const char *key;
    size_t index;
};

static int compare_entries(const void *one, const void *other)
{
    const struct entry *left = one;
    const struct entry *right = other;
    int order = strcmp(left->key, right->key);

    return order != 0 ? order : left->index < right->index ? -1 : 1;
}

/* The first that has the key of one before it: *first and *second are their indexes. */
static bool find_twice(struct entry *entries, size_t count, size_t *first, size_t *second)
{
    bool is_found = false;

    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(entries[i - 1].key, entries[i].key) != 0 || (is_found && entries[i].index >= *second))
            continue;
        is_found = true;
        *first = entries[i - 1].index;
        *second = entries[i].index;
    }
    return is_found;
}

static bool point_at_both(const struct tenant_rows *rows, size_t first, size_t second, struct error *err)
{
    if (rows->items[second].begin.line > 0)
        error_detail(err, "They are in lines %u and %u.", rows->items[first].begin.line,
                     rows->items[second].begin.line);
    return row_point(rows->source, rows->items[second].begin, err);
}

static bool check_names(const struct tenant_rows *rows, const struct tenant *items, struct error *err)
{
    auto_free struct entry *entries = memory_new(rows->count, sizeof *entries);
    size_t first;
    size_t second;

    for (size_t i = 0; i < rows->count; i++)
        entries[i] = (struct entry) { items[i].name, i };
    if (!find_twice(entries, rows->count, &first, &second))
        return true;
    error_set(err, ERROR_USAGE, "two tenants are called \"%s\"", items[first].name);
    error_hint(err, "Give each its own name.");
    return point_at_both(rows, first, second, err);
}

static bool check_addresses(struct arena *arena, const struct config *config, const struct tenant_rows *rows,
                            const struct tenant *items, struct error *err)
{
    auto_free struct entry *entries = memory_new(rows->count, sizeof *entries);
    struct addresses addresses = { .config = config, .is_asked = config->tenants == NULL };
    size_t first;
    size_t second;

    for (size_t i = 0; i < rows->count; i++) {
        entries[i].index = i;
        if (!address_read(arena, &addresses, &items[i], &entries[i].key, err))
            return row_point(rows->source, rows->items[i].begin, err);
    }
    if (!find_twice(entries, rows->count, &first, &second))
        return true;
    error_set(err, ERROR_USAGE, "tenants \"%s\" and \"%s\" are the same database and schema",
              items[first].name, items[second].name);
    error_hint(err, "Remove one of them.");
    return point_at_both(rows, first, second, err);
}

/* ---- which of them, and in which order ---- */

static int compare_names(const void *one, const void *other)
{
    return strcmp(((const struct tenant *)one)->name, ((const struct tenant *)other)->name);
}

static void keep_shard(const struct shard *shard, struct tenant_list *list)
{
    const size_t before = list->count;

    if (shard->count == 1)
        return;
    list->count = 0;
    for (size_t i = 0; i < before; i++) {
        if (shard_of(list->items[i].name, shard->count) == shard->number)
            list->items[list->count++] = list->items[i];
    }
    log_info("part %u of %u: %zu of %zu tenants", shard->number, shard->count, list->count, before);
}

/* The canary goes to the beginning. */
static bool find_canary(const struct config *config, struct tenant_list *list, const struct shard *shard,
                        bool *is_found, struct error *err)
{
    size_t i = 0;

    while (i < list->count && strcmp(list->items[i].name, config->canary) != 0)
        i++;
    *is_found = i < list->count;
    if (*is_found && shard->count > 1) {
        error_set(err, ERROR_USAGE,
                  "--canary names a tenant, and the other parts of --shard cannot wait for it");
        return error_hint(err,
                          "Deploy to it first, in a run of its own; or write --canary 1: the first of each "
                          "part.");
    }
    if (*is_found) {
        const struct tenant canary = list->items[i];

        memmove(list->items + 1, list->items, i * sizeof *list->items);
        list->items[0] = canary;
    }
    return true;
}

/* Keeps what is this process's. Its canaries are a tenant of that name, unless --tenant leaves it out, else
 * so many from the beginning. */
static bool take_own(const struct config *config, const struct shard *shard, struct tenant_list *list,
                     struct error *err)
{
    const char *text = config->canary;
    bool is_name = false;
    unsigned long number;

    if ((text != NULL && !find_canary(config, list, shard, &is_name, err)) || !chosen_keep(config, list, err))
        return false;
    if (is_name)
        list->canaries = strcmp(list->items[0].name, text) == 0 ? 1 : 0;
    keep_shard(shard, list);
    if (text == NULL || is_name)
        return true;
    number = strspn(text, "0123456789") == strlen(text) && strlen(text) <= 6 ? strtoul(text, NULL, 10) : 0;
    if (number > 0) {
        list->canaries = number < list->count ? number : list->count;
        return true;
    }
    error_set(err, ERROR_USAGE, "--canary is neither the name of a tenant nor a number");
    return error_hint(err, "Write a name of the list, or 1 for its first tenant.");
}

bool tenants_take(struct arena *arena, const struct config *config, const struct tenant_rows *rows,
                  struct tenant_list *out, struct error *err)
{
    struct tenant_list list = { .count = rows->count };
    struct shard shard;

    list.items = arena_alloc(arena, rows->count, sizeof *list.items);
    if (!find_shard(config, &shard, err))
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        if (!row_tenant(arena, rows, i, &list.items[i], err))
            return false;
    }
    if (!check_names(rows, list.items, err) || !check_addresses(arena, config, rows, list.items, err))
        return false;
    if (config->tenants == NULL)
        qsort(list.items, list.count, sizeof *list.items, compare_names);
    if (!take_own(config, &shard, &list, err) || !limit_read(config, list.count, &list.failures_most, err))
        return false;
    *out = list;
    return true;
}

/* An application must not start because of a typing error. */
static bool refuse_none(const struct config *config, struct error *err)
{
    if (config->tenants_query != NULL) {
        error_set(err, ERROR_USAGE, "--tenants-query returned no row");
        return error_hint(err, "Check the query, and that the database URL leads to where the tenants are.");
    }
    error_set(err, ERROR_USAGE, "no %s fits \"%s\"", config->databases != NULL ? "database" : "schema",
              config->databases != NULL ? config->databases : config->schemas);
    return error_hint(err, "Check the pattern, and that the database URL leads to where the tenants are.");
}

bool tenants_read(struct arena *arena, const struct config *config, struct tenant_list *out,
                  struct error *err)
{
    struct tenant_rows rows;

    if (!check_options(config, err) ||
        !(config->tenants != NULL ? tenant_file_read(arena, config->tenants, &rows, err)
                                  : question_ask(config, &rows, err)))
        return false;
    if (rows.count > 0)
        return tenants_take(arena, config, &rows, out, err);
    *out = (struct tenant_list) { .count = 0 };
    return chosen_keep(config, out, err) && refuse_none(config, err);
}
