#include "sql/grammar_tree.h"

static bool is_null_constant(Node *expression)
{
    while (expression != NULL && IsA(expression, TypeCast))
        expression = ((TypeCast *)expression)->arg;
    return expression != NULL && IsA(expression, A_Const) && ((A_Const *)expression)->isnull;
}

static unsigned default_traits(Node *expression, char word[IDENTIFIER_SIZE])
{
    return is_null_constant(expression) ? 0 : TRAIT_DEFAULT | expression_traits(expression, word);
}

/* What a constraint within a column's definition makes of it. */
static unsigned column_constraint_traits(const Constraint *constraint, struct change *change)
{
    switch (constraint->contype) {
    case CONSTR_NOTNULL:
        return TRAIT_NOT_NULL;
    case CONSTR_DEFAULT:
        return default_traits(constraint->raw_expr, change->word);
    case CONSTR_IDENTITY:
        return TRAIT_IDENTITY;
    case CONSTR_GENERATED:
        return TRAIT_STORED;
    case CONSTR_CHECK:
        return TRAIT_CHECK;
    case CONSTR_PRIMARY:
    case CONSTR_UNIQUE:
        return TRAIT_UNIQUE;
    case CONSTR_FOREIGN:
        change->other = relation_of_range(constraint->pktable);
        return TRAIT_REFERENCES;
    default:
        return 0;
    }
}

static void read_type(struct change *change, const TypeName *type)
{
    static const char *const serials[] = { "serial",  "serial2",   "serial4",
                                           "serial8", "bigserial", "smallserial" };
    struct relation name = relation_of_names(type == NULL ? NIL : type->names);

    for (size_t i = 0; i < array_length(serials); i++) {
        if (strcmp(name.name, serials[i]) == 0)
            change->traits |= TRAIT_SERIAL;
    }
    if (strcmp(name.name, "json") == 0 && type->arrayBounds == NIL)
        change->traits |= TRAIT_JSON;
    if ((change->traits & TRAIT_SERIAL) != 0 || type_is_known(type))
        return;
    change->traits |= TRAIT_OWN_TYPE;
    if (change->word[0] == '\0')
        identifier_copy(change->word, name.name);
}

/* A value for every row comes of these, so NOT NULL needs no default. */
enum { FILLING = TRAIT_DEFAULT | TRAIT_STORED | TRAIT_IDENTITY | TRAIT_SERIAL };

static void read_add_column(const struct reading *reading, struct change *change, const ColumnDef *column)
{
    ListCell *cell;

    identifier_copy(change->object, column->colname);
    change_locate(reading, change, column->location);
    foreach (cell, column->constraints)
        change->traits |= column_constraint_traits(lfirst_node(Constraint, cell), change);
    read_type(change, column->typeName);
    if ((change->traits & FILLING) != 0)
        change->traits &= ~(unsigned)TRAIT_NOT_NULL;
}

static enum action constraint_action(ConstrType type)
{
    switch (type) {
    case CONSTR_CHECK:
        return ACTION_ADD_CHECK;
    case CONSTR_FOREIGN:
        return ACTION_ADD_FOREIGN_KEY;
    case CONSTR_UNIQUE:
        return ACTION_ADD_UNIQUE;
    case CONSTR_PRIMARY:
        return ACTION_ADD_PRIMARY_KEY;
    case CONSTR_EXCLUSION:
        return ACTION_ADD_EXCLUSION;
    default:
        return ACTION_UNKNOWN;
    }
}

/* What a probe of the rows that are there now needs. */
static void read_keys(struct change *change, const Constraint *constraint)
{
    if (constraint->contype == CONSTR_FOREIGN && constraint->fk_matchtype == FKCONSTR_MATCH_SIMPLE) {
        change->key = key_of_names(constraint->fk_attrs);
        change->other_key = key_of_names(constraint->pk_attrs);
    } else if (!constraint->nulls_not_distinct)
        change->key = key_of_names(constraint->keys);
}

/* Of "column IS NOT NULL"; otherwise nothing. */
static void name_required_column(struct change *change, Node *check)
{
    const NullTest *test = (NullTest *)check;
    const List *fields;

    if (check == NULL || !IsA(check, NullTest) || test->nulltesttype != IS_NOT_NULL ||
        !IsA(test->arg, ColumnRef))
        return;
    fields = ((ColumnRef *)test->arg)->fields;
    if (list_length(fields) == 1 && IsA(linitial(fields), String))
        identifier_copy(change->word, strVal(linitial(fields)));
}

