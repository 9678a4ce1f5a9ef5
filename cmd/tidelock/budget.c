#include "postgres/budget.h"

#include "base/json.h"
#include "command.h"
#include "config/endpoint.h"
#include "config/options.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "print.h"
#include "sql/quote.h"

static void print_limit(const char *what, const char *name, int limit, int used)
{
    if (limit == BUDGET_NO_LIMIT)
        print_line("  %-34s %5s   %d in use", what, "none", used);
    else
        print_line("  %-34s %5d   %d in use, by \"%s\"", what, limit, used, name);
}

static void print_reservation(const struct budget *budget, int server_version)
{
    auto_text struct text role = text_init(1024);

    if (budget->is_superuser) {
        print_line(
            "\nThe server does not limit a superuser: to have it enforce a budget, migrate as an ordinary "
            "role.");
        return;
    }
    quote_identifier(budget->role, &role);
    print_line("\nIf %s is used for migrations only, an operator can have the server enforce the budget:",
               role.at);
    print_line("  ALTER ROLE %s CONNECTION LIMIT 4;", role.at);
    if (server_version >= 160000 && !budget->may_use_reserved) {
        print_line("  ALTER SYSTEM SET reserved_connections = 2;   -- after a restart");
        print_line("  GRANT pg_use_reserved_connections TO %s;", role.at);
    }
}

static void print_hidden(const struct budget *budget)
{
    auto_text struct text role = text_init(1024);

    if (budget->hidden == 0)
        return;
    quote_identifier(budget->role, &role);
    print_line(
        "\nSome of the %d sessions whose kind is hidden may be parallel workers, which need no connection. "
        "To have them told apart:",
        budget->hidden);
    print_line("  GRANT pg_monitor TO %s;", role.at);
}

static void print_budget(const struct budget *budget, const struct config *config, int server_version)
{
    int replicas = (int)config->replicas;

    print_line("Connections of the server:");
    print_line("  %-34s %5d", "max_connections", budget->max_connections);
    print_line("  %-34s %5d%s", "superuser_reserved_connections", -budget->superuser_reserved,
               budget->is_superuser ? "   (this role may use them)" : "");
    print_line("  %-34s %5d%s", "reserved_connections", -budget->reserved,
               budget->reserved > 0 && budget->may_use_reserved ? "   (this role may use them)" : "");
    print_line("  %-34s %5d", "in use", -budget->used);
    if (budget->hidden > 0)
        print_line("  %-34s %5d   (their kind is hidden from this role)", "  of these, unknown",
                   -budget->hidden);
    print_line("  %-34s %5d", "free for applications", budget_room(budget));
    print_limit("limit of this role", budget->role, budget->role_limit, budget->role_used);
    print_limit("limit of this database", budget->database, budget->database_limit, budget->database_used);
    print_line("  %-34s %5d", "free for this role here", budget_free(budget));
    print_line("\nFor %d replica%s connecting as \"%s\":", replicas, text_plural((size_t)replicas),
               budget->role);
    print_line("  %-34s %5d", "kept for tidelock (--connections)", (int)config->connections);
    print_line("  %-34s %5d", "kept free (--headroom)", (int)config->headroom);
    print_line("  %-34s %5d", "connection_limit of each",
               budget_share(budget, replicas, (int)config->connections, (int)config->headroom));
    print_hidden(budget);
    print_reservation(budget, server_version);
}

static void set_limit(struct json *object, const char *key, int limit)
{
    if (limit == BUDGET_NO_LIMIT)
        json_set_text(object, key, NULL);
    else
        json_set_number(object, key, limit);
}

static void print_budget_json(const struct budget *budget, const struct config *config)
{
    struct json *object = json_new_object();

    json_set_number(object, "max_connections", budget->max_connections);
    json_set_number(object, "superuser_reserved_connections", budget->superuser_reserved);
    json_set_number(object, "reserved_connections", budget->reserved);
    json_set_number(object, "used", budget->used);
    json_set_number(object, "used_hidden", budget->hidden);
    json_set_number(object, "room", budget_room(budget));
    json_set_text(object, "role", budget->role);
    json_set_bool(object, "is_superuser", budget->is_superuser);
    json_set_bool(object, "may_use_reserved", budget->may_use_reserved);
    set_limit(object, "role_limit", budget->role_limit);
    json_set_number(object, "role_used", budget->role_used);
    json_set_text(object, "database", budget->database);
    set_limit(object, "database_limit", budget->database_limit);
    json_set_number(object, "database_used", budget->database_used);
    json_set_number(object, "free", budget_free(budget));
    json_set_number(object, "replicas", config->replicas);
    json_set_number(object, "headroom", config->headroom);
    json_set_number(
        object, "connection_limit",
        budget_share(budget, (int)config->replicas, (int)config->connections, (int)config->headroom));
    print_json(object);
}

static bool budget_run(struct arena *arena, const struct config *config, int *exit_code, struct error *err)
{
    auto_connection struct connection *conn = NULL;
    struct endpoint endpoint;
    struct budget budget;

    (void)exit_code;
    if (!endpoint_find(arena, config, &endpoint, err))
        return false;
    conn = reach_database(config, &endpoint, NULL, err);
    if (conn == NULL || !budget_read(arena, conn, &budget, err))
        return query_failure_explain(err, "Nothing was changed.");
    if (config->wants_json)
        print_budget_json(&budget, config);
    else
        print_budget(&budget, config, connection_server_version(conn));
    return true;
}

const struct command COMMAND_BUDGET = {
    .name = "budget",
    .usage = "[--replicas N] [--json]",
    .summary = "show the server's free connections, and each replica's share",
    .about =
        "Counts as the server does: reserved slots, the limits of role and database, connections in use. "
        "Then prints how many connections each of N replicas may hold (connection_limit in its URL) so "
        "that all of them and a deployment fit, and the SQL that makes the server enforce it.",
    .example = "tidelock budget --replicas 6",
    .options = FOR_BUDGET,
    .run = budget_run,
};
