/*
 * The floor that deployments are measured against: bare libpq, nothing checked that need not be.
 *
 *   floor read URL           connects, reads the ledger, exits
 *   floor apply URL FILE...  connects; for each file: BEGIN, the script, one INSERT, COMMIT
 *   floor many N LIST        the same for each URL of the list, a line each, by N processes at a time
 *   floor many N LIST FILE...
 *   floor time N COMMAND...  runs the command N times and prints the median of its wall microseconds
 *   floor peak COMMAND...    runs the command and prints its peak resident kilobytes; from here and not from
 * a big interpreter, whose own size a forked child would be charged with
 */
#include <fcntl.h>
#include <libpq-fe.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void must(PGconn *conn, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        (void)fputs(PQerrorMessage(conn), stderr);
        exit(1);
    }
    PQclear(result);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long size;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0)
        exit(1);
    bytes = calloc(1, (size_t)size + 1);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        exit(1);
    (void)fclose(file);
    return bytes;
}

static void apply(PGconn *conn, const char *path)
{
    const char *const row[] = { path };
    char *script = read_file(path);

    must(conn, PQexec(conn, "BEGIN"));
    must(conn, PQexec(conn, script));
    must(conn, PQexecParams(conn,
                            "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at,"
                            " applied_steps_count) VALUES (gen_random_uuid()::text, '', $1, now(), 1)",
                            1, NULL, row, NULL, NULL, 0));
    must(conn, PQexec(conn, "COMMIT"));
    free(script);
}

static int compare(const void *one, const void *other)
{
    double left = *(const double *)one;
    double right = *(const double *)other;

    return (left > right) - (left < right);
}

static double once(char **command)
{
    posix_spawn_file_actions_t actions;
    struct timespec from;
    struct timespec to;
    pid_t child;
    int status;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (posix_spawn(&child, command[0], &actions, NULL, command, environ) != 0 ||
        waitpid(child, &status, 0) != child || status != 0)
        exit(1);
    clock_gettime(CLOCK_MONOTONIC, &to);
    posix_spawn_file_actions_destroy(&actions);
    return (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
}

static int time_command(size_t runs, char **command)
{
    double *took = calloc(runs, sizeof *took);

    if (took == NULL || runs == 0)
        return 1;
    for (size_t i = 0; i < runs; i++)
        took[i] = once(command);
    qsort(took, runs, sizeof *took, compare);
    (void)printf("%.0f\n", took[runs / 2]);
    free(took);
    return 0;
}

static int peak(char **command)
{
    struct rusage usage;
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (freopen("/dev/null", "w", stdout) != NULL)
            (void)execv(command[0], command);
        _exit(127);
    }
    if (wait4(child, &status, 0, &usage) != child || status != 0)
        return 1;
    (void)printf("%ld\n", usage.ru_maxrss);
    return 0;
}

static PGconn *connect_to(const char *url)
{
    PGconn *conn = PQconnectdb(url);

    if (PQstatus(conn) != CONNECTION_OK) {
        (void)fputs(PQerrorMessage(conn), stderr);
        exit(1);
    }
    return conn;
}

static void read_ledger(PGconn *conn)
{
    must(conn, PQexec(conn,
                      "SELECT migration_name, finished_at, rolled_back_at FROM _prisma_migrations"
                      " ORDER BY started_at"));
}

static void work(const char *url, char **files)
{
    PGconn *conn = connect_to(url);

    if (*files == NULL)
        read_ledger(conn);
    for (; *files != NULL; files++)
        apply(conn, *files);
    PQfinish(conn);
}

/* Each of the processes takes every Nth line. */
static int many(int processes, const char *list, char **files)
{
    int failed = 0;

    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            char *urls = read_file(list);
            char *rest = urls;
            char *url;

            for (int line = 0; (url = strsep(&rest, "\n")) != NULL && *url != '\0'; line++) {
                if (line % processes == i)
                    work(url, files);
            }
            exit(0);
        }
    }
    for (int status; wait(&status) > 0;)
        failed += status != 0;
    return failed != 0;
}

int main(int argc, char **argv)
{
    PGconn *conn;

    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "peak") == 0)
        return peak(argv + 2);
    if (strcmp(argv[1], "time") == 0 && argc > 3)
        return time_command((size_t)atoi(argv[2]), argv + 3);
    if (strcmp(argv[1], "many") == 0 && argc > 3)
        return many(atoi(argv[2]), argv[3], argv + 4);
    conn = connect_to(argv[2]);
    if (strcmp(argv[1], "read") == 0)
        read_ledger(conn);
    for (int i = 3; i < argc; i++)
        apply(conn, argv[i]);
    PQfinish(conn);
    return 0;
}
