/* Values: every type, every operation, sizes on both sides of 8 bytes. */

#include <math.h>

#include "process.h"

static const char *name;
static atoll_segment *segment;

static void set_up(void) {
    name = fresh_name();
    segment = new_segment(name);
}

static atoll_value *new_value(const char *called, atoll_type type) {
    atoll_value *value = NULL;
    EXPECT(ATOLL_OK, atoll_value_create(segment, called, &type, &value));
    return value;
}

static atoll_type struct_type(uint64_t size, uint32_t align, const char *format) {
    atoll_type type;
    memset(&type, 0, sizeof type);
    type.code = ATOLL_STRUCT;
    type.size = size;
    type.align = align;
    strcpy(type.format, format);
    return type;
}

/* Every operation on integers of one type, near the edges of its range. */
#define INTEGER_TEST(ctype, CODE, least, most) \
    static void integer_##ctype(void) { \
        atoll_type type = ATOLL_TYPE_##CODE, told; \
        ctype got = 1, one = 1, two = 2, high = (most), low = (least); \
        ctype mask_and = 6, mask_or = 9, mask_xor = 5, max = 3, min = 1; \
        bool exchanged = false; \
        size_t len = 0; \
        atoll_value *value; \
        set_up(); \
        value = new_value(#ctype, type); \
        EXPECT(ATOLL_OK, atoll_value_type(value, &told)); \
        CHECK(told.code == ATOLL_##CODE && told.size == sizeof(ctype) && \
              told.align == sizeof(ctype)); \
        EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, &len)); \
        CHECK(got == 0 && len == sizeof got); \
        EXPECT(ATOLL_OK, atoll_value_store(value, &high, sizeof high, 0)); \
        EXPECT(ATOLL_OK, atoll_value_fetch_add(value, &one, sizeof one, &got, sizeof got, &len)); \
        CHECK(got == high && len == sizeof got); \
        EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL)); \
        CHECK(got == low); /* it wraps */ \
        EXPECT(ATOLL_OK, atoll_value_fetch_sub(value, &one, sizeof one, NULL, 0, NULL)); \
        EXPECT(ATOLL_OK, atoll_value_swap(value, &two, sizeof two, 0, &got, sizeof got, &len)); \
        CHECK(got == high && len == sizeof got); \
        EXPECT(ATOLL_OK, atoll_value_compare_exchange(value, &one, &high, sizeof one, 0, &got, \
                                                      sizeof got, &len, &exchanged)); \
        CHECK(!exchanged && got == two); \
        EXPECT(ATOLL_OK, atoll_value_compare_exchange(value, &two, &one, sizeof two, 0, &got, \
                                                      sizeof got, NULL, &exchanged)); \
        CHECK(exchanged && got == two); \
        EXPECT(ATOLL_OK, atoll_value_fetch_max(value, &max, sizeof max, &got, sizeof got, NULL)); \
        CHECK(got == one); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_or(value, &mask_or, sizeof got, &got, sizeof got, NULL)); \
        CHECK(got == max); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_and(value, &mask_and, sizeof got, &got, sizeof got, NULL)); \
        CHECK(got == 11); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_xor(value, &mask_xor, sizeof got, &got, sizeof got, NULL)); \
        CHECK(got == 2); \
        EXPECT(ATOLL_OK, atoll_value_fetch_min(value, &min, sizeof min, &got, sizeof got, NULL)); \
        CHECK(got == 7); \
        CHECK(*(ctype *)atoll_value_data(value) == 1); \
        EXPECT(ATOLL_OK, atoll_value_close(value)); \
        end_segment(segment, name); \
    }

INTEGER_TEST(int8_t, I8, INT8_MIN, INT8_MAX)
INTEGER_TEST(int16_t, I16, INT16_MIN, INT16_MAX)
INTEGER_TEST(int32_t, I32, INT32_MIN, INT32_MAX)
INTEGER_TEST(int64_t, I64, INT64_MIN, INT64_MAX)
INTEGER_TEST(uint8_t, U8, 0, UINT8_MAX)
INTEGER_TEST(uint16_t, U16, 0, UINT16_MAX)
INTEGER_TEST(uint32_t, U32, 0, UINT32_MAX)
INTEGER_TEST(uint64_t, U64, 0, UINT64_MAX)

