/* Descriptors of events and semaphores when processes are killed, fork and run out of descriptors,
 * in signal handlers, and with bells that somebody has removed. */

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "descriptor.h"

/* Polls with the descriptor that it was asked for before it was told to. */
static void listen_and_stay(void *unused) {
    (void)unused;
    armed(event);
}

static void what_a_killed_listener_leaves_is_removed(void) {
    atoll_segment_info info;
    pid_t victim;
    set_up();
    victim = start_victim(listen_and_stay, NULL);
    CHECK(bells() == 1);
    kill_victim(victim);
    CHECK(bells() == 1);
    EXPECT(ATOLL_OK, atoll_event_set(event)); /* rings for nobody */
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(bells() == 0);
    victim = start_victim(listen_and_stay, NULL);
    kill_victim(victim);
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    CHECK(!readable(armed(event), 0)); /* listens to the same one */
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(readable(armed(event), 0));
    EXPECT(ATOLL_OK, atoll_segment_verify(segment));
    tear_down();
    CHECK(bells() == 0);
}

static void what_is_listened_to_stays_when_others_go(void) {
    atoll_segment_info info;
    atoll_event *same;
    int descriptor;
    set_up();
    descriptor = armed(event);
    EXPECT(ATOLL_OK, atoll_event_open(segment, "news", &same));
    armed(same);
    EXPECT(ATOLL_OK, atoll_event_close(same));
    kill_victim(start_victim(listen_and_stay, NULL));
    EXPECT(ATOLL_OK, atoll_segment_stat(segment, &info));
    CHECK(bells() == 1 && !readable(descriptor, 0));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(readable(descriptor, 0));
    tear_down();
    CHECK(bells() == 0);
}

/* With a name that leads nowhere any more, and nobody who is in. */
static void in_a_segment_of_its_own(void *argument) {
    atoll_segment *mine = new_segment((const char *)argument);
    atoll_event *theirs;
    EXPECT(ATOLL_OK, atoll_event_create(mine, NULL, &theirs));
    armed(theirs);
}

static void bells_go_with_their_segment_or_after_it(void) {
    const char *own = fresh_name();
    uint64_t reclaimed;
    kill_victim(start_victim(in_a_segment_of_its_own, (void *)own));
    CHECK(bells() == 1);
    EXPECT(ATOLL_OK, atoll_gc(&reclaimed));
    CHECK(bells() == 1); /* the segment is there */
    EXPECT(ATOLL_OK, atoll_segment_unlink(own));
    CHECK(bells() == 0);
}

/* A setter that is killed has set the event and rung, or neither. */
static void a_killed_setter_rings_if_it_has_set(void) {
    set_up();
    for (int round = 0; round < 150; round++) {
        const int descriptor = armed(event);
        pid_t setter;
        struct timespec nap = {0, 1000 + 137 * (round * 7 % 150)};
        fflush(stdout);
        if ((setter = fork()) == 0) {
            begin_child();
            atoll_event_set(event);
            for (;;) pause();
        }
        if (round % 3) nanosleep(&nap, NULL);
        kill_victim(setter);
        if (is_set()) {
            CHECK(readable(descriptor, -1));
            EXPECT(ATOLL_OK, atoll_event_clear(event));
        }
    }
    tear_down();
}

static void a_child_listens_by_itself(void) {
    int descriptor;
    set_up();
    descriptor = armed(event);
    for (int waits = 0; waits < 2; waits++) {
        pid_t child;
        fflush(stdout);
        if ((child = fork()) == 0) {
            struct pollfd closed = {descriptor, POLLIN, 0};
            begin_child();
            CHECK(poll(&closed, 1, 0) == 1 && closed.revents == POLLNVAL);
            CHECK(!readable(armed(event), 0));
            EXPECT(ATOLL_OK, atoll_event_set(answer));
            if (waits) CHECK(readable(armed(event), -1));
            EXPECT(ATOLL_OK, atoll_event_close(event));
            fflush(stdout);
            _exit(failures != 0);
        }
        while (!readable(armed(answer), -1)) {}
        EXPECT(ATOLL_OK, atoll_event_clear(answer));
        CHECK(waits ? !readable(armed(event), 0) : true);
        if (waits) EXPECT(ATOLL_OK, atoll_event_set(event));
        {
            int status = -1;
            CHECK(waitpid(child, &status, 0) == child && status == 0);
        }
        if (!waits) CHECK(!readable(descriptor, 0) && armed(event) == descriptor);
    }
    CHECK(readable(descriptor, 0) && bells() == 2);
    tear_down();
    CHECK(bells() == 0);
}

