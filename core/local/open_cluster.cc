// open_cluster() of programs that know clusters on this host only. A unit of its own, so that a program may be linked
// with another one.
#include "core/local/local_cluster.h"
#include "core/os/env.h"

namespace pilgrimage {

Result<std::unique_ptr<Cluster>> open_cluster(const std::string& location, ClusterOptions options) {
  pg::Env env = pg::posix_env();
  if (options.notice) env.notice = options.notice;
  return pg::LocalCluster::open(env, location, options);
}

}  // namespace pilgrimage
