#include <string.h>

#include "config/url.h"

void endpoint_add_server(struct slice host, struct slice port, struct text *out)
{
    bool is_address = memchr(host.at, ':', host.length) != NULL; /* of IPv6 */

    text_add_format(out, is_address ? "[%.*s]:%.*s" : "%.*s:%.*s", (int)host.length, host.at,
                    port.length == 0 ? 4 : (int)port.length, port.length == 0 ? "5432" : port.at);
}

/* Cuts the first item off a list with commas. */
static struct slice take_item(struct slice *list)
{
    const char *comma = list->length == 0 ? NULL : memchr(list->at, ',', list->length);
    struct slice item = { list->at, comma == NULL ? list->length : (size_t)(comma - list->at) };

    list->at += item.length + (comma != NULL);
    list->length -= item.length + (comma != NULL);
    return item;
}

const char *endpoint_label(struct arena *arena, const struct endpoint *endpoint)
{
    auto_text struct text label = text_init(2048);
    const char *host = endpoint_value(endpoint, "host");
    const char *port = endpoint_value(endpoint, "port");
    const char *address = endpoint_value(endpoint, "hostaddr");
    struct slice hosts = slice_of(host != NULL ? host : address == NULL ? "" : address);
    struct slice ports = slice_of(port == NULL ? "" : port);
    struct slice last = ports;

    while (hosts.length > 0) {
        struct slice one = take_item(&hosts);

        if (ports.length > 0)
            last = take_item(&ports);
        text_add_string(&label, label.length == 0 ? "" : ", ");
        endpoint_add_server(one, last, &label);
    }
    return arena_copy(arena, label.at, label.length);
}
