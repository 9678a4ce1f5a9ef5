#include "sides.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "config/endpoint.h"
#include "deploy/drift.h"
#include "deploy/target.h"
#include "history/folder.h"
#include "postgres/reach.h"
#include "print.h"

enum { NAME_MOST = 512, SNAPSHOT_BYTES_MOST = 1024 * 1024 * 1024 };

static bool read_snapshot(struct arena *arena, const char *path, struct facts *out, struct error *err)
{
    auto_text struct text text = text_init(SNAPSHOT_BYTES_MOST);

    return file_read_stream(path, &text, err) && facts_read(arena, path, text_slice(&text), out, err);
}

static bool check_shadow(const struct config *config, struct error *err)
{
    if (config->shadow != NULL)
        return true;
    error_set(err, ERROR_USAGE, "the folder is replayed in a shadow database, and none is given");
    return error_hint(err,
                      "Give an empty one: --shadow URL. Or let tidelock create one on the server of the "
                      "configured database, and drop it again: --shadow create.");
}

/* The folder, and the database that the shadow is beside, if one is known. The caller closes the connection.
 */
static bool find_request(const struct config *config, struct target *target, struct shadow_request *wanted,
                         struct error *err)
{
    bool has_database = config->database_url != NULL || config->direct_url != NULL;
    bool needs_database = config->shadow != NULL && strcmp(config->shadow, SHADOW_CREATE) == 0;

    *wanted = (struct shadow_request) { .config = config };
    *target = (struct target) { .begun = NULL };
    if (!check_shadow(config, err) ||
        ((has_database || needs_database) && !target_find_database(config->arena, config, target, err)) ||
        !target_find_folder(config->arena, config, target, err))
        return false;
    wanted->dialect = target->folder.dialect;
    if (!has_database && !needs_database)
        return true;
    wanted->live = &target->endpoint;
    wanted->conn = reach_database(config, &target->endpoint, NULL, err);
    return wanted->conn != NULL;
}

bool side_replay(const struct config *config, const char *until, snapshot_note *note, struct facts *out,
                 struct error *err)
{
    struct shadow_request wanted;
    struct target target;
    bool is_read = find_request(config, &target, &wanted, err) &&
                   (until == NULL || folder_limit(&target.folder, until, err)) &&
                   shadow_snapshot(&wanted, &target.folder, note, out, err);

    connection_close(wanted.conn);
    return is_read;
}

bool side_try_inverses(const struct config *config, inverses_note *note, struct inverses_finding *out,
                       struct error *err)
{
    struct shadow_request wanted;
    struct target target;
    bool is_tried = find_request(config, &target, &wanted, err) &&
                    shadow_try_inverses(&wanted, &target.folder, note, out, err);

    connection_close(wanted.conn);
    return is_tried;
}

bool side_replay_target(const struct config *config, const struct target *target, struct connection *conn,
                        struct facts *out, struct error *err)
{
    const struct shadow_request wanted = {
        .config = config, .dialect = target->folder.dialect, .live = &target->endpoint, .conn = conn
    };

    return check_shadow(config, err) && shadow_snapshot(&wanted, &target->folder, NULL, out, err);
}

/* "shop at db:5432" */
static const char *name_of(struct arena *arena, const struct endpoint *endpoint)
{
    const char *database = endpoint_value(endpoint, "dbname");
    auto_text struct text name = text_init(NAME_MOST);

    text_add_format(&name, "%s at %s", database == NULL ? "the database" : database, endpoint->label);
    return arena_copy(arena, name.at, name.length);
}

static bool read_url(struct arena *arena, const struct config *config, const char *url, struct side *out,
                     struct error *err)
{
    struct config beside;
    struct endpoint endpoint;

    if (!endpoint_find_beside(config, url, &beside, &endpoint, err))
        return false;
    out->name = name_of(arena, &endpoint);
    out->schema = endpoint.schema;
    return target_read_facts(arena, &beside, &out->facts, err);
}

