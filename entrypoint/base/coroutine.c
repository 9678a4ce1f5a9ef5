#include "base/coroutine.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#endif

/* As much as a process usually has, since a deeply nested script takes more than half a megabyte. Pages are
 * only there once they are touched; those below the stack never are. */
enum { STACK_SIZE = 8 * 1024 * 1024, GUARD_SIZE = 64 * 1024 };

struct coroutine {
    void (*run)(void *context);
    void *context;
    char *stack; /* with the guard at its lower end */
    void *at;    /* the top of its stack while it is stopped … */
    void *back;  /* … and of the resumer's while it runs */
    bool is_over;
#ifdef __SANITIZE_ADDRESS__
    void *shadow;      /* what the sanitizer keeps for the stack that is left … */
    void *back_shadow; /* … and the same of the resumer's */
    const void *back_stack;
    size_t back_size;
#endif
};

static struct coroutine *current;

/* coroutine_switch(save, to) keeps the registers that a call must preserve on the stack, and its top in
 * *save; goes on where another call of it left `to`. System V ABI, AMD64 supplement, 3.2.1; Procedure Call
 * Standard for the Arm 64-bit Architecture, 6.1. musl has no swapcontext(). */
void coroutine_switch(void **save, void *to);

#if defined(__x86_64__)
enum { FRAME_WORDS = 8, FRAME_RETURN = 6 };
__asm__(
    ".text\n"
    ".globl coroutine_switch\n"
    ".hidden coroutine_switch\n"
    ".type coroutine_switch, @function\n"
    "coroutine_switch:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n"
    ".size coroutine_switch, .-coroutine_switch\n");
#elif defined(__aarch64__)
enum { FRAME_WORDS = 20, FRAME_RETURN = 11 };
__asm__(
    ".text\n"
    ".globl coroutine_switch\n"
    ".hidden coroutine_switch\n"
    ".type coroutine_switch, %function\n"
    "coroutine_switch:\n"
    "    hint #34\n" /* BTI c, which older processors take for no operation */
    "    sub sp, sp, #160\n"
    "    stp x19, x20, [sp, #0]\n"
    "    stp x21, x22, [sp, #16]\n"
    "    stp x23, x24, [sp, #32]\n"
    "    stp x25, x26, [sp, #48]\n"
    "    stp x27, x28, [sp, #64]\n"
    "    stp x29, x30, [sp, #80]\n"
    "    stp d8, d9, [sp, #96]\n"
    "    stp d10, d11, [sp, #112]\n"
    "    stp d12, d13, [sp, #128]\n"
    "    stp d14, d15, [sp, #144]\n"
    "    mov x9, sp\n"
    "    str x9, [x0]\n"
    "    mov sp, x1\n"
    "    ldp x19, x20, [sp, #0]\n"
    "    ldp x21, x22, [sp, #16]\n"
    "    ldp x23, x24, [sp, #32]\n"
    "    ldp x25, x26, [sp, #48]\n"
    "    ldp x27, x28, [sp, #64]\n"
    "    ldp x29, x30, [sp, #80]\n"
    "    ldp d8, d9, [sp, #96]\n"
    "    ldp d10, d11, [sp, #112]\n"
    "    ldp d12, d13, [sp, #128]\n"
    "    ldp d14, d15, [sp, #144]\n"
    "    add sp, sp, #160\n"
    "    ret\n"
    ".size coroutine_switch, .-coroutine_switch\n");
#else
#error "base/coroutine.c does not know this processor's calling convention"
#endif

static void switch_in(struct coroutine *coroutine)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&coroutine->back_shadow, coroutine->stack + GUARD_SIZE, STACK_SIZE);
#endif
    coroutine_switch(&coroutine->back, coroutine->at);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(coroutine->back_shadow, NULL, NULL);
#endif
}

static void arrive(struct coroutine *coroutine, void *shadow)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(shadow, &coroutine->back_stack, &coroutine->back_size);
#else
    (void)coroutine;
    (void)shadow;
#endif
}

static void switch_out(struct coroutine *coroutine)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(coroutine->is_over ? NULL : &coroutine->shadow, coroutine->back_stack,
                                   coroutine->back_size);
    coroutine_switch(&coroutine->at, coroutine->back);
    arrive(coroutine, coroutine->shadow);
#else
    coroutine_switch(&coroutine->at, coroutine->back);
#endif
}

/* Where the first switch arrives: there is nowhere to return to. */
static _Noreturn void begin(void)
{
    struct coroutine *self = current;

    arrive(self, NULL);
    self->run(self->context);
    self->is_over = true;
    switch_out(self);
    abort();
}

struct coroutine *coroutine_new(void (*run)(void *context), void *context)
{
    void (*const start)(void) = begin;
    char *stack = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    struct coroutine *coroutine;
    char *frame;

    if (stack == MAP_FAILED)
        return NULL;
    if (mprotect(stack + GUARD_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(stack, GUARD_SIZE + STACK_SIZE);
        return NULL;
    }
    /* The first touch must not bring two megabytes. A kernel without huge pages says no. */
    (void)madvise(stack, GUARD_SIZE + STACK_SIZE, MADV_NOHUGEPAGE);
    frame = stack + GUARD_SIZE + STACK_SIZE - FRAME_WORDS * sizeof(void *);
    memcpy(frame + FRAME_RETURN * sizeof(void *), &start, sizeof start);
    coroutine = memory_new(1, sizeof *coroutine);
    *coroutine = (struct coroutine) { .run = run, .context = context, .stack = stack, .at = frame };
    return coroutine;
}

void coroutine_free(struct coroutine *coroutine)
{
    if (coroutine == NULL)
        return;
    (void)munmap(coroutine->stack, GUARD_SIZE + STACK_SIZE);
    memory_free(coroutine);
}

bool coroutine_resume(struct coroutine *coroutine)
{
    assert(current == NULL);
    current = coroutine;
    switch_in(coroutine);
    current = NULL;
    return !coroutine->is_over;
}

void coroutine_stop(void)
{
    switch_out(current);
}
