// What the controller does about one partition next. Pure: a function of what it sees and of what it remembers, so that
// the simulator can ask it anything.
//
// Rules, in Kafka's words:
//  * Another replica in sync replaces a leader whose broker has ended, hangs or is stopping, whose log is gone, failed
//  or
//    damaged, or that was fenced. The new epoch is higher than any that a process may have seen.
//  * A replica is unclean if its machine stopped before its records were on stable storage. It may lack acknowledged
//    records, so it does not lead, and leaves the ISR, until it has copied a leader's log (KIP-966). If all replicas in
//    sync are unclean, because the whole host stopped, the one with the most records is elected once all are back.
//  * A replica leaves the ISR when its broker has ended or hangs, when its log is gone, when its disk has no room, or
//    when it has lacked what the leader has for longer than replica.lag.time.max.ms. The leader's replica never leaves.
//  * A replica joins as replica_words.h says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/log/replica_words.h"
#include "core/store/cluster_config.h"
#include "core/store/home.h"

namespace pg {

// The state of a broker. Its lock, its heartbeat and its disk tell which one it is.
enum class BrokerHealth { running, starting, stopping, full, hung, failed, dead };
// Whether its log is appended to, read and copied as it should be. One that is starting is given a moment.
inline bool is_working(BrokerHealth health) { return health <= BrokerHealth::full; }
// Whether it may become a leader.
inline bool may_lead(BrokerHealth health) { return health == BrokerHealth::running; }
const char* name_of(BrokerHealth health);

using ClusterHealth = std::map<BrokerId, BrokerHealth>;

// What a replica has told its leader.
struct SlotView {
  SlotView(Offset both) : log_end(both), flushed(both) {}
  SlotView(Offset end, Offset stored) : log_end(end), flushed(stored) {}

  Offset log_end;
  Offset flushed;
};

// One replica, as its state page and its files show it.
struct ReplicaView {
  bool there = false;  // nothing else counts if it is not
  bool leads = false;
  LeaderEpoch epoch{-1};  // that it leads or follows in
  LeaderEpoch fenced{-1};
  LeaderEpoch last_epoch{-1};  // of its last record
  Offset log_end;
  Offset high_watermark;
  bool usable = true;  // neither failed nor damaged
  bool full = false;   // there was no room for a batch
  bool unclean = false;
  // Of a leader:
  InSync in_sync = {};
  std::optional<InSync> confirmed = {};             // empty: an older version has opened its epoch
  std::vector<std::optional<SlotView>> slots = {};  // in the order of the metadata
};
ReplicaView view_of(const StatePage& page, const EpochHistory& epochs, size_t replicas);

struct PartitionView {
  PartitionMetadata metadata;
  std::vector<ReplicaView> replicas;  // in the order of the metadata
};

// What a controller remembers of a partition from one look to the next. It may forget it at any time.
struct PartitionMemory {
  struct Replica {
    Deadline caught_up{};                 // when it had what the leader had at the look before
    uint16_t joining = 0;                 // the version of the leader's word in which its bit was first seen
    std::optional<Offset> join_end = {};  // what the leader had then: it is in sync once it has this on stable storage
    std::optional<Deadline> in_sync_since = {};
  };
  LeaderEpoch epoch{-1};
  std::optional<Offset> leader_end;  // at the last look
  std::vector<Replica> replicas;
};

struct PartitionAction {
  enum class Kind {
    elect,   // the metadata gets `changed`; the pages of those that may have led are fenced before and after
    shrink,  // its confirmed bit goes, then the metadata gets `changed`, then the page's bit goes
    join,    // the page's bit is set
    admit,   // the page's word gets a new version, then the metadata `changed`, then its confirmed bit is set
  };
  Kind kind = Kind::elect;
  size_t replica = 0;  // its place in the metadata
  PartitionMetadata changed = {};
  std::string reason = {};  // for people
  InSync seen = {};         // what the leader's page said: its bits are changed only if they are the same still
  std::optional<InSync> confirmed = {};  // the same
};

// Empty: all is as it should be, or nothing can be done now.
std::optional<PartitionAction> plan_partition(const PartitionView& view, const ClusterHealth& health,
                                              const ClusterConfig& config, PartitionMemory& memory, Deadline now);

// The same for elections that a person asks for: of the preferred leader, and of whoever has the most.
std::optional<PartitionAction> plan_preferred_election(const PartitionView& view, const ClusterHealth& health);
std::optional<PartitionAction> plan_unclean_election(const PartitionView& view, const ClusterHealth& health);

}  // namespace pg
