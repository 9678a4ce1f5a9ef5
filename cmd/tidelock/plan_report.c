#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "plan.h"
#include "print.h"
#include "version.h"

enum { TEXT_MOST = 16384 };

/* Reason, what the database says, and the safe way, as sentences. */
static void add_message(const struct planned_statement *statement, const struct finding *finding,
                        struct text *out)
{
    plan_add_reason(statement, finding, out);
    plan_add_live(finding, out);
    plan_add_rehearsed(statement, finding, out);
    if (finding->rule->cure != NULL)
        text_add_string(out, ". Safe way: ");
    plan_add_cure(statement, finding, out);
}

void plan_visit(const struct plan *plan, plan_visitor *visit, void *context)
{
    for (size_t i = 0; i < plan->statement_count; i++) {
        const struct prediction *prediction = plan->statements[i].prediction;

        for (size_t j = 0; j < prediction->count; j++) {
            if (prediction->findings[j].level > LEVEL_SAFE)
                visit(&plan->statements[i], &prediction->findings[j], context);
        }
    }
}

static struct json *text_json(const char *text)
{
    struct json *object = json_new_object();

    json_set_text(object, "text", text);
    return object;
}

static struct json *location_json(const struct planned_statement *statement)
{
    struct json *location = json_new_object();
    struct json *physical = json_new_object();
    struct json *artifact = json_new_object();
    struct json *region = json_new_object();

    json_set_text(artifact, "uri", statement->migration->forecast.file);
    json_set_number(region, "startLine", (int64_t)statement->prediction->statement.line);
    json_set(physical, "artifactLocation", artifact);
    json_set(physical, "region", region);
    json_set(location, "physicalLocation", physical);
    return location;
}

static struct json *suppressions_json(const char *because)
{
    struct json *suppression = json_new_object();
    struct json *list = json_new_array();

    json_set_text(suppression, "kind", "inSource");
    json_set_text(suppression, "justification", because);
    json_append(list, suppression);
    return list;
}

static void add_result(const struct planned_statement *statement, const struct finding *finding,
                       void *context)
{
    auto_text struct text message = text_init(TEXT_MOST);
    struct json *locations = json_new_array();
    struct json *result = json_new_object();
    struct json *results = context;

    add_message(statement, finding, &message);
    json_append(locations, location_json(statement));
    json_set_text(result, "ruleId", finding->rule->name);
    json_set_text(result, "level", finding->level == LEVEL_DANGEROUS ? "error" : "warning");
    json_set(result, "message", text_json(message.at));
    json_set(result, "locations", locations);
    if (finding->because != NULL)
        json_set(result, "suppressions", suppressions_json(finding->because));
    json_append(results, result);
}

static struct json *driver_json(void)
{
    struct json *driver = json_new_object();
    struct json *rules = json_new_array();

    for (const struct rule *rule = effect_next(NULL); rule != NULL; rule = effect_next(rule)) {
        struct json *row;

        /* Of rows that differ by version, the first. */
        if (effect_named(rule->name) != rule)
            continue;
        row = json_new_object();
        json_set_text(row, "id", rule->name);
        json_set(row, "shortDescription", text_json(rule->reason));
        json_append(rules, row);
    }
    json_set_text(driver, "name", "tidelock");
    json_set_text(driver, "version", version_build().version);
    json_set(driver, "rules", rules);
    return driver;
}

struct json *plan_sarif(const struct plan *plan)
{
    struct json *results = json_new_array();
    struct json *root = json_new_object();
    struct json *runs = json_new_array();
    struct json *tool = json_new_object();
    struct json *run = json_new_object();

    plan_visit(plan, add_result, results);
    json_set(tool, "driver", driver_json());
    json_set(run, "tool", tool);
    json_set(run, "results", results);
    json_append(runs, run);
    json_set_text(root, "version", "2.1.0");
    json_set(root, "runs", runs);
    return root;
}

/* The same finding has the same one, wherever in the script it stands. */
static void fingerprint_of(const struct planned_statement *statement, const struct finding *finding,
                           char hex[SHA256_HEX_SIZE])
{
    auto_text struct text whole = text_init(TEXT_MOST);
    struct slice sql =
        statement_text(statement->migration->forecast.script, &statement->prediction->statement);

    text_add_format(&whole, "%s\n%s\n%s\n", finding->rule->name, statement->migration->name,
                    finding->change.object);
    text_add(&whole, sql.at, sql.length < TEXT_MOST / 2 ? sql.length : TEXT_MOST / 2);
    sha256_of(text_slice(&whole), hex);
}

