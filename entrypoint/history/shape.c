#include "history/shape.h"

struct table_look shape_of(const struct result *result, int row, int column)
{
    return (struct table_look) { .schema = result_text(result, row, column + SHAPE_SCHEMA),
                                 .table = result_text(result, row, column + SHAPE_TABLE),
                                 .columns = result_text(result, row, column + SHAPE_COLUMNS),
                                 .has_beside = result_bool(result, row, column + SHAPE_HAS_BESIDE) };
}
