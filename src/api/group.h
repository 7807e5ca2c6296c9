// Groups: what is called between xcclGroupStart and the outermost xcclGroupEnd is issued together.
#pragma once

#include <functional>
#include <memory>

#include "api/comm_object.h"
#include "base/status.h"
#include "comm/call.h"
#include "comm/host_stream.h"

namespace xccl {

// How many groups of this thread are open. Needs no initialisation, and so no look whether it had
// it.
inline thread_local constinit int group_depth = 0;
inline bool in_group() {
    return group_depth > 0;
}
void group_start();
Status group_end();

// Adds a call, or an initialisation (runs on a thread of its own at the end, so that several ranks
// of one thread can meet). A communicator that is destroyed or aborted before the end fails its
// calls and keeps nobody waiting.
void group_add(std::shared_ptr<CommObject> comm, Call call, std::shared_ptr<HostStream> stream);
void group_add_init(std::function<Status()> init);

}  // namespace xccl
