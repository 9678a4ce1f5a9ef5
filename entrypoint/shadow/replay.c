#include "shadow/replay.h"

#include <stdio.h>
#include <string.h>

#include "apply/migrate.h"
#include "base/log.h"
#include "history/script_file.h"
#include "sql/pattern.h"
#include "sql/session_statement.h"

/* What stands in the way of a replay more often than a wrong script. */
static const struct {
    const char *sqlstate;
    const char *word; /* in the message */
    const char *hint;
} HINTS[] = {
    { "0A000", "extension",
      "Install the extension on the shadow's server, or give one that has it: --shadow URL." },
    { "58P01", "extension",
      "Install the extension on the shadow's server, or give one that has it: --shadow URL." },
    { "42501", "extension",
      "Let somebody who may create the extension in an empty database, and give that: --shadow URL." },
    { "42704", "role", "Roles are not in a shadow: create the role on the shadow's server." },
    { "42710", "role",
      "Roles belong to the whole server, which has this one. Guard CREATE ROLE by IF NOT EXISTS, or give an "
      "empty database on a server of its own: --shadow URL." },
    { "42501", "permission denied for schema", "The role must own the shadow database." },
};

static const char BEYOND[] =
    "What it does goes beyond one database. Give an empty one on a server of its own: --shadow URL.";

bool replay_begin(struct replay *replay, struct shadow *shadow, const struct folder *folder,
                  const char *schema, struct error *err)
{
    const struct ledger_request wanted = { folder, schema, LEDGER_NAMES, false };

    *replay = (struct replay) {
        .shadow = shadow,
        .folder = folder,
        .progress = { .phase = PROGRESS_CONNECTING },
        .settings = { .search_path = schema, .lock_timeout_ms = -1, .statement_timeout_ms = -1 }
    };
    watch_begin(&replay->watch, (struct watch_limits) { .max_blocked = 0 }, &replay->progress);
    watch_forbid(&replay->watch, "a shadow database has no traffic");
    return (ledger_read(shadow->arena, shadow->conn, &wanted, &replay->ledger, err) &&
            ledger_create(shadow->conn, &replay->ledger, err) &&
            ledger_read(shadow->arena, shadow->conn, &wanted, &replay->ledger, err)) ||
           error_context(err, "preparing the shadow database");
}

void replay_end(struct replay *replay)
{
    watch_end(&replay->watch);
    log_context(LOG_MIGRATION, NULL);
    log_context(LOG_PHASE, NULL);
}

static bool reaches_beyond(enum nontransactional kind)
{
    return kind == NONTRANSACTIONAL_DATABASE || kind == NONTRANSACTIONAL_TABLESPACE ||
           kind == NONTRANSACTIONAL_SYSTEM || kind == NONTRANSACTIONAL_SUBSCRIPTION;
}

/* Code that commits by itself, or a subscription, whose slot and worker are the server's. */
static bool may_keep(struct slice text)
{
    struct scanner scanner = scanner_of(text, true);
    struct head head = head_of(scanner);

    if (pattern_matches("CREATE|ALTER|DROP SUBSCRIPTION", &head) || pattern_matches("CALL", &head))
        return true;
    return pattern_matches("DO", &head) && (session_statement_mentions(text, "commit") ||
                                            session_statement_mentions(text, "create subscription"));
}

/* What no transaction could take back must not begin. */
static bool check_reach(const struct replay *replay, const struct migration *migration,
                        struct observe *observe, size_t *failed, struct error *err)
{
    auto_text struct text bytes = text_init(SCRIPT_BYTES_MOST);
    struct script_reader reader;
    struct statement statement;
    enum script_answer answer;
    struct script_wishes wishes;

    if (!migration_read(replay->folder->dialect, migration, &bytes, err) ||
        !migration_prepare(replay->folder, migration, &bytes, &wishes, err))
        return false;
    reader = script_reader_of(migration->script_path, text_slice(&bytes),
                              connection_server_version(replay->shadow->conn), true);
    for (*failed = 0; (answer = script_next(&reader, &statement, err)) == SCRIPT_STATEMENT; (*failed)++) {
        bool is_beyond = reaches_beyond(statement.nontransactional);

        if (!is_beyond &&
            !(observe->is_on_live_server && may_keep(statement_text(text_slice(&bytes), &statement))))
            continue;
        observe->has_reached = true;
        error_set(err, ERROR_CLEAN, "%s",
                  is_beyond
                      ? "databases, tablespaces, subscriptions and the server's settings are never rehearsed"
                      : "subscriptions, CALL, and code that commits by itself are never rehearsed on the "
                        "live server");
        return error_point(err, migration->script_path, bytes.at, bytes.length, statement.start);
    }
    return answer == SCRIPT_END;
}

static struct execution execution_of(struct replay *replay, const struct migration *migration,
                                     struct observe *observe)
{
    return (struct execution) {
        .conn = replay->shadow->conn,
        .ledger = &replay->ledger,
        .migration = migration,
        .settings = replay->settings,
        .is_session_used = replay->count > 0,
        .is_replay = true,
        .observer = &observe->observer,
        .until = deadline_never(),
        .watch = &replay->watch,
        .lease = &replay->lease,
        .beacon = &replay->beacon,
        .progress = &replay->progress,
    };
}

/* `execution` is of a migration, or of its inverse. */
static bool run(struct replay *replay, struct execution *execution, struct observe *observe, size_t *failed,
                struct error *err)
{
    bool is_done;

    log_context(LOG_MIGRATION, execution->migration->name);
    observe->has_reached = false;
    if (!check_reach(replay, execution->migration, observe, failed, err))
        return false;
    is_done = execution_may_go_on(execution, err) && migration_apply(execution, replay->count, err);
    *failed = execution->failed_statement;
    return is_done;
}