/* min and max compare by the type's own sign. */
static void minimum_knows_the_sign(void) {
    atoll_type type_signed = ATOLL_TYPE_I32, type_unsigned = ATOLL_TYPE_U32;
    int32_t minus = -1, got = 0;
    uint32_t large = UINT32_MAX, unsigned_got = 0;
    atoll_value *value;
    set_up();
    value = new_value("signed", type_signed);
    EXPECT(ATOLL_OK, atoll_value_fetch_min(value, &minus, sizeof minus, NULL, 0, NULL));
    EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL));
    CHECK(got == -1);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    value = new_value("unsigned", type_unsigned);
    EXPECT(ATOLL_OK, atoll_value_fetch_min(value, &large, sizeof large, NULL, 0, NULL));
    EXPECT(ATOLL_OK, atoll_value_load(value, &unsigned_got, sizeof unsigned_got, NULL));
    CHECK(unsigned_got == 0);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

#define FLOAT_TEST(ctype, CODE) \
    static void floating_##ctype(void) { \
        atoll_type type = ATOLL_TYPE_##CODE; \
        ctype got = 1, half = (ctype)0.5, minus = -2; \
        atoll_value *value; \
        set_up(); \
        value = new_value(#ctype, type); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_add(value, &half, sizeof half, &got, sizeof got, NULL)); \
        CHECK(got == 0); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_sub(value, &minus, sizeof minus, &got, sizeof got, NULL)); \
        CHECK(got == half); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_min(value, &minus, sizeof minus, &got, sizeof got, NULL)); \
        CHECK(got == (ctype)2.5); \
        EXPECT(ATOLL_OK, \
               atoll_value_fetch_max(value, &half, sizeof half, &got, sizeof got, NULL)); \
        CHECK(got == minus); \
        EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL)); \
        CHECK(got == half); \
        REFUSED(ATOLL_WRONG_KIND, "", \
                atoll_value_fetch_and(value, &half, sizeof half, NULL, 0, NULL)); \
        REFUSED(ATOLL_WRONG_KIND, "", \
                atoll_value_fetch_or(value, &half, sizeof half, NULL, 0, NULL)); \
        REFUSED(ATOLL_WRONG_KIND, "", \
                atoll_value_fetch_xor(value, &half, sizeof half, NULL, 0, NULL)); \
        EXPECT(ATOLL_OK, atoll_value_close(value)); \
        end_segment(segment, name); \
    }

FLOAT_TEST(float, F32)
FLOAT_TEST(double, F64)

static void a_bool_is_a_bool(void) {
    atoll_type type = ATOLL_TYPE_BOOL;
    bool yes = true, got = false;
    atoll_value *value;
    set_up();
    value = new_value("bool", type);
    EXPECT(ATOLL_OK, atoll_value_swap(value, &yes, sizeof yes, 0, &got, sizeof got, NULL));
    CHECK(!got);
    EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, NULL));
    CHECK(got);
    EXPECT(ATOLL_OK, atoll_value_fetch_xor(value, &yes, sizeof yes, &got, sizeof got, NULL));
    CHECK(got);
    REFUSED(ATOLL_WRONG_KIND, "", atoll_value_fetch_add(value, &yes, sizeof yes, NULL, 0, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "0 or 1", atoll_value_store(value, "\2", 1, 0));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

struct point {
    double x, y, z;
    int32_t weight;
};

static void a_struct_is_stored_whole(void) {
    const struct point there = {1, 2, 3, 4}, elsewhere = {5, 6, 7, 8};
    struct point got;
    bool exchanged = false;
    size_t len = 0;
    atoll_value *value;
    set_up();
    value =
        new_value("point", struct_type(sizeof(struct point), 8, "T{<d:x:<d:y:<d:z:<i:weight:}"));
    EXPECT(ATOLL_OK, atoll_value_store(value, &there, sizeof there, ATOLL_FOREVER));
    EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, &len));
    CHECK(len == sizeof got && got.x == 1 && got.weight == 4);
    EXPECT(ATOLL_OK,
           atoll_value_swap(value, &elsewhere, sizeof elsewhere, 0, &got, sizeof got, NULL));
    CHECK(got.z == 3);
    EXPECT(ATOLL_OK, atoll_value_compare_exchange(value, &elsewhere, &there, sizeof there, 0, &got,
                                                  sizeof got, NULL, &exchanged));
    CHECK(exchanged && got.x == 5);
    REFUSED(ATOLL_WRONG_KIND, "",
            atoll_value_fetch_add(value, &there, sizeof there, NULL, 0, NULL));
    CHECK(atoll_value_data(value) == NULL);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

