#include "sql/grammar_tree.h"

/* Statements of which the kind alone says what they do. */
static const struct {
    NodeTag tag;
    enum action action;
    unsigned traits;
} KINDS[] = {
    { T_VariableSetStmt, ACTION_SESSION, 0 },
    { T_VariableShowStmt, ACTION_SESSION, 0 },
    { T_DiscardStmt, ACTION_SESSION, 0 },
    { T_PrepareStmt, ACTION_SESSION, 0 },
    { T_DeallocateStmt, ACTION_SESSION, 0 },
    { T_ListenStmt, ACTION_SESSION, 0 },
    { T_UnlistenStmt, ACTION_SESSION, 0 },
    { T_NotifyStmt, ACTION_SESSION, 0 },
    { T_ConstraintsSetStmt, ACTION_SESSION, 0 },
    { T_CheckPointStmt, ACTION_SESSION, 0 },
    { T_TransactionStmt, ACTION_TRANSACTION, 0 },
    { T_DoStmt, ACTION_CODE, 0 },
    { T_CallStmt, ACTION_CODE, 0 },
    { T_ExecuteStmt, ACTION_CODE, 0 },
    { T_CreateRoleStmt, ACTION_HARMLESS, 0 },
    { T_AlterRoleStmt, ACTION_HARMLESS, 0 },
    { T_AlterRoleSetStmt, ACTION_HARMLESS, 0 },
    { T_AlterDatabaseSetStmt, ACTION_HARMLESS, 0 },
    { T_AlterDefaultPrivilegesStmt, ACTION_HARMLESS, 0 },
    { T_CreateEventTrigStmt, ACTION_DATABASE_WIDE, 0 },
    { T_AlterEventTrigStmt, ACTION_DATABASE_WIDE, 0 },
    { T_CreatedbStmt, ACTION_DATABASE_WIDE, 0 },
    { T_DropdbStmt, ACTION_DATABASE_WIDE, 0 },
    { T_AlterDatabaseStmt, ACTION_DATABASE_WIDE, 0 },
    { T_AlterSystemStmt, ACTION_DATABASE_WIDE, 0 },
    { T_DropOwnedStmt, ACTION_DATABASE_WIDE, 0 },
    { T_DropRoleStmt, ACTION_DATABASE_WIDE, 0 },
    { T_ReassignOwnedStmt, ACTION_DATABASE_WIDE, 0 },
    { T_CreateTableSpaceStmt, ACTION_DATABASE_WIDE, 0 },
    { T_DropTableSpaceStmt, ACTION_DATABASE_WIDE, 0 },
    { T_CreatePublicationStmt, ACTION_DATABASE_WIDE, 0 },
    { T_AlterPublicationStmt, ACTION_DATABASE_WIDE, 0 },
    { T_CreateSubscriptionStmt, ACTION_DATABASE_WIDE, 0 },
    { T_AlterSubscriptionStmt, ACTION_DATABASE_WIDE, 0 },
    { T_DropSubscriptionStmt, ACTION_DATABASE_WIDE, 0 },
    { T_GrantRoleStmt, ACTION_HARMLESS, 0 },
    { T_AlterOwnerStmt, ACTION_CHANGE_OWNER, 0 },
    { T_CreateForeignServerStmt, ACTION_HARMLESS, 0 },
    { T_CreateFdwStmt, ACTION_HARMLESS, 0 },
    { T_CreateUserMappingStmt, ACTION_HARMLESS, 0 },
    { T_CreateEnumStmt, ACTION_CREATE_TYPE, 0 },
    { T_CompositeTypeStmt, ACTION_CREATE_TYPE, 0 },
    { T_CreateRangeStmt, ACTION_CREATE_TYPE, 0 },
    { T_CreateExtensionStmt, ACTION_CREATE_EXTENSION, 0 },
    { T_AlterExtensionStmt, ACTION_ALTER_EXTENSION, 0 },
    { T_CreateStatsStmt, ACTION_STATISTICS_OBJECT, 0 },
    { T_AlterStatsStmt, ACTION_STATISTICS_OBJECT, 0 },
};

