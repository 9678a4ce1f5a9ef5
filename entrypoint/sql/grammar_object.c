#include "sql/grammar_tree.h"

static const struct {
    ObjectType type;
    enum action action;
} DROPS[] = {
    { OBJECT_TABLE, ACTION_DROP_TABLE },
    { OBJECT_FOREIGN_TABLE, ACTION_DROP_TABLE },
    { OBJECT_INDEX, ACTION_DROP_INDEX },
    { OBJECT_VIEW, ACTION_DROP_VIEW },
    { OBJECT_MATVIEW, ACTION_DROP_VIEW },
    { OBJECT_SEQUENCE, ACTION_DROP_SEQUENCE },
    { OBJECT_TYPE, ACTION_DROP_TYPE },
    { OBJECT_DOMAIN, ACTION_DROP_TYPE },
    { OBJECT_SCHEMA, ACTION_DROP_SCHEMA },
    { OBJECT_FUNCTION, ACTION_DROP_ROUTINE },
    { OBJECT_PROCEDURE, ACTION_DROP_ROUTINE },
    { OBJECT_ROUTINE, ACTION_DROP_ROUTINE },
    { OBJECT_AGGREGATE, ACTION_DROP_ROUTINE },
    { OBJECT_TRIGGER, ACTION_DROP_TRIGGER },
    { OBJECT_RULE, ACTION_RULE },
    { OBJECT_POLICY, ACTION_POLICY },
    { OBJECT_EXTENSION, ACTION_DROP_EXTENSION },
    { OBJECT_STATISTIC_EXT, ACTION_STATISTICS_OBJECT },
};

/* Triggers, rules and policies are named after their table: "schema", "table", "name". */
static bool is_of_table(ObjectType type)
{
    return type == OBJECT_TRIGGER || type == OBJECT_RULE || type == OBJECT_POLICY;
}

static void name_object(struct change *change, const Node *object)
{
    if (IsA(object, List))
        change->table = relation_of_names((const List *)object);
    else if (IsA(object, String))
        identifier_copy(change->table.name, strVal(object));
    else if (IsA(object, TypeName))
        change->table = relation_of_names(((const TypeName *)object)->names);
    else if (IsA(object, ObjectWithArgs))
        change->table = relation_of_names(((const ObjectWithArgs *)object)->objname);
}

static void name_dropped(struct change *change, const DropStmt *statement, const Node *object)
{
    if (!IsA(object, List) || !is_of_table(statement->removeType)) {
        name_object(change, object);
        return;
    }
    identifier_copy(change->object, strVal(llast((const List *)object)));
    change->table = relation_before_last((const List *)object);
}

void read_drop(struct reading *reading, const DropStmt *statement)
{
    enum action action = ACTION_UNKNOWN;
    ListCell *cell;

    for (size_t i = 0; i < array_length(DROPS); i++) {
        if (DROPS[i].type == statement->removeType)
            action = DROPS[i].action;
    }
    foreach (cell, statement->objects) {
        struct change *change = reading_add(reading, action);

        name_dropped(change, statement, lfirst(cell));
        if (statement->concurrent)
            change->traits |= TRAIT_CONCURRENTLY;
    }
}

static const struct {
    ObjectType type;
    enum action action;
} RENAMES[] = {
    { OBJECT_TABLE, ACTION_RENAME_TABLE },         { OBJECT_VIEW, ACTION_RENAME_TABLE },
    { OBJECT_MATVIEW, ACTION_RENAME_TABLE },       { OBJECT_FOREIGN_TABLE, ACTION_RENAME_TABLE },
    { OBJECT_SEQUENCE, ACTION_ALTER_SEQUENCE },    { OBJECT_INDEX, ACTION_RENAME_INDEX },
    { OBJECT_COLUMN, ACTION_RENAME_COLUMN },       { OBJECT_TABCONSTRAINT, ACTION_RENAME_CONSTRAINT },
    { OBJECT_TYPE, ACTION_RENAME_OBJECT },         { OBJECT_DOMAIN, ACTION_RENAME_OBJECT },
    { OBJECT_SCHEMA, ACTION_RENAME_OBJECT },       { OBJECT_FUNCTION, ACTION_RENAME_OBJECT },
    { OBJECT_PROCEDURE, ACTION_RENAME_OBJECT },    { OBJECT_ROUTINE, ACTION_RENAME_OBJECT },
    { OBJECT_DOMCONSTRAINT, ACTION_DOMAIN_OTHER },
};

void read_rename(struct reading *reading, const RenameStmt *statement)
{
    struct change *change = reading_add(reading, ACTION_UNKNOWN);

    change->table = relation_of_range(statement->relation);
    if (statement->object != NULL)
        name_object(change, statement->object);
    else if (statement->renameType == OBJECT_SCHEMA)
        identifier_copy(change->table.name, statement->subname);
    identifier_copy(change->object, statement->subname);
    identifier_copy(change->other.name, statement->newname);
    for (size_t i = 0; i < array_length(RENAMES); i++) {
        if (RENAMES[i].type == statement->renameType)
            change->action = RENAMES[i].action;
    }
}

void read_routine(struct reading *reading, const List *names, bool is_replaced)
{
    struct change *change = reading_add(reading, ACTION_CREATE_ROUTINE);

    change->table = relation_of_names(names);
    if (is_replaced)
        change->traits = TRAIT_REPLACE;
}

void read_enum(struct reading *reading, const AlterEnumStmt *statement)
{
    struct change *change = reading_add(reading, ACTION_ENUM_VALUE);

    change->table = relation_of_names(statement->typeName);
    if (statement->oldVal != NULL)
        change->traits = TRAIT_RENAME;
}
