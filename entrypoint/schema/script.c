#include "schema/script.h"

#include <stdint.h>
#include <string.h>

#include "schema/script_change.h"

/* PostgreSQL 15 gave "public" to whoever owns the database, and took CREATE from everybody. */
enum { MAJOR_OF_CLOSED_PUBLIC = 15 };

void script_initial(struct arena *arena, const struct facts *other, struct facts *out)
{
    bool is_closed = other->major >= MAJOR_OF_CLOSED_PUBLIC;
    const struct fact grants[] = {
        { "grant", "schema public to public", is_closed ? "USAGE" : "CREATE, USAGE" },
        { "grant", "database to public", "CONNECT, TEMPORARY" },
        { "grant", "language plpgsql to public", "USAGE" },
        { "grant", "language sql to public", "USAGE" },
    };

    *out = (struct facts) { .major = other->major };
    facts_add(arena, out, &(struct fact) { "schema", "public", "" });
    for (size_t i = 0; i < array_length(grants); i++)
        facts_add(arena, out, &grants[i]);
    for (size_t i = 0; i < other->count; i++) {
        const struct fact *fact = &other->items[i];
        bool is_language = strcmp(fact->kind, "extension") == 0 && strcmp(fact->name, "plpgsql") == 0;

        if (is_language || (strcmp(fact->kind, "owner") == 0 && strcmp(fact->name, "schema public") == 0))
            facts_add(arena, out, fact);
    }
    facts_sort(out);
}

/* The owner of most objects. There are few owners, and one has most: the last that outlives the others. */
static const char *find_usual_owner(const struct facts *facts)
{
    const char *owner = NULL;
    size_t lead = 0;

    for (size_t i = 0; i < facts->count; i++) {
        bool is_role = strcmp(facts->items[i].kind, "owner") == 0 &&
                       strcmp(facts->items[i].definition, "pg_database_owner") != 0;

        if (!is_role)
            continue;
        if (lead == 0)
            owner = facts->items[i].definition;
        if (strcmp(owner, facts->items[i].definition) == 0)
            lead++;
        else
            lead--;
    }
    return owner;
}

/* Bodies of functions may mention what only comes after them. */
static bool has_new_routine(const struct delta *delta)
{
    for (size_t i = 0; i < delta->count; i++) {
        const struct change *change = &delta->changes[i];

        if ((change->kind->traits & KIND_ROUTINE) != 0 && change->action != CHANGE_NONE &&
            change->action != CHANGE_DROP)
            return true;
    }
    return false;
}

static void write_statements(struct delta *delta)
{
    struct text *script = &delta->result->script;
    bool has_routine = has_new_routine(delta);

    if (has_routine)
        text_add_string(script, "SET check_function_bodies = off;\n");
    changes_write(delta);
    if (has_routine)
        text_add_string(script, "RESET check_function_bodies;\n");
}

void script_write(struct arena *arena, const struct script_request *request, struct script_result *out)
{
    struct delta delta = { .arena = arena, .request = request, .result = out };
    const struct facts *from = request->from;
    const struct facts *to = request->to;

    *out = (struct script_result) { .script = text_init(SIZE_MAX) };
    delta.major = from->major;
    delta.usual_owner = find_usual_owner(to);
    changes_find(&delta, from, to);
    needs_find(&delta);
    changes_decide(&delta);
    write_statements(&delta);
    if (out->refusal_count > 0)
        text_reset(&out->script);
}