static bool read_kind(struct reading *reading, const Node *statement)
{
    for (size_t i = 0; i < array_length(KINDS); i++) {
        if (KINDS[i].tag != nodeTag(statement))
            continue;
        reading_add(reading, KINDS[i].action)->traits = KINDS[i].traits;
        return true;
    }
    return false;
}

/* A change of one table. */
static struct change *add_for(struct reading *reading, enum action action, const RangeVar *table)
{
    struct change *change = reading_add(reading, action);

    change->table = relation_of_range(table);
    return change;
}

static void add_for_each(struct reading *reading, enum action action, const List *tables, unsigned traits)
{
    ListCell *cell;

    foreach (cell, tables)
        add_for(reading, action, lfirst_node(RangeVar, cell))->traits = traits;
}

static unsigned trait_if(bool holds, unsigned trait)
{
    return holds ? trait : 0;
}

/* "FULL", "FULL true", "FULL off"; what is none of these the server refuses. */
static bool is_switched_on(const Node *value)
{
    static const char *const offs[] = { "false", "off", "no", "0" };
    const char *word = value != NULL && IsA(value, String) ? strVal(value) : "";

    if (value != NULL && IsA(value, Boolean))
        return boolVal(value);
    if (value != NULL && IsA(value, Integer))
        return intVal(value) != 0;
    for (size_t i = 0; i < array_length(offs); i++) {
        if (strcasecmp(word, offs[i]) == 0)
            return false;
    }
    return true;
}

/* Of several with that name, the last one counts. */
static bool has_option(const List *options, const char *name)
{
    bool is_on = false;
    ListCell *cell;

    foreach (cell, options) {
        const DefElem *option = lfirst_node(DefElem, cell);

        if (strcmp(option->defname, name) == 0)
            is_on = is_switched_on(option->arg);
    }
    return is_on;
}

static bool is_code(unsigned functions)
{
    return (functions & TRAIT_OWN_FUNCTION) != 0;
}

/* A statement that runs a query; when that does more than reading, nobody knows what. */
static struct change *add_with_query(struct reading *reading, enum action action, const RangeVar *table,
                                     Node *query)
{
    char word[IDENTIFIER_SIZE] = "";

    if (is_code(expression_traits(query, word)))
        identifier_copy(reading_add(reading, ACTION_CODE)->word, word);
    return add_for(reading, action, table);
}

static void read_query(struct reading *reading, const SelectStmt *select)
{
    char word[IDENTIFIER_SIZE] = "";
    unsigned functions = expression_traits((Node *)select, word);
    struct change *change;

    if (select->intoClause != NULL)
        add_for(reading, ACTION_CREATE_TABLE_AS, select->intoClause->rel);
    if (select->intoClause != NULL && !is_code(functions))
        return;
    /* Whatever is not one of PostgreSQL's own functions may do anything. */
    change =
        reading_add(reading, is_code(functions) || select->lockingClause != NIL ? ACTION_CODE : ACTION_QUERY);
    change->traits = trait_if(select->fromClause != NIL, TRAIT_FROM_QUERY);
    memcpy(change->word, word, sizeof word);
}

static void read_lock(struct reading *reading, const LockStmt *lock)
{
    unsigned traits =
        trait_if(lock->mode < AccessExclusiveLock && lock->mode >= ShareLock, TRAIT_WRITES_WAIT) |
        trait_if(lock->mode < ShareLock, TRAIT_NOBODY_WAITS);
    ListCell *cell;

    foreach (cell, lock->relations)
        add_for(reading, ACTION_LOCK_TABLE, lfirst_node(RangeVar, cell))->traits = traits;
}

