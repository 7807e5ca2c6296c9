// Which of this host's addresses others should call.
//
// A specification is a comma list. `eth` means all interfaces whose names begin so, `=eth0` that
// one exactly, `^docker` none of those; a `^` in front of the whole list excludes all that it
// names. No specification: every interface that is up, but bridges of containers and of virtual
// machines only if there is nothing else. Loopback is used if it is named, or is all there is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace xccl {

struct Interface {
    std::string name;
    std::string address;  // numeric; one entry each where there are several
    bool is_up = false;
    bool is_loopback = false;
    bool is_v6 = false;
    bool is_link_local = false;  // means nothing on another host; never chosen
};

// Of this host, in the system's order.
Result<std::vector<Interface>> list_interfaces();

// Pure. One interface's IPv4 addresses, or where it has none, its IPv6 addresses.
//   system_error  none is usable; names those that there are
Result<std::vector<std::string>> choose_addresses(std::string_view specification,
                                                  const std::vector<Interface>& interfaces);

Result<std::vector<std::string>> usable_addresses(std::string_view specification);

}  // namespace xccl
