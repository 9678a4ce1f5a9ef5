#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "sql/allow.h"
#include "sql/directive.h"
#include "sql/directive_reading.h"

/* What follows "assert": the rest of the line is SQL. */
static bool read_assertion(struct directive_reading *reading, struct slice words, struct error *err)
{
    static const char WAIT[] = "wait=";
    struct assertion found = { .expression = words };
    struct slice rest = words;
    struct slice word = directive_next_word(&rest);

    if (slice_equals(word, "after")) {
        found.is_after = true;
        found.expression = rest;
        word = directive_next_word(&rest);
    }
    if (slice_starts_with(word, WAIT)) {
        struct slice value = { .at = word.at + strlen(WAIT), .length = word.length - strlen(WAIT) };

        if (found.is_after)
            return directive_refuse(
                reading, word.at, "an assertion after a migration cannot wait",
                "It would hold the migration's locks while it waits. Remove \"wait\", or assert before "
                "the migration.",
                err);
        if (!duration_parse(value, &found.wait_ms))
            return directive_refuse(reading, value.at, "\"wait\" has no valid time", "Write wait=10m.", err);
        found.expression = rest;
    }
    if (found.expression.length == 0)
        return directive_refuse(reading, words.at, "the assertion has no expression",
                                "Write a boolean expression after it, on the same line.", err);
    if (reading->found.assertion_count == ASSERTIONS_MOST)
        return directive_refuse(reading, words.at, "too many assertions", "Combine some of them with AND.",
                                err);
    reading->found.assertions[reading->found.assertion_count++] = found;
    return true;
}

/* What follows "contract". */
static bool read_contract(struct directive_reading *reading, struct slice words, struct error *err)
{
    static const char WAIT[] = "wait=";
    struct contract_wish found = { .is_said = true };

    if (reading->found.contract.is_said)
        return directive_refuse(reading, words.at, "directive \"contract\" is given twice",
                                "Write all of it on one line.", err);
    while (words.length > 0) {
        struct slice word = directive_next_word(&words);
        bool is_wait = slice_starts_with(word, WAIT);
        struct slice value = { .at = word.at + strlen(WAIT), .length = word.length - strlen(WAIT) };

        if (is_wait && duration_parse(value, &found.wait_ms))
            continue;
        if (is_wait)
            return directive_refuse(reading, value.at, "\"wait\" has no valid time", "Write wait=30m.", err);
        if (!slice_equals(word, "strict"))
            return directive_refuse(reading, word.at, "\"contract\" knows only wait=TIME and strict",
                                    "Write: contract wait=30m", err);
        found.is_strict = true;
    }
    reading->found.contract = found;
    return true;
}

static bool read_backfill(struct directive_reading *reading, struct slice words, struct error *err)
{
    const char *at = words.at;

    if (reading->found.backfill.is_said)
        return directive_refuse(reading, words.at, "the script has two backfills",
                                "Put each in a migration of its own.", err);
    return backfill_wish_parse(words, &reading->found.backfill, &at, err) || directive_fail(reading, at, err);
}

static bool read_throttle(struct directive_reading *reading, struct slice words, struct error *err)
{
    const char *at = words.at;

    if (reading->found.throttle.is_said)
        return directive_refuse(reading, words.at, "directive \"throttle\" is given twice",
                                "Write all of it on one line.", err);
    return throttle_wish_parse(words, &reading->found.throttle, &at, err) || directive_fail(reading, at, err);
}

static bool read_verify(struct directive_reading *reading, struct slice words, struct error *err)
{
    if (words.length == 0 || reading->found.verify.length > 0)
        return directive_refuse(
            reading, words.at, "directive \"verify\" needs exactly one expression",
            "Write a boolean expression after it, on the same line; combine several with AND.", err);
    reading->found.verify = words;
    return true;
}

/* It is for `plan`. */
static bool read_allow(struct directive_reading *reading, struct slice words, struct error *err)
{
    struct allowance ignored;
    const char *at = words.at;

    return allow_parse(words, &ignored, &at, err) || directive_fail(reading, at, err);
}

