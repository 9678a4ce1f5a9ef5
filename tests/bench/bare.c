/*
 * The floor for the static binary: the bare protocol, no library at all.
 *
 *   bare PORT DATABASE      connects to 127.0.0.1 as postgres (trust), reads the ledger, exits
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char QUERY[] =
    "SELECT migration_name, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, checksum,"
    " started_at, applied_steps_count FROM _prisma_migrations ORDER BY started_at";

static size_t put_string(char *at, const char *text)
{
    size_t length = strlen(text) + 1;

    memcpy(at, text, length);
    return length;
}

static void put_length(char *at, size_t length)
{
    uint32_t big = htonl((uint32_t)length);

    memcpy(at, &big, sizeof big);
}

/* Reads messages until the server is ready for a query; exits on an error. */
static void read_until_ready(FILE *server)
{
    static char body[1 << 16];

    for (;;) {
        int kind = getc(server);
        uint32_t length;

        if (kind == EOF || kind == 'E' || fread(&length, sizeof length, 1, server) != 1)
            exit(1);
        length = ntohl(length) - (uint32_t)sizeof length;
        if (length > sizeof body || fread(body, 1, length, server) != length)
            exit(1);
        if (kind == 'Z')
            return;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char message[1024];
    size_t length = 8;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    FILE *server;

    if (argc != 3)
        return 2;
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    if (descriptor < 0 || connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0)
        return 1;
    server = fdopen(descriptor, "r");
    put_length(message + 4, 3 << 16); /* protocol 3.0 */
    length += put_string(message + length, "user");
    length += put_string(message + length, "postgres");
    length += put_string(message + length, "database");
    length += put_string(message + length, argv[2]);
    message[length++] = '\0';
    put_length(message, length);
    if (write(descriptor, message, length) < 0)
        return 1;
    read_until_ready(server);
    message[0] = 'Q';
    length = 5 + put_string(message + 5, QUERY);
    put_length(message + 1, length - 1);
    if (write(descriptor, message, length) < 0)
        return 1;
    read_until_ready(server);
    return 0;
}
