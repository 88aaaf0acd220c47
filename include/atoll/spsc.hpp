/// A ring from one producer to one consumer: the fastest way from one process to another.
///
///     auto samples = atoll::spsc<sample>::open_or_create(segment, "samples", {1024});
///     samples.put(one);                                           // there; waits for room
///     use(samples.get());                                         // here; waits for a record
///
///     samples.shutdown(atoll::ring_end::producers);               // there: no more will come

#ifndef ATOLL_SPSC_HPP
#define ATOLL_SPSC_HPP

#include "lanes.hpp"
#include "ring_place.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {
namespace detail {

/// The C functions of this noun.
struct spsc_calls {
    using ring = atoll_spsc;
    static constexpr bool has_place = true;

    static constexpr auto create = atoll_spsc_create;
    static constexpr auto open = atoll_spsc_open;
    static constexpr auto open_or_create = atoll_spsc_open_or_create;
    static constexpr auto remove = atoll_spsc_remove;
    static constexpr auto close = atoll_spsc_close;
    static constexpr auto export_ticket = atoll_spsc_export;
    static constexpr auto import = atoll_spsc_import;

    static constexpr auto push = atoll_spsc_push;
    static constexpr auto push_n = atoll_spsc_push_n;
    static constexpr auto pop = atoll_spsc_pop;
    static constexpr auto pop_n = atoll_spsc_pop_n;
    static constexpr auto put = atoll_spsc_put;
    static constexpr auto get = atoll_spsc_get;
    static constexpr auto claim = atoll_spsc_claim;
    static constexpr auto commit = atoll_spsc_commit;
    static constexpr auto abandon = atoll_spsc_abandon;
    static constexpr auto peek = atoll_spsc_peek;
    static constexpr auto advance = atoll_spsc_advance;

    static constexpr auto shutdown = atoll_spsc_shutdown;
    static constexpr auto leave = atoll_spsc_leave;
    static constexpr auto info = atoll_spsc_info;
    static constexpr auto descriptor = atoll_spsc_descriptor;
};

}  // namespace detail

/// A ring in a segment, for records of a trivially copyable type T, which come out in the order in
/// which they were put.
///
/// A death loses nothing that was put, and leaves nothing half put. Who takes over from a dead
/// producer or consumer goes on where that one stopped: a record that was being got is still there,
/// unless the get was over.
///
/// As long as nobody waits, a put or get of one record is done in the caller's own code, without a
/// call and without an atomic instruction but loads and stores; see inline.h.
template <class T>
class spsc : public detail::lanes<spsc<T>, T, detail::spsc_calls> {
    using base = typename spsc::lanes;
    friend base;
    friend detail::ring<spsc, T, detail::spsc_calls>;
    using base::base;

    // The short ways, once a call has shown that the role is ours.

    atoll_place_answer pushed_at_once(const T& record) noexcept {
        return atoll_place_push(producer_.get(), &record, sizeof record);
    }

    atoll_place_answer popped_at_once(detail::foreign<T>& record) noexcept {
        return atoll_place_pop(consumer_.get(), &record, sizeof record);
    }

    void find_place(ring_end end) noexcept {
        place_of(end).find(atoll_spsc_place, this->native_handle(),
                           static_cast<std::uint32_t>(end));
    }

    detail::ring_place& place_of(ring_end end) noexcept {
        return end == ring_end::producers ? producer_ : consumer_;
    }

    detail::ring_place producer_, consumer_;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
