/* What every consumer builds: a segment, a lock, a value stored and checked. */

#include <atoll.h>
#include <stdio.h>

static int failed(const char *what) {
    atoll_error last;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(last.status), last.text);
    return 1;
}

int main(int argc, char **argv) {
    const atoll_type type = ATOLL_TYPE_I64;
    const int64_t stored = 42;
    int64_t loaded = 0;
    atoll_segment *segment;
    atoll_mutex *mutex;
    atoll_value *value;
    if (argc != 2) return 2;
    if (atoll_segment_create(argv[1], NULL, &segment) != ATOLL_OK) return failed("create");
    if (atoll_mutex_create(segment, "guard", NULL, &mutex) != ATOLL_OK) return failed("mutex");
    if (atoll_value_create(segment, "value", &type, &value) != ATOLL_OK) return failed("value");
    if (atoll_mutex_lock(mutex, ATOLL_FOREVER) != ATOLL_OK) return failed("lock");
    if (atoll_value_store(value, &stored, sizeof stored, 0) != ATOLL_OK) return failed("store");
    if (atoll_value_load(value, &loaded, sizeof loaded, NULL) != ATOLL_OK) return failed("load");
    if (atoll_mutex_unlock(mutex) != ATOLL_OK) return failed("unlock");
    atoll_value_close(value);
    atoll_mutex_close(mutex);
    atoll_segment_close(segment);
    if (atoll_segment_unlink(argv[1]) != ATOLL_OK) return failed("unlink");
    printf("atoll %s: %d\n", atoll_version(), (int)loaded);
    return loaded == stored ? 0 : 1;
}