/* A thread that rings looks by fstat whether the bell in its hand still has its name: there this
 * one stops, with the bell, until the fork is over. */
static _Thread_local bool stops_with_the_bell;
static pthread_barrier_t meeting;

int fstat(int descriptor, struct stat *facts) {
    if (stops_with_the_bell) {
        stops_with_the_bell = false;
        pthread_barrier_wait(&meeting); /* in the hand */
        pthread_barrier_wait(&meeting); /* forked */
    }
    return fstatat(descriptor, "", facts, AT_EMPTY_PATH);
}

static void *set_in_two_steps(void *unused) {
    stops_with_the_bell = true;
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(!stops_with_the_bell);
    return unused;
}

/* Bells that this process has open as who rings has. */
static int bells_in_hand(void) {
    int n = 0;
    const struct dirent *entry;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char path[600] = "";
        const int descriptor = atoi(entry->d_name);
        if (readlinkat(dirfd(folder), entry->d_name, path, sizeof path - 1) < 0) continue;
        n += strstr(path, "/.atoll-bell-") != NULL &&
             (fcntl(descriptor, F_GETFL) & O_ACCMODE) == O_RDWR;
    }
    closedir(folder);
    return n;
}

static void have_none_in_hand(void *unused) {
    (void)unused;
    CHECK(bells_in_hand() == 0);
}

/* A child that is forked while another thread has the bell in its hand has it too, and lets go. */
static void no_child_keeps_a_bell_in_its_hand(void) {
    pthread_t ringer;
    pid_t child;
    int descriptor;
    set_up();
    descriptor = armed(event);
    CHECK(pthread_barrier_init(&meeting, NULL, 2) == 0);
    CHECK(pthread_create(&ringer, NULL, set_in_two_steps, NULL) == 0);
    pthread_barrier_wait(&meeting);
    CHECK(bells_in_hand() == 1 && !readable(descriptor, 0));
    child = start_victim(have_none_in_hand, NULL);
    pthread_barrier_wait(&meeting);
    CHECK(pthread_join(ringer, NULL) == 0);
    CHECK(readable(descriptor, 0)); /* while the child lives */
    kill_victim(child);
    pthread_barrier_destroy(&meeting);
    tear_down();
    CHECK(bells() == 0);
}

static void without_a_free_descriptor_nothing_happens(void) {
    struct rlimit former, none;
    atoll_semaphore *semaphore;
    int descriptor, permits, other;
    set_up();
    semaphore = new_semaphore(0, false);
    descriptor = armed(event);
    permits = permits_armed(semaphore);
    CHECK(getrlimit(RLIMIT_NOFILE, &former) == 0);
    none = former;
    none.rlim_cur = 0;
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    REFUSED(ATOLL_SYSTEM, "ulimit", atoll_event_set(event));
    REFUSED(ATOLL_SYSTEM, "ulimit", atoll_semaphore_release(semaphore, 1));
    REFUSED(ATOLL_SYSTEM, "ulimit", atoll_event_descriptor(answer, &other));
    CHECK(setrlimit(RLIMIT_NOFILE, &former) == 0);
    CHECK(!is_set() && !readable(descriptor, 0) && !readable(permits, 0));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    EXPECT(ATOLL_OK, atoll_semaphore_release(semaphore, 1));
    CHECK(readable(descriptor, 0) && readable(permits, 0));
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    tear_down();
}

static void ring_in_a_handler(int signal) {
    const int former = errno;
    (void)signal;
    errno = ENOTTY;
    if (atoll_event_set(event) != ATOLL_OK || errno != ENOTTY) _exit(99);
    errno = former;
}

static void a_handler_may_ring(void) {
    struct sigaction action;
    int descriptor;
    set_up();
    memset(&action, 0, sizeof action);
    action.sa_handler = ring_in_a_handler;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    descriptor = armed(event);
    CHECK(raise(SIGUSR1) == 0 && readable(descriptor, 0) && is_set());
    signal(SIGUSR1, SIG_DFL);
    tear_down();
}

