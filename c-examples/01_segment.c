/* A segment: made, filled, found again by its name, looked through, and removed.
 *
 *   cc 01_segment.c -latoll -o segment && ./segment
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <atoll.h>

/* Most programs want one of these: what failed, and the library's own sentence about it. */
static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

int main(void) {
    const char *name = "atoll-example-segment";
    const atoll_type i64 = ATOLL_TYPE_I64, f64 = ATOLL_TYPE_F64;
    const uint64_t shape[] = {2, 3};

    /* The first program makes it: at most 1 MiB, for this user only. Memory is taken as needed. */
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    options.size = 1 << 20;
    atoll_segment *segment;
    check(atoll_segment_create(name, &options, &segment), "create the segment");

    atoll_value *visits;
    check(atoll_value_create(segment, "visits", &i64, &visits), "create the value");
    const int64_t three = 3;
    check(atoll_value_fetch_add(visits, &three, sizeof three, NULL, 0, NULL), "add");

    atoll_array *grid;
    check(atoll_array_create(segment, "grid", &f64, 2, shape, &grid), "create the array");
    double *cells = atoll_array_data(grid);
    cells[1 * 3 + 2] = 2.5; /* row 1, column 2 */

    /* Another program would know only the names. Opening checks kind, type and shape. */
    atoll_segment *again;
    check(atoll_segment_open(name, NULL, &again), "open the segment");
    atoll_value *found;
    check(atoll_value_open(again, "visits", &i64, &found), "open the value");
    int64_t count;
    check(atoll_value_load(found, &count, sizeof count, NULL), "load");
    printf("visits: %" PRId64 "\n", count);

    atoll_value *wrong;
    if (atoll_value_open(again, "grid", &i64, &wrong) == ATOLL_WRONG_KIND) {
        puts("grid is not a value");
    }

    /* What is in there? */
    atoll_object_info entries[8];
    size_t n;
    check(atoll_segment_list(again, 0, entries, 8, &n), "list");
    for (size_t i = 0; i < n; i++) {
        printf("%s: type %s, %u dimensions\n", entries[i].name, entries[i].type.format,
               (unsigned)entries[i].ndim);
    }
    check(atoll_segment_verify(again), "verify");

    /* Handles may be closed in any order; the name is removed when nobody needs it any more. */
    atoll_segment_close(segment);
    atoll_segment_close(again);
    atoll_value_close(visits);
    atoll_value_close(found);
    atoll_array_close(grid);
    check(atoll_segment_unlink(name), "unlink");
    puts("removed");
    return 0;
}
