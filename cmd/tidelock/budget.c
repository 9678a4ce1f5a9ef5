#include "postgres/budget.h"

#include <stdio.h>

#include "base/json.h"
#include "command.h"
#include "config/endpoint.h"
#include "config/options.h"
#include "postgres/query_failure.h"
#include "postgres/reach.h"
#include "print.h"
#include "sql/quote.h"

/* A line of a sum: `sign` is "+" or "-" for what is added or taken away. */
static void print_count(const char *what, const char *sign, int count, const char *note)
{
    char number[16];

    (void)snprintf(number, sizeof number, "%s%d", count > 0 ? sign : "", count);
    print_line("  %-34s %5s%s%s", what, number, note[0] == '\0' ? "" : "   ", note);
}

static void print_limit(const char *what, int limit, int used, bool is_bound)
{
    if (limit == BUDGET_NO_LIMIT)
        print_line("  %-34s %5s   %d in use", what, "none", used);
    else
        print_line("  %-34s %5d   %d in use%s", what, limit, used,
                   is_bound ? "" : "; it does not bind a superuser");
}

static void print_server(const struct budget *budget)
{
    auto_text struct text hidden = text_init(128);

    if (budget->hidden > 0)
        text_add_format(&hidden, "the kind of %d of them is hidden from this role", budget->hidden);
    print_line("Connections of the server:");
    print_count("max_connections", "", budget->max_connections, "");
    print_count("superuser_reserved_connections", "-", budget->superuser_reserved, "");
    print_count("reserved_connections", "-", budget->reserved, "");
    print_count("in use", "-", budget->used, hidden.at);
    print_count("left for ordinary roles", "",
                budget->max_connections - budget->superuser_reserved - budget->reserved - budget->used, "");
}

/* What is left for it is the least of: the server's, the role's, the database's. */
static void print_role(const struct budget *budget)
{
    int reserved = budget->is_superuser       ? budget->superuser_reserved + budget->reserved
                   : budget->may_use_reserved ? budget->reserved
                                              : 0;

    print_line("\nOf these, for \"%s\" in database \"%s\":", budget->role, budget->database);
    if (reserved > 0)
        print_count("reserved ones that it may use", "+", reserved, "");
    print_limit("limit of the role", budget->role_limit, budget->role_used, !budget->is_superuser);
    print_limit("limit of the database", budget->database_limit, budget->database_used,
                !budget->is_superuser);
    print_count("left for it", "", budget_left(budget), "");
}

static void print_share(const struct budget *budget, const struct config *config)
{
    int replicas = (int)config->replicas;
    int left = budget_left(budget) + budget->role_here - (int)(config->connections + config->headroom);
    int share = budget_share(budget, replicas, (int)config->connections, (int)config->headroom);

    print_line("\nFor %d replica%s connecting as \"%s\":", replicas, text_plural((size_t)replicas),
               budget->role);
    print_count("left for it", "", budget_left(budget), "");
    print_count("held by it here", "+", budget->role_here, "");
    print_count("kept for tidelock (--connections)", "-", (int)config->connections, "");
    print_count("kept free (--headroom)", "-", (int)config->headroom, "");
    print_count("for all replicas", "", left, "");
    print_count("connection_limit of each", "", share, "");
    if (share == 0)
        print_line("\n%d replica%s not fit: there %s %d connection%s for %s.", replicas,
                   replicas == 1 ? " does" : "s do", left == 1 ? "is" : "are", left > 0 ? left : 0,
                   text_plural((size_t)(left > 0 ? left : 0)), replicas == 1 ? "it" : "them");
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
    print_server(budget);
    print_role(budget);
    print_share(budget, config);
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
    int share = budget_share(budget, (int)config->replicas, (int)config->connections, (int)config->headroom);

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
    json_set_number(object, "connection_limit", share);
    json_set_bool(object, "fits", share > 0);
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
    log_context(LOG_DATABASE, endpoint_database(&endpoint));
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