static void bytes_have_a_length(void) {
    atoll_type type, told;
    char got[32] = "";
    size_t len = 0;
    atoll_value *value;
    memset(&type, 0, sizeof type);
    type.code = ATOLL_BYTES;
    type.size = 12;
    set_up();
    value = new_value("text", type);
    EXPECT(ATOLL_OK, atoll_value_type(value, &told));
    CHECK(told.code == ATOLL_BYTES && told.size == 12 && strcmp(told.format, "12s") == 0);
    EXPECT(ATOLL_OK, atoll_value_store(value, "twelve bytes", 12, 0));
    EXPECT(ATOLL_OK, atoll_value_load(value, got, sizeof got, &len));
    CHECK(len == 12 && strcmp(got, "twelve bytes") == 0);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

static void lengths_are_checked(void) {
    atoll_type type = ATOLL_TYPE_I64;
    int64_t seven = 7, got = 0;
    size_t len = 0;
    bool exchanged = false;
    atoll_value *value;
    set_up();
    value = new_value("number", type);
    EXPECT(ATOLL_OK, atoll_value_store(value, &seven, 8, 0));
    REFUSED(ATOLL_TOO_SMALL, "8", atoll_value_load(value, &got, 4, &len));
    CHECK(len == 8 && got == 0); /* says what it needs */
    REFUSED(ATOLL_INVALID_ARGUMENT, "8", atoll_value_store(value, &got, 4, 0));
    REFUSED(ATOLL_INVALID_ARGUMENT, "8", atoll_value_fetch_add(value, &got, 16, NULL, 0, NULL));
    REFUSED(ATOLL_TOO_SMALL, "8", atoll_value_fetch_add(value, &seven, 8, &got, 7, &len));
    REFUSED(ATOLL_TOO_SMALL, "8", atoll_value_swap(value, &got, 8, 0, &got, 7, &len));
    REFUSED(ATOLL_TOO_SMALL, "8",
            atoll_value_compare_exchange(value, &seven, &got, 8, 0, &got, 0, &len, &exchanged));
    REFUSED(ATOLL_INVALID_ARGUMENT, "timeout", atoll_value_store(value, &seven, 8, -1));
    EXPECT(ATOLL_OK, atoll_value_load(value, &got, sizeof got, &len));
    CHECK(got == 7); /* nothing happened */
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

static void a_value_can_begin_with_something(void) {
    const atoll_type i16 = ATOLL_TYPE_I16, boolean = ATOLL_TYPE_BOOL;
    const atoll_type block = struct_type(40, 8, "");
    const int16_t minus_two = -2, nine = 9;
    const uint8_t two = 2;
    int16_t number = 0;
    char bytes[40], got[40];
    atoll_value *value, *same;
    memset(bytes, 'x', sizeof bytes);
    set_up();
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, "v", &i16, &minus_two, 2, &value));
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, 2, NULL));
    CHECK(number == -2);
    EXPECT(ATOLL_OK, atoll_value_open_or_create_with(segment, "v", &i16, &nine, 2, &same));
    EXPECT(ATOLL_OK, atoll_value_load(same, &number, 2, NULL));
    CHECK(number == -2); /* it keeps what it has */
    EXPECT(ATOLL_OK, atoll_value_close(same));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_value_open_or_create_with(segment, NULL, &i16, &nine, 2, &value));
    EXPECT(ATOLL_OK, atoll_value_load(value, &number, 2, NULL));
    CHECK(number == 9);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    EXPECT(ATOLL_OK, atoll_value_create_with(segment, NULL, &block, bytes, 40, &value));
    EXPECT(ATOLL_OK, atoll_value_load(value, got, sizeof got, NULL));
    CHECK(memcmp(bytes, got, sizeof got) == 0);
    EXPECT(ATOLL_OK, atoll_value_close(value));

    REFUSED(ATOLL_ALREADY_EXISTS, "v",
            atoll_value_create_with(segment, "v", &i16, &nine, 2, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "initial",
            atoll_value_create_with(segment, "w", &i16, NULL, 2, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "bytes",
            atoll_value_create_with(segment, "w", &i16, bytes, 4, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "bytes",
            atoll_value_open_or_create_with(segment, "v", &i16, bytes, 1, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "0 or 1",
            atoll_value_create_with(segment, "w", &boolean, &two, 1, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, "type is NULL",
            atoll_value_create_with(segment, "w", NULL, &two, 1, &value));
    CHECK(value == NULL);
    REFUSED(ATOLL_NOT_FOUND, "w", atoll_value_open(segment, "w", NULL, &value));
    end_segment(segment, name);
}

static void the_type_is_checked_on_open(void) {
    atoll_type i64 = ATOLL_TYPE_I64, f64 = ATOLL_TYPE_F64;
    atoll_type pair = struct_type(16, 8, ""), wider = struct_type(24, 8, "");
    atoll_value *value, *other;
    set_up();
    value = new_value("number", i64);
    EXPECT(ATOLL_OK, atoll_value_open(segment, "number", NULL, &other)); /* whatever it is */
    EXPECT(ATOLL_OK, atoll_value_close(other));
    EXPECT(ATOLL_OK, atoll_value_open_or_create(segment, "number", &i64, &other));
    EXPECT(ATOLL_OK, atoll_value_close(other));
    REFUSED(ATOLL_WRONG_KIND, "i64", atoll_value_open(segment, "number", &f64, &other));
    REFUSED(ATOLL_WRONG_KIND, "f64", atoll_value_open_or_create(segment, "number", &f64, &other));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    value = new_value("pair", pair);
    REFUSED(ATOLL_WRONG_KIND, "24", atoll_value_open(segment, "pair", &wider, &other));
    REFUSED(ATOLL_WRONG_KIND, "16", atoll_value_open(segment, "pair", &wider, &other));
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

enum { STORES = 20000 };

struct race {
    atoll_value *value;
    int started; /* atomic */
    int torn;
};

/* Two threads store values of four equal words; the third one looks for any that are not equal. */
static void store_or_look(void *argument) {
    struct race *race = argument;
    int64_t words[4] = {0, 0, 0, 0};
    if (__atomic_fetch_add(&race->started, 1, __ATOMIC_RELAXED) != 0) {
        for (int64_t i = 0; i < STORES; i++) {
            const int64_t equal[4] = {i, i, i, i};
            EXPECT(ATOLL_OK, atoll_value_store(race->value, equal, sizeof equal, ATOLL_FOREVER));
        }
        return;
    }
    while (words[0] != STORES - 1) {
        EXPECT(ATOLL_OK, atoll_value_load(race->value, words, sizeof words, NULL));
        race->torn += words[0] != words[1] || words[0] != words[2] || words[0] != words[3];
    }
}

static void large_values_are_never_torn(void) {
    struct race race = {NULL, 0, 0};
    set_up();
    race.value = new_value("words", struct_type(4 * sizeof(int64_t), 8, ""));
    in_crowd(3, store_or_look, &race);
    CHECK(race.torn == 0);
    EXPECT(ATOLL_OK, atoll_value_close(race.value));
    end_segment(segment, name);
}

int main(void) {
    RUN(integer_int8_t);
    RUN(integer_int16_t);
    RUN(integer_int32_t);
    RUN(integer_int64_t);
    RUN(integer_uint8_t);
    RUN(integer_uint16_t);
    RUN(integer_uint32_t);
    RUN(integer_uint64_t);
    RUN(minimum_knows_the_sign);
    RUN(floating_float);
    RUN(floating_double);
    RUN(a_bool_is_a_bool);
    RUN(a_struct_is_stored_whole);
    RUN(bytes_have_a_length);
    RUN(lengths_are_checked);
    RUN(a_value_can_begin_with_something);
    RUN(the_type_is_checked_on_open);
    RUN(large_values_are_never_torn);
    return any_failed;
}
