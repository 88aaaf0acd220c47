/* Places of values: the contract at atoll_place in atoll.h, for numbers of every width. */

#include "by_hand.h"

static const char *name;
static atoll_segment *segment;

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
}

static atoll_place place_in(atoll_segment *where, const char *called, uint32_t flags) {
    atoll_value *value;
    atoll_place place;
    memset(&place, 0xff, sizeof place);
    EXPECT(ATOLL_OK, atoll_value_open(where, called, NULL, &value));
    EXPECT(ATOLL_OK, atoll_value_place(value, ATOLL_PLACE_CONTRACT, &place));
    CHECK(place.word == NULL || place.flags == flags);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    return place;
}

#define WIDTH_TEST(ctype, CODE) \
    static void a_##ctype##_of_##CODE(void) { \
        const atoll_type type = ATOLL_TYPE_##CODE; \
        const ctype high = (ctype)~(ctype)0; \
        atoll_value *value; \
        atoll_place place; \
        ctype got = 1; \
        set_up(); \
        EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &type, &value)); \
        place = place_in(segment, "v", 0); \
        CHECK(place.word != NULL && (uintptr_t)place.word % sizeof(ctype) == 0); \
        if (place.word != NULL) { \
            ctype *word = place.word; \
            EXPECT(ATOLL_OK, atoll_value_store(value, &high, sizeof high, 0)); \
            CHECK(__atomic_load_n(word, __ATOMIC_SEQ_CST) == high); \
            CHECK(__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST) == high); \
            EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL)); \
            CHECK(got == 0); \
            __atomic_store_n(word, (ctype)42, __ATOMIC_SEQ_CST); \
            EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL)); \
            CHECK(got == (ctype)42); \
        } \
        EXPECT(ATOLL_OK, atoll_value_close(value)); \
        end_segment(segment, name); \
    }

WIDTH_TEST(uint8_t, U8)
WIDTH_TEST(uint8_t, I8)
WIDTH_TEST(uint16_t, U16)
WIDTH_TEST(uint16_t, I16)
WIDTH_TEST(uint32_t, U32)
WIDTH_TEST(uint32_t, I32)
WIDTH_TEST(uint64_t, U64)
WIDTH_TEST(uint64_t, I64)
WIDTH_TEST(uint32_t, F32)
WIDTH_TEST(uint64_t, F64)

static void bytes_of_an_atomics_width_have_a_place(void) {
    atoll_type type;
    set_up();
    memset(&type, 0, sizeof type);
    type.code = ATOLL_BYTES;
    for (type.size = 1; type.size <= 17; type.size++) {
        const bool is_atomic = (type.size & (type.size - 1)) == 0 && type.size <= 8;
        char called[8];
        atoll_value *value;
        snprintf(called, sizeof called, "b%u", (unsigned)type.size);
        EXPECT(ATOLL_OK, atoll_value_create(segment, called, &type, &value));
        CHECK((place_in(segment, called, 0).word != NULL) == is_atomic);
        EXPECT(ATOLL_OK, atoll_value_close(value));
    }
    end_segment(segment, name);
}

static void a_reader_is_told_that_it_may_only_load(void) {
    const atoll_type type = ATOLL_TYPE_I64;
    const int64_t seven = 7;
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *watched;
    atoll_value *value;
    atoll_place place;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, "v", &type, &seven, 8, &value));
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &watched));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_value_open(watched, "v", NULL, &value));
    EXPECT(ATOLL_OK, atoll_value_place(value, ATOLL_PLACE_CONTRACT, &place));
    CHECK(place.flags == ATOLL_PLACE_READ_ONLY);
    CHECK(place.word != NULL && *(int64_t *)place.word == seven);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_segment_close(watched));
    end_segment(segment, name);
}

static void add_in_a_child(void *place) {
    __atomic_fetch_add((int64_t *)((atoll_place *)place)->word, 5, __ATOMIC_SEQ_CST);
}

static void a_place_is_good_in_a_child(void) {
    const atoll_type type = ATOLL_TYPE_I64;
    int64_t got = 0;
    atoll_value *value;
    atoll_place place;
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &type, &value));
    EXPECT(ATOLL_OK, atoll_value_place(value, ATOLL_PLACE_CONTRACT, &place));
    in_child(add_in_a_child, &place);
    EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL));
    CHECK(got == 5);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

int main(void) {
    if (!has_short_ways()) return printf("skip place_value: no short ways on this machine\n"), 0;
    RUN(a_uint8_t_of_U8);
    RUN(a_uint8_t_of_I8);
    RUN(a_uint16_t_of_U16);
    RUN(a_uint16_t_of_I16);
    RUN(a_uint32_t_of_U32);
    RUN(a_uint32_t_of_I32);
    RUN(a_uint64_t_of_U64);
    RUN(a_uint64_t_of_I64);
    RUN(a_uint32_t_of_F32);
    RUN(a_uint64_t_of_F64);
    RUN(bytes_of_an_atomics_width_have_a_place);
    RUN(a_reader_is_told_that_it_may_only_load);
    RUN(a_place_is_good_in_a_child);
    return any_failed;
}
