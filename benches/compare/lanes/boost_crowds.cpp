// boost_crowds SEGMENT create|open
//
// boost::lockfree::queue with a capacity of its own, so that it may lie in shared memory: two
// processes, each with a producer and a consumer.
#include <boost/lockfree/queue.hpp>
#include <new>

#include "crowds.h"

namespace {

using queue = boost::lockfree::queue<std::uint64_t, boost::lockfree::capacity<1024>>;
queue *shared_queue;

long put(long n) {
    static std::uint64_t number;
    for (long i = 0; i < n; i++) {
        if (!shared_queue->push(++number)) return i;
    }
    return n;
}

long get(long n) {
    std::uint64_t out;
    for (long i = 0; i < n; i++) {
        if (!shared_queue->pop(out)) return i;
        asm volatile("" : : "r"(&out) : "memory");
    }
    return n;
}

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: boost_crowds SEGMENT create|open");
    void *memory = shared_open(argv[1], argv[2], sizeof(queue));
    shared_queue = shared_is_new ? new (memory) queue : static_cast<queue *>(memory);
    crowd_worker workers[2] = {};
    workers[0].move = put;
    workers[1].move = get;
    workers[0].cpu = workers[1].cpu = -1;
    crowd_serve(workers, 2);
}