static void remove_bells_by_force(void) {
    char path[600];
    const struct dirent *entry;
    DIR *folder = opendir(segment_folder());
    while ((entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, ".atoll-bell-", 12) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", segment_folder(), entry->d_name);
        CHECK(unlink(path) == 0);
    }
    closedir(folder);
}

static void a_bell_that_was_removed_stops_nobody(void) {
    uint64_t reclaimed;
    int descriptor;
    set_up();
    descriptor = armed(event);
    remove_bells_by_force();
    EXPECT(ATOLL_OK, atoll_event_set(event)); /* who polled before is not told */
    CHECK(armed(event) == descriptor && readable(descriptor, 0));
    EXPECT(ATOLL_OK, atoll_event_clear(event));
    remove_bells_by_force();
    CHECK(!readable(armed(event), 0) && bells() == 1);
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(readable(descriptor, 0));
    tear_down();
    EXPECT(ATOLL_OK, atoll_gc(&reclaimed));
    CHECK(bells() == 0);
}

static void what_the_program_closed_is_opened_again(void) {
    int descriptor, again;
    set_up();
    descriptor = armed(event);
    CHECK(close(descriptor) == 0);
    again = armed(event);
    CHECK(!readable(again, 0));
    EXPECT(ATOLL_OK, atoll_event_set(event));
    CHECK(readable(again, 0));
    tear_down();
}

static void take_the_permit(void *semaphore) {
    EXPECT(ATOLL_OK, atoll_semaphore_acquire((atoll_semaphore *)semaphore, 0));
}

static void who_polls_gets_the_permits_of_the_dead(void) {
    atoll_semaphore *semaphore;
    pid_t victim;
    set_up();
    semaphore = new_semaphore(1, true);
    victim = start_victim(take_the_permit, semaphore);
    CHECK(!readable(permits_armed(semaphore), 0));
    kill_victim(victim);
    while (atoll_semaphore_acquire(semaphore, 0) != ATOLL_OK) {
        CHECK(readable(permits_armed(semaphore), -1));
    }
    EXPECT(ATOLL_OK, atoll_semaphore_close(semaphore));
    tear_down();
}

static void bad_input_is_refused(void) {
    atoll_segment_options options = ATOLL_SEGMENT_OPTIONS_INIT;
    atoll_segment *reader, *none;
    atoll_event *seen;
    int descriptor = -7;
    set_up();
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_event_descriptor(NULL, &descriptor));
    REFUSED(ATOLL_INVALID_ARGUMENT, "out", atoll_event_descriptor(event, NULL));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_latch_descriptor(NULL, &descriptor));
    REFUSED(ATOLL_INVALID_ARGUMENT, "NULL", atoll_semaphore_descriptor(NULL, &descriptor));
    options.read_only = 1;
    EXPECT(ATOLL_OK, atoll_segment_open(name, &options, &reader));
    EXPECT(ATOLL_OK, atoll_event_open(reader, "news", &seen));
    REFUSED(ATOLL_PERMISSION, "read-only", atoll_event_descriptor(seen, &descriptor));
    CHECK(descriptor == -7 && bells() == 0);
    REFUSED(ATOLL_INVALID_ARGUMENT, ".atoll-bell-",
            atoll_segment_open("/.atoll-bell-1", NULL, &none));
    EXPECT(ATOLL_OK, atoll_event_close(seen));
    EXPECT(ATOLL_OK, atoll_segment_close(reader));
    tear_down();
}

int main(void) {
    RUN(what_a_killed_listener_leaves_is_removed);
    RUN(what_is_listened_to_stays_when_others_go);
    RUN(bells_go_with_their_segment_or_after_it);
    RUN(a_killed_setter_rings_if_it_has_set);
    RUN(a_child_listens_by_itself);
    RUN(no_child_keeps_a_bell_in_its_hand);
    RUN(without_a_free_descriptor_nothing_happens);
    RUN(a_handler_may_ring);
    RUN(a_bell_that_was_removed_stops_nobody);
    RUN(what_the_program_closed_is_opened_again);
    RUN(who_polls_gets_the_permits_of_the_dead);
    RUN(bad_input_is_refused);
    return any_failed;
}
