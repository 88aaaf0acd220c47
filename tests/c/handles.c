/* NULL, closed and invented handles, and outputs that are NULL: refused, never a fault. */

#include "process.h"

/* Every function that takes a handle, with handles that are all wrong in the same way. */
static void refuse_everything(void *handle, const char *words) {
    const atoll_status no = ATOLL_INVALID_ARGUMENT;
    const uint64_t shape[] = {2};
    atoll_type type = ATOLL_TYPE_I64;
    atoll_segment_info info;
    atoll_object_info entry;
    atoll_member_info dead;
    atoll_owner owner;
    atoll_array_layout layout;
    atoll_mutex *mutex;
    atoll_value *value;
    atoll_array *array;
    int64_t x = 0;
    uint64_t epoch;
    size_t n;
    bool exchanged;
    REFUSED(no, words, atoll_segment_verify(handle));
    REFUSED(no, words, atoll_segment_stat(handle, &info));
    REFUSED(no, words, atoll_segment_list(handle, 0, &entry, 1, &n));
    REFUSED(no, words, atoll_segment_wait_death(handle, 0, 0, &epoch, &dead));

    REFUSED(no, words, atoll_mutex_create(handle, "m", NULL, &mutex));
    REFUSED(no, words, atoll_mutex_open(handle, "m", NULL, &mutex));
    REFUSED(no, words, atoll_mutex_open_or_create(handle, "m", NULL, &mutex));
    REFUSED(no, words, atoll_mutex_lock(handle, 0));
    REFUSED(no, words, atoll_mutex_unlock(handle));
    REFUSED(no, words, atoll_mutex_mark_consistent(handle));
    REFUSED(no, words, atoll_mutex_owner(handle, &owner));
    REFUSED(no, words, atoll_mutex_dead_owner(handle, &owner));

    REFUSED(no, words, atoll_value_create(handle, "v", &type, &value));
    REFUSED(no, words, atoll_value_open(handle, "v", &type, &value));
    REFUSED(no, words, atoll_value_open_or_create(handle, "v", &type, &value));
    REFUSED(no, words, atoll_value_type(handle, &type));
    REFUSED(no, words, atoll_value_load(handle, &x, sizeof x, NULL));
    REFUSED(no, words, atoll_value_store(handle, &x, sizeof x, 0));
    REFUSED(no, words, atoll_value_swap(handle, &x, sizeof x, 0, &x, sizeof x, NULL));
    REFUSED(
        no, words,
        atoll_value_compare_exchange(handle, &x, &x, sizeof x, 0, &x, sizeof x, NULL, &exchanged));
    REFUSED(no, words, atoll_value_fetch_add(handle, &x, sizeof x, NULL, 0, NULL));
    REFUSED(no, words, atoll_value_fetch_sub(handle, &x, sizeof x, NULL, 0, NULL));
    REFUSED(no, words, atoll_value_fetch_min(handle, &x, sizeof x, NULL, 0, NULL));
    REFUSED(no, words, atoll_value_fetch_max(handle, &x, sizeof x, NULL, 0, NULL));
    REFUSED(no, words, atoll_value_fetch_and(handle, &x, sizeof x, NULL, 0, NULL));
    REFUSED(no, words, atoll_value_fetch_or(handle, &x, sizeof x, NULL, 0, NULL));
    REFUSED(no, words, atoll_value_fetch_xor(handle, &x, sizeof x, NULL, 0, NULL));
    CHECK(atoll_value_data(handle) == NULL);

    type.code = ATOLL_I64;
    REFUSED(no, words, atoll_array_create(handle, "a", &type, 1, shape, &array));
    REFUSED(no, words, atoll_array_open(handle, "a", &type, 1, shape, &array));
    REFUSED(no, words, atoll_array_open_or_create(handle, "a", &type, 1, shape, &array));
    REFUSED(no, words, atoll_array_info(handle, &layout));
    CHECK(atoll_array_data(handle) == NULL);
}

static void null_handles(void) {
    refuse_everything(NULL, "NULL");
}

static void invented_handles(void) {
    const uintptr_t numbers[] = {1, 4096, 0x7fffffffffffffff, UINTPTR_MAX};
    int local;
    for (int i = 0; i < 4; i++) refuse_everything((void *)numbers[i], "handle");
    refuse_everything(&local, "handle");
}

static void closing_null_is_allowed(void) {
    EXPECT(ATOLL_OK, atoll_segment_close(NULL));
    EXPECT(ATOLL_OK, atoll_mutex_close(NULL));
    EXPECT(ATOLL_OK, atoll_value_close(NULL));
    EXPECT(ATOLL_OK, atoll_array_close(NULL));
}

