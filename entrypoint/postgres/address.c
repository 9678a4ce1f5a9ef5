#include "postgres/address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/event_loop.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/thread.h"

enum { HOSTS_MOST = 16, ADDRESSES_MOST = 8, ADDRESS_BYTES = INET6_ADDRSTRLEN, LIST_BYTES_MOST = 64 * 1024 };

struct host {
    struct slice name;
    struct slice port;
    bool is_name; /* must be looked up */
    struct lookup *lookup;
};

/* Shared with its thread; the last user frees it. */
struct lookup {
    char *name;
    int done; /* the end of the pipe that wakes the waiting side */
    atomic_int holders;
    atomic_bool is_done;
    int failure; /* of getaddrinfo */
    size_t count;
    char addresses[ADDRESSES_MOST][ADDRESS_BYTES];
};

static void lookup_release(struct lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) != 1)
        return;
    (void)close(lookup->done);
    memory_free(lookup->name);
    memory_free(lookup);
}

static void take_addresses(struct lookup *lookup, const struct addrinfo *found)
{
    for (; found != NULL && lookup->count < ADDRESSES_MOST; found = found->ai_next) {
        if (getnameinfo(found->ai_addr, found->ai_addrlen, lookup->addresses[lookup->count], ADDRESS_BYTES,
                        NULL, 0, NI_NUMERICHOST) == 0)
            lookup->count++;
    }
}

static void look_up(struct lookup *lookup, int family)
{
    struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;

    lookup->failure = getaddrinfo(lookup->name, NULL, &hints, &found);
    if (lookup->failure != 0)
        return;
    take_addresses(lookup, found);
    freeaddrinfo(found);
}

static void *lookup_thread(void *argument)
{
    struct lookup *lookup = argument;

    look_up(lookup, AF_UNSPEC);
    if (lookup->failure != 0)
        look_up(lookup, AF_INET);
    atomic_store(&lookup->is_done, true);
    /* The other side may be gone; then the pipe is just full or broken. */
    if (write(lookup->done, "", 1) < 0)
        lookup->failure = EAI_SYSTEM;
    lookup_release(lookup);
    return NULL;
}

static struct lookup *lookup_start(struct slice name, int done)
{
    struct lookup *lookup = memory_new(1, sizeof *lookup);

    lookup->name = memory_copy(name.at, name.length);
    lookup->done = fcntl(done, F_DUPFD_CLOEXEC, 0);
    atomic_init(&lookup->holders, 2);
    if (thread_start(lookup_thread, lookup))
        return lookup;
    lookup->failure = EAI_AGAIN;
    atomic_store(&lookup->is_done, true);
    lookup_release(lookup);
    return lookup;
}

/* Splits one of libpq's lists at its commas; 0 if there are more than fit. */
static size_t split_list(const char *list, struct slice out[HOSTS_MOST])
{
    for (size_t count = 0; count < HOSTS_MOST; list++) {
        size_t length = strcspn(list, ",");

        out[count++] = (struct slice) { list, length };
        list += length;
        if (*list == '\0')
            return count;
    }
    return 0;
}

static bool is_host_name(struct slice host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char name[ADDRESS_BYTES];

    if (host.length == 0 || host.at[0] == '/' || host.at[0] == '@')
        return false;
    if (host.length >= sizeof name)
        return true;
    memcpy(name, host.at, host.length);
    name[host.length] = '\0';
    /* An IPv6 address may have a zone, which inet_pton() does not accept; no name contains a colon. */
    return inet_pton(AF_INET, name, address) != 1 && strchr(name, ':') == NULL;
}

/* The hosts to look up; 0 if there is nothing to do, or if it is left to libpq. */
static size_t read_hosts(const struct endpoint *where, struct host hosts[HOSTS_MOST])
{
    const char *list = endpoint_value(where, "host");
    const char *port = endpoint_value(where, "port");
    struct slice names[HOSTS_MOST];
    struct slice ports[HOSTS_MOST] = { { "", 0 } };
    bool has_name = false;
    size_t count;
    size_t port_count;

    if (list == NULL || endpoint_value(where, "hostaddr") != NULL)
        return 0;
    count = split_list(list, names);
    port_count = port == NULL ? 1 : split_list(port, ports);
    if (port_count != 1 && port_count != count)
        return 0;
    for (size_t i = 0; i < count; i++) {
        hosts[i] = (struct host) { names[i], ports[port_count == 1 ? 0 : i], is_host_name(names[i]), NULL };
        has_name |= hosts[i].is_name;
    }
    return has_name ? count : 0;
}

