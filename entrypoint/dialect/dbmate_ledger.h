/*
 * dbmate's ledger: the versions that are applied, as text.
 */
#ifndef DIALECT_DBMATE_LEDGER_H
#define DIALECT_DBMATE_LEDGER_H

#include "dialect/ledger_sql.h"

extern const struct ledger_sql DBMATE_LEDGER;

#endif