static void closed_handles(void) {
    const char *name = fresh_name();
    const uint64_t shape[] = {2};
    atoll_type type = ATOLL_TYPE_I64;
    atoll_segment *segment = new_segment(name);
    atoll_mutex *mutex;
    atoll_value *value;
    atoll_array *array;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &type, &value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "a", &type, 1, shape, &array));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(segment, name);

    refuse_everything(segment, "closed");
    refuse_everything(mutex, "closed");
    refuse_everything(value, "closed");
    refuse_everything(array, "closed");
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_segment_close(segment));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_mutex_close(mutex));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_value_close(value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "closed", atoll_array_close(array));
}

/* One noun's handle given to another noun's function. */
static void handles_of_another_noun(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_mutex *mutex;
    atoll_segment_info info;
    int64_t x = 0;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    REFUSED(ATOLL_INVALID_ARGUMENT, "mutex", atoll_segment_stat((atoll_segment *)mutex, &info));
    REFUSED(ATOLL_INVALID_ARGUMENT, "mutex",
            atoll_value_load((atoll_value *)mutex, &x, sizeof x, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "segment", atoll_mutex_lock((atoll_mutex *)segment, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "segment", atoll_array_close((atoll_array *)segment));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static void outputs_that_are_null(void) {
    const atoll_status no = ATOLL_INVALID_ARGUMENT;
    const char *name = fresh_name();
    const uint64_t shape[] = {2};
    atoll_type type = ATOLL_TYPE_I64;
    atoll_segment *segment = new_segment(name);
    atoll_segment_info info;
    atoll_object_info entry;
    atoll_member_info dead;
    atoll_mutex *mutex;
    atoll_value *value, *no_value;
    atoll_array *array, *no_array;
    int64_t x = 0;
    uint64_t epoch;
    size_t n;
    bool exchanged;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &type, &value));
    EXPECT(ATOLL_OK, atoll_array_create(segment, "a", &type, 1, shape, &array));

    REFUSED(no, "out", atoll_segment_create("other", NULL, NULL));
    REFUSED(no, "out", atoll_segment_open(name, NULL, NULL));
    REFUSED(no, "out", atoll_segment_open_or_create("other", NULL, NULL));
    REFUSED(no, "out", atoll_segment_stat(segment, NULL));
    REFUSED(no, "entries", atoll_segment_list(segment, 0, NULL, 1, &n));
    REFUSED(no, "out_n", atoll_segment_list(segment, 0, &entry, 1, NULL));
    REFUSED(no, "out_epoch", atoll_segment_wait_death(segment, 0, 0, NULL, &dead));
    REFUSED(no, "out", atoll_segment_wait_death(segment, 0, 0, &epoch, NULL));
    REFUSED(no, "out", atoll_mutex_create(segment, "other", NULL, NULL));
    REFUSED(no, "out", atoll_mutex_open(segment, "m", NULL, NULL));
    REFUSED(no, "out", atoll_mutex_owner(mutex, NULL));
    REFUSED(no, "out", atoll_mutex_dead_owner(mutex, NULL));
    REFUSED(no, "out", atoll_value_create(segment, "other", &type, NULL));
    REFUSED(no, "type", atoll_value_create(segment, "other", NULL, &no_value));
    REFUSED(no, "out", atoll_value_type(value, NULL));
    REFUSED(no, "out", atoll_value_load(value, NULL, sizeof x, NULL));
    REFUSED(no, "bytes", atoll_value_store(value, NULL, sizeof x, 0));
    REFUSED(no, "bytes", atoll_value_swap(value, NULL, sizeof x, 0, &x, sizeof x, NULL));
    REFUSED(no, "out_old", atoll_value_swap(value, &x, sizeof x, 0, NULL, sizeof x, NULL));
    REFUSED(
        no, "expected",
        atoll_value_compare_exchange(value, NULL, &x, sizeof x, 0, &x, sizeof x, NULL, &exchanged));
    REFUSED(
        no, "desired",
        atoll_value_compare_exchange(value, &x, NULL, sizeof x, 0, &x, sizeof x, NULL, &exchanged));
    REFUSED(no, "out_exchanged",
            atoll_value_compare_exchange(value, &x, &x, sizeof x, 0, &x, sizeof x, NULL, NULL));
    REFUSED(no, "operand", atoll_value_fetch_add(value, NULL, sizeof x, NULL, 0, NULL));
    REFUSED(no, "out_old", atoll_value_fetch_add(value, &x, sizeof x, NULL, sizeof x, NULL));
    REFUSED(no, "out", atoll_array_create(segment, "other", &type, 1, shape, NULL));
    REFUSED(no, "type", atoll_array_create(segment, "other", NULL, 1, shape, &no_array));
    REFUSED(no, "out", atoll_array_info(array, NULL));

    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.objects == 3); /* nothing named "other" came to be */
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(segment, name);
}

int main(void) {
    RUN(null_handles);
    RUN(invented_handles);
    RUN(closing_null_is_allowed);
    RUN(closed_handles);
    RUN(handles_of_another_noun);
    RUN(outputs_that_are_null);
    return any_failed;
}
