/*
 * The statements for each kind of thing, and what they are put together from. Of this room; pure.
 */
#ifndef SCHEMA_SCRIPT_SAY_H
#define SCHEMA_SCRIPT_SAY_H

#include "schema/script_change.h"

/* Adds to the script. */
void say(struct delta *delta, const char *format, ...) printf_like(2, 3);

/* Adds a warning, to the script as a comment, too. */
void warn_of(struct delta *delta, const char *format, ...) printf_like(2, 3);

/* "ENABLE", "DISABLE" … of the catalog's letter for a trigger or rule. */
const char *enabling(const char *letter);

/* What is done to the database in which the script runs: the statement has %I for its name. */
void say_for_database(struct delta *delta, const char *statement);

/* "GRANT CONNECT", "TO x" */
void database_grant(struct delta *delta, const char *what, const char *whom);

/* Whether a table is there on both sides, so that it may be in use while the script runs. */
bool is_in_use(const struct change *table);

/* What stands in the parentheses of the line "with (…)" of a definition; empty when there is none. */
struct slice options_of(const char *definition);

/* The same of a line that begins otherwise. */
struct slice list_of(const char *definition, const char *begin);

/* Adds "host 'there', …" of what is foreign. False when one is said without its value: a snapshot keeps
 * secrets to itself. */
bool foreign_options_add(struct slice options, struct text *out);

/* Adds "ADD host 'there', SET …, DROP …". False as above; a secret on both sides is taken for the same. */
bool foreign_options_change(struct slice was, struct slice is, struct text *out);

#define FOREIGN_SECRET "one of its options may be a secret, which no snapshot holds"

/* Adds "n_distinct='5', …", or the names alone. False when it is not a list of options. */
bool options_add(struct slice options, bool has_values, struct text *out);

/* Adds what a sequence's definition says beyond the usual, each part after a blank; an identity's type is
 * that of its column. */
void sequence_options_add(const char *definition, bool is_identity, struct text *out);

/* Whether the server converts values of one type to the other in an assignment, without being told how. */
bool type_has_assignment_cast(struct slice from, struct slice to);

/* Takes from everybody what a new function or type allows them, unless TO does, too. */
void grants_close(struct delta *delta, const struct change *object);

/* Whether they differ at most in what stands in parentheses: varchar(20), varchar(30). */
bool type_is_same_base(struct slice one, struct slice other);

/* Each writes the statement that its name says, or decides. */
#define STATEMENT(name) void name(struct delta *delta, struct change *change)
#define DECISION(name) enum change_action name(struct delta *delta, struct change *change)

STATEMENT(table_create);
STATEMENT(table_drop);
STATEMENT(table_alter);
DECISION(table_decide);
STATEMENT(foreign_table_create);
STATEMENT(foreign_table_drop);

STATEMENT(column_create);
STATEMENT(column_drop);
STATEMENT(column_alter);
DECISION(column_decide);
STATEMENT(default_create);
STATEMENT(default_drop);
STATEMENT(identity_create);
STATEMENT(identity_drop);
STATEMENT(identity_alter);
STATEMENT(compression_create);
STATEMENT(compression_drop);

/* Of a column that is made with its table or added: name, type and what belongs to it. */
void column_add(struct delta *delta, struct change *column, struct text *out);

/* What is written behind ADD COLUMN or CREATE TABLE: storage and the like. */
void column_settings(struct delta *delta, const struct change *column);

STATEMENT(options_create);
STATEMENT(options_drop);
STATEMENT(row_security_create);
STATEMENT(row_security_drop);
STATEMENT(row_security_alter);
STATEMENT(replica_identity_create);
STATEMENT(replica_identity_drop);
STATEMENT(cluster_create);
STATEMENT(cluster_drop);
STATEMENT(partition_create);
STATEMENT(partition_drop);

STATEMENT(constraint_create);
STATEMENT(constraint_drop);
STATEMENT(constraint_alter);
DECISION(constraint_decide);
STATEMENT(index_create);
STATEMENT(index_drop);
STATEMENT(statistics_create);
STATEMENT(statistics_drop);