static void add_issue(const struct planned_statement *statement, const struct finding *finding, void *context)
{
    static const char *const severities[] = { [LEVEL_SAFE] = "info",
                                              [LEVEL_CAREFUL] = "minor",
                                              [LEVEL_UNKNOWN] = "major",
                                              [LEVEL_DANGEROUS] = "critical" };
    auto_text struct text message = text_init(TEXT_MOST);
    struct json *location;
    struct json *lines;
    struct json *issue;
    char fingerprint[SHA256_HEX_SIZE];

    if (finding->because != NULL)
        return;
    add_message(statement, finding, &message);
    fingerprint_of(statement, finding, fingerprint);
    lines = json_new_object();
    json_set_number(lines, "begin", (int64_t)statement->prediction->statement.line);
    location = json_new_object();
    json_set_text(location, "path", statement->migration->forecast.file);
    json_set(location, "lines", lines);
    issue = json_new_object();
    json_set_text(issue, "description", message.at);
    json_set_text(issue, "check_name", finding->rule->name);
    json_set_text(issue, "fingerprint", fingerprint);
    json_set_text(issue, "severity", severities[finding->level]);
    json_set(issue, "location", location);
    json_append(context, issue);
}

struct json *plan_gitlab(const struct plan *plan)
{
    struct json *issues = json_new_array();

    plan_visit(plan, add_issue, issues);
    return issues;
}

/* A part of a workflow command; in a property, more has to be escaped than in the message. */
static void add_escaped(const char *part, bool is_property, struct text *out)
{
    for (; *part != '\0'; part++) {
        bool is_special = strchr("%\r\n", *part) != NULL || (is_property && strchr(":,", *part) != NULL);

        if (is_special)
            text_add_format(out, "%%%02X", (unsigned char)*part);
        else
            text_add(out, part, 1);
    }
}

static void print_annotation(const struct planned_statement *statement, const struct finding *finding,
                             void *context)
{
    auto_text struct text message = text_init(TEXT_MOST);
    auto_text struct text line = text_init(4 * TEXT_MOST);

    (void)context;
    if (finding->because != NULL)
        return;
    add_message(statement, finding, &message);
    text_add_format(&line, "::%s file=", finding->level == LEVEL_DANGEROUS ? "error" : "warning");
    add_escaped(statement->migration->forecast.file, true, &line);
    text_add_format(&line, ",line=%zu,title=", statement->prediction->statement.line);
    add_escaped(finding->rule->name, true, &line);
    text_add_string(&line, "::");
    add_escaped(message.at, false, &line);
    text_add_string(&line, "\n");
    print_text(line.at);
}

void plan_print_github(const struct plan *plan)
{
    plan_visit(plan, print_annotation, NULL);
}

/* A cell of a table: on one line, nothing in it is markup, and nobody is called by a name. */
static void add_cell(const char *cell, struct text *out)
{
    for (; *cell != '\0'; cell++) {
        if (*cell == '@') {
            text_add_string(out, "&#64;");
            continue;
        }
        if (strchr("\\`*_|<>[]#", *cell) != NULL)
            text_add(out, "\\", 1);
        text_add(out, (unsigned char)*cell < 0x20 ? " " : cell, 1);
    }
}

static void print_row(const struct planned_statement *statement, const struct finding *finding, void *context)
{
    auto_text struct text reason = text_init(TEXT_MOST);
    auto_text struct text cure = text_init(TEXT_MOST);
    auto_text struct text row = text_init(4 * TEXT_MOST);

    (void)context;
    if (finding->because != NULL)
        return;
    plan_add_reason(statement, finding, &reason);
    plan_add_live(finding, &reason);
    plan_add_rehearsed(statement, finding, &reason);
    plan_add_cure(statement, finding, &cure);
    text_add_format(&row, "| %s | ", LEVEL_NAMES[finding->level]);
    add_cell(statement->migration->name, &row);
    text_add_format(&row, ":%zu | %s | ", statement->prediction->statement.line, finding->rule->name);
    add_cell(reason.at, &row);
    text_add_string(&row, " | ");
    add_cell(cure.at, &row);
    text_add_string(&row, " |\n");
    print_text(row.at);
}

void plan_print_markdown(const struct plan *plan)
{
    auto_text struct text head = text_init(TEXT_MOST);

    text_add_string(&head, "### tidelock plan: ");
    plan_add_summary(plan, &head);
    text_add_string(&head, "\n");
    if (plan->level > LEVEL_SAFE)
        text_add_string(
            &head, "\n| verdict | statement | rule | why | safe way |\n| --- | --- | --- | --- | --- |\n");
    print_text(head.at);
    plan_visit(plan, print_row, NULL);
}
