/// A shared array: plain memory, any number of dimensions, row by row, nothing copied.
///
///     auto grid = atoll::array<double>::create(segment, "grid", {480, 640});
///     grid(3, 4) = 1.0;
///     for (double& cell : grid) cell *= 2;
///     for (double& cell : grid.row(3)) cell = 0;

#ifndef ATOLL_ARRAY_HPP
#define ATOLL_ARRAY_HPP

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "segment.hpp"
#include "type.hpp"
#include "view.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// Owns a handle of a shared array, and is a view of its elements, which start as all zero bytes.
///
/// The elements are ordinary memory: whoever writes while others look needs a lock, or atomics of
/// its own (std::atomic_ref). Like a span, a const array still gives T&. Pointers, iterators and
/// views live as long as this handle. In a read-only segment only array<const T> may be opened.
template <class T>
class array : public view<T> {
    static_assert(detail::can_be_shared<std::remove_const_t<T>>());

public:
    /// Elements in each dimension, the slowest first. A number alone is a shape of one dimension.
    struct shape_type : std::vector<std::uint64_t> {
        using vector::vector;
        shape_type(std::uint64_t length) : vector{length} {}
        shape_type(vector lengths) : vector(std::move(lengths)) {}
    };

    /// Makes a new one; throws status::already_exists. The anonymous form has no name.
    static outcome<array> create(const segment& in, detail::c_name name, const shape_type& shape) {
        return detail::settle(made(atoll_array_create, in, name, shape));
    }

    static outcome<array> create(const segment& in, const shape_type& shape) {
        return detail::settle(made(atoll_array_create, in, nullptr, shape));
    }

    /// Opens what exists, of whatever shape. Throws status::not_found, or status::wrong_kind if its
    /// elements are of another type.
    static outcome<array> open(const segment& in, detail::c_name name) {
        return detail::settle(made(atoll_array_open, in, name, {}));
    }

    /// Opens what exists and has this shape; another one throws status::wrong_kind.
    static outcome<array> open(const segment& in, detail::c_name name, const shape_type& shape) {
        return detail::settle(made(atoll_array_open, in, name, shape));
    }

    /// Opens it with this shape, or makes it if it is not there.
    static outcome<array> open_or_create(const segment& in, detail::c_name name,
                                         const shape_type& shape) {
        return detail::settle(made(atoll_array_open_or_create, in, name, shape));
    }

    /// Removes the name. Whoever has it open goes on using it.
    static outcome<void> remove(const segment& in, detail::c_name name) {
        return detail::settle(detail::call(atoll_array_remove, in.native_handle(), name));
    }

    /// A ticket for this array, for another process to import.
    outcome<ticket> export_ticket() const {
        return detail::settle(detail::ask<ticket>(atoll_array_export, native_handle()));
    }

    /// Opens what a ticket is for, of whatever shape. Throws status::not_found if that is gone, or
    /// status::wrong_kind if it is something else, or its elements are of another type.
    static outcome<array> import_ticket(const ticket& from) {
        return detail::settle(found(detail::obtain<handle>(atoll_array_import, &from)));
    }

    /// What was moved from has no elements.
    array(array&& from) noexcept
        : view<T>(std::exchange(static_cast<view<T>&>(from), {})),
          handle_(std::move(from.handle_)),
          shape_(std::move(from.shape_)) {}

    array& operator=(array&& from) noexcept {
        if (this == &from) return *this;  // else the shape would go, which the view refers to
        static_cast<view<T>&>(*this) = std::exchange(static_cast<view<T>&>(from), {});
        handle_ = std::move(from.handle_);
        shape_ = std::move(from.shape_);
        return *this;
    }

    ~array() = default;

    const shape_type& shape() const noexcept { return shape_; }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_array* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_array, atoll_array_close>;

    array(handle opened, T* first, const atoll_array_layout& layout)
        : handle_(std::move(opened)), shape_(layout.shape, layout.shape + layout.ndim) {
        static_cast<view<T>&>(*this) = {first, layout.length, shape_.data(), shape_.size()};
    }

    template <class Call>
    static result<array> made(Call function, const segment& in, detail::c_name name,
                              const shape_type& shape) {
        if constexpr (!std::is_const_v<T>) {
            const auto info = detail::ask<segment_info>(atoll_segment_stat, in.native_handle());
            if (!info) return info.error();
            if (info->read_only) {
                return failure(
                    status::permission,
                    "the segment is open read-only; use atoll::array<const T> to read from it");
            }
        }
        const atoll_type type = detail::type_of<std::remove_const_t<T>>();
        return found(detail::obtain<handle>(function, in.native_handle(), name, &type,
                                            static_cast<std::uint32_t>(shape.size()),
                                            shape.data()));
    }

    /// Learns what the array is made of and where its elements are.
    static result<array> found(result<handle> opened) {
        if (!opened) return opened.error();
        const auto layout = detail::ask<atoll_array_layout>(atoll_array_info, opened->get());
        if (!layout) return layout.error();
        const result<void> same = detail::check_type<std::remove_const_t<T>>(layout->type);
        if (!same) return same.error();
        void* const first = atoll_array_data(opened->get());
        return array(*std::move(opened), static_cast<T*>(first), *layout);
    }

    handle handle_;
    shape_type shape_;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#endif
