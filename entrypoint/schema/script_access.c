#include <stdint.h>
#include <string.h>

#include "schema/script_name.h"
#include "schema/script_say.h"
#include "sql/quote.h"

/* What a name of a fact begins with that is about another object. */
struct subject {
    const char *type;    /* as the server, or our query, calls it */
    const char *keyword; /* in a statement */
    enum { OBJECT, COLUMN, PART, NAMED, NO_OBJECT } form;
    const char *part;       /* its kind; of a PART the name is "PART on OBJECT" */
    const char *other_part; /* … or that */
};

/* Longer ones before those that they begin with. */
static const struct subject SUBJECTS[] = {
    { "table column ", "COLUMN ", COLUMN, NULL, NULL },
    { "view column ", "COLUMN ", COLUMN, NULL, NULL },
    { "materialized view column ", "COLUMN ", COLUMN, NULL, NULL },
    { "foreign table column ", "COLUMN ", COLUMN, NULL, NULL },
    { "composite type column ", "COLUMN ", COLUMN, NULL, NULL },
    { "column ", "", COLUMN, NULL, NULL },
    { "table constraint ", "CONSTRAINT ", PART, "constraint", "foreign-key" },
    { "trigger ", "TRIGGER ", PART, "trigger", NULL },
    { "policy ", "POLICY ", PART, "policy", NULL },
    { "rule ", "RULE ", PART, "rule", NULL },
    { "table ", "TABLE ", OBJECT, NULL, NULL },
    { "view ", "VIEW ", OBJECT, NULL, NULL },
    { "materialized view ", "MATERIALIZED VIEW ", OBJECT, NULL, NULL },
    { "foreign table ", "FOREIGN TABLE ", OBJECT, NULL, NULL },
    { "sequence ", "SEQUENCE ", OBJECT, NULL, NULL },
    { "index ", "INDEX ", NAMED, "index", NULL },
    { "function ", "ROUTINE ", OBJECT, NULL, NULL },
    { "procedure ", "PROCEDURE ", OBJECT, NULL, NULL },
    { "aggregate ", "AGGREGATE ", OBJECT, NULL, NULL },
    { "type ", "TYPE ", OBJECT, NULL, NULL },
    { "schema ", "SCHEMA ", OBJECT, NULL, NULL },
    { "collation ", "COLLATION ", OBJECT, NULL, NULL },
    { "domain constraint ", "CONSTRAINT ", PART, "constraint", NULL },
    { "statistics object ", "STATISTICS ", NAMED, "statistics", NULL },
    { "statistics ", "STATISTICS ", NAMED, "statistics", NULL },
    { "event trigger ", "EVENT TRIGGER ", NAMED, "event-trigger", NULL },
    { "event-trigger ", "EVENT TRIGGER ", NAMED, "event-trigger", NULL },
    { "publication ", "PUBLICATION ", NAMED, "publication", NULL },
    { "subscription ", "SUBSCRIPTION ", NAMED, "subscription", NULL },
    { "foreign-data wrapper ", "FOREIGN DATA WRAPPER ", NAMED, "foreign-data-wrapper", NULL },
    { "foreign-data-wrapper ", "FOREIGN DATA WRAPPER ", NAMED, "foreign-data-wrapper", NULL },
    { "server ", "SERVER ", NAMED, "server", NULL },
    { "language ", "LANGUAGE ", NAMED, "language", NULL },
    { "conversion ", "CONVERSION ", NAMED, "conversion", NULL },
    { "text search configuration ", "TEXT SEARCH CONFIGURATION ", NAMED, "text-search-configuration", NULL },
    { "text-search-configuration ", "TEXT SEARCH CONFIGURATION ", NAMED, "text-search-configuration", NULL },
    { "text search dictionary ", "TEXT SEARCH DICTIONARY ", NAMED, "text-search-dictionary", NULL },
    { "text-search-dictionary ", "TEXT SEARCH DICTIONARY ", NAMED, "text-search-dictionary", NULL },
    { "operator-class ", "OPERATOR CLASS ", NAMED, "operator-class", NULL },
    { "operator-family ", "OPERATOR FAMILY ", NAMED, "operator-family", NULL },
    { "operator ", "OPERATOR ", NAMED, "operator", NULL },
    { "database ", "DATABASE ", NO_OBJECT, NULL, NULL },
};

static const struct subject *subject_find(const char *name)
{
    for (size_t i = 0; i < array_length(SUBJECTS); i++) {
        if (strncmp(name, SUBJECTS[i].type, strlen(SUBJECTS[i].type)) == 0)
            return &SUBJECTS[i];
    }
    return NULL;
}