static void read_add_constraint(const struct reading *reading, struct change *change,
                                const Constraint *constraint)
{
    change->action = constraint_action(constraint->contype);
    identifier_copy(change->object, constraint->conname);
    change_locate(reading, change, constraint->location);
    change->other = relation_of_range(constraint->pktable);
    read_keys(change, constraint);
    if (constraint->contype == CONSTR_CHECK)
        name_required_column(change, constraint->raw_expr);
    if (constraint->skip_validation)
        change->traits |= TRAIT_NOT_VALID;
    if (constraint->indexname != NULL)
        change->traits |= TRAIT_USING_INDEX;
}

static const struct {
    AlterTableType type;
    enum action action;
    unsigned traits;
} ALTERATIONS[] = {
    { AT_AddColumn, ACTION_ADD_COLUMN, 0 },
    { AT_ColumnDefault, ACTION_COLUMN_DEFAULT, 0 },
    { AT_DropNotNull, ACTION_DROP_NOT_NULL, 0 },
    { AT_SetNotNull, ACTION_SET_NOT_NULL, 0 },
    { AT_SetStatistics, ACTION_COLUMN_STATISTICS, 0 },
    { AT_SetOptions, ACTION_COLUMN_STATISTICS, 0 },
    { AT_ResetOptions, ACTION_COLUMN_STATISTICS, 0 },
    { AT_SetStorage, ACTION_COLUMN_STORAGE, 0 },
    { AT_SetCompression, ACTION_COLUMN_STORAGE, 0 },
    { AT_DropColumn, ACTION_DROP_COLUMN, 0 },
    { AT_AddConstraint, ACTION_UNKNOWN, 0 },
    { AT_AlterConstraint, ACTION_ALTER_CONSTRAINT, 0 },
    { AT_ValidateConstraint, ACTION_VALIDATE_CONSTRAINT, 0 },
    { AT_DropConstraint, ACTION_DROP_CONSTRAINT, 0 },
    { AT_AlterColumnType, ACTION_COLUMN_TYPE, 0 },
    { AT_ChangeOwner, ACTION_SET_OWNER, 0 },
    { AT_SetLogged, ACTION_SET_LOGGED, 0 },
    { AT_SetUnLogged, ACTION_SET_LOGGED, 0 },
    { AT_SetAccessMethod, ACTION_SET_ACCESS_METHOD, 0 },
    { AT_SetTableSpace, ACTION_SET_TABLESPACE, 0 },
    { AT_SetRelOptions, ACTION_SET_OPTIONS, 0 },
    { AT_ResetRelOptions, ACTION_SET_OPTIONS, 0 },
    { AT_ClusterOn, ACTION_SET_OPTIONS, 0 },
    { AT_DropCluster, ACTION_SET_OPTIONS, 0 },
    { AT_EnableTrig, ACTION_SWITCH_TRIGGER, 0 },
    { AT_EnableAlwaysTrig, ACTION_SWITCH_TRIGGER, 0 },
    { AT_EnableReplicaTrig, ACTION_SWITCH_TRIGGER, 0 },
    { AT_DisableTrig, ACTION_SWITCH_TRIGGER, 0 },
    { AT_EnableTrigAll, ACTION_SWITCH_TRIGGER, 0 },
    { AT_DisableTrigAll, ACTION_SWITCH_TRIGGER, 0 },
    { AT_EnableTrigUser, ACTION_SWITCH_TRIGGER, 0 },
    { AT_DisableTrigUser, ACTION_SWITCH_TRIGGER, 0 },
    { AT_ReplicaIdentity, ACTION_REPLICA_IDENTITY, 0 },
    { AT_EnableRowSecurity, ACTION_ROW_SECURITY, 0 },
    { AT_DisableRowSecurity, ACTION_ROW_SECURITY, 0 },
    { AT_ForceRowSecurity, ACTION_ROW_SECURITY, 0 },
    { AT_NoForceRowSecurity, ACTION_ROW_SECURITY, 0 },
    { AT_AttachPartition, ACTION_ATTACH_PARTITION, 0 },
    { AT_DetachPartition, ACTION_DETACH_PARTITION, 0 },
    { AT_DetachPartitionFinalize, ACTION_DETACH_PARTITION, TRAIT_FINALIZE },
    { AT_AddIdentity, ACTION_COLUMN_IDENTITY, 0 },
    { AT_SetIdentity, ACTION_COLUMN_IDENTITY, 0 },
    { AT_DropIdentity, ACTION_COLUMN_IDENTITY, 0 },
};

