#include "tenants/chosen.h"

#include <string.h>

#include "tenants/question.h"

static bool is_chosen(const struct config *config, const char *name)
{
    size_t i = 0;

    while (i < config->chosen.count && strcmp(config->chosen.items[i], name) != 0)
        i++;
    return i < config->chosen.count;
}

static bool is_in(const struct tenant_list *list, const char *name)
{
    size_t i = 0;

    while (i < list->count && strcmp(list->items[i].name, name) != 0)
        i++;
    return i < list->count;
}

static bool refuse(const struct config *config, const char *name, struct error *err)
{
    const char *kind = config->databases != NULL ? "database" : "schema";
    const char *pattern = config->databases != NULL ? config->databases : config->schemas;

    if (pattern == NULL) {
        error_set(err, ERROR_USAGE, "no tenant is called \"%s\"", name);
        return error_hint(err, "Correct --tenant, or add it to the list.");
    }
    if (!question_fits(pattern, name)) {
        error_set(err, ERROR_USAGE, "tenant \"%s\" does not fit --%ss \"%s\"", name, kind, pattern);
        return error_hint(err, "Correct one of them.");
    }
    if (config->makes_missing) {
        error_set(err, ERROR_USAGE, "the %s \"%s\" is never a tenant", kind, name);
        return error_hint(err,
                          "It is the server's or tidelock's own, a template, or accepts no connections.");
    }
    error_set(err, ERROR_USAGE, "no tenant is called \"%s\": there is no such %s", name, kind);
    return error_hint(err, "Correct --tenant, or let it be created: --create.");
}

bool chosen_keep(const struct config *config, struct tenant_list *list, struct error *err)
{
    const size_t before = list->count;

    for (size_t i = 0; i < config->chosen.count; i++) {
        if (!is_in(list, config->chosen.items[i]))
            return refuse(config, config->chosen.items[i], err);
    }
    if (config->chosen.count == 0)
        return true;
    list->count = 0;
    for (size_t i = 0; i < before; i++) {
        if (is_chosen(config, list->items[i].name))
            list->items[list->count++] = list->items[i];
    }
    return true;
}
