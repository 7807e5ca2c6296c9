// The id that all processes of a job share without being told: process 0 makes it, and the others
// get it over the first of these ways that is there:
//
//     XCCL_JOB_ID               xccl-run's own; a socket of this host with the job's secret
//     PMIx, PMI                 the launcher's key-value service
//     a socket of this host     named after the job, for processes of one user
//     XCCL_ROOT                 an address, with XCCL_SECRET or XCCL_SECRET_FILE
//
// Which way that is follows from what all processes have in common (launcher, sizes, settings), so
// that all take the same.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/config.h"
#include "base/status.h"
#include "bootstrap/launch.h"
#include "bootstrap/meeting_place.h"
#include "xccl.h"

namespace xccl {

using IdMaker = std::function<Result<xcclUniqueId>()>;

// job_unique_id() of bootstrap.h, but with ids from `make_id`, which process 0 calls.
Result<xcclUniqueId> job_unique_id(const IdMaker& make_id);

// ---- The parts, for tests -------------------------------------------------------------------

enum class LauncherService { kNone, kPmix, kPmi };

// Which key-value service the launcher of this process runs, if any.
LauncherService launcher_service(const LaunchInfo& launch, const VariableLookup& variable);

// What tells this job from others of its user on this host. No value: nothing does.
std::optional<std::string> job_name(const LaunchInfo& launch, const VariableLookup& variable);

// Where the processes meet that have no service.
//   invalid_usage  nowhere, or without a secret; says what to set
Result<MeetingPlace> job_meeting_place(const LaunchInfo& launch, const Config& settings,
                                       const VariableLookup& variable);

// An id, or why there is none, as text for a key-value service.
std::string encode_id(const Result<xcclUniqueId>& id);
Result<xcclUniqueId> decode_id(const std::string& text);

}  // namespace xccl
