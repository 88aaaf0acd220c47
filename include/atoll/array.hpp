/// A shared array: plain memory, any number of dimensions, row by row, nothing copied.
///
///     auto grid = atoll::array<double>::create(segment, "grid", {480, 640});
///     grid(3, 4) = 1.0;
///     for (double& cell : grid) cell *= 2;

#ifndef ATOLL_ARRAY_HPP
#define ATOLL_ARRAY_HPP

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "segment.hpp"
#include "type.hpp"

namespace libatoll {

/// The elements of a shared array, in the shape of std::span. They start as all zero bytes.
///
/// The elements are ordinary memory: whoever writes while others look needs a lock, or atomics of
/// its own (std::atomic_ref). Like a span, a const array still gives T&. Pointers and iterators
/// live as long as this handle. In a read-only segment only array<const T> may be opened.
template <class T>
class array {
    static_assert(
        detail::can_be_shared<std::remove_const_t<T>>,
        "shared elements must be trivially copyable, default constructible, and aligned to "
        "64 bytes at most: their bytes are all that other processes see");

public:
    using element_type = T;
    using value_type = std::remove_const_t<T>;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using pointer = T*;
    using iterator = T*;

    /// Elements in each dimension, the slowest first. A number alone is a shape of one dimension.
    struct shape_type : std::vector<std::uint64_t> {
        using vector::vector;
        shape_type(std::uint64_t length) : vector{length} {}
        shape_type(vector lengths) : vector(std::move(lengths)) {}
    };

    /// Makes a new one; throws status::already_exists. The anonymous form has no name.
    static array create(const segment& in, detail::c_name name, const shape_type& shape) {
        return array(atoll_array_create, in, name, shape);
    }

    static array create(const segment& in, const shape_type& shape) {
        return array(atoll_array_create, in, nullptr, shape);
    }

    /// Opens what exists, of whatever shape. Throws status::not_found, or status::wrong_kind if its
    /// elements are of another type.
    static array open(const segment& in, detail::c_name name) {
        return array(atoll_array_open, in, name, {});
    }

    /// Opens what exists and has this shape; another one throws status::wrong_kind.
    static array open(const segment& in, detail::c_name name, const shape_type& shape) {
        return array(atoll_array_open, in, name, shape);
    }

    /// Opens it with this shape, or makes it if it is not there.
    static array open_or_create(const segment& in, detail::c_name name, const shape_type& shape) {
        return array(atoll_array_open_or_create, in, name, shape);
    }

    /// Removes the name. Whoever has it open goes on using it.
    static void remove(const segment& in, detail::c_name name) {
        detail::check(atoll_array_remove(in.native_handle(), name));
    }

    /// A ticket for this array, for another process to import.
    ticket export_ticket() const {
        ticket written{};
        detail::check(atoll_array_export(native_handle(), &written));
        return written;
    }

    /// Opens what a ticket is for, of whatever shape. Throws status::not_found if that is gone, or
    /// status::wrong_kind if it is something else, or its elements are of another type.
    static array import_ticket(const ticket& from) {
        return array(detail::obtain<handle>(atoll_array_import, &from));
    }

    T* data() const noexcept { return data_; }
    size_type size() const noexcept { return size_; }
    size_type size_bytes() const noexcept { return size_ * sizeof(T); }
    bool empty() const noexcept { return size_ == 0; }
    const shape_type& shape() const noexcept { return shape_; }

    iterator begin() const noexcept { return data_; }
    iterator end() const noexcept { return data_ + size_; }

    /// The element at a flat index, row by row in any number of dimensions. Unchecked.
    T& operator[](size_type index) const noexcept { return data_[index]; }

    /// The same, checked: throws std::out_of_range.
    T& at(size_type index) const {
        if (index >= size_) throw std::out_of_range("atoll::array: the index is past the end");
        return data_[index];
    }

    /// The element at one index per dimension. Unchecked, save by assert().
    template <class... Index>
    T& operator()(Index... index) const noexcept {
        assert(fits(index...));
        return data_[flat(index...)];
    }

    /// The same, checked: throws std::out_of_range.
    template <class... Index>
    T& at(size_type first, size_type second, Index... rest) const {
        if (!fits(first, second, rest...)) {
            throw std::out_of_range(
                "atoll::array: an index is past its dimension, or there is not one for each");
        }
        return data_[flat(first, second, rest...)];
    }

    /// The C handle, still owned by this object; NULL after a move.
    atoll_array* native_handle() const noexcept { return handle_.get(); }

private:
    using handle = detail::handle<atoll_array, atoll_array_close>;

    template <class Call>
    array(Call call, const segment& in, detail::c_name name, const shape_type& shape) {
        if (!std::is_const_v<T> && in.info().read_only) {
            throw error(status::permission,
                        "the segment is open read-only; use atoll::array<const T> to read from it");
        }
        const atoll_type type = detail::type_of<value_type>();
        handle_ = detail::obtain<handle>(call, in.native_handle(), name, &type,
                                         static_cast<std::uint32_t>(shape.size()), shape.data());
        look();
    }

    explicit array(handle opened) : handle_(std::move(opened)) {
        detail::check_type<value_type>(look().type);
    }

    /// Learns where the elements are and how many.
    atoll_array_layout look() {
        atoll_array_layout layout{};
        detail::check(atoll_array_info(native_handle(), &layout));
        data_ = static_cast<T*>(atoll_array_data(native_handle()));
        size_ = layout.length;
        shape_.assign(layout.shape, layout.shape + layout.ndim);
        return layout;
    }

    template <class... Index>
    bool fits(Index... index) const noexcept {
        std::size_t dimension = 0;
        return sizeof...(index) == shape_.size() &&
               ((static_cast<std::uint64_t>(index) < shape_[dimension++]) && ...);
    }

    /// ((i0 * n1 + i1) * n2 + i2) ... : row by row, the last index runs fastest.
    template <class... Index>
    size_type flat(Index... index) const noexcept {
        std::size_t dimension = 0;
        size_type offset = 0;
        ((offset = offset * shape_[dimension++] + static_cast<size_type>(index)), ...);
        return offset;
    }

    handle handle_;
    T* data_ = nullptr;
    size_type size_ = 0;
    shape_type shape_;
};

}  // namespace libatoll

#endif
