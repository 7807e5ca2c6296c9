#include "perf/micro/device/reduce_case.h"

#include <algorithm>
#include <cstring>

#include "base/datatypes.h"
#include "base/float_types.h"

namespace xccl::bench {
namespace {

constexpr std::size_t kLine = 64;

// `value`, a small whole number, as an element of `type` at `to`.
void put_element(std::byte* to, xcclDataType_t type, int value) {
    const auto put = [&](auto x) { std::memcpy(to, &x, sizeof x); };
    switch (type) {
        case xcclFloat16:
            return put(narrow<Float16>(static_cast<float>(value)));
        case xcclBfloat16:
            return put(narrow<Bfloat16>(static_cast<float>(value)));
        case xcclFloat8e4m3:
            return put(narrow<Float8e4m3>(static_cast<float>(value)));
        case xcclFloat8e5m2:
            return put(narrow<Float8e5m2>(static_cast<float>(value)));
        case xcclFloat32:
            return put(static_cast<float>(value));
        case xcclFloat64:
            return put(static_cast<double>(value));
        case xcclInt64:
        case xcclUint64:
            return put(static_cast<std::int64_t>(value));
        case xcclInt32:
        case xcclUint32:
            return put(static_cast<std::int32_t>(value));
        default:
            return put(static_cast<std::int8_t>(value));
    }
}

const char* kind_name(ReduceKind kind) {
    switch (kind) {
        case ReduceKind::kSum:
            return "sum";
        case ReduceKind::kProd:
            return "prod";
        case ReduceKind::kMax:
            return "max";
        default:
            return "min";
    }
}

int combine_numbers(ReduceKind kind, int a, int b) {
    switch (kind) {
        case ReduceKind::kSum:
            return a + b;
        case ReduceKind::kProd:
            return a * b;
        case ReduceKind::kMax:
            return std::max(a, b);
        default:
            return std::min(a, b);
    }
}

// 1 or 2: eight of them add up to what every datatype holds.
int number_at(std::size_t source, std::size_t index) {
    return 1 + static_cast<int>((index * 7 + source * 5 + index / 3) % 2);
}

}  // namespace

std::string Case::name() const {
    if (form == Form::kCopy) return streamed ? "copy/streamed" : "copy";
    std::string name = form == Form::kWiden    ? "widen"
                       : form == Form::kNarrow ? "narrow"
                       : source_count == 1     ? "copied"
                                               : kind_name(kind);
    return name + "/" + datatype_name(type) + "/" + std::to_string(source_count) + ":" +
           std::to_string(destination_count) + (streamed ? "/streamed" : "");
}

std::size_t Case::source_element_bytes() const {
    return element_bytes(form == Form::kNarrow ? accumulate_type(type) : type);
}

std::size_t Case::destination_element_bytes() const {
    return element_bytes(form == Form::kWiden ? accumulate_type(type) : type);
}

std::size_t Case::element_count(std::size_t call_bytes) const {
    return call_bytes / traffic(1) / kLine * kLine;
}

std::size_t Case::traffic(std::size_t count) const {
    return count * (source_count * source_element_bytes() +
                    destination_count * destination_element_bytes());
}

BoundCase::BoundCase(const Case& of, std::size_t count, const std::byte* sources,
                     std::byte* destinations)
    : case_(of), count_(count) {
    sources_.reserve(of.source_count);
    for (std::size_t s = 0; s < of.source_count; ++s) {
        sources_.push_back({sources + s * count * of.source_element_bytes(),
                            of.form == Case::Form::kNarrow, false});
    }
    destinations_.reserve(of.destination_count);
    for (std::size_t d = 0; d < of.destination_count; ++d) {
        destinations_.push_back({destinations + d * count * of.destination_element_bytes(),
                                 of.form == Case::Form::kWiden});
    }
}

bool is_right(const Case& c) {
    constexpr std::size_t kCount = 1003;
    const xcclDataType_t source_type =
        c.form == Case::Form::kNarrow ? accumulate_type(c.type) : c.type;
    const xcclDataType_t destination_type =
        c.form == Case::Form::kWiden ? accumulate_type(c.type) : c.type;
    std::vector<std::byte> sources(1 + c.source_count * kCount * c.source_element_bytes());
    std::vector<std::byte> expected(kCount * c.destination_element_bytes());
    for (std::size_t i = 0; i < kCount; ++i) {
        int result = 0;
        for (std::size_t s = 0; s < c.source_count; ++s) {
            const int number = number_at(s, i);
            result = s == 0 ? number : combine_numbers(c.kind, result, number);
            put_element(sources.data() + 1 + (s * kCount + i) * c.source_element_bytes(),
                        source_type, number);
        }
        put_element(expected.data() + i * c.destination_element_bytes(), destination_type, result);
    }
    std::vector<std::byte> destinations(3 + c.destination_count * expected.size());
    BoundCase(c, kCount, sources.data() + 1, destinations.data() + 3).run();
    for (std::size_t d = 0; d < c.destination_count; ++d) {
        if (std::memcmp(destinations.data() + 3 + d * expected.size(), expected.data(),
                        expected.size()) != 0) {
            return false;
        }
    }
    return true;
}

}  // namespace xccl::bench