static void read_update(struct reading *reading, const UpdateStmt *update)
{
    struct change *change = add_for(reading, ACTION_UPDATE, update->relation);
    const int count = list_length(update->targetList);

    change->traits = trait_if(update->whereClause == NULL, TRAIT_NO_WHERE);
    change->key.count = count > KEY_COLUMNS_MOST ? 0 : (size_t)count;
    for (size_t i = 0; i < change->key.count; i++)
        identifier_copy(change->key.columns[i], list_nth_node(ResTarget, update->targetList, (int)i)->name);
}

static bool read_rows(struct reading *reading, Node *statement)
{
    switch (nodeTag(statement)) {
    case T_SelectStmt:
        read_query(reading, (SelectStmt *)statement);
        return true;
    case T_InsertStmt: {
        const InsertStmt *insert = (InsertStmt *)statement;
        const SelectStmt *rows = (SelectStmt *)insert->selectStmt;

        add_with_query(reading, ACTION_INSERT, insert->relation, insert->selectStmt)->traits =
            trait_if(rows != NULL && rows->valuesLists == NIL, TRAIT_FROM_QUERY);
        return true;
    }
    case T_UpdateStmt:
        read_update(reading, (UpdateStmt *)statement);
        return true;
    case T_DeleteStmt:
        add_for(reading, ACTION_DELETE, ((DeleteStmt *)statement)->relation)->traits =
            trait_if(((DeleteStmt *)statement)->whereClause == NULL, TRAIT_NO_WHERE);
        return true;
    case T_MergeStmt:
        add_for(reading, ACTION_MERGE, ((MergeStmt *)statement)->relation);
        return true;
    case T_CopyStmt:
        if (((CopyStmt *)statement)->is_from)
            add_for(reading, ACTION_INSERT, ((CopyStmt *)statement)->relation)->traits = TRAIT_FROM_QUERY;
        else
            reading_add(reading, ACTION_QUERY);
        return true;
    case T_LockStmt:
        read_lock(reading, (LockStmt *)statement);
        return true;
    case T_TruncateStmt:
        add_for_each(reading, ACTION_TRUNCATE, ((TruncateStmt *)statement)->relations,
                     trait_if(((TruncateStmt *)statement)->behavior == DROP_CASCADE, TRAIT_CASCADE));
        return true;
    default:
        return false;
    }
}

/* Of a unique index of all rows, with each type's own idea of what is equal. */
static struct key key_of_index(const IndexStmt *index)
{
    struct key key = { .count = 0 };
    ListCell *cell;

    if (!index->unique || index->whereClause != NULL || index->nulls_not_distinct ||
        list_length(index->indexParams) > KEY_COLUMNS_MOST)
        return key;
    foreach (cell, index->indexParams) {
        const IndexElem *element = lfirst_node(IndexElem, cell);

        if (element->name == NULL || element->collation != NIL || element->opclass != NIL)
            return (struct key) { .count = 0 };
        identifier_copy(key.columns[key.count++], element->name);
    }
    return key;
}

static void read_index(struct reading *reading, const IndexStmt *index)
{
    struct change *change = add_for(reading, ACTION_CREATE_INDEX, index->relation);

    identifier_copy(change->object, index->idxname);
    identifier_copy(change->word, index->accessMethod);
    change->key = key_of_index(index);
    change->traits = trait_if(index->concurrent, TRAIT_CONCURRENTLY) | trait_if(index->unique, TRAIT_UNIQUE);
}

static void read_reindex(struct reading *reading, const ReindexStmt *reindex)
{
    struct change *change = reading_add(reading, ACTION_REINDEX);
    bool is_concurrent = has_option(reindex->params, "concurrently");

    if (reindex->kind == REINDEX_OBJECT_TABLE)
        change->table = relation_of_range(reindex->relation);
    else if (reindex->relation != NULL)
        identifier_copy(change->object, reindex->relation->relname);
    change->traits = trait_if(is_concurrent, TRAIT_CONCURRENTLY);
}

