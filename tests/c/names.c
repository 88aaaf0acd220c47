/* Names and options that are not allowed: each has its own sentence, and leaves nothing behind. */

#include "process.h"

static const char *repeated(char letter, size_t n) {
    static char text[512];
    memset(text, letter, n);
    text[n] = '\0';
    return text;
}

static void check_segment_name(const char *name, const char *words) {
    atoll_segment *segment = (atoll_segment *)&segment;
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_segment_create(name, NULL, &segment));
    CHECK(segment == NULL);
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_segment_open(name, NULL, &segment));
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_segment_open_or_create(name, NULL, &segment));
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_segment_unlink(name));
}

static void segment_names(void) {
    check_segment_name(NULL, "NULL");
    check_segment_name("", "empty");
    check_segment_name("/", "empty");
    check_segment_name("a/b", "/");
    check_segment_name("/a/b", "/");
    check_segment_name("//a", "/");
    check_segment_name("a/", "/");
    check_segment_name(".", ".");
    check_segment_name("..", ".");
    check_segment_name(repeated('x', 201), "200");
    check_segment_name("\xff\xfe", "UTF-8");
}

static void the_longest_segment_name_works(void) {
    const char *name = repeated('x', 200);
    atoll_segment_info info;
    atoll_segment *segment = new_segment(name);
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(strcmp(info.name, name) == 0);
    end_segment(segment, name);
}

static void check_options(atoll_segment_options options, const char *words) {
    atoll_segment *segment = (atoll_segment *)&segment;
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_segment_create(fresh_name(), &options, &segment));
    CHECK(segment == NULL);
}

static void segment_options(void) {
    const atoll_segment_options init = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment_options options;
    options = init, options.size = 1, check_options(options, "64 KiB");
    options = init, options.size = (64 << 10) - 1, check_options(options, "64 KiB");
    options = init, options.size = ((uint64_t)1 << 46) + 1, check_options(options, "2^46");
    options = init, options.size = UINT64_MAX, check_options(options, "2^46");
    options = init, options.mode = 07777777, check_options(options, "mode");
    options = init, options.max_participants = 16384, check_options(options, "16383");
    options = init, options.ephemeral = 2, check_options(options, "ephemeral");
    options = init, options.read_only = 2, check_options(options, "read_only");
    options = init, options.reserved = 1, check_options(options, "reserved");
    options = init, options.struct_size = 3, check_options(options, "struct_size");
}

static void options_of_a_newer_library(void) {
    struct {
        atoll_segment_options known;
        uint64_t newer;
    } options = {ATOLL_SEGMENT_OPTIONS_INIT, 0};
    const char *name = fresh_name();
    atoll_segment *segment;
    options.known.struct_size = sizeof options;
    EXPECT(ATOLL_OK, atoll_segment_create(name, &options.known, &segment));
    end_segment(segment, name);
    options.newer = 1;
    REFUSED(ATOLL_INVALID_ARGUMENT, "newer", atoll_segment_create(name, &options.known, &segment));
}

static void check_object_name(atoll_segment *segment, const char *name, const char *words) {
    const uint64_t shape[] = {2};
    atoll_type type = ATOLL_TYPE_I64;
    atoll_mutex *mutex = NULL;
    atoll_value *value = NULL;
    atoll_array *array = NULL;
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_mutex_create(segment, name, NULL, &mutex));
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_mutex_open(segment, name, NULL, &mutex));
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_value_create(segment, name, &type, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, words,
            atoll_value_open_or_create(segment, name, &type, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, words,
            atoll_array_create(segment, name, &type, 1, shape, &array));
    REFUSED(ATOLL_INVALID_ARGUMENT, words,
            atoll_array_open(segment, name, &type, 1, shape, &array));
}

static void object_names(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_segment_info info;
    atoll_mutex *mutex;
    check_object_name(segment, "", "empty");
    check_object_name(segment, "a/b", "/");
    check_object_name(segment, "/a", "/");
    check_object_name(segment, repeated('x', 64), "63");
    check_object_name(segment, "\xff", "UTF-8");
    REFUSED(ATOLL_INVALID_ARGUMENT, "anonymous", atoll_mutex_open(segment, NULL, NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.objects == 0);
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, repeated('x', 63), NULL, &mutex));
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static void check_type(atoll_segment *segment, atoll_type type, const char *words) {
    const uint64_t shape[] = {2};
    atoll_value *value = NULL;
    atoll_array *array = NULL;
    REFUSED(ATOLL_INVALID_ARGUMENT, words, atoll_value_create(segment, "v", &type, &value));
    REFUSED(ATOLL_INVALID_ARGUMENT, words,
            atoll_array_create(segment, "a", &type, 1, shape, &array));
}

static void types(void) {
    const char *name = fresh_name();
    const atoll_type i64 = ATOLL_TYPE_I64;
    atoll_segment *segment = new_segment(name);
    atoll_segment_info info;
    atoll_type type;
    type = i64, type.code = 0, check_type(segment, type, "code");
    type = i64, type.code = 14, check_type(segment, type, "14");
    type = i64, type.size = 4, check_type(segment, type, "size");
    type = i64, type.align = 3, check_type(segment, type, "align");
    type = i64, type.reserved = 1, check_type(segment, type, "reserved");
    type = i64, memset(type.format, 'x', sizeof type.format), check_type(segment, type, "format");
    memset(&type, 0, sizeof type), type.code = ATOLL_STRUCT, check_type(segment, type, "size");
    type.size = 16, check_type(segment, type, "align");
    type.align = 3, check_type(segment, type, "align");
    memset(&type, 0, sizeof type), type.code = ATOLL_BYTES, check_type(segment, type, "size");
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(info.objects == 0);
    end_segment(segment, name);
}

static void a_type_may_leave_out_what_is_known(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    atoll_type type, told;
    atoll_value *value;
    memset(&type, 0, sizeof type);
    type.code = ATOLL_I32;
    EXPECT(ATOLL_OK, atoll_value_create(segment, "v", &type, &value));
    EXPECT(ATOLL_OK, atoll_value_type(value, &told));
    CHECK(told.size == 4 && told.align == 4 && strcmp(told.format, "<i") == 0);
    EXPECT(ATOLL_OK, atoll_value_close(value));
    end_segment(segment, name);
}

int main(void) {
    RUN(segment_names);
    RUN(the_longest_segment_name_works);
    RUN(segment_options);
    RUN(options_of_a_newer_library);
    RUN(object_names);
    RUN(types);
    RUN(a_type_may_leave_out_what_is_known);
    return any_failed;
}
