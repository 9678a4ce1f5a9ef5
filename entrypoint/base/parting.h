/*
 * The time that a run may take once its work is done: giving back what it was lent, telling the world.
 *
 * All of that together stays within PARTING_MS, so each part says what it took, and asks what is left.
 */
#ifndef BASE_PARTING_H
#define BASE_PARTING_H

#include <stdint.h>

enum { PARTING_MS = 5000 };

/* What is left of it; never negative. */
int64_t parting_left_ms(void);

void parting_spend(int64_t ms);

#endif
