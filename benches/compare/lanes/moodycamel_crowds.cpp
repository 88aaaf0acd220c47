// moodycamel_crowds CPU CPU
//
// moodycamel::ConcurrentQueue, which lives in one process: two producers and two consumers are
// threads of it, one of each on each processor. It has room for about as many records as the
// others, and takes no more memory for more.
#include <concurrentqueue/concurrentqueue.h>

#include "crowds.h"

namespace {

moodycamel::ConcurrentQueue<std::uint64_t> queue(1024, 0, 2);

long put(long n) {
    static thread_local std::uint64_t number;
    for (long i = 0; i < n; i++) {
        if (!queue.try_enqueue(++number)) return i;
    }
    return n;
}

long get(long n) {
    std::uint64_t out;
    for (long i = 0; i < n; i++) {
        if (!queue.try_dequeue(out)) return i;
        asm volatile("" : : "r"(&out) : "memory");
    }
    return n;
}

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: moodycamel_crowds CPU CPU");
    crowd_worker workers[4] = {};
    for (int i = 0; i < 4; i++) {
        workers[i].move = i % 2 == 0 ? put : get;
        workers[i].cpu = atoi(argv[1 + i / 2]);
    }
    crowd_serve(workers, 4);
}