static bool all_done(const struct host *hosts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hosts[i].is_name && !atomic_load(&hosts[i].lookup->is_done))
            return false;
    }
    return true;
}

/* Whether all were looked up before the deadline and before a signal. */
static bool wait_for_lookups(const struct host *hosts, size_t count, int done, struct deadline until)
{
    while (!all_done(hosts, count)) {
        struct pollfd watched[2] = { { .fd = done, .events = POLLIN },
                                     { .fd = signals_descriptor(), .events = POLLIN } };
        char byte;

        if (signals_pending() != 0 || deadline_passed(until))
            return false;
        (void)event_loop_poll(watched, 2, deadline_left_ms(until));
        if ((watched[0].revents & POLLIN) != 0 && read(done, &byte, 1) < 0)
            return false;
    }
    return true;
}

static void add_item(struct text *list, bool is_first, const char *at, size_t length)
{
    if (!is_first)
        text_add(list, ",", 1);
    text_add(list, at, length);
}

static bool was_found(const struct host *host)
{
    return !host->is_name || (atomic_load(&host->lookup->is_done) && host->lookup->count > 0);
}

/* Writes the three lists as libpq requires them: of equal length. Returns whether they contain any host. */
static bool write_hosts(struct arena *arena, const struct host *hosts, size_t count, struct endpoint *out)
{
    auto_text struct text names = text_init(LIST_BYTES_MOST);
    auto_text struct text addresses = text_init(LIST_BYTES_MOST);
    auto_text struct text ports = text_init(LIST_BYTES_MOST);
    bool is_first = true;

    for (size_t i = 0; i < count; i++) {
        size_t entries = hosts[i].is_name ? hosts[i].lookup->count : 1;

        if (!was_found(&hosts[i]))
            continue;
        for (size_t j = 0; j < entries; j++) {
            const char *address = hosts[i].is_name ? hosts[i].lookup->addresses[j] : "";

            add_item(&names, is_first, hosts[i].name.at, hosts[i].name.length);
            add_item(&addresses, is_first, address, strlen(address));
            add_item(&ports, is_first, hosts[i].port.at, hosts[i].port.length);
            is_first = false;
        }
    }
    if (is_first)
        return false;
    endpoint_set(out, "host", arena_copy(arena, names.at, names.length));
    endpoint_set(out, "hostaddr", arena_copy(arena, addresses.at, addresses.length));
    endpoint_set(out, "port", arena_copy(arena, ports.at, ports.length));
    return true;
}

/* In libpq's wording, which refusal_explain() knows. */
static void describe_failure(const struct host *host, struct text *said)
{
    bool is_done = atomic_load(&host->lookup->is_done);

    text_add_format(said, "could not translate host name \"%.*s\" to address: %s", (int)host->name.length,
                    host->name.at,
                    is_done ? gai_strerror(host->lookup->failure) : "no answer from the nameserver");
}

static enum refusal_stage conclude(struct arena *arena, const struct host *hosts, size_t count,
                                   struct endpoint *out, struct text *said)
{
    const struct host *missing = NULL;

    for (size_t i = 0; i < count; i++) {
        if (was_found(&hosts[i]))
            continue;
        missing = &hosts[i];
        text_reset(said);
        describe_failure(missing, said);
    }
    if (!write_hosts(arena, hosts, count, out))
        return REFUSED_WITH_WORDS;
    if (missing != NULL)
        log_warn("%s; continuing with the other hosts", said->at);
    return REFUSED_NOT;
}

enum refusal_stage address_resolve(struct arena *arena, const struct endpoint *where, struct deadline until,
                                   struct endpoint *out, struct text *said)
{
    struct host hosts[HOSTS_MOST];
    size_t count = read_hosts(where, hosts);
    enum refusal_stage stage;
    int done[2];

    *out = *where;
    if (count == 0 || pipe2(done, O_CLOEXEC) != 0)
        return REFUSED_NOT;
    /* A dead name must leave time for the hosts that are alive. */
    if (count > 1 && !deadline_is_never(until))
        until = deadline_in(deadline_left_ms(until) / 2);
    for (size_t i = 0; i < count; i++) {
        if (hosts[i].is_name)
            hosts[i].lookup = lookup_start(hosts[i].name, done[1]);
    }
    (void)wait_for_lookups(hosts, count, done[0], until);
    stage = signals_pending() != 0 ? REFUSED_BY_SIGNAL : conclude(arena, hosts, count, out, said);
    for (size_t i = 0; i < count; i++) {
        if (hosts[i].is_name)
            lookup_release(hosts[i].lookup);
    }
    (void)close(done[0]);
    (void)close(done[1]);
    return stage;
}
