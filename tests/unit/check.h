/*
 * What every unit test includes: cmocka with the headers it wants first.
 */
#ifndef CHECK_H
#define CHECK_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
