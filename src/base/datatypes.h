// What is known of datatypes and operators without touching an element.
#pragma once

#include <cstddef>

#include "xccl.h"

namespace xccl {

// Bytes of one element; 0 for an unknown value.
constexpr std::size_t element_bytes(xcclDataType_t type) {
    switch (static_cast<int>(type)) {
        case xcclInt8:
        case xcclUint8:
        case xcclFloat8e4m3:
        case xcclFloat8e5m2:
            return 1;
        case xcclFloat16:
        case xcclBfloat16:
            return 2;
        case xcclInt32:
        case xcclUint32:
        case xcclFloat32:
            return 4;
        case xcclInt64:
        case xcclUint64:
        case xcclFloat64:
            return 8;
        default:
            return 0;
    }
}

constexpr bool is_float(xcclDataType_t type) {
    return static_cast<int>(type) >= xcclFloat16 && static_cast<int>(type) <= xcclFloat8e5m2;
}

// The type in which partial results are kept: float32 for 16- and 8-bit floats, else the type
// itself.
constexpr xcclDataType_t accumulate_type(xcclDataType_t type) {
    return is_float(type) && element_bytes(type) < 4 ? xcclFloat32 : type;
}

const char* datatype_name(
    xcclDataType_t type);                // "float32"; "datatype(77)" is never returned: null
const char* reduce_op_name(int op);      // "sum", "premul_sum" for created operators
const char* coll_name(xcclColl_t coll);  // "all_reduce"; null for an unknown value

}  // namespace xccl
