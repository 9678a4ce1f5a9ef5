/*
 * Allocation that cannot fail: when memory runs out, the process ends (exit 1, one line on stderr).
 *
 * Three lifetimes and no other: an arena (a deployment's history, scripts, configuration), a scope
 * (auto_free and the other auto_* attributes, left by steal()), and static tables.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Frees the variable's memory when its scope is left. */
#define auto_free __attribute__((cleanup(memory_free_at)))
#define auto_arena __attribute__((cleanup(arena_free_at)))

/* Takes the value out of an auto_ variable and leaves NULL there: ownership passes to the caller. */
#define steal(pointer)                                                                                       \
    __extension__({                                                                                          \
        __auto_type steal_at = (pointer);                                                                    \
        __auto_type steal_value = *steal_at;                                                                 \
        *steal_at = NULL;                                                                                    \
        steal_value;                                                                                         \
    })

#define array_length(array) (sizeof(array) / sizeof *(array))

/* Ends the process: for libraries that report that they are out of memory. */
_Noreturn void memory_exhausted(void);

/* Frees one allocation of this header; NULL is fine. */
void memory_free(void *memory);
void memory_free_at(void *pointer_at);

/* Zeroed memory for `count` items of `size` bytes; never NULL, an overflowing product ends the process. */
void *memory_new(size_t count, size_t size) __attribute__((returns_nonnull));

/* Grows or shrinks to `count` items; new bytes are not zeroed. `memory` may be NULL. */
void *memory_resize(void *memory, size_t count, size_t size) __attribute__((returns_nonnull));

/* A NUL-terminated copy of `length` bytes. */
char *memory_copy(const char *text, size_t length) __attribute__((returns_nonnull));

/* Makes room for one more item in a growing array: returns `items`, or its new place, with *capacity raised.
 * */
void *memory_grow(void *items, size_t count, size_t *capacity, size_t size) __attribute__((returns_nonnull));

/* Overwrites with zeros in a way that the compiler keeps. */
void memory_wipe(void *memory, size_t length);

/* Many small allocations that are freed together. */
struct arena;

struct arena *arena_new(void) __attribute__((returns_nonnull));
void arena_free(struct arena *arena);
void arena_free_at(struct arena **arena);

/* Zeroed, aligned for any type, lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/* The same as memory_grow(); a former place stays until the arena ends. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));

/* A NUL-terminated copy of `length` bytes that lives as long as the arena. */
char *arena_copy(struct arena *arena, const char *text, size_t length) __attribute__((returns_nonnull));

#endif
