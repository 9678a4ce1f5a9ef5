#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    max_align_t bytes[];
};

struct arena {
    struct arena_block *blocks; /* the newest first: the one that still has room */
};

_Noreturn void memory_exhausted(void)
{
    (void)fputs("tidelock: out of memory\n", stderr);
    _Exit(1);
}

static size_t checked_product(size_t count, size_t size)
{
    size_t product;

    if (__builtin_mul_overflow(count, size, &product))
        memory_exhausted();
    return product == 0 ? 1 : product;
}

void memory_free(void *memory)
{
    free(memory);
}

void memory_free_at(void *pointer_at)
{
    memory_free(*(void **)pointer_at);
}

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(1, checked_product(count, size));

    if (memory == NULL)
        memory_exhausted();
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t size)
{
    void *resized = realloc(memory, checked_product(count, size));

    if (resized == NULL)
        memory_exhausted();
    return resized;
}

char *memory_copy(const char *text, size_t length)
{
    char *copy = memory_new(length + 1, 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

void *memory_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (items != NULL && count < *capacity)
        return items;
    *capacity = count < 8 ? 16 : count * 2;
    return memory_resize(items, *capacity, size);
}

void memory_wipe(void *memory, size_t length)
{
    if (length > 0)
        explicit_bzero(memory, length);
}

struct arena *arena_new(void)
{
    return memory_new(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->next;
        memory_free(block);
    }
    memory_free(arena);
}

void arena_free_at(struct arena **arena)
{
    arena_free(*arena);
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t wanted = checked_product(count, size);
    struct arena_block *block = arena->blocks;
    void *memory;

    if (wanted > SIZE_MAX / 2)
        memory_exhausted();
    wanted = (wanted + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (block == NULL || block->size - block->used < wanted) {
        size_t room = wanted > ARENA_BLOCK ? wanted : ARENA_BLOCK;

        block = memory_new(1, sizeof *block + room);
        block->size = room;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    memory = (char *)block->bytes + block->used;
    block->used += wanted;
    return memory;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t *capacity, size_t size)
{
    void *more;

    if (items != NULL && count < *capacity)
        return items;
    *capacity = count < 8 ? 16 : count * 2;
    more = arena_alloc(arena, *capacity, size);
    if (items != NULL)
        memcpy(more, items, checked_product(count, size));
    return more;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1, 1);

    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}
