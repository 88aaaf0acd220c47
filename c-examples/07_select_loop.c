/* An event loop by select(): an event that says when to stop, a semaphore with a permit for each
 * order, and a condition under a mutex, all of them used by another process. What it would do with
 * sockets and pipes it does with these: their descriptors go into the same set.
 *
 *   cc 07_select_loop.c -latoll -o loop && ./loop
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

static atoll_segment *segment;
static atoll_event *stop;
static atoll_semaphore *orders, *done;
static atoll_mutex *mutex;
static atoll_condvar *changed;
static atoll_value *price;

static void make_all(const char *name) {
    const atoll_type number = ATOLL_TYPE_I64;
    const int64_t first = 10;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_event_create(segment, "stop", &stop), "create the event");
    check(atoll_semaphore_create(segment, "orders", NULL, &orders), "create a semaphore");
    check(atoll_semaphore_create(segment, "done", NULL, &done), "create a semaphore");
    check(atoll_mutex_create(segment, "mutex", NULL, &mutex), "create the mutex");
    check(atoll_condvar_create(segment, "changed", &changed), "create the condvar");
    check(atoll_value_create(segment, "price", &number, &price), "create the value");
    check(atoll_value_store(price, &first, sizeof first, ATOLL_FOREVER), "store");
}

/* The other process: two orders, a new price, one more order, the end. */
static void be_the_customer(void) {
    const int64_t more = 12;
    check(atoll_semaphore_release(orders, 2), "order two");
    check(atoll_semaphore_acquire(done, ATOLL_FOREVER), "wait for one");
    check(atoll_semaphore_acquire(done, ATOLL_FOREVER), "wait for another");
    check(atoll_mutex_lock(mutex, ATOLL_FOREVER), "lock");
    check(atoll_value_store(price, &more, sizeof more, ATOLL_FOREVER), "store");
    check(atoll_condvar_notify_all(changed), "notify");
    check(atoll_mutex_unlock(mutex), "unlock");
    check(atoll_semaphore_acquire(done, ATOLL_FOREVER), "wait for the price");
    check(atoll_semaphore_release(orders, 1), "order one");
    check(atoll_semaphore_acquire(done, ATOLL_FOREVER), "wait for it");
    check(atoll_event_set(stop), "say that this is all");
    exit(0);
}

/* Waits until one of the three may be ready. To ask for a descriptor arms it, so that is done
 * before each select(). */
static void sleep_until_something_comes(atoll_waiter *change) {
    int descriptors[3], highest = 0;
    fd_set readable;
    FD_ZERO(&readable);
    check(atoll_event_descriptor(stop, &descriptors[0]), "the event's descriptor");
    check(atoll_semaphore_descriptor(orders, &descriptors[1]), "the semaphore's descriptor");
    check(atoll_waiter_descriptor(change, &descriptors[2]), "the waiter's descriptor");
    for (int i = 0; i < 3; i++) {
        FD_SET(descriptors[i], &readable);
        if (descriptors[i] > highest) highest = descriptors[i];
    }
    if (select(highest + 1, &readable, NULL, NULL, NULL) < 0) {
        perror("select");
        exit(1);
    }
}

/* A wait for a change begins before the price is read, so that no change is missed. */
static atoll_waiter *read_price(int64_t *now) {
    atoll_waiter *change;
    size_t length;
    check(atoll_mutex_lock(mutex, ATOLL_FOREVER), "lock");
    check(atoll_waiter_create(changed, &change), "begin to wait");
    check(atoll_value_load(price, now, sizeof *now, &length), "load");
    check(atoll_mutex_unlock(mutex), "unlock");
    return change;
}

static void serve(void) {
    int64_t now;
    bool is_over = false;
    atoll_waiter *change = read_price(&now);
    while (!is_over) {
        const atoll_waitable all[] = {{stop, 0}, {orders, 0}, {change, 0}};
        uint64_t ready;
        atoll_status status;
        sleep_until_something_comes(change);
        /* Which of them are ready? Perhaps none: a descriptor may be readable for nothing. */
        status = atoll_wait_any(all, 3, 0, &ready);
        if (status == ATOLL_TIMED_OUT) continue;
        check(status, "look");
        if (ready & 2 && atoll_semaphore_acquire(orders, 0) == ATOLL_OK) {
            printf("an order, at %d\n", (int)now);
            check(atoll_semaphore_release(done, 1), "say that it is done");
        }
        if (ready & 4) {
            bool notified;
            check(atoll_waiter_finish(change, &notified), "finish");
            check(atoll_waiter_close(change), "close the waiter");
            change = read_price(&now);
            printf("from now on at %d\n", (int)now);
            check(atoll_semaphore_release(done, 1), "say that it is known");
        }
        is_over = ready & 1;
    }
    check(atoll_waiter_close(change), "close the waiter");
    printf("closed\n");
}

int main(void) {
    const char *name = "atoll-example-loop";
    make_all(name);
    if (fork() == 0) be_the_customer();
    serve();
    wait(NULL);
    atoll_value_close(price);
    atoll_condvar_close(changed);
    atoll_mutex_close(mutex);
    atoll_semaphore_close(done);
    atoll_semaphore_close(orders);
    atoll_event_close(stop);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
