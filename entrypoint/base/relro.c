/*
 * Read-only relocations in a static binary.
 *
 * What the linker marks as read-only after relocation is sealed by the dynamic loader. A static program of
 * musl has none, and musl's own start-up code does not do it: GOT and constant pointers would stay writable.
 * So the program does it, before main. With glibc there is nothing to do.
 */
#include <features.h>

#ifndef __GLIBC__

#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RELRO_FAILED = 127 };

/* The linker's: where this program begins in memory. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

__attribute__((constructor)) static void relro_seal(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < __ehdr_start.e_phnum; i++) {
        uintptr_t from = (base + headers[i].p_vaddr) & ~(page - 1);
        uintptr_t to = (base + headers[i].p_vaddr + headers[i].p_memsz) & ~(page - 1);

        if (headers[i].p_type == PT_GNU_RELRO && to > from &&
            mprotect((void *)from, to - from, PROT_READ) != 0)
            _exit(RELRO_FAILED);
    }
}

#else

/* ISO C does not allow an empty file. */
typedef int relro_is_sealed_by_the_loader;

#endif
