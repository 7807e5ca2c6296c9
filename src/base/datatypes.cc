#include "base/datatypes.h"

namespace xccl {

const char* datatype_name(xcclDataType_t type) {
    static const char* const names[] = {"int8",    "uint8",    "int32",       "uint32",
                                        "int64",   "uint64",   "float16",     "float32",
                                        "float64", "bfloat16", "float8_e4m3", "float8_e5m2"};
    const int index = static_cast<int>(type);
    return index >= 0 && index < xcclNumTypes ? names[index] : nullptr;
}

const char* reduce_op_name(int op) {
    static const char* const names[] = {"sum", "prod", "max", "min", "avg"};
    if (op < 0) return nullptr;
    return op < xcclNumOps ? names[op] : "premul_sum";
}

const char* coll_name(xcclColl_t coll) {
    static const char* const names[] = {
        "all_reduce",      "reduce",      "broadcast", "all_gather", "reduce_scatter",
        "all_to_all",      "gather",      "scatter",   "barrier",    "all_gatherv",
        "reduce_scatterv", "all_to_allv", "send_recv"};
    const int index = static_cast<int>(coll);
    return index >= 0 && index < xcclNumColls ? names[index] : nullptr;
}

}  // namespace xccl