static void read_vacuum(struct reading *reading, const VacuumStmt *vacuum)
{
    enum action action = vacuum->is_vacuumcmd ? ACTION_VACUUM : ACTION_ANALYZE;
    unsigned traits = trait_if(has_option(vacuum->options, "full"), TRAIT_FULL);
    ListCell *cell;

    if (vacuum->rels == NIL)
        reading_add(reading, action)->traits = traits;
    foreach (cell, vacuum->rels)
        add_for(reading, action, lfirst_node(VacuumRelation, cell)->relation)->traits = traits;
}

static bool read_storage(struct reading *reading, Node *statement)
{
    switch (nodeTag(statement)) {
    case T_IndexStmt:
        read_index(reading, (IndexStmt *)statement);
        return true;
    case T_ReindexStmt:
        read_reindex(reading, (ReindexStmt *)statement);
        return true;
    case T_VacuumStmt:
        read_vacuum(reading, (VacuumStmt *)statement);
        return true;
    case T_ClusterStmt:
        add_for(reading, ACTION_CLUSTER, ((ClusterStmt *)statement)->relation);
        return true;
    case T_RefreshMatViewStmt:
        add_for(reading, ACTION_REFRESH, ((RefreshMatViewStmt *)statement)->relation)->traits =
            trait_if(((RefreshMatViewStmt *)statement)->concurrent, TRAIT_CONCURRENTLY);
        return true;
    case T_CreateTableAsStmt:
        add_with_query(reading, ACTION_CREATE_TABLE_AS, ((CreateTableAsStmt *)statement)->into->rel,
                       ((CreateTableAsStmt *)statement)->query);
        return true;
    case T_AlterTableStmt:
        read_alter_table(reading, (AlterTableStmt *)statement);
        return true;
    case T_CreateStmt:
        read_create_table(reading, (CreateStmt *)statement);
        return true;
    case T_CreateForeignTableStmt:
        read_create_table(reading, &((CreateForeignTableStmt *)statement)->base);
        return true;
    default:
        return false;
    }
}

static bool read_attachment(struct reading *reading, Node *statement)
{
    switch (nodeTag(statement)) {
    case T_CreateTrigStmt:
        identifier_copy(
            add_for(reading, ACTION_CREATE_TRIGGER, ((CreateTrigStmt *)statement)->relation)->object,
            ((CreateTrigStmt *)statement)->trigname);
        return true;
    case T_RuleStmt:
        add_for(reading, ACTION_RULE, ((RuleStmt *)statement)->relation);
        return true;
    case T_CreatePolicyStmt:
        add_for(reading, ACTION_POLICY, ((CreatePolicyStmt *)statement)->table);
        return true;
    case T_AlterPolicyStmt:
        add_for(reading, ACTION_POLICY, ((AlterPolicyStmt *)statement)->table);
        return true;
    case T_ViewStmt:
        add_for(reading, ACTION_CREATE_VIEW, ((ViewStmt *)statement)->view)->traits =
            trait_if(((ViewStmt *)statement)->replace, TRAIT_REPLACE);
        return true;
    case T_CreateSeqStmt:
        add_for(reading, ACTION_CREATE_SEQUENCE, ((CreateSeqStmt *)statement)->sequence);
        return true;
    case T_AlterSeqStmt:
        add_for(reading, ACTION_ALTER_SEQUENCE, ((AlterSeqStmt *)statement)->sequence);
        return true;
    case T_AlterObjectSchemaStmt:
        add_for(reading, ACTION_SET_SCHEMA, ((AlterObjectSchemaStmt *)statement)->relation);
        return true;
    default:
        return false;
    }
}

