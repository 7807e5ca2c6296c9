#include "transport/outbox.h"

#include <algorithm>

namespace xccl {

std::byte* Outbox::reserve() {
    if (view_.slot_count == 0) return nullptr;
    std::vector<Reader>& readers = readers_[next_];
    const bool is_free = std::all_of(readers.begin(), readers.end(), [](const Reader& reader) {
        return reader.sender->is_consumed(reader.sequence);
    });
    if (!is_free) return nullptr;
    readers.clear();
    number_ = next_;
    next_ = next_ + 1 == view_.slot_count ? 0 : next_ + 1;
    return view_.at(number_);
}

}  // namespace xccl
