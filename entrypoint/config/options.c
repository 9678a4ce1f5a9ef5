#include "config/options.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"
#include "config/finding.h"
#include "config/notice.h"
#include "config/password_source.h"
#include "dialect/dialect.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const char *const DRIFT_NAMES[] = {
    [DRIFT_WARN] = "warn", [DRIFT_FAIL] = "fail", [DRIFT_OFF] = "off"
};
_Static_assert(sizeof DRIFT_NAMES / sizeof *DRIFT_NAMES == DRIFT_ANSWERS, "name every choice");

static const char *const FAIL_ON_NAMES[] = {
    [FAIL_ON_NOTHING] = "nothing", [FAIL_ON_CAREFUL] = "careful", [FAIL_ON_DANGEROUS] = "dangerous"
};
_Static_assert(sizeof FAIL_ON_NAMES / sizeof *FAIL_ON_NAMES == FAIL_ONS, "name every choice");

static const char *const PLAN_FORMAT_NAMES[] = { [PLAN_FORMAT_TEXT] = "text",
                                                 [PLAN_FORMAT_SARIF] = "sarif",
                                                 [PLAN_FORMAT_GITHUB] = "github",
                                                 [PLAN_FORMAT_GITLAB] = "gitlab",
                                                 [PLAN_FORMAT_MARKDOWN] = "markdown" };
_Static_assert(sizeof PLAN_FORMAT_NAMES / sizeof *PLAN_FORMAT_NAMES == PLAN_FORMATS, "name every choice");

#define FIELD(name) offsetof(struct config, name)

const char *const OPTION_GROUP_NAMES[] = {
    [GROUP_COMMAND] = "Command-specific", [GROUP_DATABASE] = "Database",   [GROUP_FOLDER] = "Folder",
    [GROUP_WAITING] = "Waiting",          [GROUP_LOCKS] = "Locks",         [GROUP_REPORTING] = "Reporting",
    [GROUP_KUBERNETES] = "Kubernetes",    [GROUP_PASSWORDS] = "Passwords", [GROUP_GENERAL] = "General",
};
_Static_assert(sizeof OPTION_GROUP_NAMES / sizeof *OPTION_GROUP_NAMES == OPTION_GROUPS, "name every group");