const char DIRECTIVES_ABOUT[] =
    "A script can say how it is to be applied, in comments before its first statement. Each begins with "
    "\"-- tidelock:\"; a line may hold several of a single word, and one of the others behind them. Only "
    "allow may stand further down. A comment that would not be obeyed is an error.";

const struct directive DIRECTIVES[] = {
    { .name = "transaction",
      .usage = "transaction=auto|on|off",
      .meaning =
          "How the script is applied: as its statements need it (auto, the default), as one transaction (on), "
          "or with a transaction for each statement (off: for a script that would hold its locks too long, or "
          "has a CALL that commits).",
      .type = DIRECTIVE_WISH,
      .field = offsetof(struct directives, transaction) },
    { .name = "lock-timeout",
      .usage = "lock-timeout=TIME",
      .meaning = "In place of --lock-timeout, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, lock_timeout_ms) },
    { .name = "retry-for",
      .usage = "retry-for=TIME",
      .meaning = "In place of --retry-for, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, retry_for_ms) },
    { .name = "statement-timeout",
      .usage = "statement-timeout=TIME",
      .meaning = "In place of --statement-timeout, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, statement_timeout_ms) },
    { .name = "migration-timeout",
      .usage = "migration-timeout=TIME",
      .meaning = "In place of --migration-timeout, for this script.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, migration_timeout_ms) },
    { .name = "require-backup",
      .usage = "require-backup=TIME",
      .meaning =
          "Nothing is applied unless the last backup is younger than TIME: see --require-backup. The least of "
          "all that is pending counts.",
      .type = DIRECTIVE_TIME,
      .field = offsetof(struct directives, require_backup_ms) },
    { .name = "restore-point",
      .usage = "restore-point",
      .meaning =
          "A restore point is made before the first migration is applied or undone: see --restore-point.",
      .type = DIRECTIVE_FLAG,
      .field = offsetof(struct directives, wants_restore_point) },
    { .name = "floor",
      .usage = "floor=RELEASE",
      .meaning =
          "The oldest release of the application that can run once the script is applied. An image whose "
          "--release is older is refused from then on, until the script is rolled back.",
      .type = DIRECTIVE_RELEASE,
      .field = offsetof(struct directives, floor) },
    { .name = "contract",
      .usage = "contract [wait=TIME] [strict]",
      .meaning =
          "The script is begun only when no session of a release older than its floor is left, within TIME if "
          "given. Sessions that tell no release are named, and waited for only with strict.",
      .type = DIRECTIVE_LINE,
      .read = read_contract },
    { .name = "assert",
      .usage = "assert [wait=TIME | after] EXPRESSION",
      .meaning =
          "The deployment stops before the script changes anything unless EXPRESSION holds, within TIME "
          "if given. With after, the script is rolled back unless it holds at its end.",
      .type = DIRECTIVE_LINE,
      .read = read_assertion },
    { .name = "backfill",
      .usage = "backfill TABLE [key=COLUMN,...] [target=TIME] [rows=N..N] [rest=N%]",
      .meaning =
          "Runs the script's one UPDATE of TABLE as many small transactions along a key: each takes about "
          "target and changes that many rows; rest is the pause after it, as a part of its time.",
      .type = DIRECTIVE_LINE,
      .read = read_backfill },
    { .name = "throttle",
      .usage = "throttle [lag=TIME] [lag-size=SIZE] [slot=SIZE] [active=N%]",
      .meaning =
          "The backfill pauses while a replica lags by more, a replication slot has less room left, or "
          "more of the server's connections are active. 0 turns a limit off.",
      .type = DIRECTIVE_LINE,
      .read = read_throttle },
    { .name = "verify",
      .usage = "verify EXPRESSION",
      .meaning = "What has to hold when the backfill is complete.",
      .type = DIRECTIVE_LINE,
      .read = read_verify },
    { .name = "allow",
      .usage = "allow RULE because REASON",
      .meaning = "Before a statement: plan and --refuse no longer count that it breaks RULE.",
      .type = DIRECTIVE_LINE,
      .read = read_allow },
    { .name = NULL },
};
_Static_assert(array_length(DIRECTIVES) <= DIRECTIVES_MOST, "is_said has room for every row");
