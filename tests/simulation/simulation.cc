#include "tests/simulation/simulation.h"

#include <algorithm>

#include "core/log/replica_words.h"
#include "tests/simulation/faults.h"

namespace pg::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kTurnsAtWork = 6000;
constexpr Duration kHealing = seconds(60);

class Simulation {
 public:
  Simulation(uint64_t seed, bool tracing) : world_(seed, tracing), clients_(world_), faults_(world_, clients_) {}

  Outcome run() {
    for (auto& broker : world_.brokers) broker->start();
    clients_.start();
    while (!world_.failed() && world_.scheduler.turns < kTurnsAtWork) turn();
    faults_.end();
    heal();
    Outcome outcome{world_.violation(), stuck_, world_.notes(), world_.scheduler.turns, 0};
    for (int p = 0; p < world_.shape.partitions; ++p)
      outcome.acknowledged += world_.ledger(PartitionId(p)).acknowledged();
    return outcome;
  }

 private:
  void turn() {
    const Process* const ran = world_.run_next();
    faults_.consider(ran);
  }

  // Each producer is acknowledged something; then nobody writes, and all logs become the same.
  void heal() {
    world_.scheduler.pace.steps = 500;
    const Deadline end = world_.now() + kHealing;
    clients_.add_producer();
    const auto& producers = clients_.producers();
    std::vector<int64_t> before;
    for (const auto& producer : producers) before.push_back(producer->acknowledged());
    const auto goes_on = [&] {
      bool all = true;
      for (size_t i = 0; i < producers.size(); ++i) all &= producers[i]->acknowledged() > before[i];
      return all;
    };
    run_until(end, goes_on, "a producer is not acknowledged anything");
    for (const auto& producer : producers) producer->stop();
    run_until(
        end,
        [&] { return std::all_of(producers.begin(), producers.end(), [](const auto& p) { return p->has_ended(); }); },
        "a producer cannot finish its record");
    run_until(
        end, [&] { return unhealed().empty(); }, "");
    run_until(
        end, [&] { return unread().empty(); }, "");
  }

  void run_until(Deadline end, const std::function<bool()>& done, const char* otherwise) {
    while (!world_.failed() && !done()) {
      stuck_ = world_.now() > end;
      if (stuck_) return world_.fail(*otherwise != '\0' ? otherwise : unhealed() + unread());
      turn();
    }
  }

  // Empty: every replica is in sync and has what the others have.
  std::string unhealed() {
    for (int p = 0; p < world_.shape.partitions; ++p) {
      const PartitionMetadata& metadata = world_.metadata(PartitionId(p));
      if (metadata.in_sync.size() != metadata.replicas.size())
        return fmt::format("partition {}: not all replicas are in sync", p);
      const Place& leader = world_.place(PartitionId(p), metadata.leader);
      if (!leader.files || !leader.files->page) return fmt::format("partition {}: the leader has no log", p);
      const StatePage& page = leader.files->page->page;
      const Offset end = read_position(page).log_end;
      if (!leads_in(page, metadata.leader_epoch)) return fmt::format("partition {}: nobody leads", p);
      if (known_high_watermark(page) != end) return fmt::format("partition {}: not all is committed", p);
      for (const Place* place : world_.places(PartitionId(p))) {
        if (!place->files || !place->files->page || read_position(place->files->page->page).log_end != end) {
          return fmt::format("partition {}: broker {} ends elsewhere than the leader", p, place->broker.value);
        }
      }
    }
    return "";
  }

  // Empty: every reader has all that is committed.
  std::string unread() {
    for (int p = 0; p < world_.shape.partitions; ++p) {
      const Ledger& ledger = world_.ledger(PartitionId(p));
      for (const auto& reader : clients_.readers()) {
        const SimReader::Kept& kept = reader->kept(PartitionId(p));
        if (kept.next < ledger.end())
          return fmt::format("partition {}: the {} has read up to {} of {}", p, reader->process().name(),
                             kept.next.value, ledger.end().value);
        if (!reader->has_compared(PartitionId(p), world_.metadata(PartitionId(p)).leader_epoch)) {
          return fmt::format("partition {}: the {} has not looked at the last leader", p, reader->process().name());
        }
        ledger.compare(reader->process().name(), kept.records);
      }
    }
    return "";
  }

  World world_;
  Clients clients_;
  Faults faults_;
  bool stuck_ = false;
};

}  // namespace

Outcome simulate(uint64_t seed, Mutation broken, bool tracing) {
  broken_rule = broken;
  return Simulation(seed, tracing).run();
}

}  // namespace pg::sim
