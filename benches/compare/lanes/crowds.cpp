// crowds SEGMENT create|open
//
// Ours: two processes, each with a producer and a consumer on its processor.
#include <cstdint>

#include "atoll.h"
#include "crowds.h"

namespace {

atoll_mpmc *mpmc;

long put(long n) {
    static std::uint64_t number;
    for (long i = 0; i < n; i++) {
        number++;
        if (atoll_mpmc_push(mpmc, &number, sizeof number) != ATOLL_OK) return i;
    }
    return n;
}

long get(long n) {
    std::uint64_t out;
    for (long i = 0; i < n; i++) {
        if (atoll_mpmc_pop(mpmc, &out, sizeof out, nullptr, nullptr) != ATOLL_OK) return i;
        asm volatile("" : : "r"(&out) : "memory");
    }
    return n;
}

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 3, "usage: crowds SEGMENT create|open");
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    const atoll_type type = ATOLL_TYPE_U64;
    options.capacity = 1024;
    shared_open(argv[1], argv[2], 64);
    lane_check(atoll_mpmc_open_or_create(shared_segment, "ring", &type, &options, &mpmc));
    crowd_worker workers[2] = {};
    workers[0].move = put;
    workers[1].move = get;
    workers[0].cpu = workers[1].cpu = -1;
    crowd_serve(workers, 2);
}