bool replay_migration(struct replay *replay, size_t index, struct observe *observe, size_t *failed,
                      struct error *err)
{
    struct execution execution = execution_of(replay, &replay->folder->items[index], observe);

    if (!run(replay, &execution, observe, failed, err))
        return false;
    ledger_count_applied(&replay->ledger, execution.migration, execution.id, true);
    replay->count++;
    return true;
}

const char *replay_reason(const struct migration *migration, const struct error *err)
{
    char prefix[512];
    int length = snprintf(prefix, sizeof prefix, "migration \"%s\" failed: ", migration->name);
    bool is_there =
        length > 0 && (size_t)length < sizeof prefix && strncmp(err->message, prefix, (size_t)length) == 0;

    return err->message + (is_there ? length : 0);
}

static const char *hint_for(const struct error *err)
{
    for (size_t i = 0; i < array_length(HINTS); i++) {
        if (strcmp(err->sqlstate, HINTS[i].sqlstate) == 0 && strstr(err->message, HINTS[i].word) != NULL)
            return HINTS[i].hint;
    }
    return "Deployed, it found more than the migrations make, or its script has been changed since: the folder "
           "alone must be able to make the database.";
}

bool replay_is_of_script(const struct error *err)
{
    return err->class == ERROR_CLEAN || err->class == ERROR_PARTIAL || err->class == ERROR_DENIED;
}

bool replay_break_off(struct error *err)
{
    if (err->class == ERROR_LOST || err->class == ERROR_UNREACHABLE || err->class == ERROR_INTERRUPTED)
        error_hint(err, "Type the same again.");
    return error_holds(err, "The live database was only read.");
}

static bool explain(const struct replay *replay, const struct migration *migration, bool has_reached,
                    struct error *err)
{
    if (!replay_is_of_script(err)) {
        error_context(err, "replaying %s in the shadow database", migration->name);
        return replay_break_off(err);
    }
    error_hint(err, "%s", has_reached ? BEYOND : hint_for(err));
    error_message(err, "migration \"%s\" does not replay in the shadow database: %s", migration->name,
                  replay_reason(migration, err));
    err->class = ERROR_REFUSED;
    error_code(err, replay->folder->dialect->codes.not_replayed);
    return error_holds(err,
                       "The shadow database held the %zu migration%s before it; nothing of that is left. The "
                       "live database was only read.",
                       replay->count, text_plural(replay->count));
}

/* A shadow is a new database, in which the last baseline stands for all before it. */
static size_t find_first(const struct folder *folder)
{
    for (size_t i = folder->dialect->is_baseline == NULL ? 0 : folder->count - folder->beyond; i-- > 0;) {
        if (folder->dialect->is_baseline(folder->items[i].key))
            return i;
    }
    return 0;
}

bool replay_history(struct replay *replay, const bool *is_wanted, struct error *err)
{
    struct observe observe = { .is_on_live_server = replay->shadow->is_on_live_server };
    bool is_replayed = true;
    size_t failed;

    observe_begin(&observe, replay->shadow->conn);
    for (size_t i = find_first(replay->folder); i < replay->folder->count && is_replayed; i++) {
        if (is_wanted[i])
            is_replayed = replay_migration(replay, i, &observe, &failed, err) ||
                          explain(replay, &replay->folder->items[i], observe.has_reached, err);
    }
    observe_end(&observe, replay->shadow->conn);
    return is_replayed;
}

bool replay_one(struct replay *replay, size_t index, struct error *err)
{
    bool *is_wanted = arena_alloc(replay->shadow->arena, replay->folder->count, sizeof *is_wanted);

    is_wanted[index] = true;
    return replay_history(replay, is_wanted, err);
}

static bool explain_inverse(const struct migration *inverse, bool has_reached, struct error *err)
{
    if (!replay_is_of_script(err) && err->class != ERROR_REFUSED) {
        error_context(err, "undoing %s in the shadow database", inverse->name);
        return replay_break_off(err);
    }
    error_hint(err, "%s",
               has_reached
                   ? BEYOND
                   : "Correct the inverse: it has to undo what its migration does to an empty database.");
    err->class = ERROR_REFUSED;
    return error_holds(err, "Nothing of the shadow database is left. The live database was only read.");
}

static const struct ledger_row *row_of(const struct ledger *ledger, const char *name)
{
    const struct ledger_row *found = NULL;

    for (size_t i = 0; i < ledger->count; i++) {
        if (strcmp(ledger->rows[i].name, name) == 0 && ledger->rows[i].is_finished &&
            !ledger->rows[i].is_rolled_back)
            found = &ledger->rows[i];
    }
    return found;
}

static bool look(struct replay *replay, struct error *err)
{
    const struct ledger_request wanted = { replay->folder, replay->settings.search_path, LEDGER_NAMES,
                                           false };

    return ledger_read(replay->shadow->arena, replay->shadow->conn, &wanted, &replay->ledger, err) ||
           replay_break_off(err);
}

bool replay_inverse(struct replay *replay, size_t index, const struct migration *inverse, struct error *err)
{
    struct observe observe = { .is_on_live_server = replay->shadow->is_on_live_server };
    struct execution execution;
    size_t failed;
    bool is_done;

    if (!look(replay, err))
        return false;
    execution = execution_of(replay, inverse, &observe);
    execution.applied = row_of(&replay->ledger, replay->folder->items[index].name);
    observe_begin(&observe, replay->shadow->conn);
    is_done =
        run(replay, &execution, &observe, &failed, err) || explain_inverse(inverse, observe.has_reached, err);
    observe_end(&observe, replay->shadow->conn);
    replay->count -= is_done;
    return is_done && look(replay, err);
}
