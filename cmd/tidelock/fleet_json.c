#include "fleet_json.h"

#include "base/json.h"
#include "base/log.h"
#include "exits.h"
#include "print.h"

enum { COUNTS_MOST = 512 };

/* What the command says of one database alone, or null. */
static void set_details(struct json *object, const char *key, struct tenant_result *result)
{
    struct json *details = result->details == NULL ? NULL : json_read(slice_of(result->details));

    if (details == NULL)
        json_set_text(object, key, NULL);
    else
        json_set(object, key, details);
    memory_free(result->details);
    result->details = NULL;
}

static struct json *tenant_json(const struct fleet_words *words, const struct tenant *tenant,
                                struct tenant_result *result)
{
    struct json *object = json_new_object();
    bool is_read = result->state == TENANT_DONE;

    json_set_text(object, "tenant", tenant->name);
    json_set_text(object, "state", is_read ? "looked_at" : TENANT_STATE_NAMES[result->state]);
    if (is_read)
        json_set_number(object, words->counted, (int64_t)result->count);
    else
        json_set_text(object, words->counted, NULL);
    json_set_number(object, "duration_ms", result->took_ms);
    json_set_text(object, "summary", result->word);
    json_set_text(object, "reason", result->reason);
    if (result->state == TENANT_FAILED)
        json_set_number(object, "exit_code", exit_find(result->class)->code);
    set_details(object, words->details, result);
    return object;
}

static bool is_in_lines(void)
{
    return log_format_in_use() == LOG_TEXT;
}

static void begin(void)
{
    print_text(is_in_lines() ? "{\n  \"tenants\": [" : "{\"tenants\": [");
}

static void write_one(struct fleet_json *list)
{
    const struct tenant *tenant = &list->rollout->tenants->items[list->written];
    struct tenant_result *result = &list->rollout->results[list->written];

    if (list->written == 0)
        begin();
    else
        print_text(is_in_lines() ? "," : ", ");
    if (is_in_lines())
        print_text("\n    ");
    print_json_part(tenant_json(list->words, tenant, result));
    list->written++;
}

void fleet_json_write(struct fleet_json *list)
{
    const struct rollout *rollout = list->rollout;

    if (!is_in_lines())
        return;
    while (list->written < rollout->tenants->count && tenant_is_over(rollout->results[list->written].state)) {
        log_passing(NULL);
        write_one(list);
    }
}

void fleet_json_end(struct fleet_json *list)
{
    const size_t *counts = list->rollout->counts;
    auto_text struct text said = text_init(COUNTS_MOST);
    const char *between = is_in_lines() ? "\n  " : " ";

    while (list->written < list->rollout->tenants->count)
        write_one(list);
    if (list->written == 0)
        begin();
    text_add_format(
        &said, "%s],%s\"looked_at\": %zu,%s\"failed\": %zu,%s\"interrupted\": %zu,%s\"not_begun\": %zu%s}\n",
        is_in_lines() && list->written > 0 ? "\n  " : "", between, counts[TENANT_DONE], between,
        counts[TENANT_FAILED], between, counts[TENANT_INTERRUPTED], between,
        counts[TENANT_WAITING] + counts[TENANT_ELSEWHERE], is_in_lines() ? "\n" : "");
    print_text(said.at);
}
