/*
 * Descriptors 0, 1 and 2 of this process are never anything else than its standard streams.
 *
 * A process may be started with some of them closed. The next thing that is opened would then take that
 * number: log lines would be written into the database's protocol.
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

#include <stddef.h>

/* Opens /dev/null where one is closed; before anything else is opened. It is closed again at exec, so that
 * the application finds what it would have found without us. */
void descriptors_complete(void);

/* How many this process may have open. */
size_t descriptors_most(void);

#endif