/* Several fields per line, which clang-format would not keep. */
/* clang-format off */
const struct option OPTIONS[] = {
    { .name = "applied", .group = GROUP_COMMAND, .type = OPTION_NAMES, .commands = FOR_RESOLVE,
      .field = FIELD(applied), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "NAME",
      .help = "record a migration as applied",
      .more = "Several names can follow; then either all of them are recorded or none." },
    { .name = "rolled-back", .group = GROUP_COMMAND, .type = OPTION_NAMES, .commands = FOR_RESOLVE,
      .field = FIELD(rolled_back), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "NAME",
      .help = "record a failed migration as rolled back",
      .more = "Several names can follow." },
    { .name = "pending", .group = GROUP_COMMAND, .type = OPTION_NAMES, .commands = FOR_RESOLVE,
      .field = FIELD(pending), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "NAME",
      .help = "take back a record of a migration that has never run",
      .more = "It is one that --applied or baseline has made; the next deployment applies the migration. "
              "Several names can follow." },
    { .name = "accept-edit", .group = GROUP_COMMAND, .type = OPTION_NAMES, .commands = FOR_RESOLVE,
      .field = FIELD(accept_edit), .traits = OPTION_FLAG_ONLY, .value = "NAME",
      .help = "record the edited script of an applied migration as it is now",
      .more = "First it says whether only blanks, comments or line ends differ. Several names can follow." },
    { .name = "to", .group = GROUP_COMMAND, .type = OPTION_TEXT, .commands = FOR_GATES | FOR_BASELINE | FOR_ROLLBACK,
      .field = FIELD(to), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "NAME",
      .help = "go up to and including this migration, and no further",
      .more = "Without it, all migrations of the folder are applied, waited for, or recorded by baseline. With "
              "it, a deployment is complete once the database holds these. rollback undoes all behind it: without "
              "it, the newest applied one." },
    { .name = "allow-loss", .group = GROUP_COMMAND, .type = OPTION_NAMES, .commands = FOR_ROLLBACK,
      .field = FIELD(allow_loss), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "NAME",
      .help = "let go of the rows of TABLE, or of the values of TABLE.COLUMN",
      .more = "Without it, an inverse that would lose any is refused. Several names can follow." },
    { .name = "all", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_STATUS | FOR_BASELINE,
      .field = FIELD(wants_all), .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "all migrations: list the applied ones, too; or record every one",
      .more = "status then says when each was applied, how long that took, and by whom; its JSON always does. "
              "baseline then records all of them even if the ledger says that some are applied." },
    { .name = "wait", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_RUN,
      .field = FIELD(is_waiting), .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "wait until the database holds all migrations instead of deploying them" },
    { .name = "replica", .group = GROUP_COMMAND, .type = OPTION_TEXT, .commands = FOR_GATES,
      .field = FIELD(replicas_at), .file_field = FIELD(replicas_at_file),
      .traits = OPTION_SECRET | OPTION_URL | OPTION_NOT_IN_FILE, .value = "URL",
      .help = "wait until this standby, too, has replayed the migrations",
      .more = "New code then never reads a replica whose schema is too old for it. Separate several URLs with "
              "blanks." },
    { .name = "keep-env", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_RUN,
      .field = FIELD(is_environment_kept),
      .help = "leave the migration-only variables in CMD's environment",
      .more = "These are DIRECT_URL, all that begin with TIDELOCK_, and their _FILE forms." },
    { .name = "share-connections", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_RUN,
      .field = FIELD(is_sharing),
      .help = "give CMD its share of the server's connections",
      .more = "It is the share of one of --replicas, written as connection_limit into the DATABASE_URL "
              "that CMD sees." },
    { .name = "replicas", .group = GROUP_COMMAND, .type = OPTION_NUMBER, .commands = FOR_RUN | FOR_BUDGET,
      .field = FIELD(replicas), .standard = "1", .least = 1, .most = 100000, .value = "N",
      .help = "how many copies of the application share the server's connections" },
    { .name = "json", .group = GROUP_COMMAND, .type = OPTION_FLAG,
      .commands = FOR_STATUS | FOR_BUDGET | FOR_VERSION | FOR_MANUAL | FOR_PLAN | FOR_DIFF | FOR_DRIFT, .field = FIELD(wants_json),
      .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "print JSON" },
    { .name = "json-schema", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_STATUS | FOR_PLAN,
      .field = FIELD(wants_json_schema), .traits = OPTION_FLAG_ONLY,
      .help = "print the JSON Schema of what --json prints, and do nothing else" },
    { .name = "dry-run", .group = GROUP_COMMAND, .type = OPTION_FLAG,
      .commands = FOR_DEPLOY | FOR_RESOLVE | FOR_BASELINE | FOR_ROLLBACK, .field = FIELD(is_dry_run),
      .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "check everything, list what would be done, and change nothing" },
    { .name = "exit-code", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_STATUS | FOR_DEPLOY | FOR_DIFF,
      .field = FIELD(wants_exit_code), .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "exit with 1 if something is pending, has failed, or is different",
      .more = "For status: a migration is pending or has failed. For deploy, with --dry-run: one is pending. For diff: the schemas differ." },
    { .name = "script", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_DIFF, .field = FIELD(wants_script),
      .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "print the SQL that turns FROM into TO",
      .more = "What SQL cannot express is listed instead, and nothing is printed. A thing with another name is "
              "dropped and created." },
    { .name = "online", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_DIFF, .field = FIELD(is_script_online),
      .traits = OPTION_FLAG_ONLY,
      .help = "with --script, do not lock tables that exist for long",
      .more = "Their indexes are built CONCURRENTLY, their constraints are added NOT VALID and then validated." },
    { .name = "ignore", .group = GROUP_COMMAND, .type = OPTION_TEXT,
      .commands = FOR_SNAPSHOT | FOR_DIFF | FOR_VERIFY | FOR_DRIFT | FOR_CHANGERS | FOR_STATUS, .field = FIELD(ignored_facts),
      .value = "PATTERNS",
      .help = "leave out of compared schemas what one of these patterns fits",
      .more = "Separated by commas: a kind (grant), or a kind and a name in which * "
              "stands for anything (index public.tmp_*)." },
    { .name = "against", .group = GROUP_COMMAND, .type = OPTION_TEXT, .commands = FOR_VERIFY,
      .field = FIELD(against), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "SCHEMA",
      .help = "say what is different in this schema, and exit with 1 if something is",
      .more = "A URL, \"database\", a file that snapshot has written, or what else diff compares." },
    { .name = "inverses", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_VERIFY,
      .field = FIELD(tries_inverses), .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "apply, undo and apply again each migration that has an inverse",
      .more = "It exits with 1 at the first one whose second time makes another schema, and says what is different." },
    { .name = "offline", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_PLAN,
      .field = FIELD(is_offline), .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "judge every migration of the folder by its text, without a database" },
    { .name = "probes", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_PLAN,
      .field = FIELD(reads_rows), .standard = "true", .traits = OPTION_FLAG_ONLY,
      .help = "look at rows, too; --no-probes leaves it at the catalog",
      .more = "At most a second for each question: whether rows stand in the way of a statement, how long "
              "its work would take. And for three seconds: how much its table is used." },
    { .name = "files", .group = GROUP_COMMAND, .type = OPTION_NAMES, .commands = FOR_PLAN,
      .field = FIELD(files), .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "FILE",
      .help = "judge these scripts instead of the folder's",
      .more = "Several can follow. Each is read as the tool that --format names reads it, or else as the one whose "
              "marks it carries, such as -- +goose Up." },
    { .name = "shadow", .group = GROUP_COMMAND, .type = OPTION_TEXT, .commands = FOR_PLAN | FOR_DIFF | FOR_VERIFY | FOR_DRIFT,
      .field = FIELD(shadow), .file_field = FIELD(shadow_file),
      .traits = OPTION_SECRET | OPTION_URL | OPTION_NOT_IN_FILE | OPTION_USUAL, .word = SHADOW_CREATE,
      .value = "URL",
      .help = "replay the migrations in this empty database",
      .more = "It is emptied again. plan measures there what is pending. \"create\" makes one on the live server and drops it, for which the role "
              "needs CREATEDB." },
    { .name = "fail-on", .group = GROUP_COMMAND, .type = OPTION_CHOICE, .commands = FOR_PLAN,
      .field = FIELD(fail_on), .standard = "nothing", .choices = FAIL_ON_NAMES, .choice_count = FAIL_ONS,
      .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "LEVEL",
      .help = "exit with 1 if a statement is that bad, or worse",
      .more = "What is unknown is worse than careful, and not as bad as dangerous." },
    { .name = "output", .group = GROUP_COMMAND, .type = OPTION_CHOICE, .commands = FOR_PLAN | FOR_DIFF | FOR_DRIFT | FOR_VERIFY,
      .field = FIELD(plan_format), .standard = "text", .choices = PLAN_FORMAT_NAMES,
      .choice_count = PLAN_FORMATS, .traits = OPTION_FLAG_ONLY | OPTION_USUAL, .value = "FORMAT",
      .help = "write what is found for a CI or a proposed change",
      .more = "github writes annotations of a workflow, gitlab a code quality report, markdown a comment; "
              "differences are written as text or markdown. --format takes these words, too." },
    { .name = "verbose", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_PLAN,
      .field = FIELD(is_verbose), .traits = OPTION_FLAG_ONLY,
      .help = "say all that is found, and write the safe way out",
      .more = "So does -v." },
    { .name = "rules", .group = GROUP_COMMAND, .type = OPTION_FLAG, .commands = FOR_PLAN,
      .field = FIELD(wants_rules), .traits = OPTION_FLAG_ONLY,
      .help = "print the table of rules, and do nothing else" },
    { .name = "database-url", .group = GROUP_DATABASE, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(database_url), .environment = "DATABASE_URL", .file_field = FIELD(database_url_file),
      .traits = OPTION_SECRET | OPTION_URL | OPTION_SHARED | OPTION_USUAL, .value = "URL",
      .help = "the database, as a URL in Prisma's or psql's form",
      .more = "Without it, PGHOST, PGDATABASE and libpq's other variables say where the database is." },
    { .name = "direct-url", .group = GROUP_DATABASE, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(direct_url), .environment = "DIRECT_URL", .file_field = FIELD(direct_url_file),
      .traits = OPTION_SECRET | OPTION_URL, .value = "URL",
      .help = "the same database without a pooler in between",
      .more = "If given, it is used in place of the database URL." },
    { .name = "set-role", .group = GROUP_DATABASE, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(set_role), .value = "ROLE",
      .help = "work as this role, which then owns whatever is created",
      .more = "The user must be a member of it. A user that lives for an hour then owns nothing." },
    { .name = "connections", .group = GROUP_DATABASE, .type = OPTION_NUMBER,
      .commands = FOR_LEADERS | FOR_BUDGET, .field = FIELD(connections), .standard = "2", .least = 1,
      .most = 2, .value = "N",
      .help = "hold at most N connections at once",
      .more = "With 1, a pooler cannot be tested, so one that is found is treated as being in transaction "
              "mode." },
    { .name = "headroom", .group = GROUP_DATABASE, .type = OPTION_NUMBER,
      .commands = FOR_CHANGERS | FOR_BUDGET, .field = FIELD(headroom), .standard = "1", .most = 10000,
      .value = "N",
      .help = "start applying only while N connections stay free for the application" },
    { .name = "migrations", .group = GROUP_FOLDER, .type = OPTION_TEXT, .commands = FOR_FOLDER,
      .field = FIELD(migrations), .traits = OPTION_USUAL, .value = "DIR",
      .help = "the folder of migrations",
      .more = "Without it, what prisma.config.ts or package.json names as a plain string is taken; otherwise "
              "prisma/migrations is tried, then prisma/schema/migrations, then migrations, then where the other "
              "tools of --format usually have it." },
    { .name = "format", .group = GROUP_FOLDER, .type = OPTION_CHOICE, .commands = FOR_FOLDER,
      .field = FIELD(format), .standard = "auto", .choices = FORMAT_NAMES, .choice_count = FORMATS,
      .also = "output", .value = "TOOL",
      .help = "whose folder it is: its rules, its ledger and its lock are used",
      .more = "auto tells it from the files; where two tools may be meant, from the ledger that the database has." },
    { .name = "ledger", .group = GROUP_FOLDER, .type = OPTION_TEXT, .commands = FOR_FOLDER | FOR_SNAPSHOT,
      .field = FIELD(ledger), .value = "[SCHEMA.]TABLE",
      .help = "the ledger's table, where it is not the tool's usual one" },
    { .name = "schema", .group = GROUP_FOLDER, .type = OPTION_TEXT, .commands = FOR_FOLDER,
      .field = FIELD(schema_file), .value = "FILE",
      .help = "Prisma's schema: the migrations are in the folder beside it",
      .more = "That folder is called migrations. If FILE is a directory of schemas, it is in there." },
    { .name = "strict", .group = GROUP_FOLDER, .type = OPTION_SWITCHES, .commands = FOR_APPLIERS | FOR_STATUS,
      .field = FIELD(strict), .choices = FINDING_NAMES, .choice_count = FINDINGS, .value = "FINDINGS",
      .help = "refuse to deploy if the folder and the ledger disagree",
      .more = "They do if an applied migration was edited or is missing from the folder, or if a pending "
              "migration is older than an applied one (out-of-order). Without a list, all three are "
              "refused; edited,out-of-order lets an older image start after a newer one." },
    { .name = "allow-unrelated", .group = GROUP_FOLDER, .type = OPTION_FLAG, .commands = FOR_APPLIERS | FOR_STATUS,
      .field = FIELD(is_unrelated_allowed),
      .help = "deploy to a database whose migrations are all missing from the folder",
      .more = "Without it, that is taken for the wrong database, or the wrong image; so is a database in which "
              "another tool has a ledger, and the folder's tool has none." },
    { .name = "refuse", .group = GROUP_FOLDER, .type = OPTION_CHOICE, .commands = FOR_APPLIERS | FOR_STATUS,
      .field = FIELD(refuse), .standard = "nothing", .choices = FAIL_ON_NAMES, .choice_count = FAIL_ONS,
      .value = "LEVEL",
      .help = "apply nothing if a pending statement is that bad, or worse",
      .more = "As plan sees it: what is unknown is worse than careful, and not as bad as dangerous. Without "
              "it, what is dangerous is only warned of. An empty database, and what pending migrations "
              "create, are in no danger." },
    { .name = "rule-levels", .group = GROUP_FOLDER, .type = OPTION_SOURCED,
      .commands = FOR_APPLIERS | FOR_STATUS | FOR_PLAN, .field = FIELD(rule_levels), .value = "LEVELS",
      .help = "other levels for plan's rules: RULE=LEVEL, with commas in between",
      .more = "A level is safe, careful or dangerous; plan --rules lists the rules." },
    { .name = "drift", .group = GROUP_FOLDER, .type = OPTION_CHOICE, .commands = FOR_CHANGERS | FOR_STATUS | FOR_BASELINE | FOR_RESOLVE,
      .field = FIELD(drift), .standard = "warn", .choices = DRIFT_NAMES, .choice_count = DRIFT_ANSWERS,
      .value = "ANSWER",
      .help = "what to do if the schema was changed since the last deployment",
      .more = "What a deployment, baseline or resolve --applied leaves is recorded in tidelock's schema, and compared before the "
              "next deployment that has something to apply. fail applies nothing then; off neither compares "
              "nor records." },
    { .name = "connect-deadline", .group = GROUP_WAITING, .type = OPTION_DURATION, .commands = FOR_DATABASE,
      .field = FIELD(connect_deadline_ms), .standard = "1m", .standard_for_person = "5s", .most = DAY_MS,
      .value = "TIME",
      .help = "keep trying to reach the database for TIME",
      .more = "If something is to be written, also to find a server that allows it. On a terminal, status "
              "waits for 5s unless this is set." },
    { .name = "connect-timeout", .group = GROUP_WAITING, .type = OPTION_DURATION, .commands = FOR_DATABASE,
      .field = FIELD(connect_timeout_ms), .standard = "5s", .least = 100, .most = DAY_MS, .value = "TIME",
      .help = "give up a single attempt to connect after TIME" },
    { .name = "leader-timeout", .group = GROUP_WAITING, .type = OPTION_DURATION,
      .commands = FOR_LEADERS | FOR_WAIT | FOR_DRIFT, .field = FIELD(leader_timeout_ms), .standard = "10m",
      .most = DAY_MS, .traits = OPTION_USUAL, .value = "TIME",
      .help = "wait at most TIME while another process leads",
      .more = "For wait and run --wait, it is the time in which all migrations must have been applied." },
    { .name = "budget-wait", .group = GROUP_WAITING, .type = OPTION_DURATION, .commands = FOR_DATABASE,
      .field = FIELD(budget_wait_ms), .standard = "5m", .most = DAY_MS, .value = "TIME",
      .help = "wait at most TIME for a free connection if the server has none left" },
    { .name = "lock-timeout", .group = GROUP_LOCKS, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(lock_timeout_ms), .standard = "0", .most = DAY_MS, .value = "TIME",
      .help = "let a statement wait at most TIME for a table lock",
      .more = "After that, its transaction is rolled back and tried again. 0 starts with 25ms and grows to "
              "1s." },
    { .name = "retry-for", .group = GROUP_LOCKS, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(retry_for_ms), .standard = "10m", .most = DAY_MS, .traits = OPTION_USUAL,
      .value = "TIME",
      .help = "keep trying for TIME to get a table lock that others hold",
      .more = "What runs CONCURRENTLY may wait for others that long in all. 0 tries once." },
    { .name = "max-blocked", .group = GROUP_LOCKS, .type = OPTION_NUMBER, .commands = FOR_CHANGERS,
      .field = FIELD(max_blocked), .standard = "100", .most = 100000, .value = "N",
      .help = "roll back and retry if more than N sessions wait behind a migration",
      .more = "0 allows any number." },
    { .name = "max-blocked-for", .group = GROUP_LOCKS, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(max_blocked_for_ms), .standard = "10s", .most = DAY_MS, .value = "TIME",
      .help = "roll back and retry if sessions wait longer than TIME behind a migration",
      .more = "0 allows any time." },
    { .name = "terminate-idle-in-transaction", .group = GROUP_LOCKS, .type = OPTION_DURATION,
      .commands = FOR_CHANGERS, .field = FIELD(terminate_idle_ms), .standard = "0", .most = DAY_MS,
      .value = "TIME",
      .help = "end a blocking session that has been idle in its transaction for TIME",
      .more = "0 ends none. One of a superuser, a replica or tidelock is never ended." },
    { .name = "cancel-blockers", .group = GROUP_LOCKS, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(cancel_blockers_ms), .standard = "0", .most = DAY_MS, .value = "TIME",
      .help = "cancel a blocking statement whose transaction is older than TIME",
      .more = "If its session is still in the way after twice that time, the session is ended. 0 cancels "
              "none." },
    { .name = "statement-timeout", .group = GROUP_LOCKS, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(statement_timeout_ms), .standard = "0", .most = DAY_MS, .value = "TIME",
      .help = "let a statement run for at most TIME",
      .more = "0 leaves it to the role's own setting." },
    { .name = "migration-timeout", .group = GROUP_LOCKS, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(migration_timeout_ms), .standard = "0", .most = DAY_MS, .value = "TIME",
      .help = "cancel a migration that takes longer than TIME",
      .more = "Rests between its attempts count. 0 allows any time." },
    { .name = "status-file", .group = GROUP_REPORTING, .type = OPTION_TEXT, .commands = FOR_GATES | FOR_ROLLBACK | FOR_READY,
      .field = FIELD(status_file), .traits = OPTION_USUAL, .value = "FILE",
      .help = "keep the state of the run in FILE, as Prometheus metrics",
      .more = "It is what the command ready reads." },
    { .name = "metrics-labels", .group = GROUP_REPORTING, .type = OPTION_LABELS, .commands = FOR_GATES | FOR_ROLLBACK,
      .field = FIELD(metrics_labels), .value = "LABELS",
      .help = "labels of every metric, as name=value with commas in between",
      .more = "database and schema are added unless given. A metric's own label of that name stays." },
    { .name = "ready-file", .group = GROUP_REPORTING, .type = OPTION_TEXT, .commands = FOR_GATES | FOR_ROLLBACK,
      .field = FIELD(ready_file), .value = "FILE",
      .help = "create the empty FILE once the database holds all migrations",
      .more = "It is removed when the run starts." },
    { .name = "stale-after", .group = GROUP_REPORTING, .type = OPTION_DURATION, .commands = FOR_READY,
      .field = FIELD(stale_after_ms), .standard = "30s", .least = 2000, .most = DAY_MS,
      .traits = OPTION_USUAL, .value = "TIME",
      .help = "consider a status file older than TIME abandoned",
      .more = "Its writer renews it every second." },
    { .name = "pushgateway", .group = GROUP_REPORTING, .type = OPTION_ADDRESS, .commands = FOR_CHANGERS,
      .field = FIELD(pushgateway), .value = "URL",
      .help = "push the metrics to this Prometheus Pushgateway while leading",
      .more = "They are those of the status file." },
    { .name = "pushgateway-labels", .group = GROUP_REPORTING, .type = OPTION_TEXT, .commands = FOR_CHANGERS,
      .field = FIELD(pushgateway_labels), .value = "LABELS",
      .help = "the group to push to, as name=value with commas in between",
      .more = "job=tidelock is added unless given, and so is namespace if POD_NAMESPACE is set." },
    { .name = "webhook", .group = GROUP_REPORTING, .type = OPTION_ADDRESS, .commands = FOR_CHANGERS,
      .field = FIELD(webhook), .file_field = FIELD(webhook_file), .traits = OPTION_SECRET, .value = "URL",
      .help = "post what happens to this incoming webhook",
      .more = "The JSON is one that Slack, Mattermost and Teams show." },
    { .name = "webhook-on", .group = GROUP_REPORTING, .type = OPTION_CHOICES, .commands = FOR_CHANGERS,
      .field = FIELD(webhook_on), .standard = "blocked,succeeded,failed", .choices = NOTICE_NAMES,
      .choice_count = NOTICES, .value = "EVENTS",
      .help = "which events to post, with commas in between" },
    { .name = "webhook-key", .group = GROUP_REPORTING, .type = OPTION_TEXT, .commands = FOR_CHANGERS,
      .field = FIELD(webhook_key), .file_field = FIELD(webhook_key_file), .traits = OPTION_SECRET,
      .value = "KEY",
      .help = "sign each post with this key",
      .more = "X-Tidelock-Signature-256 is then the HMAC-SHA256 of the body." },
    { .name = "lease", .group = GROUP_KUBERNETES, .type = OPTION_TEXT, .commands = FOR_CHANGERS,
      .field = FIELD(lease), .value = "NAME",
      .help = "lead only while also holding this Kubernetes Lease",
      .more = "Processes that wait then ask the API server, not the database." },
    { .name = "lease-duration", .group = GROUP_KUBERNETES, .type = OPTION_DURATION, .commands = FOR_CHANGERS,
      .field = FIELD(lease_duration_ms), .standard = "15s", .least = 3000, .most = 60 * 60 * 1000,
      .value = "TIME",
      .help = "let others take the Lease if it has not been renewed for TIME",
      .more = "Whole seconds only." },
    { .name = "events", .group = GROUP_KUBERNETES, .type = OPTION_FLAG, .commands = FOR_CHANGERS,
      .field = FIELD(wants_events),
      .help = "write Kubernetes Events about success, failure and long blocking",
      .more = "They are about the Job that JOB_NAME and JOB_UID name, or else the pod of POD_NAME and "
              "POD_UID: kubectl describe shows them." },
    { .name = "termination-log", .group = GROUP_KUBERNETES, .type = OPTION_TEXT, .commands = FOR_GATES | FOR_ROLLBACK,
      .field = FIELD(termination_log), .value = "FILE",
      .help = "write how the run ended to FILE, as one line of JSON",
      .more = "FILE must exist. Without the option, it is /dev/termination-log, where Kubernetes provides "
              "one. A run that starts CMD leaves it empty." },
    { .name = "service-account", .group = GROUP_KUBERNETES, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(service_account), .standard = "/var/run/secrets/kubernetes.io/serviceaccount",
      .value = "DIR",
      .help = "the folder with the pod's token, ca.crt and namespace",
      .more = "It is used by --lease, --events and Vault." },
    { .name = "password", .group = GROUP_PASSWORDS, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(password), .environment = "PGPASSWORD", .file_field = FIELD(password_file),
      .traits = OPTION_SECRET | OPTION_SHARED, .value = "PASSWORD",
      .help = "the password, as it is, for a URL that holds none" },
    { .name = "password-from", .group = GROUP_PASSWORDS, .type = OPTION_CHOICE, .commands = FOR_DATABASE,
      .field = FIELD(password_from), .standard = "nowhere", .choices = PASSWORD_SOURCE_NAMES,
      .choice_count = PASSWORD_SOURCES, .value = "SOURCE",
      .help = "ask this service for the password before every connection" },
    { .name = "secret-name", .group = GROUP_PASSWORDS, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(secret_name), .value = "NAME",
      .help = "which secret to ask for",
      .more = "It is the name or ARN of a secret in AWS Secrets Manager, or a path in Vault: "
              "database/creds/ROLE or MOUNT/data/PATH." },
    { .name = "vault-role", .group = GROUP_PASSWORDS, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(vault_role), .value = "ROLE",
      .help = "log in to Vault with this role of its Kubernetes authentication",
      .more = "Without it, VAULT_TOKEN is used." },
    { .name = "vault-auth", .group = GROUP_PASSWORDS, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(vault_auth), .standard = "kubernetes", .value = "MOUNT",
      .help = "where Vault's Kubernetes authentication is mounted" },
    { .name = "config", .group = GROUP_GENERAL, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(config_file), .traits = OPTION_NOT_IN_FILE, .value = "FILE",
      .help = "the configuration file",
      .more = "Without it, tidelock.yaml in the working directory is read if it exists." },
    { .name = "env-file", .group = GROUP_GENERAL, .type = OPTION_TEXT, .commands = FOR_DATABASE,
      .field = FIELD(env_file), .traits = OPTION_FLAG_ONLY, .value = "FILE",
      .help = "add the variables of FILE to the environment",
      .more = "FILE holds lines of NAME=VALUE, as a .env does. A variable that is set already wins. The "
              "command that run starts gets them, too. Without the option, no such file is read." },
    { .name = "log-format", .group = GROUP_GENERAL, .type = OPTION_CHOICE, .commands = FOR_ALL,
      .field = FIELD(log_format), .standard = "text", .choices = LOG_FORMAT_NAMES,
      .choice_count = LOG_FORMATS, .traits = OPTION_USUAL, .value = "FORMAT",
      .help = "the format of the log, which goes to stderr" },
    { .name = "log-level", .group = GROUP_GENERAL, .type = OPTION_CHOICE, .commands = FOR_ALL,
      .field = FIELD(log_level), .standard = "info", .choices = LOG_LEVEL_NAMES, .choice_count = LOG_LEVELS,
      .value = "LEVEL",
      .help = "how much is logged",
      .more = "-v is short for --log-level debug, except for plan." },
    { .name = "quiet", .group = GROUP_GENERAL, .type = OPTION_FLAG, .commands = FOR_DATABASE | FOR_READY,
      .field = FIELD(is_quiet), .traits = OPTION_FLAG_ONLY,
      .help = "print only warnings and errors",
      .more = "So does -q. The exit code says the rest." },
    { .name = "help", .group = GROUP_GENERAL, .type = OPTION_FLAG, .commands = FOR_ALL,
      .field = FIELD(is_help), .traits = OPTION_FLAG_ONLY | OPTION_USUAL,
      .help = "print this help",
      .more = "So does -h." },
    { .name = NULL },
};
/* clang-format on */

static void spell(const char *prefix, const char *name, bool is_upper, char *out)
{
    size_t used = strlen(prefix);

    memcpy(out, prefix, used);
    for (; *name != '\0' && used < OPTION_NAME_MOST - 1; name++) {
        if (*name == '-')
            out[used++] = '_';
        else
            out[used++] = (char)(is_upper ? *name - 'a' + 'A' : *name);
    }
    out[used] = '\0';
}

void option_variable(const struct option *option, char *out)
{
    spell("TIDELOCK_", option->name, true, out);
}

void option_key(const struct option *option, char *out)
{
    spell("", option->name, false, out);
}

const char *option_standard(const struct option *option, unsigned command)
{
    bool is_awaited = command == FOR_STATUS && isatty(STDERR_FILENO) == 1;

    return is_awaited && option->standard_for_person != NULL ? option->standard_for_person : option->standard;
}

const struct option *option_named(const char *name)
{
    for (const struct option *option = OPTIONS; option->name != NULL; option++) {
        if (strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}
