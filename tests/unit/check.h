/*
 * What every unit test includes: cmocka with the headers it wants first.
 */
#ifndef CHECK_H
#define CHECK_H

/* clang-format off: cmocka.h wants these before it */
#include <cmocka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* clang-format on */

#endif
