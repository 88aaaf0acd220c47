// streams SEGMENT create|open HOW
//
// Ours. HOW is one of the names in `ways`.
#include <cstring>
#include <optional>

#include "atoll.hpp"
#include "streams.h"

namespace {

constexpr std::uint64_t capacity = 1024;

struct line {
    std::uint64_t words[8];
};

atoll_spsc *spsc;
atoll_mpmc *mpmc;
std::optional<atoll::spsc<std::uint64_t>> inlined;
// What was put last, and got last: they come in order, and none is missing.
std::uint64_t number, got;

// A record that was got is the next one.
void check(std::uint64_t record) { lane_need(record == ++got, "the next record"); }

long push_spsc(long n) {
    for (long i = 0; i < n; i++) {
        const auto next = number + 1;
        if (atoll_spsc_push(spsc, &next, sizeof next) != ATOLL_OK) return i;
        number = next;
    }
    return n;
}

long pop_spsc(long n) {
    std::uint64_t out;
    for (long i = 0; i < n; i++) {
        if (atoll_spsc_pop(spsc, &out, sizeof out, nullptr) != ATOLL_OK) return i;
        check(out);
    }
    return n;
}

long push_inlined(long n) {
    for (long i = 0; i < n; i++) {
        if (!inlined->try_push(number + 1)) return i;
        number++;
    }
    return n;
}

long pop_inlined(long n) {
    for (long i = 0; i < n; i++) {
        auto out = inlined->try_pop();
        if (!out) return i;
        check(*out);
    }
    return n;
}

constexpr std::size_t batch = 32;

template <auto push_n, class Ring>
long push_batches(Ring *ring, long n) {
    std::uint64_t records[batch];
    long moved = 0;
    while (moved < n) {
        std::size_t done;
        for (std::size_t i = 0; i < batch; i++) records[i] = number + 1 + i;
        if (push_n(ring, records, batch, &done) != ATOLL_OK) break;
        number += done;
        moved += static_cast<long>(done);
    }
    return moved;
}

long push_spsc_32(long n) { return push_batches<atoll_spsc_push_n>(spsc, n); }

long pop_spsc_32(long n) {
    std::uint64_t records[batch];
    long moved = 0;
    std::size_t done;
    while (moved < n && atoll_spsc_pop_n(spsc, records, batch, &done) == ATOLL_OK) {
        for (std::size_t i = 0; i < done; i++) check(records[i]);
        moved += static_cast<long>(done);
    }
    return moved;
}

// Lines written and read in their places, 32 at a time.
long push_lines(long n) {
    long moved = 0;
    while (moved < n) {
        void *places;
        std::size_t there;
        if (atoll_spsc_claim(spsc, batch, &places, &there) != ATOLL_OK) break;
        auto *lines = static_cast<line *>(places);
        for (std::size_t i = 0; i < there; i++) {
            number++;
            for (auto &word : lines[i].words) word = number;
        }
        lane_check(atoll_spsc_commit(spsc, there));
        moved += static_cast<long>(there);
    }
    return moved;
}

long pop_lines(long n) {
    long moved = 0;
    while (moved < n) {
        const void *places;
        std::size_t there;
        if (atoll_spsc_peek(spsc, batch, &places, &there) != ATOLL_OK) break;
        auto *lines = static_cast<const line *>(places);
        for (std::size_t i = 0; i < there; i++) {
            std::uint64_t sum = 0;
            for (auto word : lines[i].words) sum += word;
            check(sum / 8);
        }
        lane_check(atoll_spsc_advance(spsc, there));
        moved += static_cast<long>(there);
    }
    return moved;
}

long push_mpmc(long n) {
    for (long i = 0; i < n; i++) {
        const auto next = number + 1;
        if (atoll_mpmc_push(mpmc, &next, sizeof next) != ATOLL_OK) return i;
        number = next;
    }
    return n;
}

long pop_mpmc(long n) {
    std::uint64_t out;
    for (long i = 0; i < n; i++) {
        if (atoll_mpmc_pop(mpmc, &out, sizeof out, nullptr, nullptr) != ATOLL_OK) return i;
        check(out);
    }
    return n;
}

long push_mpmc_32(long n) { return push_batches<atoll_mpmc_push_n>(mpmc, n); }

long pop_mpmc_32(long n) {
    std::uint64_t records[batch];
    long moved = 0;
    std::size_t done;
    while (moved < n && atoll_mpmc_pop_n(mpmc, records, batch, &done, nullptr) == ATOLL_OK) {
        for (std::size_t i = 0; i < done; i++) check(records[i]);
        moved += static_cast<long>(done);
    }
    return moved;
}

enum kind { of_spsc, of_inlined, of_mpmc };

const struct {
    const char *name;
    kind ring;
    std::uint64_t bytes;
    stream_move put, get;
} ways[] = {
    {"spsc", of_spsc, 8, push_spsc, pop_spsc},
    {"spsc-inlined", of_inlined, 8, push_inlined, pop_inlined},
    {"spsc-32", of_spsc, 8, push_spsc_32, pop_spsc_32},
    {"spsc-lines", of_spsc, sizeof(line), push_lines, pop_lines},
    {"mpmc", of_mpmc, 8, push_mpmc, pop_mpmc},
    {"mpmc-32", of_mpmc, 8, push_mpmc_32, pop_mpmc_32},
};

void open_ring(kind kind, std::uint64_t bytes) {
    atoll_ring_options options = ATOLL_RING_OPTIONS_INIT;
    atoll_type type = ATOLL_TYPE_U64;
    options.capacity = capacity;
    if (bytes != type.size) {
        type.code = ATOLL_STRUCT;
        type.size = bytes;
        type.align = alignof(line);
        std::memset(type.format, 0, sizeof type.format);
    }
    if (kind == of_mpmc) {
        lane_check(atoll_mpmc_open_or_create(shared_segment, "ring", &type, &options, &mpmc));
    } else if (kind == of_spsc) {
        lane_check(atoll_spsc_open_or_create(shared_segment, "ring", &type, &options, &spsc));
    } else {
        inlined = atoll::spsc<std::uint64_t>::open_or_create(atoll::segment::open(shared_name),
                                                             "ring", {capacity});
    }
}

}  // namespace

int main(int argc, char **argv) {
    lane_need(argc == 4, "usage: streams SEGMENT create|open HOW");
    shared_open(argv[1], argv[2], 64);
    for (const auto &way : ways) {
        if (std::strcmp(way.name, argv[3]) == 0) {
            open_ring(way.ring, way.bytes);
            stream_serve(shared_is_new ? way.put : way.get);
            return 0;
        }
    }
    lane_need(0, "no such way");
}