static void read_domain(struct reading *reading, const AlterDomainStmt *alter)
{
    static const struct {
        char subtype;
        enum action action;
    } actions[] = { { 'C', ACTION_DOMAIN_CHECK },
                    { 'O', ACTION_DOMAIN_NOT_NULL },
                    { 'V', ACTION_DOMAIN_VALIDATE } };
    struct change *change = reading_add(reading, ACTION_DOMAIN_OTHER);

    change->other = relation_of_names(alter->typeName);
    for (size_t i = 0; i < array_length(actions); i++) {
        if (actions[i].subtype == alter->subtype)
            change->action = actions[i].action;
    }
    identifier_copy(change->object, alter->name);
    if (alter->def != NULL && IsA(alter->def, Constraint)) {
        change->traits = trait_if(((Constraint *)alter->def)->skip_validation, TRAIT_NOT_VALID);
        identifier_copy(change->object, ((Constraint *)alter->def)->conname);
    }
}

static void read_comment(struct reading *reading, const CommentStmt *comment)
{
    struct change *change = reading_add(reading, ACTION_COMMENT);
    const List *names = comment->object != NULL && IsA(comment->object, List) ? (List *)comment->object : NIL;

    if (comment->objtype == OBJECT_TABLE)
        change->table = relation_of_names(names);
    else if (comment->objtype == OBJECT_COLUMN)
        change->table = relation_before_last(names);
}

/* On what, the rules ask only for tables, which may be new. */
static void read_grant(struct reading *reading, const GrantStmt *grant)
{
    if (grant->targtype == ACL_TARGET_OBJECT && grant->objtype == OBJECT_TABLE)
        add_for_each(reading, ACTION_GRANT, grant->objects, 0);
    else
        reading_add(reading, ACTION_GRANT);
}

static bool read_type(struct reading *reading, Node *statement)
{
    switch (nodeTag(statement)) {
    case T_CreateSchemaStmt:
        reading_add(reading,
                    ((CreateSchemaStmt *)statement)->schemaElts == NIL ? ACTION_HARMLESS : ACTION_UNKNOWN);
        return true;
    case T_CreateDomainStmt:
        reading_add(reading, ACTION_CREATE_DOMAIN)->other =
            relation_of_names(((CreateDomainStmt *)statement)->domainname);
        return true;
    case T_AlterDomainStmt:
        read_domain(reading, (AlterDomainStmt *)statement);
        return true;
    case T_AlterEnumStmt:
        read_enum(reading, (AlterEnumStmt *)statement);
        return true;
    case T_CreateFunctionStmt:
        read_routine(reading, ((CreateFunctionStmt *)statement)->funcname,
                     ((CreateFunctionStmt *)statement)->replace);
        return true;
    case T_AlterFunctionStmt:
        read_routine(reading, ((AlterFunctionStmt *)statement)->func->objname, true);
        return true;
    case T_GrantStmt:
        read_grant(reading, (GrantStmt *)statement);
        return true;
    case T_CommentStmt:
        read_comment(reading, (CommentStmt *)statement);
        return true;
    case T_DropStmt:
        read_drop(reading, (DropStmt *)statement);
        return true;
    case T_RenameStmt:
        read_rename(reading, (RenameStmt *)statement);
        return true;
    default:
        return false;
    }
}

/* The name of a type that comes with CREATE TYPE. */
static void name_type(struct reading *reading, Node *statement)
{
    struct change *change = &reading->changes->items[0];

    if (IsA(statement, CreateEnumStmt))
        change->other = relation_of_names(((CreateEnumStmt *)statement)->typeName);
    else if (IsA(statement, CompositeTypeStmt))
        change->other = relation_of_range(((CompositeTypeStmt *)statement)->typevar);
    else if (IsA(statement, CreateRangeStmt))
        change->other = relation_of_names(((CreateRangeStmt *)statement)->typeName);
}

void read_statement(struct reading *reading, Node *statement)
{
    if (read_kind(reading, statement))
        name_type(reading, statement);
    else if (!read_rows(reading, statement) && !read_storage(reading, statement) &&
             !read_attachment(reading, statement) && !read_type(reading, statement))
        reading_add(reading, ACTION_UNKNOWN);
    if (reading->changes->count == 0)
        reading_add(reading, ACTION_UNKNOWN);
}
