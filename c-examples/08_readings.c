/* Readings from a sensor process to one that adds them up, through an spsc ring. The sensor is
 * killed in the middle; another process takes its role over, and nothing that was put is lost.
 *
 *   cc 08_readings.c -latoll -o readings && ./readings
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atoll.h>

typedef struct {
    uint32_t sensor, number;
    double celsius;
} reading;

static void check(atoll_status status, const char *what) {
    atoll_error last;
    if (status == ATOLL_OK) return;
    atoll_last_error(&last);
    fprintf(stderr, "%s: %s: %s\n", what, atoll_status_name(status), last.text);
    exit(1);
}

/* Puts ten readings, two at a time and in their places in the ring, then waits to be told to end. */
static void sense(atoll_spsc *ring, uint32_t sensor) {
    for (uint32_t number = 0; number < 10;) {
        reading *places;
        size_t n;
        check(atoll_spsc_claim(ring, 2, (void **)&places, &n), "claim");
        for (size_t i = 0; i < n; i++) {
            places[i].sensor = sensor;
            places[i].number = number++;
            places[i].celsius = 20 + sensor;
        }
        check(atoll_spsc_commit(ring, n), "commit");
    }
}

int main(void) {
    const char *name = "atoll-example-readings";
    const atoll_type type = {sizeof type, ATOLL_STRUCT, sizeof(reading), 8, 0, ""};
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    atoll_segment *segment;
    atoll_spsc *ring;
    atoll_ring_info info;
    reading one;
    double sum = 0;
    int n = 0;
    options.capacity = 64;
    check(atoll_segment_create(name, NULL, &segment), "create the segment");
    check(atoll_spsc_create(segment, "readings", &type, &options, &ring), "create the ring");

    for (uint32_t sensor = 1; sensor <= 2; sensor++) {
        const pid_t child = fork();
        if (child == 0) {
            sense(ring, sensor);
            kill(getpid(), SIGKILL);
        }
        /* While the first sensor lived the second one could not have put anything. */
        waitpid(child, NULL, 0);
    }
    check(atoll_spsc_shutdown(ring, ATOLL_PRODUCERS), "close the producers' end");

    while (atoll_spsc_get(ring, &one, sizeof one, NULL, ATOLL_FOREVER) == ATOLL_OK) {
        sum += one.celsius;
        n++;
    }
    printf("%d readings, the last one number %u of sensor %u\n", n, one.number, one.sensor);
    printf("on average %.1f degrees\n", sum / n);
    check(atoll_spsc_info(ring, &info), "ask");
    printf("%llu put, %llu got\n", (unsigned long long)info.pushed,
           (unsigned long long)info.popped);

    atoll_spsc_close(ring);
    atoll_segment_close(segment);
    check(atoll_segment_unlink(name), "unlink");
    return 0;
}
