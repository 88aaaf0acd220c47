/* Two copies of the library in one process: two identities that do not see each other's handles
 * and do not hold each other's locks. Bad practice, but no corruption. */

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "process.h"

/* The functions of the second copy. */
static struct {
    atoll_status (*platform_info)(atoll_platform *);
    atoll_status (*segment_open)(const char *, const atoll_segment_options *, atoll_segment **);
    atoll_status (*segment_close)(atoll_segment *);
    atoll_status (*mutex_open)(atoll_segment *, const char *, const atoll_mutex_options *,
                               atoll_mutex **);
    atoll_status (*mutex_close)(atoll_mutex *);
    atoll_status (*mutex_lock)(atoll_mutex *, int64_t);
    atoll_status (*mutex_unlock)(atoll_mutex *);
} second;

/* The loader takes a copy of the file for another library. It stays loaded. */
static void a_second_copy_can_be_loaded(void) {
    const char *(*version)(void) = atoll_version;
    char path[256];
    struct stat facts;
    Dl_info origin;
    void *library;
    int from, to;
    if (second.platform_info != NULL) return;
    snprintf(path, sizeof path, "%s/copy.so", segment_folder());
    CHECK(dladdr(*(void **)&version, &origin) != 0);
    from = open(origin.dli_fname, O_RDONLY);
    to = open(path, O_CREAT | O_WRONLY, 0700);
    CHECK(from >= 0 && to >= 0 && fstat(from, &facts) == 0);
    CHECK(sendfile(to, from, NULL, (size_t)facts.st_size) == facts.st_size);
    close(from);
    close(to);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(unlink(path) == 0);
    CHECK(library != NULL);
    if (library == NULL) return;
#define LOAD(function) *(void **)&second.function = dlsym(library, "atoll_" #function)
    LOAD(platform_info);
    LOAD(segment_open);
    LOAD(segment_close);
    LOAD(mutex_open);
    LOAD(mutex_close);
    LOAD(mutex_lock);
    LOAD(mutex_unlock);
#undef LOAD
    CHECK(second.platform_info != NULL && second.platform_info != atoll_platform_info);
}

static void both_copies_are_counted(void) {
    atoll_platform machine;
    EXPECT(ATOLL_OK, atoll_platform_info(&machine));
    CHECK(machine.library_copies == 2);
    CHECK(second.platform_info(&machine) == ATOLL_OK);
    CHECK(machine.library_copies == 2);
}

static void a_lock_of_one_is_foreign_to_the_other(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name), *other_segment = NULL;
    atoll_mutex *mutex, *other = NULL;
    EXPECT(ATOLL_OK, atoll_mutex_create(segment, "m", NULL, &mutex));
    CHECK(second.segment_open(name, NULL, &other_segment) == ATOLL_OK);
    CHECK(second.mutex_open(other_segment, "m", NULL, &other) == ATOLL_OK);

    EXPECT(ATOLL_OK, atoll_mutex_lock(mutex, 0));
    CHECK(second.mutex_lock(other, 0) == ATOLL_TIMED_OUT); /* not DEADLOCK: it is another's */
    CHECK(second.mutex_unlock(other) == ATOLL_NOT_OWNER);
    EXPECT(ATOLL_OK, atoll_mutex_unlock(mutex));
    CHECK(second.mutex_lock(other, 0) == ATOLL_OK);
    EXPECT(ATOLL_TIMED_OUT, atoll_mutex_lock(mutex, 0));
    CHECK(second.mutex_unlock(other) == ATOLL_OK);

    CHECK(second.mutex_close(other) == ATOLL_OK);
    CHECK(second.segment_close(other_segment) == ATOLL_OK);
    EXPECT(ATOLL_OK, atoll_mutex_close(mutex));
    end_segment(segment, name);
}

static void a_handle_of_one_means_nothing_to_the_other(void) {
    const char *name = fresh_name();
    atoll_segment *segment = new_segment(name);
    CHECK(second.segment_close(segment) == ATOLL_INVALID_ARGUMENT);
    end_segment(segment, name);
}

int main(void) {
    RUN(a_second_copy_can_be_loaded);
    if (any_failed) return 1;
    RUN(both_copies_are_counted);
    RUN(a_lock_of_one_is_foreign_to_the_other);
    RUN(a_handle_of_one_means_nothing_to_the_other);
    return any_failed;
}