static struct change *find_part(const struct delta *delta, const struct subject *subject, const char *name)
{
    auto_text struct text whole = text_init(SIZE_MAX);
    struct slice part = name_without_arguments(name);
    const char *owner = name + part.length;
    struct change *found;

    if (strncmp(owner, " on ", strlen(" on ")) != 0)
        return NULL;
    text_add_format(&whole, "%s.%.*s", owner + strlen(" on "), (int)part.length, part.at);
    found = change_find(delta, subject->part, text_slice(&whole));
    return found == NULL && subject->other_part != NULL
               ? change_find(delta, subject->other_part, text_slice(&whole))
               : found;
}

/* In the name of a grant, a role follows. */
static struct change *find_named(const struct delta *delta, const struct subject *subject, const char *name)
{
    const char *role = text_find_outside(name, " to ");
    struct slice whole = { .at = name, .length = role == NULL ? strlen(name) : (size_t)(role - name) };

    return change_find(delta, subject->part, whole);
}

struct change *access_object(const struct delta *delta, const struct change *change, enum side side)
{
    const struct subject *subject = subject_find(change->name);
    struct slice name;
    struct change *found;

    if (subject == NULL || subject->form == NO_OBJECT)
        return NULL;
    name = name_without_arguments(change->name + strlen(subject->type));
    if (subject->form == PART)
        return find_part(delta, subject, name.at);
    if (subject->form == NAMED)
        return find_named(delta, subject, name.at);
    if (subject->form == OBJECT)
        return object_find(delta, name, KIND_PROVIDES, side);
    found = change_find(delta, "column", name);
    return found != NULL ? found
                         : object_find(delta, name_qualifier(change->name + strlen(subject->type)),
                                       KIND_RELATION, side);
}

void owner_alter(struct delta *delta, struct change *change)
{
    const struct subject *subject = subject_find(change->name);
    const char *object = change->name + (subject == NULL ? 0 : strlen(subject->type));
    const struct change *owner = change_find(delta, "sequence-owner", slice_of(object));
    const struct change *identity = change_find(delta, "sequence-identity", slice_of(object));

    /* A sequence that belongs to a column has the owner of its table. */
    if ((owner != NULL && owner->definitions[SIDE_TO] != NULL) ||
        (identity != NULL && identity->definitions[SIDE_TO] != NULL))
        return;
    if (subject == NULL)
        delta_refuse(delta, change, "it cannot be read");
    else
        say(delta, "ALTER %s%s OWNER TO %s;\n", subject->keyword, object, change->definitions[SIDE_TO]);
}

/* Who runs the script owns what is new: nothing is said of the one who owns most. */
void owner_create(struct delta *delta, struct change *change)
{
    if (delta->usual_owner == NULL || strcmp(delta->usual_owner, change->definitions[SIDE_TO]) != 0)
        owner_alter(delta, change);
}

/* "function public.f(a integer) to public": the object, and to whom. */
struct grant {
    const struct subject *subject;
    struct slice object;
    const char *grantee;
    bool is_revoked; /* a fact of what the owner may no longer do */
};

static bool read_grant(const struct change *change, struct grant *out)
{
    const char *end;

    out->subject = subject_find(change->name);
    if (out->subject == NULL)
        return false;
    out->object.at = change->name + strlen(out->subject->type);
    out->is_revoked = strcmp(change->kind->name, "revoked") == 0;
    /* A database has no name here. */
    out->object.at -= slice_starts_with(slice_of(out->object.at), out->is_revoked ? "from " : "to ");
    end = text_find_outside(out->object.at, out->is_revoked ? " from " : " to ");
    if (end == NULL)
        return false;
    out->object.length = (size_t)(end - out->object.at);
    out->grantee = strchr(end + 1, ' ') + 1;
    if (strcmp(out->grantee, "public") == 0)
        out->grantee = "PUBLIC";
    return true;
}

static void add_target(const struct grant *grant, struct text *out)
{
    auto_text struct text object = text_init(SIZE_MAX);
    struct slice table;

    text_add(&object, grant->object.at, grant->object.length);
    if (grant->subject->form != COLUMN) {
        text_add_format(out, " ON %s%s%s", strcmp(grant->subject->keyword, "SERVER ") == 0 ? "FOREIGN " : "",
                        grant->subject->keyword, object.at);
        return;
    }
    table = name_qualifier(object.at);
    text_add_format(out, " (%s) ON %.*s", name_last(object.at), (int)table.length, table.at);
}

static const char with_option[] = " with grant option";

