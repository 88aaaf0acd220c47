/// Elements in shared memory that somebody else keeps there: std::span, with dimensions.
///
///     atoll::view<double> row = grid.row(3);
///     std::fill(row.begin(), row.end(), 0.5);

#ifndef ATOLL_VIEW_HPP
#define ATOLL_VIEW_HPP

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>

#if __cplusplus >= 202002L
#include <span>
#endif

#include "variant.hpp"

namespace libatoll {
inline namespace ATOLL_VARIANT {

/// A stretch of elements, row by row in any number of dimensions. Like a span it owns nothing, and
/// a const one still gives T&. It is good as long as the array it comes from.
///
/// Nothing is checked, save by assert(), but in at().
template <class T>
class view {
public:
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using pointer = T*;
    using iterator = T*;
    using reverse_iterator = std::reverse_iterator<iterator>;

    view() = default;

    /// Elements of one dimension.
    view(T* first, size_type size) noexcept : first_(first), size_(size) {}

    /// As many dimensions as `extents` has numbers, the slowest first.
    view(T* first, size_type size, const std::uint64_t* extents, size_type rank) noexcept
        : first_(first), size_(size), extents_(extents), rank_(rank) {}

    /// To look at only.
    operator view<const T>() const noexcept { return {first_, size_, extents_, rank_}; }

    T* data() const noexcept { return first_; }
    size_type size() const noexcept { return size_; }
    size_type size_bytes() const noexcept { return size_ * sizeof(T); }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// How many dimensions, and how many elements there are along one of them.
    size_type rank() const noexcept { return rank_; }
    size_type extent(size_type dimension) const noexcept {
        assert(dimension < rank_);
        return rank_ == 1 ? size_ : extents_[dimension];
    }

    iterator begin() const noexcept { return first_; }
    iterator end() const noexcept { return first_ + size_; }
    reverse_iterator rbegin() const noexcept { return reverse_iterator(end()); }
    reverse_iterator rend() const noexcept { return reverse_iterator(begin()); }

    /// The element at a flat index, row by row in any number of dimensions.
    T& operator[](size_type index) const noexcept {
        assert(index < size_);
        return first_[index];
    }

    /// The element at one index per dimension.
    template <class... Index>
    T& operator()(Index... index) const noexcept {
        assert(fits(index...));
        return first_[flat(static_cast<size_type>(index)...)];
    }

#ifdef __cpp_multidimensional_subscript
    template <class... Index>
    T& operator[](size_type first, size_type second, Index... rest) const noexcept {
        return (*this)(first, second, rest...);
    }
#endif

    /// The element at a flat index, or at one per dimension, checked: throws std::out_of_range.
    T& at(size_type index) const {
        if (index >= size_) detail::out_of_range("atoll::array: the index is past the end");
        return first_[index];
    }

    template <class... Index>
    T& at(size_type first, size_type second, Index... rest) const {
        if (!fits(first, second, rest...)) {
            detail::out_of_range(
                "atoll::array: an index is past its dimension, or there is not one for each");
        }
        return first_[flat(first, second, static_cast<size_type>(rest)...)];
    }

    T& front() const noexcept { return (*this)[0]; }
    T& back() const noexcept { return (*this)[size_ - 1]; }

    /// Parts, counted row by row, as of one dimension.
    view first(size_type count) const noexcept { return subspan(0, count); }
    view last(size_type count) const noexcept { return subspan(size_ - count, count); }
    view subspan(size_type offset) const noexcept { return subspan(offset, size_ - offset); }
    view subspan(size_type offset, size_type count) const noexcept {
        assert(offset <= size_ && count <= size_ - offset);
        return {first_ + offset, count};
    }

    /// What is at one index of the first dimension: a view of one dimension less.
    view row(size_type index) const noexcept {
        assert(rank_ >= 2 && index < extents_[0]);
        const size_type size = size_ / extents_[0];
        return {first_ + index * size, size, extents_ + 1, rank_ - 1};
    }

private:
    template <class... Index>
    bool fits(Index... index) const noexcept {
        size_type dimension = 0;
        return sizeof...(index) == rank_ &&
               ((static_cast<std::uint64_t>(index) < extent(dimension++)) && ...);
    }

    /// ((i0 * n1 + i1) * n2 + i2) ... : row by row, the last index runs fastest.
    template <class... Rest>
    size_type flat(size_type first, Rest... rest) const noexcept {
        size_type dimension = 1, offset = first;
        ((offset = offset * extents_[dimension++] + rest), ...);
        return offset;
    }

    T* first_ = nullptr;
    size_type size_ = 0;
    const std::uint64_t* extents_ = nullptr;  ///< not looked at if there is one dimension
    size_type rank_ = 1;
};

}  // namespace ATOLL_VARIANT
}  // namespace libatoll

#if __cplusplus >= 202002L
template <class T>
inline constexpr bool std::ranges::enable_view<libatoll::view<T>> = true;
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<libatoll::view<T>> = true;
#endif

#endif