static void read_partition(struct change *change, const PartitionCmd *partition)
{
    change->other = relation_of_range(partition->name);
    if (partition->concurrent)
        change->traits |= TRAIT_CONCURRENTLY;
}

/* What only the definition says. */
static void read_definition(const struct reading *reading, struct change *change,
                            const AlterTableCmd *command)
{
    if (command->subtype == AT_AddColumn)
        read_add_column(reading, change, castNode(ColumnDef, command->def));
    else if (command->subtype == AT_AddConstraint)
        read_add_constraint(reading, change, castNode(Constraint, command->def));
    else if (command->subtype == AT_AttachPartition || command->subtype == AT_DetachPartition)
        read_partition(change, castNode(PartitionCmd, command->def));
    else if (command->subtype == AT_AlterColumnType) {
        const ColumnDef *column = castNode(ColumnDef, command->def);

        change_locate(reading, change, column->typeName->location);
        change->type = relation_of_names(column->typeName->names);
        if (change->end - change->start < IDENTIFIER_SIZE)
            memcpy(change->word, reading->statement.at + change->start, change->end - change->start);
        if (column->raw_default != NULL)
            change->traits |= TRAIT_USING;
    }
}

/* What ALTER TABLE's commands do to an index. */
static enum action action_on_index(AlterTableType type)
{
    switch (type) {
    case AT_SetRelOptions:
    case AT_ResetRelOptions:
    case AT_SetStatistics:
        return ACTION_SET_OPTIONS;
    case AT_SetTableSpace:
        return ACTION_SET_TABLESPACE;
    default:
        return ACTION_UNKNOWN;
    }
}

static enum action action_on_other_kind(ObjectType kind, AlterTableType type)
{
    switch (kind) {
    case OBJECT_INDEX:
        return action_on_index(type);
    case OBJECT_SEQUENCE:
        return ACTION_ALTER_SEQUENCE;
    case OBJECT_VIEW:
        return ACTION_CREATE_VIEW;
    default:
        return ACTION_UNKNOWN;
    }
}

static void read_command(struct reading *reading, const AlterTableStmt *statement,
                         const AlterTableCmd *command)
{
    bool is_table = statement->objtype == OBJECT_TABLE || statement->objtype == OBJECT_MATVIEW;
    struct change *change = reading_add(reading, ACTION_UNKNOWN);

    change->table = relation_of_range(statement->relation);
    identifier_copy(change->object, command->name);
    if (!is_table) {
        change->action = action_on_other_kind(statement->objtype, command->subtype);
        change->traits |= TRAIT_REPLACE;
        return;
    }
    for (size_t i = 0; i < array_length(ALTERATIONS); i++) {
        if (ALTERATIONS[i].type != command->subtype)
            continue;
        change->action = ALTERATIONS[i].action;
        change->traits = ALTERATIONS[i].traits;
        read_definition(reading, change, command);
        return;
    }
}

void read_alter_table(struct reading *reading, const AlterTableStmt *statement)
{
    ListCell *cell;

    foreach (cell, statement->cmds)
        read_command(reading, statement, lfirst_node(AlterTableCmd, cell));
}

static void add_reference(struct reading *reading, const CreateStmt *statement, const Constraint *constraint)
{
    struct change *change;

    if (constraint->contype != CONSTR_FOREIGN)
        return;
    change = reading_add(reading, ACTION_CREATE_TABLE_REFERENCES);
    change->table = relation_of_range(constraint->pktable);
    change->other = relation_of_range(statement->relation);
    identifier_copy(change->object, constraint->conname);
}

void read_create_table(struct reading *reading, const CreateStmt *statement)
{
    struct change *change = reading_add(reading, ACTION_CREATE_TABLE);
    ListCell *cell;
    ListCell *inner;

    change->table = relation_of_range(statement->relation);
    if (statement->if_not_exists)
        change->traits |= TRAIT_IF_NOT_EXISTS;
    if (statement->partbound != NULL) {
        change->action = ACTION_CREATE_PARTITION;
        change->other = change->table;
        change->table = relation_of_range(linitial_node(RangeVar, statement->inhRelations));
    }
    foreach (cell, statement->tableElts) {
        Node *element = lfirst(cell);

        if (IsA(element, Constraint))
            add_reference(reading, statement, (Constraint *)element);
        if (!IsA(element, ColumnDef))
            continue;
        foreach (inner, ((ColumnDef *)element)->constraints)
            add_reference(reading, statement, lfirst_node(Constraint, inner));
    }
}
