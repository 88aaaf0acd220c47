/* Arrays: shapes, zero copy, alignment. */

#include "process.h"

static void elements_are_plain_shared_memory(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type type = ATOLL_TYPE_F64;
    const uint64_t shape[] = {3, 4};
    atoll_array_layout layout;
    atoll_array *grid, *same;
    double *cells, *seen;
    EXPECT(ATOLL_OK, atoll_array_create(segment, "grid", &type, 2, shape, &grid));
    EXPECT(ATOLL_OK, atoll_array_info(grid, &layout));
    CHECK(layout.type.code == ATOLL_F64 && layout.type.size == 8 &&
          strcmp(layout.type.format, "<d") == 0);
    CHECK(layout.ndim == 2 && layout.shape[0] == 3 && layout.shape[1] == 4);
    CHECK(layout.length == 12 && layout.bytes == 96);
    cells = atoll_array_data(grid);
    CHECK(cells != NULL && (uintptr_t)cells % 64 == 0);
    for (int i = 0; i < 12; i++) CHECK(cells[i] == 0);
    cells[11] = 4.5;
    EXPECT(ATOLL_OK, atoll_array_open(segment, "grid", NULL, 0, NULL, &same)); /* whatever it is */
    seen = atoll_array_data(same);
    CHECK(seen[11] == 4.5);
    EXPECT(ATOLL_OK, atoll_array_close(same));
    EXPECT(ATOLL_OK, atoll_array_close(grid));
    end_segment(segment, name);
}

static void write_the_last(void *array) {
    int32_t *cells = atoll_array_data(array);
    cells[99] = 7;
}

static void processes_see_each_others_elements(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type type = ATOLL_TYPE_I32;
    const uint64_t shape[] = {100};
    atoll_array *array;
    EXPECT(ATOLL_OK, atoll_array_create(segment, NULL, &type, 1, shape, &array));
    in_child(write_the_last, array);
    CHECK(((int32_t *)atoll_array_data(array))[99] == 7);
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(segment, name);
}

static void type_and_shape_are_checked_on_open(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type i16 = ATOLL_TYPE_I16, u16 = ATOLL_TYPE_U16;
    const uint64_t shape[] = {5, 6}, turned[] = {6, 5};
    atoll_array *array, *other;
    EXPECT(ATOLL_OK, atoll_array_create(segment, "a", &i16, 2, shape, &array));
    EXPECT(ATOLL_OK, atoll_array_open_or_create(segment, "a", &i16, 2, shape, &other));
    EXPECT(ATOLL_OK, atoll_array_close(other));
    REFUSED(ATOLL_ALREADY_EXISTS, "a", atoll_array_create(segment, "a", &i16, 2, shape, &other));
    REFUSED(ATOLL_NOT_FOUND, "b", atoll_array_open(segment, "b", &i16, 2, shape, &other));
    REFUSED(ATOLL_WRONG_KIND, "i16", atoll_array_open(segment, "a", &u16, 2, shape, &other));
    REFUSED(ATOLL_WRONG_KIND, "u16", atoll_array_open(segment, "a", &u16, 2, shape, &other));
    REFUSED(ATOLL_WRONG_KIND, "5", atoll_array_open(segment, "a", &i16, 2, turned, &other));
    REFUSED(ATOLL_WRONG_KIND, "5",
            atoll_array_open_or_create(segment, "a", &i16, 1, shape, &other));
    CHECK(other == NULL);
    EXPECT(ATOLL_OK, atoll_array_close(array));
    end_segment(segment, name);
}

static void absurd_shapes_are_refused(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type type = ATOLL_TYPE_I64;
    uint64_t many[ATOLL_MAX_DIMENSIONS + 1];
    const uint64_t wraps[] = {UINT64_MAX / 4, 8}, huge[] = {1 << 20};
    atoll_array *array;
    for (int i = 0; i <= ATOLL_MAX_DIMENSIONS; i++) many[i] = 1;
    EXPECT(ATOLL_OK,
           atoll_array_create(segment, "deep", &type, ATOLL_MAX_DIMENSIONS, many, &array));
    EXPECT(ATOLL_OK, atoll_array_close(array));
    REFUSED(ATOLL_INVALID_ARGUMENT, "32",
            atoll_array_create(segment, "deeper", &type, ATOLL_MAX_DIMENSIONS + 1, many, &array));
    REFUSED(ATOLL_INVALID_ARGUMENT, "dimension",
            atoll_array_create(segment, "flat", &type, 0, NULL, &array));
    REFUSED(ATOLL_INVALID_ARGUMENT, "shape",
            atoll_array_create(segment, "none", &type, 1, NULL, &array));
    REFUSED(ATOLL_INVALID_ARGUMENT, "",
            atoll_array_create(segment, "wraps", &type, 2, wraps, &array));
    REFUSED(ATOLL_NO_SPACE, "size", atoll_array_create(segment, "huge", &type, 1, huge, &array));
    REFUSED(ATOLL_NOT_FOUND, "huge", atoll_array_open(segment, "huge", NULL, 0, NULL, &array));
    end_segment(segment, name);
}

int main(void) {
    RUN(elements_are_plain_shared_memory);
    RUN(processes_see_each_others_elements);
    RUN(type_and_shape_are_checked_on_open);
    RUN(absurd_shapes_are_refused);
    return any_failed;
}