bool side_read(struct arena *arena, const struct config *config, const char *word, struct side *out,
               struct error *err)
{
    static const char from_folder[] = "migrations";
    bool is_read = true;

    *out = (struct side) { .name = word };
    if (strstr(word, "://") != NULL) {
        is_read = read_url(arena, config, word, out, err);
    } else if (strcmp(word, "database") == 0)
        is_read = target_read_facts(arena, config, &out->facts, err);
    else if (strcmp(word, from_folder) == 0)
        is_read = side_replay(config, NULL, NULL, &out->facts, err);
    else if (strncmp(word, "migrations@", strlen("migrations@")) == 0)
        is_read = side_replay(config, word + strlen("migrations@"), NULL, &out->facts, err);
    else if (strcmp(word, "empty") != 0)
        is_read = read_snapshot(arena, word, &out->facts, err);
    out->is_replayed =
        strcmp(word, from_folder) == 0 || strncmp(word, "migrations@", strlen("migrations@")) == 0;
    if (is_read)
        facts_ignore(&out->facts, config->ignored_facts);
    return is_read;
}

/* Behind a sign, each line of a definition; in a listing of a diff the sign stands first. */
static void add_lines(const char *sign, const char *definition, struct text *out)
{
    while (*definition != '\0') {
        auto_text struct text shown = text_init(SIZE_MAX);
        auto_text struct text line = text_init(SIZE_MAX);
        size_t length = strcspn(definition, "\n");

        text_add(&line, definition, length);
        text_add_shown_line(&shown, line.at);
        text_add_format(out, "%s %s\n", sign, shown.at);
        definition += length + (definition[length] == '\n');
    }
}

static void add_difference(const struct difference *difference, const char *before, const char *after,
                           struct text *out)
{
    drift_add_line(difference, out);
    text_add_string(out, "\n");
    if (difference->from != NULL)
        add_lines(before, difference->from->definition, out);
    if (difference->to != NULL)
        add_lines(after, difference->to->definition, out);
}

static void print_diff(const struct side *from, const struct side *to, const struct diff *diff)
{
    for (size_t i = 0; i < diff->count; i++) {
        auto_text struct text lines = text_init(SIZE_MAX);

        add_difference(&diff->items[i], "    -", "    +", &lines);
        print_text(lines.at);
    }
    if (diff->count == 0)
        print_line("no difference between %s and %s", from->name, to->name);
    else {
        print_text("\n");
        print_line("%zu difference%s between %s (-) and %s (+)", diff->count, text_plural(diff->count),
                   from->name, to->name);
    }
}

/* A comment of a proposed change: the fence is longer than any row of its characters in the text. */
static void print_markdown(const struct side *from, const struct side *to, const struct diff *diff)
{
    auto_text struct text lines = text_init(SIZE_MAX);
    auto_text struct text fence = text_init(SIZE_MAX);

    print_line("### tidelock: %zu difference%s between %s (-) and %s (+)", diff->count,
               text_plural(diff->count), from->name, to->name);
    if (diff->count == 0)
        return;
    for (size_t i = 0; i < diff->count; i++)
        add_difference(&diff->items[i], "-   ", "+   ", &lines);
    text_add_string(&fence, "```");
    while (strstr(lines.at, fence.at) != NULL)
        text_add_string(&fence, "`");
    print_line("\n%sdiff", fence.at);
    print_text(lines.at);
    print_line("%s", fence.at);
}

struct json *sides_difference_json(const struct difference *difference)
{
    const struct fact *fact = diff_fact(difference);
    struct json *object = json_new_object();

    json_set_text(object, "change", diff_change(difference));
    json_set_text(object, "kind", fact->kind);
    json_set_text(object, "name", fact->name);
    return object;
}

static struct json *difference_json(const struct difference *difference)
{
    struct json *object = sides_difference_json(difference);

