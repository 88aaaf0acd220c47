/// A ring from many producers to one consumer: each producer has a lane of its own, so that they
/// never meet.
///
///     auto lines = atoll::fanin<line>::open_or_create(segment, "lines", {256, 8});
///     lines.put(one);                                             // in up to 8 processes
///     print(lines.get());                                         // in one

#ifndef ATOLL_FANIN_HPP
#define ATOLL_FANIN_HPP

#include "lanes.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// The C functions of this noun.
struct fanin_calls {
    using ring = atoll_fanin;
    static constexpr bool has_place = false;

    static constexpr auto create = atoll_fanin_create;
    static constexpr auto open = atoll_fanin_open;
    static constexpr auto open_or_create = atoll_fanin_open_or_create;
    static constexpr auto remove = atoll_fanin_remove;
    static constexpr auto close = atoll_fanin_close;
    static constexpr auto export_ticket = atoll_fanin_export;
    static constexpr auto import = atoll_fanin_import;

    static constexpr auto push = atoll_fanin_push;
    static constexpr auto push_n = atoll_fanin_push_n;
    static constexpr auto pop = atoll_fanin_pop;
    static constexpr auto pop_n = atoll_fanin_pop_n;
    static constexpr auto put = atoll_fanin_put;
    static constexpr auto get = atoll_fanin_get;
    static constexpr auto claim = atoll_fanin_claim;
    static constexpr auto commit = atoll_fanin_commit;
    static constexpr auto abandon = atoll_fanin_abandon;
    static constexpr auto peek = atoll_fanin_peek;
    static constexpr auto advance = atoll_fanin_advance;

    static constexpr auto shutdown = atoll_fanin_shutdown;
    static constexpr auto leave = atoll_fanin_leave;
    static constexpr auto info = atoll_fanin_info;
    static constexpr auto descriptor = atoll_fanin_descriptor;
};

}  // namespace detail

/// A ring of lanes in a segment, for records of a trivially copyable type T. What one producer puts
/// comes out in that order; between producers there is none. A batch, and what claim() and peek()
/// give, is of one lane.
///
/// Where all lanes have a producer that lives, who would be one more is told by status::no_space. A
/// death loses nothing that was put, and leaves nothing half put; the lane of a dead producer is
/// free for the next, and what is in it comes out first.
template <class T>
class fanin : public detail::lanes<fanin<T>, T, detail::fanin_calls> {
    using base = typename fanin::lanes;
    friend base;
    using base::base;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
