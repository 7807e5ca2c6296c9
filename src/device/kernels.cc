#include "device/kernels.h"

#include <limits>

#include "device/elements.h"

namespace xccl {
namespace {

template <typename T>
void divide(std::byte* data, std::size_t count, std::int64_t divisor) {
    auto* elements = reinterpret_cast<Unaligned<T>*>(data);
    if (static_cast<std::uint64_t>(divisor) >
        static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
        // |x| < divisor, but for the one x whose magnitude is max + 1.
        for (std::size_t i = 0; i < count; ++i) {
            const bool equal_magnitude =
                std::is_signed_v<T> && elements[i].value == std::numeric_limits<T>::min() &&
                static_cast<std::uint64_t>(divisor) ==
                    static_cast<std::uint64_t>(std::numeric_limits<T>::max()) + 1;
            elements[i].value = static_cast<T>(equal_magnitude ? -1 : 0);
        }
        return;
    }
    const T narrow_divisor = static_cast<T>(divisor);
    for (std::size_t i = 0; i < count; ++i) {
        elements[i].value = static_cast<T>(elements[i].value / narrow_divisor);
    }
}

}  // namespace

void divide_integers(xcclDataType_t type, std::byte* data, std::size_t count,
                     std::int64_t divisor) {
    switch (type) {
        case xcclInt8:
            return divide<std::int8_t>(data, count, divisor);
        case xcclUint8:
            return divide<std::uint8_t>(data, count, divisor);
        case xcclInt32:
            return divide<std::int32_t>(data, count, divisor);
        case xcclUint32:
            return divide<std::uint32_t>(data, count, divisor);
        case xcclInt64:
            return divide<std::int64_t>(data, count, divisor);
        case xcclUint64:
            return divide<std::uint64_t>(data, count, divisor);
        default:
            return;
    }
}

}  // namespace xccl