STATEMENT(schema_create);
STATEMENT(schema_drop);
STATEMENT(extension_create);
STATEMENT(extension_drop);
STATEMENT(extension_alter);
DECISION(alter_decide); /* by a statement of its own */
STATEMENT(enum_create);
STATEMENT(enum_drop);
STATEMENT(enum_alter);
STATEMENT(enum_finish);
DECISION(enum_decide);
STATEMENT(domain_create);
STATEMENT(domain_drop);
STATEMENT(domain_alter);
DECISION(domain_decide);
STATEMENT(range_create);
STATEMENT(composite_create);
DECISION(composite_decide);
STATEMENT(type_drop);
DECISION(type_decide);
STATEMENT(collation_drop);
STATEMENT(sequence_create);
STATEMENT(sequence_drop);
STATEMENT(sequence_alter);
STATEMENT(sequence_owner_create);
STATEMENT(sequence_owner_drop);

STATEMENT(routine_create);
STATEMENT(routine_replace);
STATEMENT(routine_drop);
DECISION(routine_decide);
STATEMENT(view_create);
STATEMENT(view_drop);
STATEMENT(matview_create);
STATEMENT(matview_drop);
STATEMENT(trigger_create);
STATEMENT(trigger_drop);
STATEMENT(rule_create);
STATEMENT(rule_drop);
STATEMENT(policy_create);
STATEMENT(policy_drop);
STATEMENT(event_trigger_drop);
STATEMENT(event_trigger_create);
STATEMENT(publication_create);
STATEMENT(publication_drop);
STATEMENT(publication_alter);
DECISION(publication_decide);
STATEMENT(published_create);
STATEMENT(published_drop);

STATEMENT(owner_create);
STATEMENT(owner_alter);
STATEMENT(grant_create);
STATEMENT(grant_drop);
STATEMENT(grant_alter);
STATEMENT(default_grant_create);
STATEMENT(default_grant_drop);
STATEMENT(comment_create);
STATEMENT(comment_drop);

STATEMENT(access_method_create);
STATEMENT(access_method_drop);
STATEMENT(aggregate_create);
STATEMENT(aggregate_drop);
STATEMENT(cast_create);
STATEMENT(collation_create);
STATEMENT(conversion_create);
STATEMENT(conversion_drop);
STATEMENT(depends_create);
STATEMENT(depends_drop);
STATEMENT(dictionary_create);
STATEMENT(dictionary_drop);
STATEMENT(foreign_table_alter);
STATEMENT(index_options_create);
STATEMENT(index_options_drop);
STATEMENT(index_statistics_create);
STATEMENT(index_statistics_drop);
STATEMENT(index_tablespace_create);
STATEMENT(index_tablespace_drop);
STATEMENT(language_create);
STATEMENT(language_drop);
STATEMENT(operator_class_drop);
STATEMENT(operator_family_create);
STATEMENT(operator_family_drop);
STATEMENT(parser_drop);
STATEMENT(sequence_unlogged_create);
STATEMENT(sequence_unlogged_drop);
STATEMENT(server_alter);
STATEMENT(server_create);
STATEMENT(setting_create);
STATEMENT(setting_drop);
STATEMENT(tablespace_create);
STATEMENT(tablespace_drop);
STATEMENT(template_drop);
STATEMENT(text_search_create);
STATEMENT(toast_options_create);
STATEMENT(toast_options_drop);
STATEMENT(transform_drop);
STATEMENT(trigger_state_create);
STATEMENT(trigger_state_drop);
STATEMENT(user_mapping_drop);
STATEMENT(view_column_create);
STATEMENT(view_column_drop);
STATEMENT(wrapper_alter);
STATEMENT(wrapper_create);
STATEMENT(wrapper_drop);

/* For what the facts do not say enough about. */
STATEMENT(unknown_create);
STATEMENT(cast_drop);
STATEMENT(operator_drop);
STATEMENT(text_search_drop);
STATEMENT(server_drop);

#undef STATEMENT
#undef DECISION

#endif
