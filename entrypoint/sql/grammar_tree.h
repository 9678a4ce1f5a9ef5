/*
 * PostgreSQL's parse trees, for the files of grammar alone.
 *
 * The server's headers come last: they redefine what the C library calls printf.
 */
#ifndef SQL_GRAMMAR_TREE_H
#define SQL_GRAMMAR_TREE_H

#include "base/memory.h"
#include "sql/grammar.h"

/* In this order: the names, then what the others need. */
/* clang-format off */
#include <pg_query_names.h>
#include <postgres.h>
#include <nodes/nodeFuncs.h>
#include <nodes/parsenodes.h>
#include <nodes/pg_list.h>
#include <parser/parser.h>
#include <storage/lockdefs.h>
#include <utils/elog.h>
#include <utils/memutils.h>
/* clang-format on */

/* What is being read. */
struct reading {
    struct slice statement;
    struct changes *changes;
};

/* A further change, zeroed but for its action; valid until the next one is added. */
struct change *reading_add(struct reading *reading, enum action action);

/* Copies a name; NULL gives an empty one. */
void identifier_copy(char target[IDENTIFIER_SIZE], const char *name);
struct relation relation_of_range(const RangeVar *range);
/* Of a list of names: the last is the name, the one before it the schema. */
struct relation relation_of_names(const List *names);
/* The same without the last: of what is named after its table. */
struct relation relation_before_last(const List *names);

/* Of a list of names. */
struct key key_of_names(const List *names);

/* Notes where a definition begins; it ends before the next comma outside parentheses, or with the statement.
 */
void change_locate(const struct reading *reading, struct change *change, int location);

/* TRAIT_VOLATILE, TRAIT_OWN_FUNCTION, or neither: what the functions are that an expression calls. The name
 * of the one that decided goes to `word`. */
unsigned expression_traits(Node *expression, char word[IDENTIFIER_SIZE]);

/* Whether it is one of PostgreSQL's own types, or one of an extension that has no domains. */
bool type_is_known(const TypeName *type);

/* The files of each kind of statement. */
void read_statement(struct reading *reading, Node *statement);
void read_alter_table(struct reading *reading, const AlterTableStmt *statement);
void read_create_table(struct reading *reading, const CreateStmt *statement);
void read_drop(struct reading *reading, const DropStmt *statement);
void read_rename(struct reading *reading, const RenameStmt *statement);
void read_routine(struct reading *reading, const List *names, bool is_replaced);
void read_enum(struct reading *reading, const AlterEnumStmt *statement);

#endif
