/* Transfers between accounts that are complete or never happened, although processes are killed in
 * the middle of them. There is no repair code: compare 02_mutex.c.
 *
 *   cc 03_transfer.c -latoll -o transfer && ./transfer
 */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

enum { ACCOUNTS = 10, CHILDREN = 4, TRANSFERS = 1000 };

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

/* Moves 1 from one account to another, and counts. Killed anywhere in here, it did nothing. */
static void transfer(atoll_mutex *mutex, atoll_array *accounts, atoll_value *count, uint64_t from,
                     uint64_t to, bool killed) {
    atoll_transaction *transaction;
    int64_t done;
    void *account;
    check(atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &transaction), "begin");
    check(atoll_value_load(count, &done, sizeof done, NULL), "load");
    done++;
    check(atoll_transaction_store(transaction, count, &done, sizeof done, ATOLL_FOREVER), "store");
    check(atoll_transaction_modify(transaction, accounts, from, 1, &account), "modify");
    *(int64_t *)account -= 1;
    if (killed) kill(getpid(), SIGKILL);
    check(atoll_transaction_modify(transaction, accounts, to, 1, &account), "modify");
    *(int64_t *)account += 1;
    check(atoll_transaction_commit(transaction), "commit");
}

int main(void) {
    const char *name = "atoll-example-transfer";
    const atoll_type i64 = ATOLL_TYPE_I64;
    const uint64_t shape[] = {ACCOUNTS};
    int64_t *balance, done, sum = 0;
    atoll_segment *segment;
    atoll_mutex *mutex;
    atoll_array *accounts;
    atoll_value *count;
    atoll_transaction *reading;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_mutex_create(segment, "guard", NULL, &mutex), "create the mutex");
    check(atoll_array_create(segment, "accounts", &i64, 1, shape, &accounts), "create the array");
    check(atoll_value_create(segment, "count", &i64, &count), "create the value");
    balance = atoll_array_data(accounts);
    for (int i = 0; i < ACCOUNTS; i++) balance[i] = 100;

    /* Each child makes 1,000 transfers, but the first is killed in its 501st. */
    fflush(stdout);
    for (uint64_t child = 0; child < CHILDREN; child++) {
        if (fork() != 0) continue;
        for (uint64_t i = 0; i < TRANSFERS; i++) {
            const uint64_t from = (child + i) % ACCOUNTS, to = (child + 3 * i + 1) % ACCOUNTS;
            transfer(mutex, accounts, count, from, to, child == 0 && i == 500);
        }
        exit(0);
    }
    while (wait(NULL) > 0) {
    }

    /* Readers hold the mutex, too: what the killed child did is put back by who takes it next, and
     * all the others may have been done by then. */
    check(atoll_transaction_begin(&mutex, 1, ATOLL_FOREVER, &reading), "begin");
    check(atoll_value_load(count, &done, sizeof done, NULL), "load");
    for (int i = 0; i < ACCOUNTS; i++) sum += balance[i];
    check(atoll_transaction_abort(reading), "abort");
    printf("%d transfers; the sum is %d\n", (int)done, (int)sum);

    atoll_value_close(count);
    atoll_array_close(accounts);
    atoll_mutex_close(mutex);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
