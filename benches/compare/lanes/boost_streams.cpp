// boost_streams SEGMENT create|open
//
// boost::lockfree::spsc_queue with a capacity of its own, so that it may lie in shared memory.
#include <boost/lockfree/spsc_queue.hpp>
#include <new>

#include "streams.h"

namespace {

using queue = boost::lockfree::spsc_queue<std::uint64_t, boost::lockfree::capacity<1023>>;
queue *shared_queue;
std::uint64_t number;

long push(long n) {
    for (long i = 0; i < n; i++) {
        asm volatile("" : : "r"(&++number) : "memory");
        if (!shared_queue->push(number)) return i;
    }
    return n;
}

long pop(long n) {
    std::uint64_t out;
    for (long i = 0; i < n; i++) {
        if (!shared_queue->pop(out)) return i;
        asm volatile("" : : "r"(&out) : "memory");
    }
    return n;
}

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: boost_streams SEGMENT create|open");
    void *memory = shared_open(argv[1], argv[2], sizeof(queue));
    shared_queue = shared_is_new ? new (memory) queue : static_cast<queue *>(memory);
    stream_serve(shared_is_new ? push : pop);
}
