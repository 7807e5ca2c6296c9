// A user's own choice of algorithms: `all_reduce:ring,direct` takes ring for all_reduce, and direct
// for everything else that has a direct.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "xccl.h"

namespace xccl {

class Overrides {
  public:
    // `known`: names of all algorithms. An unknown name of an algorithm or collective fails, with
    // the nearest known one. Later entries win.
    static Result<Overrides> parse(std::string_view text,
                                   const std::vector<std::string_view>& known);

    // Names asked for `coll`, the most wanted first: of its own, then for all.
    std::vector<std::string_view> names_for(xcclColl_t coll) const;
    bool empty() const { return entries_.empty(); }

  private:
    std::vector<std::pair<xcclColl_t, std::string>> entries_;  // xcclNumColls: for all
};

}  // namespace xccl
