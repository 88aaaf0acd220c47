/* What the library says about itself, the machine and the last error. */

#include "process.h"

static void statuses_have_names_of_their_own(void) {
    for (int32_t i = ATOLL_OK; i <= ATOLL_PANICKED; i++) {
        CHECK(atoll_status_name(i)[0] != '\0');
        for (int32_t j = ATOLL_OK; j < i; j++) {
            CHECK(strcmp(atoll_status_name(i), atoll_status_name(j)) != 0);
        }
    }
    CHECK(atoll_status_name(-1) != NULL);
    CHECK(strcmp(atoll_status_name(-1), atoll_status_name(ATOLL_PANICKED + 1)) == 0);
}

static void two_statuses_mean_that_the_lock_is_held(void) {
    for (int32_t status = -1; status <= ATOLL_PANICKED + 1; status++) {
        CHECK(atoll_status_is_acquired(status) ==
              (status == ATOLL_OK || status == ATOLL_OWNER_DIED));
    }
}

static void versions_are_stated(void) {
    int major, minor, patch;
    CHECK(atoll_abi_version() != 0);
    CHECK(atoll_abi_fingerprint() != 0);
    CHECK(atoll_layout_fingerprint() != 0);
    CHECK(sscanf(atoll_version(), "%d.%d.%d", &major, &minor, &patch) == 3);
}

static void the_platform_is_described(void) {
    atoll_platform machine;
    EXPECT(ATOLL_OK, atoll_platform_info(&machine));
    CHECK(machine.library_copies == 1);
    CHECK(machine.page_size == (uint32_t)sysconf(_SC_PAGESIZE));
    CHECK(machine.cpus >= 1);
    CHECK(strlen(machine.libc) > 0 && strlen(machine.kernel) > 0);
    CHECK(strcmp(machine.directory, segment_folder()) == 0);
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_platform_info(NULL));
}

static void *see_no_error(void *unused) {
    atoll_error last;
    atoll_last_error(&last);
    CHECK(last.status == ATOLL_OK && last.os_errno == 0 && last.text[0] == '\0');
    return unused;
}

static void each_thread_has_its_own_last_error(void) {
    atoll_error last;
    REFUSED(ATOLL_NOT_FOUND, "nowhere", atoll_segment_unlink("nowhere"));
    in_thread(see_no_error, NULL);
    EXPECT(ATOLL_OK, atoll_segment_close(NULL)); /* success leaves it alone, as errno */
    atoll_last_error(&last);
    CHECK(last.status == ATOLL_NOT_FOUND);
    atoll_last_error(NULL);
}

int main(void) {
    RUN(statuses_have_names_of_their_own);
    RUN(two_statuses_mean_that_the_lock_is_held);
    RUN(versions_are_stated);
    RUN(the_platform_is_described);
    RUN(each_thread_has_its_own_last_error);
    return any_failed;
}
