// The workload of the SQLite benchmark: `sqlite FILE ROWS` (FILE may be `:memory:`) creates tables, inserts ROWS rows, indexes,
// joins, aggregates, updates, deletes, and prints every result, so that runs can be compared byte for byte.
#include "sqlite3.h"

#include <stdio.h>
#include <stdlib.h>

static sqlite3 *db;

static void check(int status, const char *what) {
    if (status == SQLITE_OK || status == SQLITE_DONE || status == SQLITE_ROW) return;
    fflush(stdout);
    fprintf(stderr, "sqlite: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

// Prepares, runs to the end and prints each row with its columns between bars.
static void query(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), sql);
    int status;
    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const unsigned char *text = sqlite3_column_text(statement, i);
            printf("%s%s", i ? "|" : "", text ? (const char *)text : "NULL");
        }
        putchar('\n');
    }
    check(status, sql);
    sqlite3_finalize(statement);
}

static unsigned next_random(unsigned *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static void insert(int rows) {
    static const char *const cities[] = { "Aarhus", "Bergen", "Cadiz", "Dijon", "Essen", "Faro", "Genoa", "Hasselt" };
    sqlite3_stmt *person, *order;
    check(sqlite3_prepare_v2(db, "INSERT INTO person VALUES (?1, ?2, ?3, ?4)", -1, &person, NULL), "prepare");
    check(sqlite3_prepare_v2(db, "INSERT INTO purchase(person, price, note) VALUES (?1, ?2, ?3)", -1, &order, NULL), "prepare");
    unsigned seed = 2463534242u;
    char name[32];
    for (int i = 1; i <= rows; i++) {
        snprintf(name, sizeof name, "person %x", next_random(&seed) & 0xfffff);
        sqlite3_bind_int(person, 1, i);
        sqlite3_bind_text(person, 2, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(person, 3, cities[next_random(&seed) & 7], -1, SQLITE_STATIC);
        sqlite3_bind_double(person, 4, next_random(&seed) % 1000 / 8.0);
        check(sqlite3_step(person), "insert person");
        sqlite3_reset(person);
        if (i % 2 == 0) {
            sqlite3_bind_int(order, 1, (int)(next_random(&seed) % (unsigned)i) + 1);
            sqlite3_bind_double(order, 2, next_random(&seed) % 10000 / 100.0);
            sqlite3_bind_text(order, 3, name + 7, -1, SQLITE_TRANSIENT);
            check(sqlite3_step(order), "insert purchase");
            sqlite3_reset(order);
        }
    }
    sqlite3_finalize(person);
    sqlite3_finalize(order);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: sqlite FILE|:memory: ROWS\n");
        return 2;
    }
    check(sqlite3_open(argv[1], &db), "open");
    query("PRAGMA journal_mode = DELETE");
    query("CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, city TEXT, weight REAL)");
    query("CREATE TABLE purchase(id INTEGER PRIMARY KEY, person INTEGER, price REAL, note TEXT)");
    query("BEGIN");
    insert(atoi(argv[2]));
    query("COMMIT");
    query("CREATE INDEX by_city ON person(city, weight)");
    query("CREATE INDEX by_person ON purchase(person)");
    query("SELECT city, count(*), round(avg(weight), 3), min(name), max(name) FROM person GROUP BY city ORDER BY city");
    query("SELECT p.city, count(*), round(sum(b.price), 2) AS total FROM person p JOIN purchase b ON b.person = p.id "
          "WHERE p.weight > 60 GROUP BY p.city ORDER BY total DESC");
    query("SELECT count(*) FROM person WHERE name LIKE '%ab%' OR substr(name, -2) = 'ff'");
    query("UPDATE person SET weight = weight * 1.5, city = upper(city) WHERE id % 3 = 0");
    query("SELECT city, count(*), round(total(weight), 3) FROM person GROUP BY city HAVING count(*) > 10 ORDER BY 1");
    query("WITH RECURSIVE fib(i, a, b) AS (SELECT 1, 0, 1 UNION ALL SELECT i + 1, b, a + b FROM fib WHERE i < 60) "
          "SELECT max(a), group_concat(a, ',') FROM (SELECT a FROM fib WHERE i % 12 = 0)");
    query("SELECT name, weight, rank() OVER (ORDER BY weight DESC, name) FROM person WHERE city = 'FARO' ORDER BY 3 LIMIT 5");
    query("DELETE FROM purchase WHERE price < 20");
    query("SELECT count(*), round(sum(price), 2) FROM purchase");
    query("SELECT json_group_array(json_object('city', city, 'n', n)) FROM (SELECT city, count(*) n FROM person GROUP BY city)");
    query("PRAGMA integrity_check");
    check(sqlite3_close(db), "close");
    return 0;
}