/* The next of "SELECT, UPDATE with grant option", without the option. */
static struct slice next_privilege(const char **list, bool *has_option)
{
    size_t length = strcspn(*list, ",");
    struct slice privilege = slice_trim((struct slice) { .at = *list, .length = length });
    const char *option = strstr(*list, with_option);

    *list += length + ((*list)[length] == ',');
    *has_option = option != NULL && option < privilege.at + privilege.length;
    if (*has_option)
        privilege.length -= strlen(with_option);
    return privilege;
}

/* How it stands in a list: 0 = not, 1 = it does, 2 = with the option to grant it. */
static int strength(const char *list, struct slice wanted)
{
    while (list != NULL && *list != '\0') {
        bool has_option;
        struct slice privilege = next_privilege(&list, &has_option);

        if (slice_is_same(privilege, wanted))
            return 1 + has_option;
    }
    return 0;
}

/* GRANT or REVOKE, each privilege by itself. */
static void say_grant(struct delta *delta, const struct grant *grant, bool is_grant, struct slice privilege,
                      const char *option)
{
    bool is_prefix = !is_grant && *option != '\0';
    auto_text struct text target = text_init(SIZE_MAX);
    auto_text struct text what = text_init(SIZE_MAX);
    auto_text struct text whom = text_init(SIZE_MAX);

    text_add_format(&what, "%s %s%.*s", is_grant ? "GRANT" : "REVOKE", is_prefix ? option : "",
                    (int)privilege.length, privilege.at);
    text_add_format(&whom, "%s %s%s", is_grant ? "TO" : "FROM", grant->grantee, is_prefix ? "" : option);
    if (grant->subject->form == NO_OBJECT) {
        database_grant(delta, what.at, whom.at);
        return;
    }
    add_target(grant, &target);
    say(delta, "%s%s %s;\n", what.at, target.at, whom.at);
}

static void grant_change(struct delta *delta, const struct change *change, const char *from, const char *to)
{
    struct grant grant;
    bool has_option;

    if (!read_grant(change, &grant)) {
        delta_refuse(delta, change, "it cannot be read");
        return;
    }
    for (const char *list = to; list != NULL && *list != '\0';) {
        struct slice privilege = next_privilege(&list, &has_option);

        if (strength(from, privilege) < strength(to, privilege))
            say_grant(delta, &grant, !grant.is_revoked, privilege, has_option ? " WITH GRANT OPTION" : "");
    }
    for (const char *list = from; list != NULL && *list != '\0';) {
        struct slice privilege = next_privilege(&list, &has_option);

        if (strength(to, privilege) < strength(from, privilege))
            say_grant(delta, &grant, grant.is_revoked, privilege,
                      strength(to, privilege) > 0 ? "GRANT OPTION FOR " : "");
    }
}

/* What everybody may do with a new object of that kind. */
static const char *usual_grant(const struct change *change, const struct change *object)
{
    if (!change_is_creating(object) || !text_ends_with(change->name, " to public"))
        return NULL;
    if ((object->kind->traits & KIND_ROUTINE) != 0)
        return "EXECUTE";
    if (strcmp(object->kind->name, "language") == 0)
        return "USAGE";
    return (object->kind->traits & KIND_TYPE) != 0 ? "USAGE" : NULL;
}

void grant_create(struct delta *delta, struct change *change)
{
    grant_change(delta, change, usual_grant(change, change->parents[SIDE_TO]), change->definitions[SIDE_TO]);
}

void grant_drop(struct delta *delta, struct change *change)
{
    grant_change(delta, change, change->definitions[SIDE_FROM], NULL);
}

void grant_alter(struct delta *delta, struct change *change)
{
    grant_change(delta, change, change->definitions[SIDE_FROM], change->definitions[SIDE_TO]);
}

void grants_close(struct delta *delta, const struct change *object)
{
    bool is_routine = (object->kind->traits & KIND_ROUTINE) != 0;
    auto_text struct text name = text_init(SIZE_MAX);
    const struct change *grant;

    text_add_format(&name, "%s %s to public", is_routine ? "function" : "type", object->name);
    grant = change_find(delta, "grant", text_slice(&name));
    if (delta->request->are_grants_ignored || (grant != NULL && grant->definitions[SIDE_TO] != NULL))
        return;
    say(delta, "REVOKE ALL ON %s %s FROM PUBLIC;\n", is_routine ? "ROUTINE" : "TYPE", object->name);
}

/* "postgres r public to reader", without a schema: "postgres r  to reader" */
struct default_grant {
    struct slice role;
    char letter; /* of the catalog, for a kind of object */
    struct slice schema;
    const char *grantee;
};

