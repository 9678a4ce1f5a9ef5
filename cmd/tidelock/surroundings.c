#include "surroundings.h"

#include <stddef.h>

const struct surrounding ENVIRONMENT[] = {
    { "PGHOST, PGHOSTADDR, PGPORT, PGUSER, PGDATABASE, PGSERVICE, PGSERVICEFILE, PGPASSFILE, PGOPTIONS, PGSSLMODE, PGSSLROOTCERT",
      "Where the database is, if its URL does not say; libpq's other variables work, too." },
    { "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK", "Ignored, with a warning: the leader lock is always taken." },
    { "GOOSE_MIGRATION_DIR, DBMATE_MIGRATIONS_DIR",
      "The folder of migrations, if --migrations does not say it." },
    { "GOOSE_TABLE, DBMATE_MIGRATIONS_TABLE, FLYWAY_TABLE",
      "The tool's ledger, if --ledger does not say it." },
    { "FLYWAY_DEFAULT_SCHEMA, FLYWAY_SCHEMAS",
      "The schema of Flyway's ledger: the first of them that is set, and of a list its first entry." },
    { "FLYWAY_OUT_OF_ORDER, FLYWAY_MIXED, FLYWAY_EXECUTE_IN_TRANSACTION",
      "How Flyway would apply the folder: its settings hold here, too." },
    { "FLYWAY_PLACEHOLDER_PREFIX, FLYWAY_PLACEHOLDER_SUFFIX, FLYWAY_PLACEHOLDER_REPLACEMENT",
      "What stands around a placeholder in Flyway's scripts, and whether any are replaced. "
      "FLYWAY_PLACEHOLDERS_NAME is the value of NAME." },
    { "SSL_CERT_FILE", "The CA certificates to trust, instead of those of the machine or image." },
    { "https_proxy, http_proxy, no_proxy",
      "The proxy for the webhook, the Pushgateway and the password services; not for the Kubernetes API "
      "and the clouds' metadata services." },
    { "POD_NAME, POD_NAMESPACE, POD_UID",
      "The pod: its name tells others who leads, and Events are about it." },
    { "JOB_NAME, JOB_UID", "The Job that Events are about." },
    { "JOB_COMPLETION_INDEX", "Which part of the tenants is meant by --shard /N: 0 is the first." },
    { "KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT", "The Kubernetes API, for --lease and --events." },
    { "AWS_REGION, AWS_DEFAULT_REGION", "The region, if the host name does not contain it." },
    { "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Credentials for AWS." },
    { "AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, AWS_WEB_IDENTITY_TOKEN_FILE",
      "The role to assume with a service account's token (IRSA)." },
    { "AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, "
      "AWS_CONTAINER_AUTHORIZATION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
      "Where EKS Pod Identity or ECS provides credentials." },
    { "AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_SECRETS_MANAGER", "Other addresses for these services." },
    { "AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE, "
      "AZURE_POD_IDENTITY_AUTHORITY_HOST",
      "Workload identity, or which managed identity to use." },
    { "GCE_METADATA_HOST", "Another address for Google's metadata server." },
    { "VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT, VAULT_TOKEN",
      "Where Vault is, and the token for it if no --vault-role is given." },
    { "PATH", "Where run looks for CMD." },
    { "NO_COLOR, TERM", "No colors if NO_COLOR is set; neither colors nor signs if TERM is dumb." },
    { "COLUMNS", "The width of a terminal that does not tell it." },
    { NULL, NULL },
};

const struct surrounding FILES[] = {
    { "tidelock.yaml", "The configuration, unless --config names another file." },
    { "prisma.config.ts, package.json",
      "Where the migrations are, if --migrations and --schema do not say it and Prisma's own configuration "
      "does, as a plain string." },
    { "prisma/migrations, prisma/schema/migrations, migrations, db/migrations, sql/migrations, drizzle, "
      "db/migration, src/main/resources/db/migration, sql",
      "The migrations, if nothing says where they are. With --format, only the usual folders of that tool are "
      "tried." },
    { "sqlx.toml", "Beside a folder of sqlx: it is checked; a table-name has to be named by --ledger, too." },
    { "/dev/termination-log",
      "If it exists, how the run ended is written to it as one line of JSON; see --termination-log." },
    { NULL, NULL },
};