    json_set_text(object, "from", difference->from == NULL ? NULL : difference->from->definition);
    json_set_text(object, "to", difference->to == NULL ? NULL : difference->to->definition);
    return object;
}

static struct json *side_json(const struct side *side)
{
    struct json *object = json_new_object();
    char digest[SHA256_HEX_SIZE];

    facts_digest(&side->facts, digest);
    json_set_text(object, "name", side->name);
    json_set_number(object, "facts", (int64_t)side->facts.count);
    json_set_text(object, "sha256", digest);
    return object;
}

static struct json *diff_json(const struct side *from, const struct side *to, const struct diff *diff)
{
    struct json *differences = json_new_array();
    struct json *root = json_new_object();

    for (size_t i = 0; i < diff->count; i++)
        json_append(differences, difference_json(&diff->items[i]));
    json_set(root, "from", side_json(from));
    json_set(root, "to", side_json(to));
    json_set(root, "differences", differences);
    return root;
}

bool sides_check_format(const struct config *config, struct error *err)
{
    if (config->plan_format == PLAN_FORMAT_TEXT || config->plan_format == PLAN_FORMAT_MARKDOWN)
        return true;
    error_set(err, ERROR_USAGE, "that --output is one of plan's");
    return error_hint(err, "Differences are written as text, with --output markdown, or with --json.");
}

static void warn_of_versions(const struct side *from, const struct side *to)
{
    if (from->facts.major != 0 && to->facts.major != 0 && from->facts.major != to->facts.major)
        log_warn(
            "PostgreSQL %d and %d may write the same definition differently: compare on one version to "
            "be sure",
            from->facts.major, to->facts.major);
}

bool sides_check_schemas(const struct side *from, const struct side *to, struct error *err)
{
    if (from->schema == NULL || to->schema == NULL || strcmp(from->schema, to->schema) == 0)
        return true;
    error_set(err, ERROR_USAGE,
              "the URLs name two schemas, \"%s\" and \"%s\", but databases are compared as a whole",
              from->schema, to->schema);
    return error_hint(err, "Leave schema= out to compare all that the databases hold.");
}

/* What belongs to a database as a whole is not the migrations' to make: they do not know its name. */
static void leave_out_databases_own(struct side *from, struct side *to)
{
    static const char own[] = "setting,grant database *";

    if (!from->is_replayed && !to->is_replayed)
        return;
    facts_ignore(&from->facts, own);
    facts_ignore(&to->facts, own);
}

void sides_prepare(struct side *from, struct side *to)
{
    leave_out_databases_own(from, to);
    warn_of_versions(from, to);
}

static void log_diff(const struct diff *diff)
{
    for (size_t i = 0; i < diff->count && i < DRIFT_SHOWN_MOST; i++) {
        auto_text struct text line = text_init(SIZE_MAX);

        drift_add_line(&diff->items[i], &line);
        log_warn("  %s", line.at);
    }
    if (diff->count > DRIFT_SHOWN_MOST)
        log_warn("  and %zu more: --json has all of them", diff->count - DRIFT_SHOWN_MOST);
}

size_t sides_tell(struct arena *arena, struct side *from, struct side *to, struct json **json)
{
    struct diff diff;

    sides_prepare(from, to);
    diff_facts(arena, &from->facts, &to->facts, &diff);
    if (json != NULL)
        *json = diff_json(from, to, &diff);
    else
        log_diff(&diff);
    return diff.count;
}

size_t sides_print(struct arena *arena, const struct config *config, struct side *from, struct side *to)
{
    struct diff diff;

    sides_prepare(from, to);
    diff_facts(arena, &from->facts, &to->facts, &diff);
    if (config->wants_json)
        print_json(diff_json(from, to, &diff));
    else if (config->plan_format == PLAN_FORMAT_MARKDOWN)
        print_markdown(from, to, &diff);
    else
        print_diff(from, to, &diff);
    return diff.count;
}
