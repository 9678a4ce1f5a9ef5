/*
 * What `plan` knows, whatever form it is shown in.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stddef.h>

#include "base/json.h"
#include "config/config.h"
#include "deploy/live_others.h"
#include "deploy/precaution.h"
#include "deploy/target.h"
#include "history/compare.h"
#include "history/ledger.h"
#include "schema/forecast.h"

struct planned {
    const char *name;
    size_t index;     /* in the folder */
    const char *mode; /* how it is applied, or NULL: a deployment refuses it */
    struct forecast forecast;
};

/* One statement of one migration. */
struct planned_statement {
    const struct planned *migration;
    const struct prediction *prediction;
};

struct plan {
    const char *folder;   /* NULL = only single files */
    const char *database; /* that was asked, or NULL */
    bool is_rehearsed;    /* in a shadow of it */
    int server_version;   /* its, or 0 */
    struct live_replicas replicas;
    struct precautions precautions;
    struct planned *migrations;
    size_t count;
    struct planned_statement *statements; /* of all of them, the worst first */
    size_t statement_count;
    size_t levels[LEVELS];         /* how many statements */
    enum level level;              /* the worst */
    struct rule_levels levels_set; /* by the configuration */
};

/* What the database holds and does not hold. */
struct plan_comparison {
    struct target target;
    struct ledger ledger;
    struct history history;
};

/* Replays in a shadow what is applied, runs there what is pending, and judges that anew. */
must_use bool plan_rehearse(const struct plan_comparison *found, struct connection *conn,
                            const struct config *config, struct plan *plan, struct error *err);

/* A finding's sentence, and its safe way (nothing when there is none), about this very statement. */
void plan_add_reason(const struct planned_statement *statement, const struct finding *finding,
                     struct text *out);
void plan_add_cure(const struct planned_statement *statement, const struct finding *finding,
                   struct text *out);

/* "3 statements in 2 migrations, by their text: 1 dangerous, …" */
void plan_add_summary(const struct plan *plan, struct text *out);

/* What the database says of it: rows, sizes, who holds a lock; nothing when it was not asked. And what was
 * seen in the rehearsal: nothing without one. */
void plan_add_live(const struct finding *finding, struct text *out);
void plan_add_rehearsed(const struct planned_statement *statement, const struct finding *finding,
                        struct text *out);

/* "text", "live" or "rehearsed": the deepest that a finding rests on. */
const char *plan_depth(const struct planned_statement *statement, const struct finding *finding);

/* "public"."orders" as it was written; nothing where no table is concerned. */
void plan_add_table(const struct relation *relation, struct text *out);

/* The whole of it, the caller's. */
struct json *plan_json(const struct plan *plan);

/* The lines of plan.schema.json; ends with NULL. */
extern const char *const PLAN_SCHEMA[];

/* A line a statement; with `is_verbose`, all findings and their safe ways beneath it. */
void plan_print(const struct plan *plan, bool is_verbose);

/* One finding that counts, or would if it were not allowed; the worst first. */
typedef void plan_visitor(const struct planned_statement *statement, const struct finding *finding,
                          void *context);
void plan_visit(const struct plan *plan, plan_visitor *visit, void *context);

/* What is found, for the programs of others; the caller's. */
struct json *plan_sarif(const struct plan *plan);
struct json *plan_gitlab(const struct plan *plan);

/* The same in lines. */
void plan_print_github(const struct plan *plan);
void plan_print_markdown(const struct plan *plan);

/* The table of rules, the caller's. */
struct json *rules_json(void);
void rules_print(void);

#endif