static bool read_default_grant(const struct change *change, struct default_grant *out)
{
    const char *letter;
    const char *grantee;

    out->role = name_without_arguments(change->name);
    letter = change->name + out->role.length;
    if (*letter != ' ' || letter[1] == '\0' || letter[2] != ' ')
        return false;
    out->letter = letter[1];
    out->schema = name_without_arguments(letter + strlen(" r "));
    grantee = letter + strlen(" r ") + out->schema.length;
    if (strncmp(grantee, " to ", strlen(" to ")) != 0)
        return false;
    out->grantee = grantee + strlen(" to ");
    return strcmp(out->grantee, "nobody") != 0;
}

/* What everybody may do with functions and types unless that is taken away is not told apart. */
static const char *default_grant_objects(const struct default_grant *grant)
{
    switch (grant->letter) {
    case 'r':
        return "TABLES";
    case 'S':
        return "SEQUENCES";
    case 'n':
        return "SCHEMAS";
    case 'f':
        return grant->schema.length > 0 ? "ROUTINES" : NULL;
    case 'T':
        return grant->schema.length > 0 ? "TYPES" : NULL;
    default:
        return NULL;
    }
}

static void default_grant(struct delta *delta, const struct change *change, bool is_grant)
{
    const char *privileges = change->definitions[is_grant ? SIDE_TO : SIDE_FROM];
    struct default_grant grant;
    bool is_read = read_default_grant(change, &grant);
    const char *objects = is_read ? default_grant_objects(&grant) : NULL;

    if (objects == NULL || strstr(privileges, with_option) != NULL) {
        delta_refuse(delta, change, "it cannot be written yet");
        return;
    }
    /* What a role may do itself is said with the first grant to another. */
    if (grant.schema.length == 0 && slice_equals(grant.role, grant.grantee))
        return;
    say(delta, "ALTER DEFAULT PRIVILEGES FOR ROLE %.*s%s%.*s %s %s ON %s %s %s;\n", (int)grant.role.length,
        grant.role.at, grant.schema.length > 0 ? " IN SCHEMA " : "", (int)grant.schema.length,
        grant.schema.at, is_grant ? "GRANT" : "REVOKE", privileges, objects, is_grant ? "TO" : "FROM",
        strcmp(grant.grantee, "public") == 0 ? "PUBLIC" : grant.grantee);
}

void default_grant_create(struct delta *delta, struct change *change)
{
    default_grant(delta, change, true);
}

void default_grant_drop(struct delta *delta, struct change *change)
{
    default_grant(delta, change, false);
}

static void comment(struct delta *delta, const struct change *change, const char *text)
{
    const struct subject *subject = subject_find(change->name);
    const char *keyword = subject == NULL ? "" : subject->keyword;
    auto_text struct text quoted = text_init(SIZE_MAX);

    if (subject == NULL) {
        delta_refuse(delta, change, "a comment on such an object cannot be written yet");
        return;
    }
    if (strcmp(subject->type, "function ") == 0)
        keyword = "FUNCTION ";
    if (strcmp(subject->type, "domain constraint ") == 0)
        delta_refuse(delta, change, "a comment on a domain's constraint cannot be written yet");
    if (text == NULL)
        text_add_string(&quoted, "NULL");
    else
        quote_literal(text, &quoted);
    say(delta, "COMMENT ON %s%s IS %s;\n", keyword, change->name + strlen(subject->type), quoted.at);
}

void comment_create(struct delta *delta, struct change *change)
{
    comment(delta, change, change->definitions[SIDE_TO]);
}

void comment_drop(struct delta *delta, struct change *change)
{
    if (change->action == CHANGE_DROP)
        comment(delta, change, NULL);
}

/* "function public.f(integer) on extension x" */
static void depend(struct delta *delta, const struct change *change, const char *negation)
{
    const struct subject *subject = subject_find(change->name);
    const char *on = text_find_outside(change->name, " on extension ");

    if (subject == NULL || on == NULL) {
        delta_refuse(delta, change, "it cannot be read");
        return;
    }
    say(delta, "ALTER %s%.*s %sDEPENDS ON EXTENSION %s;\n", subject->keyword,
        (int)(on - change->name - (ptrdiff_t)strlen(subject->type)), change->name + strlen(subject->type),
        negation, on + strlen(" on extension "));
}

void depends_create(struct delta *delta, struct change *change)
{
    depend(delta, change, "");
}

void depends_drop(struct delta *delta, struct change *change)
{
    depend(delta, change, "NO ");
}
