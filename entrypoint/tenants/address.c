#include "tenants/address.h"

#include <ctype.h>
#include <string.h>

#include "config/endpoint.h"
#include "config/password_source.h"
#include "config/url_parts.h"

enum { ADDRESS_MOST = 4 * URL_MOST };

/* What separates the parts: no name has it. */
#define BETWEEN "\n"

static bool find_base(struct addresses *addresses, const struct tenant *tenant, struct error *err)
{
    if (addresses->has_base)
        return true;
    if (!endpoint_find(addresses->config->arena, addresses->config, &addresses->base, err))
        return error_context(err, "finding the database URL, which says what tenant \"%s\" leaves out",
                             tenant->name);
    addresses->has_base = true;
    return true;
}

static void add_part(const char *text, const char *standard, struct text *out)
{
    text_add_string(out, text == NULL ? standard : text);
    text_add_string(out, BETWEEN);
}

/* Names of hosts are the same in any case. */
static void add_server(const struct endpoint *endpoint, struct text *out)
{
    const size_t begin = out->length;

    add_part(endpoint_value(endpoint, "host"), "", out);
    for (size_t i = begin; i < out->length; i++)
        out->at[i] = (char)tolower((unsigned char)out->at[i]);
    add_part(endpoint_value(endpoint, "hostaddr"), "", out);
    add_part(endpoint_value(endpoint, "port"), "5432", out);
}

static bool is_same_server(const struct endpoint *one, const struct endpoint *other)
{
    auto_text struct text of_one = text_init(URL_MOST);
    auto_text struct text of_other = text_init(URL_MOST);

    add_server(one, &of_one);
    add_server(other, &of_other);
    return strcmp(of_one.at, of_other.at) == 0;
}

static const char *sslmode_of(const struct endpoint *endpoint)
{
    const char *mode = endpoint_value(endpoint, "sslmode");

    return mode == NULL ? "prefer" : mode;
}

/* How well a connection is protected from others on the way: the index of its mode, or of verify-full. */
static size_t protection(const struct endpoint *endpoint)
{
    static const char *const modes[] = { "disable", "allow", "prefer", "require", "verify-ca" };
    size_t rank = 0;

    while (rank < array_length(modes) && strcmp(modes[rank], sslmode_of(endpoint)) != 0)
        rank++;
    return rank;
}

/* The environment, too, says how. */
static bool check_protection(struct arena *arena, const struct addresses *addresses,
                             const struct tenant *tenant, struct error *err)
{
    struct config config = tenant_config(addresses->config, tenant);
    struct endpoint own;

    config.arena = arena;
    if (!endpoint_find(arena, &config, &own, err))
        return error_context(err, "reading the URL of tenant \"%s\"", tenant->name);
    if (protection(&own) >= protection(&addresses->base))
        return true;
    error_set(
        err, ERROR_USAGE,
        "the URL of tenant \"%s\" says sslmode=%s, the database URL sslmode=%s, and it holds no password",
        tenant->name, sslmode_of(&own), sslmode_of(&addresses->base));
    return error_hint(err,
                      "The configured password is not sent less protected on the word of a query: add "
                      "sslmode=%s to the URL, or list this tenant in a file.",
                      sslmode_of(&addresses->base));
}

/* Whoever may write the table that is asked could otherwise have the password sent anywhere, or in clear. */
static bool check_password(struct arena *arena, struct addresses *addresses, const struct endpoint *endpoint,
                           const struct tenant *tenant, struct error *err)
{
    const struct config *config = addresses->config;

    if (!addresses->is_asked || endpoint_value(endpoint, "password") != NULL ||
        (config->password == NULL && config->password_from == PASSWORD_NOWHERE))
        return true;
    if (!find_base(addresses, tenant, err))
        return false;
    if (is_same_server(endpoint, &addresses->base))
        return check_protection(arena, addresses, tenant, err);
    error_set(err, ERROR_USAGE,
              "the URL of tenant \"%s\" leads to another server than the database URL, and holds no password",
              tenant->name);
    return error_hint(err,
                      "The configured password is not sent there on the word of a query: add one to the "
                      "URL, or list this tenant in a file.");
}

static const char *key_of(struct arena *arena, const struct endpoint *endpoint, const struct tenant *tenant)
{
    const char *schema = tenant->schema != NULL ? tenant->schema : endpoint->schema;
    const char *database = tenant->database != NULL ? tenant->database : endpoint_database(endpoint);
    auto_text struct text key = text_init(ADDRESS_MOST);

    add_server(endpoint, &key);
    add_part(database, "", &key);
    add_part(schema, "public", &key);
    /* These also say where a session, or a tool, works. */
    add_part(tenant->schema != NULL ? NULL : endpoint->search_path, "", &key);
    add_part(endpoint_value(endpoint, "options"), "", &key);
    add_part(endpoint->ledger_schema, "", &key);
    add_part(endpoint->ledger_table, "", &key);
    return arena_copy(arena, key.at, key.length);
}

bool address_read(struct arena *arena, struct addresses *addresses, const struct tenant *tenant,
                  const char **out, struct error *err)
{
    struct endpoint own;

    if (tenant->url == NULL) {
        if (!find_base(addresses, tenant, err))
            return false;
        *out = key_of(arena, &addresses->base, tenant);
        return true;
    }
    if (!url_parse(arena, tenant->url, &own, err)) {
        error_context(err, "for tenant \"%s\"", tenant->name);
        return false;
    }
    if (!check_password(arena, addresses, &own, tenant, err))
        return false;
    *out = key_of(arena, &own, tenant);
    return true;
}
