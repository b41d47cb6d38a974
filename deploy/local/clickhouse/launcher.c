/* Starts the ClickHouse that lives in libchdb.so: its arguments are those of clickhouse-local, and a query among them
 * opens the HTTP and TCP servers (see stack.sh). Returns when that query ends, which SYSTEM SHUTDOWN makes it do. */
#include <stdio.h>

typedef struct chdb_result chdb_result;
chdb_result *chdb_query_cmdline(int argc, char **argv);
const char *chdb_result_error(chdb_result *result);

int main(int argc, char **argv)
{
    chdb_result *result = chdb_query_cmdline(argc, argv);
    const char *error = result ? chdb_result_error(result) : "the engine returned nothing";
    if (error) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    return 0;
}
